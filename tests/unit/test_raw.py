"""Bare signatures, made and verified."""

import io
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from support.keys import CountingKey
from support.pki import AT, SIGNATURE_LEAF, load, load_key

from jpki.signing import HashAlgorithm, sign_raw
from jpki.verification import Level, Reason, Verdict, verify_raw

DOCUMENT = b"a document\n"
CA = [load("signature-ca")]


@pytest.fixture
def key() -> CountingKey:
    return CountingKey(load_key("signature"))


@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_what_is_signed_verifies_with_one_use_of_the_key(key, algorithm):
    signature = sign_raw(algorithm.digest(DOCUMENT), key, algorithm)
    assert len(signature) == 256
    assert len(key.signed) == 1
    report = verify_raw(signature, io.BytesIO(DOCUMENT), load("signature"), CA, AT, algorithm)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].level is Level.RAW
    assert report.signatures[0].hash_algorithm is algorithm


def test_the_digest_alone_is_enough_to_verify(key):
    digest = HashAlgorithm.SHA256.digest(DOCUMENT)
    report = verify_raw(sign_raw(digest, key), digest, load("signature"), CA, AT)
    assert report.verdict is Verdict.PASSED


def test_a_digest_of_another_size_is_a_bug_of_the_caller(key):
    with pytest.raises(ValueError, match="32 bytes"):
        sign_raw(b"short", key)
    assert key.signed == []
    with pytest.raises(ValueError, match="48 bytes"):
        verify_raw(bytes(256), bytes(32), load("signature"), CA, AT, HashAlgorithm.SHA384)


def _signature() -> bytes:
    return sign_raw(HashAlgorithm.SHA256.digest(DOCUMENT), load_key("signature"))


@pytest.mark.parametrize(
    "forge",
    [
        lambda signature: b"",
        lambda signature: signature[:-1],
        lambda signature: signature + b"\x00",
        lambda signature: b"\x00" + signature,
        lambda signature: bytes(256),
        lambda signature: bytes(255) + b"\x01",
        lambda signature: b"\xff" * 256,
        lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]),
    ],
    ids=["empty", "short", "long", "padded", "zero", "one", "beyond the modulus", "one bit"],
)
def test_a_signature_that_is_not_the_signers_fails(forge):
    report = verify_raw(forge(_signature()), io.BytesIO(DOCUMENT), load("signature"), CA, AT)
    assert report.signatures[0].reasons == (Reason.SIGNATURE_INVALID,)
    assert report.verdict is Verdict.FAILED


def _pkcs1(block: bytes) -> bytes:
    """Sign a padded block of one's own with the private exponent."""
    numbers = load_key("signature").private_numbers()
    power = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return power.to_bytes(256, "big")


DIGEST = HashAlgorithm.SHA256.digest(DOCUMENT)
PREFIX = bytes.fromhex("3031300D060960864801650304020105000420")
WITHOUT_NULL = bytes.fromhex("302F300B0609608648016503040201") + b"\x04\x20"


def _block(tail: bytes, *, kind: int = 1, fill: bytes = b"\xff") -> bytes:
    return b"\x00" + bytes([kind]) + fill * (253 - len(tail)) + b"\x00" + tail


def test_the_block_that_the_standard_wants_is_the_control():
    signature = _pkcs1(_block(PREFIX + DIGEST))
    assert signature == _signature()


@pytest.mark.parametrize(
    "block",
    [
        _block(WITHOUT_NULL + DIGEST),
        _block(DIGEST),
        _block(PREFIX + DIGEST, kind=2),
        _block(PREFIX + DIGEST, fill=b"\xfe"),
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + PREFIX + DIGEST + bytes(256 - 11 - 51),
        _block(bytes.fromhex("308131300D060960864801650304020105000420") + DIGEST),
        _block(bytes.fromhex("3041300D060960864801650304020205000430") + DIGEST + bytes(16)),
        _block(PREFIX + DIGEST[:-1] + b"\x00"),
    ],
    ids=[
        "without NULL",
        "bare digest",
        "block type 2",
        "other padding",
        "garbage at the end",
        "long form length",
        "name of another hash",
        "another digest",
    ],
)
def test_a_block_padded_in_any_other_way_is_refused(block):
    report = verify_raw(_pkcs1(block), io.BytesIO(DOCUMENT), load("signature"), CA, AT)
    assert report.signatures[0].reasons == (Reason.SIGNATURE_INVALID,)


def test_another_document_or_another_hash_fails():
    for content, algorithm in (
        (b"another", HashAlgorithm.SHA256),
        (DOCUMENT, HashAlgorithm.SHA512),
    ):
        report = verify_raw(_signature(), io.BytesIO(content), load("signature"), CA, AT, algorithm)
        assert report.signatures[0].reasons == (Reason.SIGNATURE_INVALID,)


def test_every_fault_of_signature_and_certificate_is_named():
    report = verify_raw(bytes(256), io.BytesIO(DOCUMENT), load("signature-expired"), [], AT)
    reasons = report.signatures[0].reasons
    assert reasons == (Reason.SIGNATURE_INVALID, Reason.EXPIRED, Reason.NO_ANCHOR)


def test_the_authentication_certificate_does_not_sign_documents():
    signature = sign_raw(DIGEST, load_key("authentication"))
    report = verify_raw(signature, DIGEST, load("authentication"), [load("authentication-ca")], AT)
    assert report.signatures[0].reasons == (Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY)


def test_a_key_that_is_not_rsa_is_not_supported():
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    certificate = SIGNATURE_LEAF.build(key.public_key(), load_key("signature-ca"))
    report = verify_raw(bytes(72), DIGEST, certificate, CA, AT)
    assert report.signatures[0].reasons == (Reason.UNSUPPORTED_ALGORITHM,)


def test_a_certificate_that_cannot_be_read_is_a_reason_not_a_crash():
    der = load("signature").public_bytes(Encoding.DER)
    doubled = der.replace(bytes.fromhex("0603551D0F"), bytes.fromhex("0603551D12"))
    certificate = x509.load_der_x509_certificate(doubled)
    report = verify_raw(_signature(), DIGEST, certificate, CA, AT)
    assert report.signatures[0].reasons == (Reason.CERTIFICATE_MALFORMED,)


def test_a_key_too_short_for_the_digest_is_no_crash():
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    certificate = SIGNATURE_LEAF.build(key.public_key(), load_key("signature-ca"))
    signature = sign_raw(DIGEST, key)
    report = verify_raw(signature, DIGEST, certificate, CA, AT)
    assert report.signatures[0].reasons == (Reason.WEAK_KEY,)


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        verify_raw(_signature(), DIGEST, load("signature"), CA, datetime(2026, 6, 1))  # noqa: DTZ001
