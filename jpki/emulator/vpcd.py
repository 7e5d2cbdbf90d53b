"""The card behind pcscd: the wire protocol of vpcd, the virtual reader of vsmartcard.

A message is a length of two bytes, big-endian, and that many bytes. From the reader a message of
one byte is an order (0 power off, 1 power on, 2 reset, 4 send the ATR) and has an answer only
where it asks for the ATR; any other message is a command APDU.
"""

import contextlib
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from enum import IntEnum, StrEnum
from typing import Protocol, Self

from jpki.emulator.faults import CardPulledError, CardSilentError

DEFAULT_PORT = 35963
MAX_MESSAGE = 0xFFFF
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class ServedCard(Protocol):
    """What ``serve`` needs of a card."""

    @property
    def atr(self) -> bytes:
        """The answer to reset."""

    def power_on(self) -> bytes:
        """Give power."""

    def power_off(self) -> None:
        """Take power away."""

    def reset(self) -> bytes:
        """Warm reset."""

    def execute(self, command: bytes, /) -> bytes:
        """Carry out one command. An empty answer is shown by dropping the connection."""


class ServeEvent(StrEnum):
    """What happens to a served card."""

    WAITING = "waiting"  # no virtual reader listens yet, or any longer
    INSERTED = "inserted"
    DROPPED = "dropped"  # the reader has closed the connection, as when pcscd ends
    PULLED = "pulled"  # by a fault of the card
    STOPPED = "stopped"


class _Order(IntEnum):
    POWER_OFF = 0
    POWER_ON = 1
    RESET = 2
    SEND_ATR = 4


class StopSignal:
    """A switch that also wakes a wait for the network. Usable from signal handlers and threads."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reader, self._writer = socket.socketpair()
        self._writer.settimeout(0)

    def set(self) -> None:
        """Turn the switch; again does nothing more."""
        self._event.set()
        with contextlib.suppress(OSError):
            self._writer.send(b"\0")

    def is_set(self) -> bool:
        """Say whether it was turned."""
        return self._event.is_set()

    def fileno(self) -> int:
        """The descriptor that becomes readable, for select."""
        return self._reader.fileno()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for the switch -> whether it was turned."""
        select.select([self], [], [], timeout_s)
        return self.is_set()

    def close(self) -> None:
        """Free the two sockets."""
        self._reader.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class _StoppedError(Exception):
    """The stop signal came while the reader was being waited for."""


class _DroppedError(Exception):
    """The reader has closed the connection."""


def serve(
    card: ServedCard,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    stop: StopSignal | None = None,
    on_event: Callable[[ServeEvent], None] = lambda _event: None,
    reinsert_after_s: float | None = None,
) -> None:
    """Be the card in a virtual reader until stopped; wait for pcscd where it does not run.

    Without ``stop``, SIGTERM and SIGINT end it (from the main thread) and are put back afterwards.
    A card that a fault pulls stays out, and this returns, unless ``reinsert_after_s`` is given.
    """
    if stop is not None:
        _serve_until(card, (host, port), stop, on_event, reinsert_after_s)
        return
    with StopSignal() as own, _stopped_by_signals(own):
        _serve_until(card, (host, port), own, on_event, reinsert_after_s)


def _serve_until(
    card: ServedCard,
    address: tuple[str, int],
    stop: StopSignal,
    on_event: Callable[[ServeEvent], None],
    reinsert_after_s: float | None,
) -> None:
    try:
        while (reader := _connect(address, stop, on_event)) is not None:
            on_event(ServeEvent.INSERTED)
            with reader:
                event = _converse(card, reader, stop)
            card.power_off()
            if event is ServeEvent.STOPPED:
                break
            on_event(event)
            if event is ServeEvent.PULLED and reinsert_after_s is None:
                break
            # Not at once: a reader that drops each connection would keep us running in circles.
            if stop.wait(FIRST_PAUSE_S if event is ServeEvent.DROPPED else reinsert_after_s):
                break
    finally:
        card.power_off()
    on_event(ServeEvent.STOPPED)


def _connect(
    address: tuple[str, int], stop: StopSignal, on_event: Callable[[ServeEvent], None]
) -> socket.socket | None:
    """Connect to the reader, again and again until it listens; None when stopped."""
    pause_s = 0.0
    while not stop.wait(pause_s):
        try:
            reader = socket.create_connection(address, timeout=LONGEST_PAUSE_S)
        except OSError:
            if pause_s == 0:
                on_event(ServeEvent.WAITING)
            pause_s = min(max(pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            continue
        reader.settimeout(None)
        reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reader
    return None


def _converse(card: ServedCard, reader: socket.socket, stop: StopSignal) -> ServeEvent:
    """Answer the reader until something ends it -> what ended it."""
    try:
        while True:
            message = _receive(reader, stop)
            answer = _answer(card, message)
            if answer is None:
                continue
            if not 0 < len(answer) <= MAX_MESSAGE:
                # vpcd hangs on a message without bytes; what it makes of a lost connection is
                # success with no bytes, which is what an empty answer should look like.
                return ServeEvent.DROPPED
            reader.sendall(struct.pack(">H", len(answer)) + answer)
    except CardPulledError:
        return ServeEvent.PULLED
    except CardSilentError:
        return _stay_silent(reader, stop)
    except _StoppedError:
        return ServeEvent.STOPPED
    except (_DroppedError, OSError):
        return ServeEvent.DROPPED


def _stay_silent(reader: socket.socket, stop: StopSignal) -> ServeEvent:
    """Answer nothing until stopped or until the reader gives up."""
    try:
        while True:
            _receive_exactly(reader, 1, stop)
    except _StoppedError:
        return ServeEvent.STOPPED
    except (_DroppedError, OSError):
        return ServeEvent.DROPPED


def _answer(card: ServedCard, message: bytes) -> bytes | None:
    """Obey one message -> the answer, or None where there is none."""
    if len(message) != 1:
        return card.execute(message)
    match message[0]:
        case _Order.POWER_OFF:
            card.power_off()
        case _Order.POWER_ON:
            card.power_on()
        case _Order.RESET:
            card.reset()
        case _Order.SEND_ATR:
            return card.atr
        case _:
            pass  # vpcd knows no other order
    return None


def _receive(reader: socket.socket, stop: StopSignal) -> bytes:
    length = struct.unpack(">H", _receive_exactly(reader, 2, stop))[0]
    return _receive_exactly(reader, length, stop)


def _receive_exactly(reader: socket.socket, count: int, stop: StopSignal) -> bytes:
    """Read count bytes. Raises: _StoppedError, _DroppedError, OSError."""
    parts = bytearray()
    # vpcd sends length and body in two pieces and waits for the ACK of the first, which Linux
    # holds back for 40 ms; the option wears off and is set again before each receive.
    quick_ack = getattr(socket, "TCP_QUICKACK", None)
    while len(parts) < count:
        if quick_ack is not None:
            reader.setsockopt(socket.IPPROTO_TCP, quick_ack, 1)
        _wait_for(reader, stop)
        part = reader.recv(count - len(parts))
        if not part:
            raise _DroppedError
        parts += part
    return bytes(parts)


def _wait_for(reader: socket.socket, stop: StopSignal) -> None:
    """Wait until the reader has sent something. Raises: _StoppedError."""
    watched: list[socket.socket | StopSignal] = [reader, stop]
    select.select(watched, [], [])
    if stop.is_set():
        raise _StoppedError


@contextlib.contextmanager
def _stopped_by_signals(stop: StopSignal) -> Iterator[None]:
    """Let SIGTERM and SIGINT turn the switch; only the main thread can ask for signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
