"""A transport to a card that lives in this process: an emulator, or a test's own few lines."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, Self

from apdu.errors import CardRemovedError, CardSilentError, ExchangeInterrupted, TransportError


class LoopbackCard(Protocol):
    """Anything that answers commands.

    It need not know this package, so builtin exceptions are the contract: ``ConnectionError`` says
    that the card is gone, ``TimeoutError`` that it does not answer. Where the object also has
    ``power_on() -> bytes`` (the ATR), ``power_off()`` or ``atr``, they are used.
    """

    def execute(self, command: bytes, /) -> bytes:
        """Answer one encoded command with data and status word."""


class LoopbackTransport:
    """A ``Transport`` (see ``apdu.transports.base``) to a card in this process; powers it on."""

    def __init__(self, card: LoopbackCard, *, reader_name: str = "emulator") -> None:
        self._card = card
        self._reader_name = reader_name
        self._open = True
        self._in_transaction = False
        with _card_errors():
            power_on = getattr(card, "power_on", None)
            atr = power_on() if power_on else None
        self._atr: bytes = atr if atr is not None else getattr(card, "atr", b"")

    @property
    def reader_name(self) -> str:
        """The name given at construction."""
        return self._reader_name

    @property
    def atr(self) -> bytes:
        """The card's ATR, or nothing if it has none."""
        return self._atr

    def transmit(self, command: bytes, /) -> bytes:
        """Let the card execute one command, once.

        Raises:
            TransportError: the card is gone or silent, or this transport is closed.
            ExchangeInterrupted: Ctrl-C while the card was at work.
        """
        if not self._open:
            raise TransportError("the connection is closed")
        with _card_errors():
            try:
                return self._card.execute(command)
            except ExchangeInterrupted:
                raise  # the card is itself a way to another one, and knows its answer
            except KeyboardInterrupt:
                # The card runs in this very thread: its answer cannot come any more.
                raise ExchangeInterrupted from None

    def begin_transaction(self) -> None:
        """Stand for exclusive use: nobody else can reach a card in this process."""
        if not self._open:
            raise TransportError("the connection is closed")
        if self._in_transaction:
            raise RuntimeError("a transaction is open already")
        self._in_transaction = True

    def end_transaction(self, *, power_off: bool) -> None:
        """End the transaction; with ``power_off`` the card is off and on again, as in a reader."""
        if not self._in_transaction:
            return
        self._in_transaction = False
        if power_off and (cut := getattr(self._card, "power_off", None)):
            with suppress(ConnectionError, TimeoutError):  # a card that is gone has no power
                cut()
                if power_on := getattr(self._card, "power_on", None):
                    power_on()

    def close(self) -> None:
        """Let the card go; twice is fine."""
        self.end_transaction(power_off=True)
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _card_errors() -> Iterator[None]:
    try:
        yield
    except ConnectionError as error:
        raise CardRemovedError from error
    except TimeoutError as error:
        raise CardSilentError from error
