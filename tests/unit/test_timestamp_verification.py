"""Timestamps: each fault beside the control that passes."""

import tracemalloc
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.cms import Forgery, signed_data, signing_certificate_v2, signing_time
from support.pki import AT, CA_UNTIL, LEAF_FROM, build_ca, ca_name, key_usage, load, load_key
from support.tsa import (
    INTERMEDIATE_NAME,
    Token,
    authority,
    authority_key,
    build_authority,
    build_intermediate,
    intermediate_key,
    version_1_attributes,
)

from jpki.errors import AnchorNotCaError
from jpki.signing import HashAlgorithm
from jpki.verification import Reason, TimestampReport, Verdict
from jpki.verification.circumstances import Circumstances
from jpki.verification.timestamp import judge_timestamp, verify_timestamp

MESSAGE = b"the value of a signature"
CA = [load("signature-ca")]
SECOND = timedelta(seconds=1)


def token(**changes: object) -> bytes:
    return Token(**{"message": MESSAGE, **changes}).der()  # type: ignore[arg-type]


def verify(data: bytes, message=MESSAGE, anchors=CA, at=AT, **named) -> TimestampReport:
    return verify_timestamp(data, message, anchors, at, **named)


def under_intermediate(**changes: object) -> x509.Certificate:
    return build_authority(issuer=build_intermediate(), issuer_key=intermediate_key(), **changes)  # type: ignore[arg-type]


# --- the controls -------------------------------------------------------------------------------


def test_a_sound_timestamp_passes_and_says_whose_it_is():
    report = verify(token())
    assert report == TimestampReport(time=AT, authority="CN=Mihon Time")
    assert report.verdict is Verdict.PASSED


P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    "changes",
    [
        {"hash_name": "sha512"},
        {"digest_algorithm": "sha512", "signature_algorithm": "sha512_rsa"},
        {"signature_algorithm": "rsassa_pkcs1v15"},
        {"attributes": version_1_attributes(authority())},
        {"nonce": 1 << 62},
        {
            "key": P256,
            "certificate": build_authority(key=P256),
            "signature_algorithm": "sha256_ecdsa",
        },
        {
            "key": P384,
            "certificate": build_authority(key=P384),
            "digest_algorithm": "sha384",
            "signature_algorithm": "sha384_ecdsa",
        },
        {"certificates": [load("signature"), load("signature-ca"), authority()]},
        {"certificate": under_intermediate(), "certificates": None},
    ],
    ids=[
        "imprint by SHA-512",
        "signed with SHA-512",
        "rsaEncryption",
        "signing-certificate of version 1",
        "nonce",
        "P-256",
        "P-384",
        "certificates in any order",
        "intermediate CA",
    ],
)
def test_other_sound_forms_pass(changes):
    if changes.get("certificates", ()) is None:
        changes = {**changes, "certificates": [changes["certificate"], build_intermediate()]}
    assert verify(token(**changes)).reasons == ()


def test_certificates_beside_the_token_count_as_those_inside():
    report = verify(token(certificates=[]))
    assert report.reasons == (Reason.SIGNER_CERTIFICATE_MISSING,)
    assert report.authority is None
    der = authority().public_bytes(Encoding.DER)
    assert verify(token(certificates=[]), certificates=[der]).reasons == ()


def test_a_large_message_is_hashed_by_whoever_has_it():
    asked: list[HashAlgorithm] = []

    def digest(algorithm: HashAlgorithm) -> bytes:
        asked.append(algorithm)
        return algorithm.digest(MESSAGE)

    circumstances = Circumstances(anchors=CA, at=AT, now=AT)
    assert judge_timestamp(token(hash_name="sha384"), digest, (), circumstances).reasons == ()
    assert asked == [HashAlgorithm.SHA384]


# --- what it is over ----------------------------------------------------------------------------


def test_a_timestamp_over_something_else_fails():
    report = verify(token(), b"another signature")
    assert report.reasons == (Reason.DIGEST_MISMATCH,)
    assert report.verdict is Verdict.FAILED


def test_an_imprint_by_a_broken_hash_is_not_taken():
    assert verify(token(hash_name="sha1")).reasons == (Reason.WEAK_ALGORITHM,)
    assert verify(token(hash_name="md5")).reasons == (Reason.UNSUPPORTED_ALGORITHM,)


def test_an_imprint_of_another_length_fails():
    assert verify(token(imprint=sha256(MESSAGE).digest()[:20])).reasons == (Reason.DIGEST_MISMATCH,)


# --- what it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80" * 5000,
        signed_data(Forgery(document=MESSAGE), content=MESSAGE),
        signed_data(Forgery(document=MESSAGE)),
        token(content_type="data"),
        token(version="v2"),
        token(signers=2),
        token(signers=0),
        token()[:-1],
        token() + b"\x00",
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_what_is_no_timestamp_is_malformed_and_has_no_time(data):
    assert verify(data) == TimestampReport(reasons=(Reason.MALFORMED,))


