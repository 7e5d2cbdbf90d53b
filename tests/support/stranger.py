"""A bare PC/SC client: another program that finds the card after we have let go of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from support.trial import signs_for_a_stranger


@contextmanager
def connected(reader: str) -> Iterator[tuple[object, int]]:
    """Hold a shared connection: as long as it lasts pcscd takes no power away by itself."""
    from smartcard import scard  # noqa: TID251 - judges what our own transport leaves behind

    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert code == 0, scard.SCardGetErrorMessage(code)
    try:
        shared, protocols = scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | 2
        code, card, protocol = scard.SCardConnect(context, reader, shared, protocols)
        assert code == 0, scard.SCardGetErrorMessage(code)
        try:
            yield card, protocol
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
    finally:
        scard.SCardReleaseContext(context)


def keys_that_sign_for_anybody(reader: str) -> list[str]:
    """The keys with which the card in this reader signs though nobody entered a PIN."""
    from smartcard import scard  # noqa: TID251 - as above

    with connected(reader) as (card, protocol):

        def execute(command: bytes) -> bytes:
            code, answer = scard.SCardTransmit(card, protocol, list(command))
            assert code == 0, scard.SCardGetErrorMessage(code)
            return bytes(answer)

        return signs_for_a_stranger(execute)
