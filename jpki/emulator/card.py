"""The virtual card as the reader sees it: power, bytes in, bytes out. ISO/IEC 7816-3, 7816-4."""

import time

from jpki.emulator.command import Command, parse_command
from jpki.emulator.faults import CardPulledError, CardSilentError, Faults
from jpki.emulator.image import CardImage, CardMemory, VolatileMemory
from jpki.emulator.operating_system import OperatingSystem, RefusedError

INS_GET_RESPONSE = 0xC0
INS_COMPUTE_DIGITAL_SIGNATURE = 0x2A
SW_MEMORY_FAILURE = 0x6581
SUCCESS = b"\x90\x00"


class VirtualCard:
    """A My Number Card of nobody.

    A new card is in the reader and under power. What it remembers of PINs is in ``memory``; an
    image alone is forgotten with the process. The witnesses (``verify_count``, ``exchange_count``,
    ``signature_count``, ``tries``, ``log``) tell a test what has really reached the card.
    """

    def __init__(self, source: CardImage | CardMemory, *, faults: Faults | None = None) -> None:
        self._memory = VolatileMemory(source) if isinstance(source, CardImage) else source
        self._faults = faults or Faults()
        self._system = OperatingSystem(self._memory, self._faults)
        self._atr = self._memory.image().atr
        self._powered = True
        self._in_reader = True
        self._pending = b""
        self.exchange_count = 0
        self.log: list[bytes] = []  # headers only: a log with PINs would be copied somewhere

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return self._atr

    @property
    def faults(self) -> Faults:
        """The knobs; setting them keeps the state of the card and the numbering of exchanges."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = self._system.faults = faults

    @property
    def verify_count(self) -> int:
        """VERIFY commands with data that the card has carried out, whatever it answered."""
        return self._system.verify_count

    @property
    def signature_count(self) -> int:
        """Signatures that the card has made."""
        return self._system.signature_count

    def tries(self, name: str) -> int:
        """Tries left of the PIN "signature" or "authentication".

        Raises:
            KeyError: the card has no PIN of that name.
        """
        return {pin.name: pin.tries_left for pin in self._memory.image().pins()}[name]

    def pin_value(self, name: str) -> str:
        """The PIN "signature" or "authentication" as it is now.

        Raises:
            KeyError: the card has no PIN of that name.
        """
        return {pin.name: pin.value.decode("latin-1") for pin in self._memory.image().pins()}[name]

    def power_on(self) -> bytes:
        """Insert the card or give it power -> ATR. Power that is on already changes nothing."""
        self._powered = self._in_reader = True
        return self._atr

    def power_off(self) -> None:
        """Take power away: no PIN is verified any longer, no application selected."""
        self._powered = False
        self._pending = b""
        self._system.forget()

    def reset(self) -> bytes:
        """Warm reset -> ATR. Verified PINs stay verified, as seen on real cards."""
        self._powered = self._in_reader = True
        self._pending = b""
        return self._atr

    def execute(self, command: bytes, /) -> bytes:
        """Carry out one command APDU -> response APDU, at least two bytes unless a fault is set.

        Raises:
            CardPulledError: by a fault, or the card was pulled before.
            CardSilentError: by a fault, or the card has no power.
        """
        if not self._in_reader:
            raise CardPulledError("the card is not in the reader")
        if not self._powered:
            raise CardSilentError("the card has no power")
        self.exchange_count += 1
        exchange = self.exchange_count
        if exchange == self._faults.pull_before:
            self._pull()
        self.log.append(command[:4])
        answer = self._answer(command)
        self._wait(command)
        if exchange == self._faults.pull_after:
            self._pull()
        if exchange == self._faults.silent_at:
            raise CardSilentError("the card does not answer")
        return self._faults.spoil(exchange, command, answer)

    def _pull(self) -> None:
        self.power_off()
        self._in_reader = False
        raise CardPulledError("the card has been pulled")

    def _wait(self, command: bytes) -> None:
        signs = command[1:2] == bytes([INS_COMPUTE_DIGITAL_SIGNATURE])
        seconds = self._faults.latency_s + (self._faults.signature_latency_s if signs else 0.0)
        if seconds > 0:
            time.sleep(seconds)

    def _answer(self, raw: bytes) -> bytes:
        """The answer of a card without transmission faults."""
        command = parse_command(raw)
        pending, self._pending = self._pending, b""
        if command is None or (command.extended and not self._faults.extended_length):
            return b"\x67\x00"
        try:
            if command.ins == INS_GET_RESPONSE and command.cla == 0x00:
                return self._get_response(command, pending)
            data = self._system.perform(command)
        except RefusedError as refused:
            return refused.sw.to_bytes(2)
        except (OSError, ValueError):  # the card file has gone or is damaged
            return SW_MEMORY_FAILURE.to_bytes(2)
        if data and self._faults.response_61xx:
            return self._announce(data)
        return data + SUCCESS

    def _get_response(self, command: Command, pending: bytes) -> bytes:
        """GET RESPONSE for data announced by 61xx. ISO/IEC 7816-4 11.8.1."""
        if command.p1 or command.p2:
            raise RefusedError(0x6A86)
        if not pending:
            raise RefusedError(0x6985)
        if command.data or command.ne == 0:
            raise RefusedError(0x6700)
        if len(pending) < command.ne and command.ne != 256:
            self._pending = pending
            raise RefusedError(0x6C00 | len(pending) & 0xFF)
        part, rest = pending[: command.ne], pending[command.ne :]
        return part + self._announce(rest) if rest else part + SUCCESS

    def _announce(self, data: bytes) -> bytes:
        """61xx for data that wait; 6100 stands for 256 bytes or more."""
        self._pending = data
        return bytes([0x61, len(data) if len(data) < 256 else 0])