def test_every_truncation_is_malformed():
    whole = token()
    for size in range(0, len(whole), 7):
        assert verify(whole[:size]).reasons == (Reason.MALFORMED,)


def with_time(text: bytes) -> bytes:
    """A token whose time is written in a way of one's own."""

    class Odd(Token):
        def tst_info(self):
            usual = core.GeneralizedTime(AT).dump()
            info = super().tst_info()
            assert info.dump().count(usual) == 1
            own = b"\x18" + bytes([len(text)]) + text
            return core.Sequence(contents=info.contents.replace(usual, own))

    return Odd(message=MESSAGE).der()


def test_a_time_written_by_hand_is_the_control():
    assert with_time(b"20260601030000Z") == token()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"20260601030000",
        b"202606010300Z",
        b"20260601030000.Z",
        b"20260601030000.10Z",
        b"20260601030000+0900",
        b"20261301030000Z",
        b"20260601030060Z",
        b"2026060103000\xb2Z",
        b"20260601030000." + b"1" * 30 + b"Z",
    ],
)
def test_a_time_in_another_form_is_malformed(text):
    assert verify(with_time(text)).reasons == (Reason.MALFORMED,)


def test_a_time_with_a_fraction_is_read():
    moment = datetime.fromisoformat("2026-06-01T03:00:00.250000+00:00")
    assert verify(token(time=moment)).time == moment


# --- who signed it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": load_key("foreign-ca")}, Reason.SIGNATURE_INVALID),
        ({"message_digest": bytes(32)}, Reason.SIGNATURE_INVALID),
        ({"signature_algorithm": "sha512_rsa"}, Reason.ALGORITHM_MISMATCH),
        ({"signature_algorithm": "rsassa_pss"}, Reason.UNSUPPORTED_ALGORITHM),
        ({"signature_algorithm": "sha1_rsa"}, Reason.ALGORITHM_MISMATCH),
        (
            {"digest_algorithm": "sha1", "signature_algorithm": "sha1_rsa"},
            Reason.WEAK_ALGORITHM,
        ),
        ({"without_attributes": True}, Reason.SIGNED_ATTRIBUTES_MISSING),
        ({"attributes": []}, Reason.SIGNED_ATTRIBUTES_INVALID),
        ({"attribute_type": "data"}, Reason.SIGNED_ATTRIBUTES_INVALID),
        (
            {"attributes": [signing_time(), signing_certificate_v2(load("signature"))]},
            Reason.SIGNER_CERTIFICATE_MISMATCH,
        ),
        ({"certificates": [load("signature")]}, Reason.SIGNER_CERTIFICATE_MISSING),
        ({"critical_extension": True}, Reason.UNKNOWN_CRITICAL_EXTENSION),
        ({"certificate": build_authority(critical=False)}, Reason.WRONG_KEY_USAGE),
        ({"certificate": build_authority(extended=())}, Reason.WRONG_KEY_USAGE),
        (
            {
                "certificate": build_authority(
                    extended=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH)
                )
            },
            Reason.WRONG_KEY_USAGE,
        ),
        (
            {"certificate": build_authority(extended=(ExtendedKeyUsageOID.CODE_SIGNING,))},
            Reason.WRONG_KEY_USAGE,
        ),
        (
            {"certificate": build_authority(usage=key_usage("key_encipherment"))},
            Reason.WRONG_KEY_USAGE,
        ),
        ({"certificate": build_authority(is_ca=True)}, Reason.SIGNER_IS_CA),
        (
            {"certificate": load("signature"), "key": load_key("signature")},
            Reason.WRONG_KEY_USAGE,
        ),
        (
            {
                "certificate": build_authority(key=rsa.generate_private_key(65537, 1024)),  # noqa: S505
                "key": None,
            },
            Reason.WEAK_KEY,
        ),
    ],
    ids=[
        "another key",
        "another digest",
        "SHA-512 with RSA named",
        "PSS",
        "SHA-1 with RSA named",
        "SHA-1",
        "no attributes",
        "certificate not named",
        "attributes of something else",
        "another certificate named",
        "certificate not there",
        "critical extension",
        "usage not critical",
        "no usage",
        "two usages",
        "another usage",
        "a key for encryption",
        "a CA",
        "a cardholder",
        "a short key",
    ],
)
def test_a_timestamp_by_whoever_may_not_give_it_fails(changes, reason):
    if changes.get("key", ()) is None:
        changes = {**changes, "key": authority_key()}
    report = verify(token(**changes))
    assert reason in report.reasons
    assert report.verdict is Verdict.FAILED


