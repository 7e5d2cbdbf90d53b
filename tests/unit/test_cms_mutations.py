"""Thousands of damaged signatures, certificates and tokens: a report each, never another error."""

import io
import random
import warnings

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cms import DOCUMENT, Forgery, attribute, signed_data
from support.pki import AT, load, load_key

from jpki.authentication import AuthToken, make_token, verify_token
from jpki.authentication.errors import TokenError
from jpki.certificates import Verdict, load_certificates, read_profile
from jpki.certificates.profile import CertificateProfile
from jpki.errors import CertificateMalformedError
from jpki.verification import VerificationReport, verify_cms

CA = [load("signature-ca")]
SIGNATURE = signed_data(
    Forgery(unsigned=[attribute("1.2.3.4", core.Null())]),
    certificates=[load("signature"), load("signature-ca")],
)
ATTACHED = signed_data(Forgery(), content=DOCUMENT)
CERTIFICATE = load("signature").public_bytes(Encoding.DER)
NONCE = "A" * 44
TOKEN = make_token(
    "https://example.jp", NONCE, load_key("authentication"), load("authentication"), "x"
).to_json()

# What no signature protects: the other certificate in the bag, the unsigned attribute, version
# numbers, parameters of algorithms. Damage there may pass; the protected parts must be untouched.
PROTECTED = (
    load("signature").public_bytes(Encoding.DER),
    Forgery().signer_info()["signed_attrs"].dump()[1:],
    Forgery().signer_info()["signature"].native,
)


def verify(data: bytes) -> VerificationReport:
    return verify_cms(data, io.BytesIO(DOCUMENT), CA, AT)


def check(data: bytes) -> None:
    report = verify(data)
    assert isinstance(report.verdict, Verdict)
    if report.verdict is Verdict.PASSED:
        assert all(part in data for part in PROTECTED)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Damage data the way fuzzers do: flip, overwrite, delete, insert, repeat, length bytes."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place = rng.randrange(len(damaged))
        size = rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(6):
            case 0:
                damaged[place] ^= 1 << rng.randrange(8)
            case 1:
                damaged[place] = rng.choice((0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0xFF, 0x30, 0x31))
            case 2:
                del damaged[place : place + size]
            case 3:
                damaged[place:place] = rng.randbytes(size)
            case 4:
                damaged[place:place] = damaged[place : place + size * 8]
            case _:
                damaged[place : place + size] = rng.randbytes(size)
        if not damaged:
            return b""
    return bytes(damaged)


@pytest.mark.parametrize("original", [SIGNATURE, ATTACHED], ids=["detached", "attached"])
def test_the_control_passes(original):
    assert verify(original).verdict is Verdict.PASSED


@pytest.mark.parametrize("original", [SIGNATURE, ATTACHED], ids=["detached", "attached"])
def test_damaged_signatures_give_a_report_and_pass_only_where_nothing_signed_changed(original):
    rng = random.Random(20260601)  # noqa: S311
    for _ in range(3000):
        check(mutate(original, rng))


def test_every_byte_of_the_signed_parts_counts():
    passed = []
    for place in range(len(SIGNATURE)):
        damaged = bytearray(SIGNATURE)
        damaged[place] ^= 0x01
        if verify(bytes(damaged)).verdict is Verdict.PASSED:
            passed.append(place)
    protected = set()
    for part in PROTECTED:
        start = SIGNATURE.index(part)
        protected |= set(range(start, start + len(part)))
    assert not protected & set(passed)
    assert len(protected) > len(SIGNATURE) // 2
    assert passed  # the other certificate in the bag: else the test would prove nothing


@settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_arbitrary_bytes_fail(data):
    assert verify(data).verdict is Verdict.FAILED


@settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, len(SIGNATURE)), st.binary(max_size=40), st.integers(0, 60))
def test_spliced_bytes_give_a_report(place, inserted, removed):
    check(SIGNATURE[:place] + inserted + SIGNATURE[place + removed :])


def test_damaged_certificates_are_summarized_or_refused_in_silence():
    rng = random.Random(20260602)  # noqa: S311
    kept = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5000):
            try:
                certificates = load_certificates(mutate(CERTIFICATE, rng))
            except CertificateMalformedError:
                continue
            assert all(isinstance(read_profile(each), CertificateProfile) for each in certificates)
            kept += 1
    assert kept > 500


def test_damaged_tokens_are_refused_with_one_error():
    rng = random.Random(20260603)  # noqa: S311
    anchors = [load("authentication-ca")]
    for _ in range(3000):
        data = mutate(TOKEN.encode(), rng)
        try:
            verify_token(data, "https://example.jp", NONCE, anchors, AT)
        except TokenError:
            continue
        token = AuthToken.from_json(data)
        assert token.certificate == load("authentication").public_bytes(Encoding.DER)
        assert token.signature == AuthToken.from_json(TOKEN).signature
