"""What is opened in a transaction ends with it: the PIN, the application and the keys."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from support.cards import PIN
from support.trial import SELECT_JPKI, SIGNS

from jpki.application import JpkiApplication
from jpki.card import MyNumberCard
from jpki.emulator import VirtualCard
from jpki.files import CertificateName, PinKind
from jpki.pins import Pin

MESSAGE = b"a login"


def pin() -> Pin:
    return Pin(PinKind.AUTHENTICATION, PIN)


def is_unlocked(card: VirtualCard) -> bool:
    """Whether the next program could sign without a PIN."""
    select, sign = SIGNS["authentication"]
    card.execute(SELECT_JPKI)
    card.execute(select)
    return card.execute(sign)[-2:] == b"\x90\x00"


def test_a_second_transaction_is_refused_and_the_first_still_cuts_the_power(
    my_number_card: MyNumberCard, virtual_card: VirtualCard
) -> None:
    with my_number_card.transaction() as application:
        application.verify(pin())
        with pytest.raises(RuntimeError, match="open already"), my_number_card.transaction():
            pass
    assert not is_unlocked(virtual_card)


USES: list[Callable[[JpkiApplication], object]] = [
    lambda application: application.verify(pin()),
    lambda application: application.change_pin(pin(), pin()),
    lambda application: application.tries_left(PinKind.AUTHENTICATION),
    lambda application: application.read_certificate(CertificateName.AUTHENTICATION),
]


@pytest.mark.parametrize("use", USES, ids=["verify", "change", "tries", "certificate"])
def test_an_application_sends_nothing_after_its_transaction(
    my_number_card: MyNumberCard,
    virtual_card: VirtualCard,
    use: Callable[[JpkiApplication], object],
) -> None:
    with my_number_card.transaction() as application:
        application.tries_left(PinKind.AUTHENTICATION)
    exchanges = virtual_card.exchange_count
    with pytest.raises(RuntimeError, match="has ended"):
        use(application)
    with my_number_card.transaction(), pytest.raises(RuntimeError, match="has ended"):
        use(application)  # nor in the next one, which is somebody else's
    assert virtual_card.exchange_count == exchanges + 1  # SELECT of the second transaction
    assert virtual_card.verify_count == 0


def test_a_key_signs_nothing_in_the_transaction_after_its_own(
    my_number_card: MyNumberCard, virtual_card: VirtualCard
) -> None:
    with my_number_card.transaction() as application:
        key = application.authentication_key(lambda data: data == MESSAGE)
    with my_number_card.transaction() as application:
        application.verify(pin())  # for something else
        with pytest.raises(RuntimeError, match="has ended"):
            key.sign(MESSAGE, PKCS1v15(), SHA256())
    assert virtual_card.signature_count == 0