def test_an_odd_curve_is_not_taken():
    key = ec.generate_private_key(ec.SECP256K1())
    odd = token(key=key, certificate=build_authority(key=key), signature_algorithm="sha256_ecdsa")
    assert Reason.UNSUPPORTED_ALGORITHM in verify(odd).reasons


# --- its path -----------------------------------------------------------------------------------


def test_without_anchors_it_is_indeterminate():
    report = verify(token(), anchors=[])
    assert report.reasons == (Reason.NO_ANCHOR,)
    assert report.verdict is Verdict.INDETERMINATE
    assert report.time == AT
    assert verify(token(), anchors=[load("authentication-ca")]).reasons == (Reason.NO_ANCHOR,)


def test_a_namesake_of_the_ca_does_not_vouch():
    assert verify(token(), anchors=[load("foreign-ca")]).reasons == (Reason.UNTRUSTED_ISSUER,)
    assert verify(token(), anchors=[load("foreign-ca"), *CA]).reasons == ()


def test_a_root_that_came_with_the_token_is_not_trusted():
    crowd = [authority(), load("signature-ca")]
    assert verify(token(certificates=crowd), anchors=[]).reasons == (Reason.NO_ANCHOR,)


@pytest.mark.parametrize(
    "intermediate",
    [
        None,
        build_intermediate(is_ca=False),
        build_intermediate(usage=key_usage("digital_signature")),
        build_intermediate(not_after=AT - SECOND),
    ],
    ids=["missing", "no CA", "no keyCertSign", "expired"],
)
def test_an_intermediate_that_is_no_ca_does_not_vouch(intermediate):
    certificate = under_intermediate()
    bag = [certificate] if intermediate is None else [certificate, intermediate]
    assert verify(token(certificate=certificate, certificates=bag)).reasons == (Reason.NO_ANCHOR,)


def test_a_cardholder_is_no_ca_of_timestamps():
    forged = build_authority(issuer=load("signature"), issuer_key=load_key("signature"))
    report = verify(token(certificate=forged, certificates=[forged, load("signature")]))
    assert report.reasons == (Reason.NO_ANCHOR,)
    with pytest.raises(AnchorNotCaError):
        verify(token(certificate=forged), anchors=[load("signature")])


def test_a_path_that_is_too_long_does_not_vouch():
    below = build_authority(
        name=x509.Name([*INTERMEDIATE_NAME, *ca_name(organization="Below")]),
        issuer=build_intermediate(),
        issuer_key=intermediate_key(),
        extended=(),
        usage=key_usage("key_cert_sign"),
        is_ca=True,
    )
    leaf = build_authority(issuer=below, issuer_key=authority_key())
    crowd = [leaf, below, build_intermediate()]
    assert verify(token(certificate=leaf, certificates=crowd)).reasons == (Reason.NO_ANCHOR,)
    crowd[2] = build_intermediate(path_length=1)
    assert verify(token(certificate=leaf, certificates=crowd)).reasons == ()


def test_thousands_of_certificates_in_a_token_are_not_all_looked_at():
    crowd = [under_intermediate(), *[build_intermediate(not_after=AT - SECOND)] * 3000]
    data = token(certificate=crowd[0], certificates=crowd)
    tracemalloc.start()
    try:
        assert verify(data).reasons == (Reason.NO_ANCHOR,)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * len(data)


# --- its time -----------------------------------------------------------------------------------


def test_the_authority_must_have_been_valid_then_and_be_valid_at_the_time_of_the_check():
    brief = build_authority(not_before=AT - SECOND, not_after=AT + SECOND)
    for time, at, expected in (
        (AT, AT, ()),
        (AT + SECOND, AT + SECOND, ()),
        (AT, AT + 2 * SECOND, (Reason.EXPIRED,)),
        (AT + 2 * SECOND, AT + 2 * SECOND, (Reason.EXPIRED,)),
        (AT - 2 * SECOND, AT, (Reason.NOT_YET_VALID,)),
    ):
        assert verify(token(time=time, certificate=brief), at=at).reasons == expected
    assert verify(token(time=LEAF_FROM), at=CA_UNTIL).reasons == ()


def test_a_token_from_the_future_is_not_believed_but_clocks_may_differ():
    minute = timedelta(minutes=1)
    assert verify(token(time=AT + 5 * minute)).reasons == ()
    late = verify(token(time=AT + 6 * minute))
    assert late.reasons == (Reason.SIGNING_TIME_IN_FUTURE,)
    assert late.verdict is Verdict.INDETERMINATE
    assert verify(token(time=AT + 6 * minute), now=AT + 6 * minute).reasons == ()


def test_the_ca_must_be_valid_at_the_time_of_the_check():
    expired = build_ca(load_key("signature-ca"), not_after=AT - SECOND)
    assert verify(token(), anchors=[expired]).reasons == (Reason.UNTRUSTED_ISSUER,)


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        verify(token(), at=datetime(2026, 6, 1))  # noqa: DTZ001
