"""The card's keys as cryptography's keys."""

import copy
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from support.cards import PASSWORD, PIN

from apdu.errors import StatusWordError
from jpki.application import JpkiApplication
from jpki.emulator import Faults, SignatureFault, VirtualCard
from jpki.errors import (
    CertificateExpiredError,
    CertificateNotYetValidError,
    KeyPurposeError,
    OutcomeUnknownError,
    PinRequiredError,
    SignatureMismatchError,
    Step,
)
from jpki.files import PinKind
from jpki.keys import CardPrivateKey
from jpki.pins import Pin

LOGIN = b"the login that the person agreed to"


@pytest.fixture
def signature_key(application: JpkiApplication) -> CardPrivateKey:
    application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
    return application.signature_key()


@pytest.fixture
def authentication_key(application: JpkiApplication) -> CardPrivateKey:
    application.verify(Pin(PinKind.AUTHENTICATION, PIN))
    return application.authentication_key(lambda data: data == LOGIN)


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_signature_verifies_with_the_certificate(
    signature_key: CardPrivateKey, algorithm: hashes.HashAlgorithm
) -> None:
    signature = signature_key.sign(b"contract", PKCS1v15(), algorithm)
    assert signature_key.public_key() == signature_key.certificate.public_key()
    signature_key.public_key().verify(signature, b"contract", PKCS1v15(), algorithm)


def test_a_digest_is_signed_as_the_data_it_stands_for(signature_key: CardPrivateKey) -> None:
    hasher = hashes.Hash(hashes.SHA256())
    hasher.update(b"contract")
    assert signature_key.sign(
        data=hasher.finalize(), padding=PKCS1v15(), algorithm=Prehashed(hashes.SHA256())
    ) == signature_key.sign(b"contract", PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("padding", "algorithm"),
    [
        (PSS(MGF1(hashes.SHA256()), 32), hashes.SHA256()),
        (PKCS1v15(), hashes.SHA1()),  # noqa: S303
        (PKCS1v15(), hashes.SHA224()),
        (PKCS1v15(), hashes.SHA3_256()),
        (PKCS1v15(), NoDigestInfo()),
    ],
)
def test_what_the_card_is_not_asked_to_sign_is_not_implemented(
    signature_key: CardPrivateKey, virtual_card: VirtualCard, padding, algorithm
) -> None:
    with pytest.raises(NotImplementedError):
        signature_key.sign(b"contract", padding, algorithm)
    assert virtual_card.signature_count == 0


def test_a_digest_of_the_wrong_length_is_refused(signature_key: CardPrivateKey) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        signature_key.sign(bytes(31), PKCS1v15(), Prehashed(hashes.SHA256()))


def test_a_hundred_signatures_select_the_key_once(
    signature_key: CardPrivateKey, virtual_card: VirtualCard
) -> None:
    before = virtual_card.exchange_count
    for number in range(100):
        signature_key.sign(str(number).encode(), PKCS1v15(), hashes.SHA256())
    assert virtual_card.exchange_count - before == 101


def test_a_wrong_signature_is_not_handed_out(
    signature_key: CardPrivateKey, virtual_card: VirtualCard
) -> None:
    virtual_card.faults = Faults(signature=SignatureFault.WRONG)
    with pytest.raises(SignatureMismatchError):
        signature_key.sign(b"contract", PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("length", [0, 1, 255])
def test_a_signature_of_another_length_is_not_handed_out(
    signature_key: CardPrivateKey, virtual_card: VirtualCard, length: int
) -> None:
    virtual_card.faults = Faults(
        hook=lambda _n, command, answer: (
            answer[:length] + b"\x90\x00" if command[1] == 0x2A else answer
        )
    )
    with pytest.raises(SignatureMismatchError):
        signature_key.sign(b"contract", PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"\x69\x82", PinRequiredError),
        (b"\x69\x85", StatusWordError),
        (b"\x6c\x00", OutcomeUnknownError),
        (b"", OutcomeUnknownError),
        (b"\x90", OutcomeUnknownError),
    ],
)
def test_what_the_card_says_instead_of_a_signature(
    signature_key: CardPrivateKey, virtual_card: VirtualCard, answer: bytes, error
) -> None:
    virtual_card.faults = Faults(
        hook=lambda _n, command, said: answer if command[1] == 0x2A else said
    )
    with pytest.raises(error) as caught:
        signature_key.sign(b"contract", PKCS1v15(), hashes.SHA256())
    assert getattr(caught.value, "step", Step.SIGN) is Step.SIGN
    assert virtual_card.signature_count == 1


def test_nothing_is_signed_before_the_password(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    with pytest.raises(PinRequiredError):
        application.signature_key()
    assert virtual_card.signature_count == 0


def test_the_authentication_key_signs_the_login_it_was_opened_for(
    authentication_key: CardPrivateKey,
) -> None:
    signature = authentication_key.sign(LOGIN, PKCS1v15(), hashes.SHA256())
    authentication_key.public_key().verify(signature, LOGIN, PKCS1v15(), hashes.SHA256())


def test_the_authentication_key_signs_nothing_else(
    authentication_key: CardPrivateKey, virtual_card: VirtualCard
) -> None:
    with pytest.raises(KeyPurposeError):
        authentication_key.sign(b"contract", PKCS1v15(), hashes.SHA256())
    assert virtual_card.signature_count == 0


def test_the_authentication_key_signs_what_was_looked_at_though_it_changes_meanwhile(
    application: JpkiApplication,
) -> None:
    data = bytearray(LOGIN)

    def may_sign(seen: bytes) -> bool:
        data[:] = b"contract"  # as another thread could
        return seen == LOGIN

    application.verify(Pin(PinKind.AUTHENTICATION, PIN))
    key = application.authentication_key(may_sign)
    buffer = cast("bytes", data)  # callers do give what the type does not allow
    signature = key.sign(buffer, PKCS1v15(), hashes.SHA256())
    key.public_key().verify(signature, LOGIN, PKCS1v15(), hashes.SHA256())


def test_the_authentication_key_signs_no_digest_of_what_it_cannot_see(
    authentication_key: CardPrivateKey, virtual_card: VirtualCard
) -> None:
    with pytest.raises(KeyPurposeError):
        authentication_key.sign(LOGIN[:32], PKCS1v15(), Prehashed(hashes.SHA256()))
    assert virtual_card.signature_count == 0


def test_an_expired_certificate_signs_only_when_that_is_wanted(
    application: JpkiApplication,
) -> None:
    application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
    later = datetime.now(UTC) + timedelta(days=3000)
    with pytest.raises(CertificateExpiredError):
        application.signature_key(at=later)
    assert application.signature_key(at=later, allow_expired=True).key_size == 2048


def test_a_certificate_does_not_sign_before_its_time(application: JpkiApplication) -> None:
    application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
    with pytest.raises(CertificateNotYetValidError):
        application.signature_key(at=datetime(2020, 1, 1, tzinfo=UTC))


def test_the_key_cannot_be_taken_off_the_card(signature_key: CardPrivateKey) -> None:
    with pytest.raises(NotImplementedError):
        signature_key.private_numbers()
    with pytest.raises(NotImplementedError):
        signature_key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    with pytest.raises(NotImplementedError):
        signature_key.decrypt(bytes(256), PKCS1v15())
    assert copy.deepcopy(signature_key) is signature_key


def test_cryptography_signs_a_request_with_the_key(signature_key: CardPrivateKey) -> None:
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(signature_key.certificate.subject)
        .sign(signature_key, hashes.SHA256())
    )
    assert request.is_signature_valid
