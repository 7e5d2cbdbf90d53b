"""Readers and cards by way of PC/SC: pcscd on Linux, the system's own service on macOS and Windows.

The only importer of pyscard, and a late one: this module can be imported where PC/SC is missing.
Every call into PC/SC runs in a daemon thread, one for the list of readers and one for each card, so
that Ctrl-C and deadlines work while it blocks.
"""

import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Self, TypeVar

from apdu.errors import (
    CardError,
    CardInUseError,
    CardSilentError,
    NoReaderError,
    PcscFault,
    PcscUnavailableError,
    TransportError,
)
from apdu.transports.base import Notice
from apdu.transports.pcsc_connection import PcscConnection
from apdu.transports.pcsc_session import PNP_READER, NativeState, PcscSession

T = TypeVar("T")

# SCARD_STATE_*, the same on all platforms; the upper half counts how often a card came or went.
_CHANGED = 0x0002
_PRESENT = 0x0020
_EXCLUSIVE = 0x0080
_IN_USE = 0x0100
_COUNTER = 0xFFFF0000

_HAS_PNP_READER = sys.platform != "darwin"
"""Whether there is an event for a reader that comes or goes: macOS has none."""

_WATCH_SLICE_S = 1.0
"""The longest single wait for a change: an interrupted one is over, and cleared up, this soon."""

_RETRY_S = 0.25
"""How often to try for a reader that is held exclusively, where no event tells of its release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderState:
    """A reader and what is in it."""

    name: str
    card_present: bool
    in_use: bool
    """Another program holds it exclusively, so connecting fails. Sharing a card is not this."""
    atr: bytes
    """The card's Answer To Reset; empty without a card."""


def _ignore(_notice: Notice) -> None:
    """Tell nobody."""


