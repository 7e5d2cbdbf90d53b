"""What every way to a card has in common."""

from contextlib import AbstractContextManager
from enum import Enum
from types import TracebackType
from typing import Protocol, Self


class Notice(Enum):
    """Something a person should be told while a transport is waiting."""

    CARD_SLOW = "card-slow"
    """No answer for 2 s; still waiting."""
    INTERRUPTED = "interrupted"
    """Ctrl-C was seen; waiting at most 3 s more for the answer under way."""


class Transport(Protocol):
    """A card that is powered, and a way to exchange bytes with it.

    Used as a context manager it closes with ``power_off=True``: a card keeps a verified PIN until
    it loses power.
    """

    @property
    def reader_name(self) -> str:
        """The name of the reader, for people."""

    @property
    def atr(self) -> bytes:
        """The Answer To Reset, up to 33 bytes. Contactless readers make it up: no identity."""

    def transmit(self, command: bytes, /) -> bytes:
        """Send one encoded command and return the answer, status word included, as it came.

        Sends once, never retries: a command such as VERIFY may have been executed although its
        answer was lost.

        Raises:
            TransportError: no answer; what the card did is not known.
            ExchangeInterrupted: Ctrl-C; the answer is in it if it still came.
        """

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which no other program can speak to the card.

        Raises:
            CardInUseError: on entry, if another program keeps the card.
            RuntimeError: on entry, if it is open already. A programmer's error.
        """

    def close(self, *, power_off: bool = True) -> None:
        """Let the card go. May be called again; raises nothing that a caller could mend.

        Args:
            power_off: cut the card's power, and with it every verified PIN. False leaves a card
                that was only
                looked at as it was: it may be somebody's, and unlocked.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
