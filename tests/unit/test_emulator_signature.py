"""COMPUTE DIGITAL SIGNATURE on the card, judged by the certificates that it holds."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from jpki.emulator import Faults, SignatureFault, VirtualCard
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN, SIGNATURE_PASSWORD

SELECT_JPKI = "00A4040C0AD392F000260100000001"
SHA256_PREFIX = bytes.fromhex("3031300D060960864801650304020105000420")
DIGEST_INFO = SHA256_PREFIX + hashlib.sha256(b"text").digest()


def send(card: VirtualCard, command: str) -> tuple[bytes, int]:
    answer = card.execute(bytes.fromhex(command))
    return answer[:-2], int.from_bytes(answer[-2:])


def sign(
    card: VirtualCard, message: bytes = DIGEST_INFO, *, p1: int = 0, p2: int = 0x80
) -> tuple[bytes, int]:
    return send(card, f"802A{p1:02X}{p2:02X}{len(message):02X}{message.hex()}00")


@pytest.fixture
def opened(jpki_card: VirtualCard) -> VirtualCard:
    send(jpki_card, SELECT_JPKI)
    assert send(jpki_card, "0020009804" + AUTHENTICATION_PIN.encode().hex())[1] == 0x9000
    assert send(jpki_card, "0020009B06" + SIGNATURE_PASSWORD.encode().hex())[1] == 0x9000
    return jpki_card


def public_key(card: VirtualCard, ef_id: int) -> RSAPublicKey:
    content = send(card, f"00B0{0x80 | ef_id:02X}00000000")[0]
    certificate = x509.load_der_x509_certificate(content[: int.from_bytes(content[2:4]) + 4])
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    return key


@pytest.mark.parametrize(("key_id", "certificate_id"), [(0x17, 0x0A), (0x1A, 0x01)])
def test_signature_verifies_with_the_certificate(
    opened: VirtualCard, key_id: int, certificate_id: int
) -> None:
    assert send(opened, f"00A4020C0200{key_id:02X}")[1] == 0x9000
    signature, status = sign(opened)
    assert status == 0x9000
    public_key(opened, certificate_id).verify(signature, b"text", PKCS1v15(), SHA256())
    assert sign(opened, p2=0x80 | key_id)[0] == signature
    assert opened.signature_count == 2


@pytest.mark.parametrize("message", [b"\x00", b"x" * 245])
def test_input_is_padded_as_it_is(opened: VirtualCard, message: bytes) -> None:
    signature, status = sign(opened, message, p2=0x97)
    numbers = public_key(opened, 0x0A).public_numbers()
    block = pow(int.from_bytes(signature), numbers.e, numbers.n).to_bytes(256)
    assert status == 0x9000
    assert block == b"\x00\x01" + b"\xff" * (253 - len(message)) + b"\x00" + message


def test_longest_pin_of_sixteen_bytes_is_compared(jpki_card: VirtualCard) -> None:
    send(jpki_card, SELECT_JPKI)
    assert send(jpki_card, "0020009B10" + "41" * 16)[1] == 0x63C4


def test_signature_in_extended_form(opened: VirtualCard) -> None:
    command = f"802A009700{len(DIGEST_INFO):04X}{DIGEST_INFO.hex()}"
    signature, status = send(opened, command + "0000")
    assert (len(signature), status) == (256, 0x9000)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param("802A0080013000", 0x6986, id="no current EF"),
        pytest.param("802A0086013000", 0x6981, id="EF is no key"),
        pytest.param("802A0098013000", 0x6981, id="EF is a PIN"),
        pytest.param("802A0083013000", 0x6A88, id="no such EF"),
        pytest.param("802A0000013000", 0x6A86, id="P2 00"),
        pytest.param("802A0197013000", 0x6A86, id="P1 01"),
        pytest.param("802A9E9A013000", 0x6A86, id="ISO form"),
        pytest.param("802A0097", 0x6700, id="nothing"),
        pytest.param("802A009700", 0x6700, id="no input"),
        pytest.param("802A00970130", 0x6700, id="no Le"),
        pytest.param("802A00970130FF", 0x6700, id="Le too short"),
        pytest.param("802A0097F6" + "30" * 246 + "00", 0x6985, id="246 bytes"),
    ],
)
def test_signature_asked_for_in_a_wrong_way(
    opened: VirtualCard, command: str, expected: int
) -> None:
    assert send(opened, command) == (b"", expected)
    assert opened.signature_count == 0


@pytest.mark.parametrize("key_id", [0x17, 0x1A])
def test_no_signature_without_pin(jpki_card: VirtualCard, key_id: int) -> None:
    send(jpki_card, SELECT_JPKI)
    assert send(jpki_card, f"00A4020C0200{key_id:02X}")[1] == 0x9000
    assert sign(jpki_card) == (b"", 0x6982)
    assert sign(jpki_card, p2=0x80 | key_id) == (b"", 0x6982)


def test_signature_may_be_wrong_or_short(opened: VirtualCard) -> None:
    right = sign(opened, p2=0x97)[0]
    opened.faults = Faults(signature=SignatureFault.WRONG)
    wrong = sign(opened, p2=0x97)[0]
    assert len(wrong) == 256
    assert wrong != right
    opened.faults = Faults(signature=SignatureFault.SHORT)
    assert sign(opened, p2=0x97)[0] == right[:-1]
