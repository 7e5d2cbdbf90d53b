"""What every way to a card has in common."""

from enum import Enum
from typing import Protocol, Self


class Notice(Enum):
    """Something a person should be told while a transport is waiting."""

    CARD_SLOW = "card-slow"
    """No answer for 2 s; still waiting."""
    INTERRUPTED = "interrupted"
    """Ctrl-C was seen; waiting at most 3 s more for the answer under way."""


class Transport(Protocol):
    """A card that is powered, and a way to exchange bytes with it.

    A context manager; leaving it closes the connection.
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

    def begin_transaction(self) -> None:
        """Keep every other program away from the card until ``end_transaction``.

        Raises:
            CardInUseError: another program keeps the card for itself.
            TransportError: the card or its reader is gone.
            RuntimeError: a transaction is open already. A programmer's error.
        """

    def end_transaction(self, *, power_off: bool) -> None:
        """Let other programs speak to the card again. Raises nothing that a caller could mend.

        Args:
            power_off: cut the card's power in the same step, and with it every verified PIN: were
                it cut after the end, another program could have begun with the PIN still verified.
        """

    def close(self) -> None:
        """Let the card go, as it is: it may be somebody's, and unlocked. May be called again.

        A transaction that is still open ends with the card's power off.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
