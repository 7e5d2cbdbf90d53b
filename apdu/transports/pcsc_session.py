"""The calls into PC/SC, for one context with at most one card in it.

Everything here blocks for as long as PC/SC likes, so it runs in a worker thread (``worker.py``) and
nowhere else. All state that clearing up needs is kept here and not with the caller, who may have
stopped waiting.
"""

import time
from types import ModuleType
from typing import NamedTuple

from apdu.errors import CardError, CardRemovedError, NoCardError, TransportError
from apdu.transports.pcsc_errors import RESET_CARD, SUCCESS, TIMEOUT, error_for

PNP_READER = r"\\?PnP?\Notification"
"""Not a reader: waiting for it to change is waiting for a reader to come or go."""

_REMOVAL_SHOWS_WITHIN_S = 1.0
"""How long after a pull a reader may still say PRESENT: through vpcd, about 0.2 s."""


class NativeState(NamedTuple):
    """What PC/SC says of one reader."""

    name: str
    flags: int
    """SCARD_STATE_*; the upper 16 bits count insertions and removals."""
    atr: bytes


class PcscSession:
    """A PC/SC context, and the card that is connected in it.

    Args:
        scard: the module ``smartcard.scard``. Passed in, so that one module alone imports it.
    """

    def __init__(self, scard: ModuleType) -> None:
        self._scard = scard
        self._context: int | None = None
        self._card: int | None = None
        self._protocol = 0
        self._reader = ""
        self._insertions = 0
        self._in_transaction = False
        self._loss: CardError = TransportError("the connection to the card is lost")
        self.may_be_unlocked = False
        """Whether the card got a command since a transaction ended, perhaps one with a PIN."""

    def establish(self) -> None:
        """Open the context."""
        hresult, context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_USER)
        self._check(hresult)
        self._context = context

    def states(self) -> tuple[NativeState, ...]:
        """Return every reader's state as it is now."""
        hresult, names = self._scard.SCardListReaders(self._context, [])
        self._check(hresult)
        unaware = [(name, self._scard.SCARD_STATE_UNAWARE) for name in names]
        return self.wait_for_change(unaware, timeout_s=0)

    def wait_for_change(
        self, known: list[tuple[str, int]], *, timeout_s: float
    ) -> tuple[NativeState, ...]:
        """Wait until a state differs from the known one, or the time is up; return the states."""
        if not known:  # PC/SC would not wait at all
            time.sleep(timeout_s)
            return ()
        milliseconds = int(timeout_s * 1000)
        hresult, states = self._scard.SCardGetStatusChange(self._context, milliseconds, known)
        if _unsigned(hresult) != TIMEOUT:
            self._check(hresult)
        return tuple(NativeState(name, flags, bytes(atr)) for name, flags, atr in states)

    def connect(self, reader: str) -> bytes:
        """Connect to the card in ``reader``, shared, T=0 or T=1, and return its ATR."""
        scard = self._scard
        self._reader = reader
        hresult, card, self._protocol = scard.SCardConnect(
            self._context,
            reader,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        self._check(hresult)
        self._card = card
        # Not SCardStatus: it waits, without end, for another program's transaction to be over.
        (state,) = self.wait_for_change([(reader, scard.SCARD_STATE_UNAWARE)], timeout_s=0)
        self._insertions = state.flags >> 16
        return state.atr

    def wait_for_release(self, *, timeout_s: float) -> None:
        """Wait until something changes at the reader, hoping that another program let go of it."""
        unaware = int(self._scard.SCARD_STATE_UNAWARE)
        states = self.wait_for_change([(self._reader, unaware)], timeout_s=0)
        self.wait_for_change([(s.name, s.flags) for s in states], timeout_s=timeout_s)

    def begin_transaction(self, *, timeout_s: float) -> None:
        """Wait until the card is ours alone; resets by others until then are acknowledged.

        PC/SC itself waits without end, so the caller needs a deadline of its own. This one ends
        the series of resets when many programs finish one after the other.
        """
        deadline = time.monotonic() + timeout_s
        hresult = self._scard.SCardBeginTransaction(self._connected_card)
        while _unsigned(hresult) == RESET_CARD and time.monotonic() < deadline:
            self._reconnect()
            hresult = self._scard.SCardBeginTransaction(self._connected_card)
        self._check(hresult)
        self._in_transaction = True

    def end_transaction(self, *, power_off: bool) -> None:
        """Let others at the card: as it is, or after a cold start in the same step."""
        if not self._in_transaction:
            return
        scard, card = self._scard, self._connected_card
        disposition = scard.SCARD_UNPOWER_CARD if power_off else scard.SCARD_LEAVE_CARD
        hresult = scard.SCardEndTransaction(card, disposition)
        if power_off and _unsigned(hresult) != SUCCESS:
            self._card = None  # rather lose the connection than leave a PIN verified
            scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)
        self._in_transaction = self.may_be_unlocked = False
        try:
            self._check(hresult)
        except CardError as error:
            self._loss = error
            raise

    def transmit(self, command: bytes) -> bytes:
        """Exchange one command for its answer, once. pyscard's buffer holds the longest one."""
        card = self._connected_card
        self.may_be_unlocked = True
        hresult, answer = self._scard.SCardTransmit(card, self._protocol, list(command))
        try:
            self._check(hresult, in_exchange=True)
        except TransportError as error:
            # "Something failed" is what some readers say of a pull.
            if type(error) is TransportError and self._card_is_gone():
                raise CardRemovedError from None
            raise
        # A card that is pulled amid an exchange may look like success with nothing in it.
        if len(answer) < 2 and self._card_is_gone():
            raise CardRemovedError
        return bytes(answer)

    def release(self, *, power_off: bool) -> None:
        """Let go of card and context; report no failure, for nothing could be done about it.

        Args:
            power_off: cut the card's power. Done inside a transaction, it comes before anybody
                else's turn.
        """
        scard = self._scard
        card, self._card = self._card, None
        context, self._context = self._context, None
        if card is not None:
            if self._in_transaction and not power_off:
                scard.SCardEndTransaction(card, scard.SCARD_LEAVE_CARD)
            disposition = scard.SCARD_UNPOWER_CARD if power_off else scard.SCARD_LEAVE_CARD
            scard.SCardDisconnect(card, disposition)
        if context is not None:
            scard.SCardReleaseContext(context)

    def clean_up(self) -> None:
        """Release after the caller has stopped waiting; cut the power of a card that we used.

        A card that never got a command from here, say because another program kept it until now,
        is left to that program.
        """
        self.release(power_off=self.may_be_unlocked)

    @property
    def _connected_card(self) -> int:
        if self._card is None:
            raise self._loss
        return self._card

    def _reconnect(self) -> None:
        """Connect to the same card again after another program reset it.

        Not SCardReconnect: after another program has cut the card's power, that of pcscd leaves it
        off, while SCardConnect switches it on.
        """
        insertions = self._insertions
        card, self._card = self._connected_card, None
        self._scard.SCardDisconnect(card, self._scard.SCARD_LEAVE_CARD)
        try:
            self.connect(self._reader)
        except NoCardError:
            raise CardRemovedError from None
        if self._insertions != insertions:  # PC/SC tells the last event only, and that was a reset
            raise CardRemovedError

    def _card_is_gone(self) -> bool:
        """Ask the reader whether the card was pulled; it may take a moment to notice."""
        deadline = time.monotonic() + _REMOVAL_SHOWS_WITHIN_S
        flags = int(self._scard.SCARD_STATE_UNAWARE)
        while (left_s := deadline - time.monotonic()) > 0:
            hresult, states = self._scard.SCardGetStatusChange(
                self._context, int(left_s * 1000) + 1, [(self._reader, flags)]
            )
            if _unsigned(hresult) != SUCCESS:
                return False  # nothing changed in time, or nobody knows
            flags = states[0][1]
            if not flags & self._scard.SCARD_STATE_PRESENT:
                return True
        return False

    def _check(self, hresult: int, *, in_exchange: bool = False) -> None:
        if (code := _unsigned(hresult)) != SUCCESS:
            raise error_for(code, reader=self._reader or None, in_exchange=in_exchange)


def _unsigned(hresult: int) -> int:
    """Return a PC/SC code as winscard.h writes it: Windows hands it out as a negative number."""
    return hresult & 0xFFFFFFFF
