"""The commands of the card, ISO/IEC 7816-4:2020 11 and ISO/IEC 7816-8, as the card answers them."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from jpki.emulator.command import Command
from jpki.emulator.faults import Faults, SignatureFault, TriesQuery
from jpki.emulator.image import CardMemory, DataFile, File, KeyFile, PinFile
from jpki.emulator.rsa import sign_padded

Reference = TypeVar("Reference", PinFile, KeyFile)

MAX_SIGNATURE_INPUT = 245  # RSA-2048 less the eleven bytes of PKCS#1 v1.5 padding
MAX_PIN_LENGTH = 16


class RefusedError(Exception):
    """A command ends with a status word and no data."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


def check_class(cla: int) -> None:
    """Refuse channels, chaining, secure messaging. ISO/IEC 7816-4 5.4.1.

    Raises:
        RefusedError: with the status word for what was asked.
    """
    if cla in {0x00, 0x80}:
        return
    if cla & 0xC0 == 0x40 or (cla & 0x60 == 0 and cla & 0x03):
        raise RefusedError(0x6881)
    if cla & 0x60 == 0 and cla & 0x0C:
        raise RefusedError(0x6882)
    if cla & 0x60 == 0:
        raise RefusedError(0x6884)
    raise RefusedError(0x6E00)


