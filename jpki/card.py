"""A My Number Card: found by its JPKI application, used one transaction at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, Self

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import StatusWordError
from apdu.status import SW
from apdu.trace import Trace
from apdu.transports.base import Transport
from jpki.application import JpkiApplication
from jpki.errors import NotAMyNumberCardError
from jpki.files import INS_SELECT, JPKI_AID
from jpki.pins import RefusedPins

_SELECT_JPKI: Final = CommandApdu(ins=INS_SELECT, p1=0x04, p2=0x0C, data=JPKI_AID)

_NO_SUCH_APPLICATION: Final = frozenset(
    {
        SW.FILE_NOT_FOUND,
        SW.FUNCTION_NOT_SUPPORTED,
        SW.INCORRECT_P1_P2,
        SW.INS_NOT_SUPPORTED,
        SW.CLA_NOT_SUPPORTED,
        0x6999,  # applet select failed, a GlobalPlatform card's word
    }
)
"""How cards that are something else refuse an AID that they do not know."""


class MyNumberCard:
    """The card in one reader.

    Recognised by SELECT of the JPKI application, never by its ATR: contactless readers make the
    ATR up, and some put a random number in it.

    ::

        with MyNumberCard(transport) as card, card.transaction() as application:
            application.verify(Pin(PinKind.SIGNATURE, password))
            key = application.signature_key()

    Args:
        transport: an open connection; this object closes it.
        trace: where the redacted exchanges are written, if anywhere.
        refused: the PINs that this very card refused before, by a caller that opens it repeatedly.
        resources: what else ends with this object, after the transport.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        trace: Trace | None = None,
        refused: RefusedPins | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        self._transport = transport
        self._resources = resources or ExitStack()
        self._trace = trace
        self._refused = RefusedPins() if refused is None else refused

    @property
    def reader_name(self) -> str:
        """The reader that holds the card."""
        return self._transport.reader_name

    @contextmanager
    def transaction(self) -> Iterator[JpkiApplication]:
        """Keep every other program away from the card until the block ends.

        If a PIN was sent in the block the card loses its power at the end: it keeps a verified
        PIN over a disconnect and a warm reset, and the next program could sign with it. The
        application and its keys end with the block, too.

        Raises:
            CardInUseError: another program does not let go of the card.
            NotAMyNumberCardError: the card has no JPKI application.
            TransportError: the card or reader went away.
            RuntimeError: a transaction is open already (a bug of the caller).
        """
        pin_used = False

        def note_pin_use() -> None:
            nonlocal pin_used
            pin_used = True

        channel = Channel(self._transport, trace=self._trace)
        self._transport.begin_transaction()
        try:
            self._select(channel)
            yield JpkiApplication(channel, self._refused, note_pin_use)
        finally:
            channel.end()
            self._transport.end_transaction(power_off=pin_used)

    def _select(self, channel: Channel) -> None:
        response = channel.send(_SELECT_JPKI)
        if response.sw == SW.NO_PRECISE_DIAGNOSIS:
            # Seen on card: 6F00 to the first command after power-up. SELECT may be repeated.
            response = channel.send(_SELECT_JPKI)
        if response.sw in _NO_SUCH_APPLICATION:
            raise NotAMyNumberCardError(self.reader_name)
        if response.sw != SW.OK:
            raise StatusWordError(INS_SELECT, response.sw)

    def close(self) -> None:
        """Let go of the card and leave it as it is. May be called twice."""
        with self._resources:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
