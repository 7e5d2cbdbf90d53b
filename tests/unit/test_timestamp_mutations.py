"""Thousands of damaged timestamps, answers of authorities and JWS: a report each, nothing else."""

import io
import random
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cms import DOCUMENT, Forgery, signed_data
from support.pki import AT, load, load_key
from support.tsa import Token, authority, response, timestamp_attribute

from jpki.signing import HashAlgorithm
from jpki.signing.jws import sign_jws
from jpki.signing.timestamp import ResponseFaultError, check_response
from jpki.verification import Verdict, verify_cms
from jpki.verification.jws import verify_jws
from jpki.verification.timestamp import verify_timestamp

CA = [load("signature-ca")]
NONCE = 0x1234567890
VALUE = Forgery().signer_info()["signature"].native
TOKEN = Token(message=VALUE, nonce=NONCE, certificates=[authority(), load("signature-ca")])
ANSWER = response(TOKEN.der())
JWS = sign_jws(DOCUMENT, load_key("signature"), load("signature"), signing_time=AT)


def mutate(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place, size = rng.randrange(len(damaged)), rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(5):
            case 0:
                damaged[place] ^= 1 << rng.randrange(8)
            case 1:
                damaged[place] = rng.choice((0x00, 0x01, 0x7F, 0x80, 0x84, 0xFF, 0x30, 0x31, 0x2E))
            case 2:
                del damaged[place : place + size]
            case 3:
                damaged[place:place] = rng.randbytes(size)
            case _:
                damaged[place:place] = damaged[place : place + size * 8]
        if not damaged:
            return b""
    return bytes(damaged)


def test_the_controls_pass():
    assert verify_timestamp(TOKEN.der(), VALUE, CA, AT).verdict is Verdict.PASSED
    digest = sha256(VALUE).digest()
    assert check_response(ANSWER, digest, HashAlgorithm.SHA256, NONCE) == TOKEN.der()
    assert verify_jws(JWS, None, CA, AT).verdict is Verdict.PASSED


def test_damaged_timestamps_give_a_report_and_pass_only_where_nothing_signed_changed():
    rng = random.Random(20260605)  # noqa: S311
    token, protected = TOKEN.der(), TOKEN.tst_info().dump()
    passed = 0
    for _ in range(3000):
        damaged = mutate(token, rng)
        report = verify_timestamp(damaged, VALUE, CA, AT)
        if report.verdict is Verdict.PASSED:
            passed += 1
            assert protected in damaged
            assert report.time == AT
    assert passed


def test_a_damaged_timestamp_never_makes_a_sound_signature_fail_or_an_expired_one_pass():
    rng = random.Random(20260606)  # noqa: S311
    after = AT.replace(year=2031)
    for _ in range(100):
        damaged = mutate(TOKEN.der(), rng)
        signature = signed_data(Forgery(unsigned=[timestamp_attribute(damaged)]))
        now = verify_cms(signature, io.BytesIO(DOCUMENT), CA, AT)
        later = verify_cms(signature, io.BytesIO(DOCUMENT), CA, after)
        if now.reasons:  # the damage reached the attribute's own frame
            assert now.verdict is Verdict.FAILED
            continue
        (signer,) = now.signatures
        assert signer.verdict is Verdict.PASSED
        assert (
            signer.timestamp is None
            or signer.timestamp.time in (None, AT)
            or (signer.timestamp.verdict is not Verdict.PASSED)
        )
        if later.verdict is Verdict.PASSED:
            timestamp = later.signatures[0].timestamp
            assert timestamp is not None
            assert timestamp.verdict is Verdict.PASSED


def test_damaged_answers_of_an_authority_are_refused_with_one_error():
    rng = random.Random(20260607)  # noqa: S311
    digest, taken = sha256(VALUE).digest(), 0
    for _ in range(2000):
        try:
            token = check_response(mutate(ANSWER, rng), digest, HashAlgorithm.SHA256, NONCE)
        except ResponseFaultError:
            continue
        taken += 1
        assert TOKEN.tst_info().dump() in token
    assert taken


def test_damaged_jws_fail_and_give_a_report():
    rng = random.Random(20260608)  # noqa: S311
    for _ in range(2000):
        damaged = mutate(JWS, rng)
        verdict = verify_jws(damaged, None, CA, AT).verdict
        assert verdict is (Verdict.PASSED if damaged.strip() == JWS else Verdict.FAILED)


@settings(max_examples=200, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_nothing(data):
    assert verify_timestamp(data, VALUE, CA, AT).verdict is Verdict.FAILED
    assert verify_jws(data, None, CA, AT).verdict is Verdict.FAILED
    with pytest.raises(ResponseFaultError):
        check_response(data, bytes(32), HashAlgorithm.SHA256, NONCE)
