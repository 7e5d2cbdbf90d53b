"""A card that is only a recording: the trace of another one, played back.

The recording is what ``apdu.trace.Trace`` writes with ``include_data``, so that any trace is a test
case. PINs are not in it: a command with a PIN matches its redacted line, whatever the PIN.
"""

import re
from collections import deque
from collections.abc import Iterable

from apdu.errors import (
    CardRemovedError,
    CardResetError,
    CardSilentError,
    ExchangeInterrupted,
    TransportError,
)
from apdu.trace import format_command
from apdu.transports.loopback import LoopbackTransport

_ANSWER = re.compile(r"< ([0-9A-F]{4}) \((\d+) bytes\) ?((?:[0-9A-F]{2})*)")

_FAILURES = {
    error.code: error
    for error in (TransportError, CardRemovedError, CardResetError, CardSilentError)
}


class ReplayError(Exception):
    """The program sent something else than the recording has, or the recording is not sound.

    No ``CardError``: nothing should take it for the behaviour of a card.
    """


class ReplayTransport(LoopbackTransport):
    """A transport to a card in this process that expects the commands of a trace in order.

    ``transmit`` raises ``ReplayError`` for another command than the next one of the recording; what
    failed or was interrupted when it was recorded fails or is interrupted again.

    Args:
        lines: the trace; empty lines and those that start with ``#`` are left out.
        reader_name: what to call it.
        atr: the ATR to show.
    """

    def __init__(
        self, lines: Iterable[str], *, reader_name: str = "replay", atr: bytes = b""
    ) -> None:
        self._recording = _Recording(lines, atr)
        super().__init__(self._recording, reader_name=reader_name)

    @property
    def rest(self) -> tuple[str, ...]:
        """The lines that were not played yet."""
        return tuple(self._recording.lines)


class _Recording:
    """The card: the next line of the trace is the command that it wants, and then its answer."""

    def __init__(self, lines: Iterable[str], atr: bytes) -> None:
        stripped = (line.strip() for line in lines)
        self.lines = deque(line for line in stripped if line and line[0] != "#")
        self.atr = atr

    def execute(self, command: bytes, /) -> bytes:
        expected = self._next_line()
        as_sent = format_command(command, include_data=True)
        as_sensitive = format_command(command, sensitive=True)
        if expected not in {f"> {as_sent}", f"> {as_sensitive}"}:
            raise ReplayError(f"recorded is {expected}, sent was {as_sensitive}")
        return _parse_answer(self._next_line())

    def _next_line(self) -> str:
        return self.lines.popleft() if self.lines else "the end of the recording"


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
