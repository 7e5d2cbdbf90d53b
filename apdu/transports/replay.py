"""A card that is only a recording: the trace of another one, played back.

The recording is what ``apdu.trace.Trace`` writes with ``include_data``, so that any trace is a test
case. PINs are not in it: a command with a PIN matches its redacted line, whatever the PIN.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Self

from apdu.errors import (
    CardRemovedError,
    CardResetError,
    CardSilentError,
    ExchangeInterrupted,
    TransportError,
)
from apdu.trace import format_command

_ANSWER = re.compile(r"< ([0-9A-F]{4}) \((\d+) bytes\) ?((?:[0-9A-F]{2})*)")

_FAILURES = {
    error.code: error
    for error in (TransportError, CardRemovedError, CardResetError, CardSilentError)
}


class ReplayError(Exception):
    """The program sent something else than the recording has, or the recording is not sound.

    No ``CardError``: nothing should take it for the behaviour of a card.
    """


class ReplayTransport:
    """A ``Transport`` (see ``apdu.transports.base``) that expects the commands of a trace in order.

    Args:
        lines: the trace; empty lines and those that start with ``#`` are left out.
        reader_name: what to call it.
        atr: the ATR to show.
    """

    def __init__(
        self, lines: Iterable[str], *, reader_name: str = "replay", atr: bytes = b""
    ) -> None:
        stripped = (line.strip() for line in lines)
        self._lines = deque(line for line in stripped if line and line[0] != "#")
        self._reader_name = reader_name
        self._atr = atr
        self._open = True
        self._in_transaction = False

    @property
    def reader_name(self) -> str:
        """The name given at construction."""
        return self._reader_name

    @property
    def atr(self) -> bytes:
        """The ATR given at construction."""
        return self._atr

    def transmit(self, command: bytes, /) -> bytes:
        """Compare the command with the next one of the recording and return the recorded answer.

        Raises:
            ReplayError: it is another one.
            TransportError: it failed when it was recorded, or this transport is closed.
            ExchangeInterrupted: it was interrupted when it was recorded.
        """
        if not self._open:
            raise TransportError("the connection is closed")
        expected = self._next_line()
        as_sent = format_command(command, include_data=True)
        as_sensitive = format_command(command, sensitive=True)
        if expected not in {f"> {as_sent}", f"> {as_sensitive}"}:
            raise ReplayError(f"recorded is {expected}, sent was {as_sensitive}")
        return _parse_answer(self._next_line())

    def begin_transaction(self) -> None:
        """Stand for exclusive use."""
        if not self._open:
            raise TransportError("the connection is closed")
        if self._in_transaction:
            raise RuntimeError("a transaction is open already")
        self._in_transaction = True

    def end_transaction(self, *, power_off: bool) -> None:  # noqa: ARG002 (a recording has no power)
        """End the transaction."""
        self._in_transaction = False

    def close(self) -> None:
        """Stop playing; twice is fine. ``rest`` tells what was left."""
        self._in_transaction = self._open = False

    @property
    def rest(self) -> tuple[str, ...]:
        """The lines that were not played yet."""
        return tuple(self._lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next_line(self) -> str:
        return self._lines.popleft() if self._lines else "the end of the recording"


def _parse_answer(line: str) -> bytes:
    if line == "! interrupted":
        raise ExchangeInterrupted
    if line.startswith("! "):
        raise _FAILURES.get(line[2:], TransportError)
    match = _ANSWER.fullmatch(line)
    data = bytes.fromhex(match[3]) if match else b""
    if match is None or len(data) != int(match[2]):
        raise ReplayError(f"not an answer with its data: {line}")
    return data + bytes.fromhex(match[1])