class PcscTransport:
    """A ``Transport`` (see there) to a card in a PC/SC reader; made by ``PcscContext.connect``."""

    def __init__(
        self,
        connection: PcscConnection,
        *,
        reader_name: str,
        atr: bytes,
        busy_timeout_s: float,
        exchange_timeout_s: float,
        notify: Callable[[Notice], None],
    ) -> None:
        self._connection = connection
        self._reader_name = reader_name
        self._atr = atr
        self._busy_timeout_s = busy_timeout_s
        self._exchange_timeout_s = exchange_timeout_s
        self._notify = notify
        self._in_transaction = False

    @property
    def reader_name(self) -> str:
        """The reader's name as PC/SC has it."""
        return self._reader_name

    @property
    def atr(self) -> bytes:
        """The card's Answer To Reset when it was connected."""
        return self._atr

    def transmit(self, command: bytes, /) -> bytes:
        """Send one command, once, and return the answer as it came.

        After 2 s without an answer ``notify`` gets CARD_SLOW. After Ctrl-C it gets INTERRUPTED, and
        the answer has 3 s to come; a second Ctrl-C ends that.

        Raises:
            CardSilentError: no answer within ``exchange_timeout_s``. The connection is of no
                further use.
            CardRemovedError: the card was pulled.
            CardResetError: another program reset the card.
            TransportError: anything else went wrong.
            CardInUseError: outside a transaction; another program has the card. It saw nothing of
                this.
            ExchangeInterrupted: Ctrl-C.
        """
        return self._connection.transmit(
            command, timeout_s=self._exchange_timeout_s, notify=self._notify
        )

    def begin_transaction(self) -> None:
        """Keep all other programs from the card. One of them may have reset it until then.

        Two programs that wait for each other (each has one card and wants the other's) end here,
        too: each waits for ``busy_timeout_s`` and no longer.

        Raises:
            CardInUseError: another program kept the card. The wait cannot be taken back, so this
                connection is of no further use: close it and connect again.
            CardRemovedError: the card is gone.
            RuntimeError: a transaction is open already.
        """
        if self._in_transaction:
            raise RuntimeError("a transaction is open already")
        self._connection.call(
            partial(self._connection.session.begin_transaction, timeout_s=self._busy_timeout_s),
            timeout_s=self._busy_timeout_s,
            late=CardInUseError(self._reader_name),
        )
        self._in_transaction = True

    def end_transaction(self, *, power_off: bool) -> None:
        """Let other programs at the card again; with ``power_off``, after a cold start of it."""
        if not self._in_transaction:
            return
        with suppress(CardError):  # what went wrong inside matters more, and comes after this
            self._connection.call(
                partial(self._connection.session.end_transaction, power_off=power_off)
            )
        self._in_transaction = False  # not so after Ctrl-C: then ``close`` cuts the power

    def close(self) -> None:
        """Let the card go; see ``Transport.close``."""
        self._connection.close(power_off=self._in_transaction)
        self._in_transaction = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PcscContext:
    """The PC/SC service: its readers, and connections to the cards in them.

    Args:
        call_timeout_s: how long the service may take to answer anything that is not meant to wait.
        exchange_timeout_s: how long a card may take to answer a command.
        notify: told when a person should know that something is waiting. Called in the waiting
            thread; must not raise.

    Raises:
        PcscUnavailableError: pyscard is not installed, or there is no service that answers.
    """

    def __init__(
        self,
        *,
        call_timeout_s: float = 5.0,
        exchange_timeout_s: float = 30.0,
        notify: Callable[[Notice], None] = _ignore,
    ) -> None:
        self._scard = _load_scard()
        self._call_timeout_s = call_timeout_s
        self._exchange_timeout_s = exchange_timeout_s
        self._notify = notify
        self._known: dict[str, int] = {}
        self._is_open = True
        self._watcher = self._open_connection()

    def readers(self) -> tuple[ReaderState, ...]:
        """Return all readers, in the order of the service.

        Raises:
            NoReaderError: there is none.
            PcscUnavailableError: the service is gone, or does not answer.
        """
        self._known = {}
        states = self._watch(PcscSession.states)
        self._known = {state.name: state.flags for state in states}
        return tuple(_reader_state(state) for state in states)

    def wait_for_card(self, reader_names: Collection[str], *, timeout_s: float) -> bool:
        """Wait until a card comes or goes in one of the readers, or a reader does.

        Compared is what the last ``readers()`` saw, so that nothing is missed between the two.

        Returns:
            True after a change: call ``readers()`` again. False if there was none in time.
        """
        deadline = time.monotonic() + timeout_s
        known = {name: self._known.get(name, 0) for name in reader_names}
        if _HAS_PNP_READER:
            known[PNP_READER] = len(self._known) << 16
        while (left_s := deadline - time.monotonic()) > 0:
            slice_s = min(left_s, _WATCH_SLICE_S)
            wait = partial(
                PcscSession.wait_for_change, known=list(known.items()), timeout_s=slice_s
            )
            for state in self._watch(wait, timeout_s=slice_s + self._call_timeout_s):
                if _has_moved(state, known[state.name]):
                    return True
                known[state.name] = state.flags & ~_CHANGED
            if not _HAS_PNP_READER and self._reader_came_or_went():
                return True
        return False

    def connect(self, reader_name: str, *, busy_timeout_s: float = 10.0) -> PcscTransport:
        """Connect to the card in a reader, powering it on: shared with other programs, T=0 or T=1.

        Args:
            reader_name: the full name, as in ``ReaderState``.
            busy_timeout_s: how long to wait for another program to let go of the card: here, and
                later each time a transaction begins.

        Raises:
            NoReaderError: no such reader.
            NoCardError: no card in it.
            CardInUseError: another program kept it.
            CardSilentError: the card gives no sign of life.
            PcscUnavailableError: the service is gone, or does not answer.
        """
        self._require_open()
        connection = self._open_connection()
        try:
            atr = self._connect(connection, reader_name, busy_timeout_s)
        except BaseException:
            connection.close(power_off=False)
            raise
        return PcscTransport(
            connection,
            reader_name=reader_name,
            atr=atr,
            busy_timeout_s=busy_timeout_s,
            exchange_timeout_s=self._exchange_timeout_s,
            notify=self._notify,
        )

    def close(self) -> None:
        """Let the service go; twice is fine. Connections to cards live on: close each of them."""
        self._is_open = False
        self._watcher.close(power_off=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_connection(self) -> PcscConnection:
        return PcscConnection(self._scard, call_timeout_s=self._call_timeout_s)

    def _watch(self, method: Callable[[PcscSession], T], *, timeout_s: float | None = None) -> T:
        """Call a method of the session that watches the readers; a dead one is replaced first."""
        self._require_open()
        if not self._watcher.is_usable:
            self._watcher = self._open_connection()
        try:
            return self._watcher.call(partial(method, self._watcher.session), timeout_s=timeout_s)
        except PcscUnavailableError:  # the service may have been restarted: begin afresh next time
            self._watcher.close(power_off=False)
            raise

    def _connect(self, connection: PcscConnection, reader: str, busy_timeout_s: float) -> bytes:
        deadline = time.monotonic() + busy_timeout_s
        while True:
            left_s = max(deadline - time.monotonic(), 0)
            # pcscd keeps us waiting while another program is in a transaction; powering on the
            # card, which only the first program does, takes a time of its own.
            limit_s = left_s if self._is_shared(reader) else max(left_s, self._call_timeout_s)
            try:
                connect = partial(connection.session.connect, reader)
                return connection.call(connect, timeout_s=limit_s, late=CardSilentError())
            except CardInUseError:
                if time.monotonic() >= deadline:
                    raise
                connection.call(partial(connection.session.wait_for_release, timeout_s=_RETRY_S))
            except CardSilentError:
                if not connection.is_usable and self._is_shared(reader):
                    raise CardInUseError(reader) from None
                raise

    def _is_shared(self, reader: str) -> bool:
        with suppress(CardError):
            states = self._watch(PcscSession.states)
            return any(s.name == reader and s.flags & (_IN_USE | _EXCLUSIVE) for s in states)
        return False

    def _reader_came_or_went(self) -> bool:
        names: set[str] = set()
        with suppress(NoReaderError):
            names = {state.name for state in self._watch(PcscSession.states)}
        return names != set(self._known)

    def _require_open(self) -> None:
        if not self._is_open:
            raise TransportError("the PC/SC context is closed")


def _load_scard() -> ModuleType:
    """Import the one part of pyscard that is needed, or say that it is missing."""
    try:
        from smartcard import scard
    except ImportError as error:
        raise PcscUnavailableError(PcscFault.NO_PYSCARD) from error
    module: ModuleType = scard
    return module


def _reader_state(state: NativeState) -> ReaderState:
    return ReaderState(
        name=state.name,
        card_present=bool(state.flags & _PRESENT),
        in_use=bool(state.flags & _EXCLUSIVE),
        atr=state.atr,
    )


def _has_moved(state: NativeState, known: int) -> bool:
    """Tell whether a card came or went since ``known``.

    Not every change is one: our own connecting to a card changes the flags of its reader, and
    whoever takes that for news waits no more but runs in circles.
    """
    if state.name == PNP_READER:
        return bool(state.flags & _CHANGED)
    return (state.flags ^ known) & (_PRESENT | _COUNTER) != 0