class OperatingSystem:
    """Current application, current EF and security status, and the commands that move them."""

    def __init__(self, memory: CardMemory, faults: Faults) -> None:
        self.faults = faults
        self.verify_count = 0
        self.signature_count = 0
        self._memory = memory
        self._applications = memory.image().applications
        self._application = self._applications[0]
        self._file: File | None = None
        self._verified: set[int] = set()
        self._commands: dict[tuple[int, int], Callable[[Command], bytes]] = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB0): self._read_binary,
            (0x00, 0x20): self._verify,
            (0x00, 0x24): self._change_reference_data,
            (0x00, 0x84): self._get_challenge,
            (0x00, 0x88): self._internal_authenticate,
            (0x00, 0xCA): self._get_data,
            (0x80, 0x2A): self._compute_digital_signature,
            (0x80, 0xFC): self._last_command_indicator,
        }

    def forget(self) -> None:
        """Power has gone: no PIN is verified and the first application is current."""
        self._application = self._applications[0]
        self._file = None
        self._verified = set()

    def perform(self, command: Command) -> bytes:
        """Carry out one command -> data.

        Raises:
            RefusedError: the command ends with another status word than 9000.
        """
        check_class(command.cla)
        handler = self._commands.get((command.cla, command.ins))
        if handler is None:
            known = any(ins == command.ins for _, ins in self._commands)
            raise RefusedError(0x6E00 if known else 0x6D00)
        return handler(command)

    def _select(self, command: Command) -> bytes:
        """SELECT by AID (P1=04) or by EF identifier (P1=02). ISO/IEC 7816-4 11.2.2."""
        if command.p2 not in {0x00, 0x0C}:
            raise RefusedError(0x6A86)
        if command.p1 == 0x04:
            self._select_application(command.data)
        elif command.p1 == 0x02:
            self._select_file(command.data)
        elif command.p1 != 0x00 or command.data or self._application is self._applications[0]:
            raise RefusedError(0x6A86)
        if command.p2 == 0x0C or command.ne == 0 or command.p1 == 0x00:
            return b""
        fci = self._file_control_information()
        return fci[: command.ne]

    def _select_application(self, aid: bytes) -> None:
        if not 5 <= len(aid) <= 16:
            raise RefusedError(0x6700)
        # from myna-card: a truncated AID selects too, as ISO/IEC 7816-4 12.2.3 allows.
        found = next((app for app in self._applications if app.aid.startswith(aid)), None)
        if found is None:
            raise RefusedError(0x6A82)
        if found is not self._application:
            self._verified = set()
        self._application = found
        self._file = None

    def _select_file(self, ef_id: bytes) -> None:
        if len(ef_id) != 2:
            raise RefusedError(0x6700)
        found = self._application.file(int.from_bytes(ef_id))
        if found is None:
            raise RefusedError(0x6A82)
        self._file = found

    def _file_control_information(self) -> bytes:
        """The FCI template of what was selected. ISO/IEC 7816-4 7.4."""
        if self._file is None:
            aid = self._application.aid
            value = bytes([0x84, len(aid)]) + aid
        else:
            size = self._file.size if isinstance(self._file, DataFile) else 0
            value = b"\x80\x02" + size.to_bytes(2) + b"\x82\x01\x01"
            value += b"\x83\x02" + self._file.ef_id.to_bytes(2)
        return bytes([0x6F, len(value)]) + value

    def _read_binary(self, command: Command) -> bytes:
        """READ BINARY by 15-bit offset or by SFI. ISO/IEC 7816-4 11.3.3."""
        if command.data or command.ne == 0:
            raise RefusedError(0x6700)
        if command.p1 & 0x80:
            offset = command.p2
            # ISO/IEC 7816-4 7.3.2: a file named by its short identifier becomes current.
            self._file = file = self._file_by_sfi(command.p1, missing=0x6A82)
        else:
            offset = command.p1 << 8 | command.p2
            file = self._current_file()
        if not isinstance(file, DataFile):
            raise RefusedError(0x6981)
        if file.read_after and self._verified.isdisjoint(file.read_after):
            raise RefusedError(0x6982)
        if offset >= file.size:
            raise RefusedError(0x6B00)
        content = file.content.ljust(file.size, b"\xff")
        if self.faults.certificate_garbage and content[:2] == b"\x30\x82":
            content = content[:4] + bytes(byte ^ 0x5A for byte in content[4:])
        part = content[offset : offset + command.ne]
        if self.faults.wrong_le_6cxx and len(part) < min(command.ne, 256):
            raise RefusedError(0x6C00 | len(part))
        return part

    def _verify(self, command: Command) -> bytes:
        """VERIFY, or the tries left when there are no data. ISO/IEC 7816-4 11.6.6."""
        if command.data:
            self.verify_count += 1
        if command.p1 != 0x00:
            raise RefusedError(0x6A86)
        if command.ne or len(command.data) > MAX_PIN_LENGTH:
            raise RefusedError(0x6700)
        reference = self._referenced(command.p2, PinFile)
        if not command.data:
            raise RefusedError(self._tries_query(reference.ef_id))
        old = self._memory.update_pin(
            self._application.aid, reference.ef_id, lambda pin: _after_attempt(pin, command.data)
        )
        if old.tries_left and old.value == command.data:
            self._verified.add(reference.ef_id)
            return b""
        self._verified.discard(reference.ef_id)
        if old.tries_left == 0:
            raise RefusedError(self.faults.blocked_sw)
        raise RefusedError(0x63C0 | old.tries_left - 1)

    def _tries_query(self, ef_id: int) -> int:
        pin = self._memory.image().pin(self._application.aid, ef_id)
        if self.faults.tries_query is TriesQuery.SW_6983:
            return 0x6983
        if self.faults.tries_query is TriesQuery.STALE:
            return 0x63C0 | pin.max_tries
        return 0x63C0 | pin.tries_left

    def _change_reference_data(self, command: Command) -> bytes:
        """CHANGE REFERENCE DATA, new value only, after VERIFY. ISO/IEC 7816-4 11.6.7."""
        if command.p1 != 0x01:
            raise RefusedError(0x6A86)
        if command.ne or not command.data:
            raise RefusedError(0x6700)
        reference = self._referenced(command.p2, PinFile)
        if not reference.min_length <= len(command.data) <= reference.max_length:
            raise RefusedError(0x6700)
        current = self._memory.image().pin(self._application.aid, reference.ef_id)
        if current.tries_left == 0:
            raise RefusedError(self.faults.blocked_sw)
        if reference.ef_id not in self._verified:
            raise RefusedError(0x6982)
        if not reference.alphabet.holds(command.data):
            raise RefusedError(0x6A80)
        self._memory.update_pin(
            self._application.aid, reference.ef_id, lambda pin: replace(pin, value=command.data)
        )
        return b""

    def _compute_digital_signature(self, command: Command) -> bytes:
        """PSO COMPUTE DIGITAL SIGNATURE, input padded as it is. ISO/IEC 7816-8 11.4."""
        if command.p1 != 0x00:
            raise RefusedError(0x6A86)
        if not command.data or command.ne == 0:
            raise RefusedError(0x6700)
        key = self._referenced(command.p2, KeyFile)
        if key.use_after and self._verified.isdisjoint(key.use_after):
            raise RefusedError(0x6982)
        if len(command.data) > MAX_SIGNATURE_INPUT:
            raise RefusedError(0x6985)
        try:
            signature = sign_padded(key.private_key, command.data)
        except ValueError:  # the key in the card file is none
            raise RefusedError(0x6581) from None
        if command.ne < len(signature):
            raise RefusedError(0x6700)
        self.signature_count += 1
        match self.faults.signature:
            case SignatureFault.WRONG:
                return signature[:-1] + bytes([signature[-1] ^ 0x01])
            case SignatureFault.SHORT:
                return signature[:-1]
            case SignatureFault.NONE:
                return signature

    def _internal_authenticate(self, _command: Command) -> bytes:
        """INTERNAL AUTHENTICATE: the keys behind a PIN refuse it. ISO/IEC 7816-4 11.6.3."""
        keys = [file for file in self._application.files if isinstance(file, KeyFile)]
        raise RefusedError(0x6982 if keys else 0x6A88)

    def _get_challenge(self, command: Command) -> bytes:
        """GET CHALLENGE: 1 to 256 random bytes. ISO/IEC 7816-4 11.6.4."""
        if command.p1 or command.p2:
            raise RefusedError(0x6A86)
        if command.extended:
            raise RefusedError(0x6985)
        if command.data or command.ne == 0:
            raise RefusedError(0x6700)
        return os.urandom(command.ne)

    def _get_data(self, _command: Command) -> bytes:
        """GET DATA: this card has no data objects. ISO/IEC 7816-4 11.5.3."""
        raise RefusedError(0x6A88)

    def _last_command_indicator(self, _command: Command) -> bytes:
        """A phone's command, refused by a card as myna-card saw it."""
        raise RefusedError(0x6700)

    def _current_file(self) -> File:
        if self._file is None:
            raise RefusedError(0x6986)
        return self._file

    def _file_by_sfi(self, reference: int, *, missing: int) -> File:
        """The EF that the low five bits of a parameter name."""
        if reference & 0xE0 != 0x80 or reference & 0x1F in {0x00, 0x1F}:
            raise RefusedError(0x6A86)
        file = self._application.file_by_sfi(reference & 0x1F)
        if file is None:
            raise RefusedError(missing)
        return file

    def _referenced(self, p2: int, kind: type[Reference]) -> Reference:
        """The PIN or key that P2 names: 80 is the current EF, 80 + SFI another one."""
        file = self._current_file() if p2 == 0x80 else self._file_by_sfi(p2, missing=0x6A88)
        if not isinstance(file, kind):
            raise RefusedError(0x6981)
        return file


def _after_attempt(pin: PinFile, presented: bytes) -> PinFile:
    """The PIN after one VERIFY: only success restores the counter."""
    if pin.tries_left == 0:
        return pin
    right = pin.value == presented
    return replace(pin, tries_left=pin.max_tries if right else pin.tries_left - 1)
