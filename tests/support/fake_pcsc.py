"""PC/SC in this process: readers with virtual cards in them, and every error code on demand.

It stands in for `smartcard.scard`, so that all of our own code runs: threads, deadlines, the table
of error codes. What real readers cannot be made to do happens here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast

import pytest
from smartcard import scard  # noqa: TID251 - its numbers

from apdu.transports import pcsc

OK = scard.SCARD_S_SUCCESS
NO_READERS = 0x8010002E
NO_CARD = 0x8010000C
UNKNOWN_READER = 0x80100009
SHARING_VIOLATION = 0x8010000B
REMOVED = 0x80100069
TIMEOUT = 0x8010000A


class Card(Protocol):
    """What a reader holds."""

    @property
    def atr(self) -> bytes: ...

    def power_on(self) -> bytes: ...

    def power_off(self) -> None: ...

    def execute(self, command: bytes, /) -> bytes: ...


@dataclass(kw_only=True)
class Reader:
    """One reader; `card` may be taken away or put in at any time."""

    name: str
    card: Card | None = None
    insertions: int = 1
    held_exclusively: bool = False
    """By another program."""

    @property
    def state(self) -> int:
        flags = scard.SCARD_STATE_PRESENT if self.card else scard.SCARD_STATE_EMPTY
        if self.held_exclusively:
            flags |= scard.SCARD_STATE_EXCLUSIVE | scard.SCARD_STATE_INUSE
        return int(flags | self.insertions << 16)


@dataclass(kw_only=True)
class FakePcsc:
    """The service.

    `transmit_codes` is asked before each transmission, with its number from 1: OK, or the code that
    PC/SC gives instead of sending it. `calls` gives codes by the name of a function.
    """

    readers: list[Reader] = field(default_factory=list)
    transmit_codes: Callable[[int], int] = lambda _number: OK
    calls: dict[str, int] = field(default_factory=dict)
    transmitted: int = 0
    log: list[str] = field(default_factory=list)
    _connected: dict[int, Reader] = field(default_factory=dict)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pcsc, "_load_scard", lambda: cast("ModuleType", self))

    def __getattr__(self, name: str) -> Any:
        return getattr(scard, name)  # the constants

    def SCardEstablishContext(self, _scope: int) -> tuple[int, int]:  # noqa: N802
        return self._code("SCardEstablishContext"), 1

    def SCardReleaseContext(self, _context: int) -> int:  # noqa: N802
        return self._code("SCardReleaseContext")

    def SCardListReaders(self, _context: int, _groups: list[str]) -> tuple[int, list[str]]:  # noqa: N802
        names = [reader.name for reader in self.readers]
        return self._code("SCardListReaders") or (OK if names else NO_READERS), names

    def SCardGetStatusChange(  # noqa: N802
        self, _context: int, _milliseconds: int, known: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        states: list[tuple[str, int, list[int]]] = []
        for name, _flags in known:
            reader = self._reader(name)
            if reader is None:  # the notification of readers that come and go
                states.append((name, 0, []))
                continue
            states.append((name, reader.state, list(reader.card.atr) if reader.card else []))
        unchanged = all(state[1] == flags for state, (_, flags) in zip(states, known, strict=True))
        # Nothing will change: the time is up at once instead of when it is.
        return self._code("SCardGetStatusChange") or (TIMEOUT if unchanged else OK), states

    def SCardConnect(  # noqa: N802
        self, _context: int, name: str, _mode: int, _protocols: int
    ) -> tuple[int, int, int]:
        reader = self._reader(name)
        code = self._code("SCardConnect")
        if reader is None:
            code = UNKNOWN_READER
        elif reader.held_exclusively:
            code = SHARING_VIOLATION
        elif reader.card is None:
            code = NO_CARD
        if code or reader is None or reader.card is None:
            return code, 0, 0
        reader.card.power_on()
        handle = len(self._connected) + 1
        self._connected[handle] = reader
        return OK, handle, scard.SCARD_PROTOCOL_T1

    def SCardDisconnect(self, handle: int, disposition: int) -> int:  # noqa: N802
        self._dispose(handle, disposition)
        return self._code("SCardDisconnect")

    def SCardBeginTransaction(self, _handle: int) -> int:  # noqa: N802
        return self._code("SCardBeginTransaction")

    def SCardEndTransaction(self, handle: int, disposition: int) -> int:  # noqa: N802
        code = self._code("SCardEndTransaction")
        if code == OK:
            self._dispose(handle, disposition)
        return code

    def SCardTransmit(  # noqa: N802
        self, handle: int, _protocol: int, command: list[int]
    ) -> tuple[int, list[int]]:
        self.transmitted += 1
        if code := self.transmit_codes(self.transmitted):
            return code, []
        card = self._connected[handle].card
        if card is None:
            return REMOVED, []
        return OK, list(card.execute(bytes(command)))

    def _dispose(self, handle: int, disposition: int) -> None:
        card = self._connected[handle].card
        if card is not None and disposition == scard.SCARD_UNPOWER_CARD:
            card.power_off()
            card.power_on()

    def _reader(self, name: str) -> Reader | None:
        return next((reader for reader in self.readers if reader.name == name), None)

    def _code(self, function: str) -> int:
        self.log.append(function)
        return self.calls.get(function, OK)


@dataclass(kw_only=True)
class OtherCard:
    """Somebody's card that is no My Number Card; `log` is what it was asked."""

    atr: bytes = bytes.fromhex("3B021450")
    answer: bytes = b"\x6a\x82"
    log: list[bytes] = field(default_factory=list)
    powered_off: int = 0

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        self.powered_off += 1

    def reset(self) -> bytes:
        return self.atr

    def execute(self, command: bytes, /) -> bytes:
        self.log.append(command)
        return self.answer
