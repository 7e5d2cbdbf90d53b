"""CMS signatures with timestamps: made, verified, and what a timestamp is worth."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding
from support.cms import DOCUMENT, Forgery, attribute, signed_data
from support.keys import CountingKey
from support.pki import (
    AT,
    CA_UNTIL,
    LEAF_FROM,
    LEAF_UNTIL,
    SIGNATURE_LEAF,
    build_ca,
    load,
    load_key,
)
from support.revocation import Crl
from support.tsa import (
    Token,
    answer_request,
    authority,
    build_authority,
    response,
    running_tsa,
    timestamp_attribute,
)
from support.web import Answer, serving

from jpki.certificates import Revocation
from jpki.certificates.evidence import EvidenceFault
from jpki.certificates.revocation import RevocationMaterial, RevocationMode, load_crls
from jpki.errors import ServerError
from jpki.signing import HashAlgorithm, sign_cms
from jpki.signing.signed_data import KeySigner
from jpki.signing.timestamp import MAX_TOKEN, Timestamper
from jpki.verification import (
    Level,
    Note,
    Reason,
    SignatureReport,
    TimestampReport,
    Verdict,
    verify_cms,
)

CA = [load("signature-ca")]
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
AFTER = LEAF_UNTIL + DAY
TIMESTAMP_OID = "1.2.840.113549.1.9.16.2.14"


def value_of(forgery: Forgery) -> bytes:
    """The signature itself: PKCS#1 v1.5 gives the same each time."""
    return forgery.signer_info()["signature"].native


def stamped(*tokens: bytes, **changes: object) -> bytes:
    forgery = Forgery(**changes)  # type: ignore[arg-type]
    forgery.unsigned = [timestamp_attribute(*tokens)]
    return signed_data(forgery)


def token(forgery: Forgery | None = None, **changes: object) -> bytes:
    message = value_of(forgery or Forgery())
    return Token(**{"message": message, **changes}).der()  # type: ignore[arg-type]


def verify(
    signature: bytes, anchors=CA, at=AT, now=None, revocation=None, content=DOCUMENT
) -> SignatureReport:
    report = verify_cms(
        signature,
        io.BytesIO(content),
        anchors,
        at,
        revocation or RevocationMaterial(),
        now=now,
    )
    assert report.reasons == ()
    (signature_report,) = report.signatures
    return signature_report


# --- made ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", HashAlgorithm)
@pytest.mark.parametrize("attached", [False, True])
def test_a_signature_with_a_timestamp_uses_the_key_once_and_is_of_level_t(
    tmp_path, algorithm, attached
):
    key = CountingKey(load_key("signature"))
    with running_tsa(tmp_path / "tsa") as site:
        signature = sign_cms(
            io.BytesIO(DOCUMENT),
            key,
            load("signature"),
            signing_time=AT,
            algorithm=algorithm,
            attached=attached,
            timestamper=Timestamper(site.url()),
        )
    assert len(key.signed) == 1
    assert len(site.asked) == 1
    report = verify(signature)
    assert report.verdict is Verdict.PASSED
    assert report.level is Level.CADES_B_T
    assert report.timestamp is not None
    assert report.timestamp.verdict is Verdict.PASSED
    assert report.timestamp.authority == "CN=Mihon Time"
    assert AT <= report.timestamp.time < AT + timedelta(minutes=1)


def test_the_server_gets_a_hash_of_the_signature_and_nothing_else(tmp_path):
    with running_tsa(tmp_path / "tsa") as site:
        sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            timestamper=Timestamper(site.url()),
        )
    (asked,) = site.asked
    assert len(asked.body) < 100
    assert "見本".encode() not in asked.body


def sign_with(answer: Answer, **named: object) -> bytes:
    with serving(lambda asked: answer) as site:
        return sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            timestamper=Timestamper(site.url(), **named),  # type: ignore[arg-type]
        )


def test_an_authority_that_fails_ends_the_signing_unless_that_was_allowed():
    with pytest.raises(ServerError):
        sign_with(Answer(status=500))
    failures: list[ServerError] = []
    signature = sign_with(Answer(status=500), on_failure=failures.append)
    assert len(failures) == 1
    report = verify(signature)
    assert (report.verdict, report.level) == (Verdict.PASSED, Level.CADES_B_B)
    assert report.timestamp is None


def test_a_dry_run_asks_nobody_and_makes_room_for_any_token():
    from jpki.signing.signed_data import _drive

    timestamper = Timestamper("http://127.0.0.1:1/")
    signer = KeySigner(load_key("signature"), load("signature"), timestamper=timestamper)
    attributes = _drive(signer.unsigned_attrs("sha256", bytes(256), None, dry_run=True))
    assert attributes is not None
    assert len(attributes.dump()) > MAX_TOKEN


# --- a timestamp over this signature ------------------------------------------------------------


def test_the_timestamp_of_the_control_passes():
    report = verify(stamped(token()))
    assert report.verdict is Verdict.PASSED
    assert report.level is Level.CADES_B_T
    assert report.timestamp == TimestampReport(time=AT, authority="CN=Mihon Time")
    assert report.notes == ()


def test_a_timestamp_without_an_anchor_of_its_own_is_undecided_and_harms_nothing():
    foreign = build_authority(issuer=load("authentication-ca"), issuer_key=load_key("foreign-ca"))
    report = verify(stamped(token(certificate=foreign)))
    assert report.verdict is Verdict.PASSED
    assert report.level is Level.CADES_B_T
    assert report.timestamp is not None
    assert report.timestamp.verdict is Verdict.INDETERMINATE
    assert report.timestamp.reasons == (Reason.NO_ANCHOR,)


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([token(Forgery(document=b"another"))], Reason.DIGEST_MISMATCH),
        ([token(message=DOCUMENT)], Reason.DIGEST_MISMATCH),
        ([token(key=load_key("foreign-ca"))], Reason.SIGNATURE_INVALID),
        ([token(certificate=build_authority(critical=False))], Reason.WRONG_KEY_USAGE),
        ([signed_data(Forgery(), content=DOCUMENT)], Reason.MALFORMED),
    ],
    ids=["another signature", "the document", "a forged one", "no critical usage", "no timestamp"],
)
def test_a_timestamp_that_is_none_of_this_signature_is_reported_and_lifts_no_level(tokens, reason):
    report = verify(stamped(*tokens))
    assert report.timestamp is not None
    assert report.timestamp.reasons == (reason,)
    assert report.timestamp.verdict is Verdict.FAILED
    assert report.level is Level.CADES_B_B
    assert report.verdict is Verdict.PASSED  # anybody may have added it
    expired = verify(stamped(*tokens), at=AFTER)
    assert Reason.EXPIRED in expired.reasons


def test_the_best_and_then_the_earliest_of_several_timestamps_counts():
    bad, late = token(key=load_key("foreign-ca")), token(time=AT + SECOND)
    for tokens in ([bad, late, token()], [token(), late, bad]):
        report = verify(stamped(*tokens))
        assert report.timestamp == TimestampReport(time=AT, authority="CN=Mihon Time")
    two = Forgery(unsigned=[timestamp_attribute(bad), timestamp_attribute(token())])
    assert verify(signed_data(two)).timestamp.verdict is Verdict.PASSED


def test_only_some_of_many_timestamps_are_looked_at():
    bad = token(key=load_key("foreign-ca"))
    assert verify(stamped(*[bad] * 3, token())).timestamp.verdict is Verdict.PASSED
    assert verify(stamped(*[bad] * 4, token())).timestamp.verdict is Verdict.FAILED


def test_a_timestamp_among_the_signed_attributes_is_none():
    forgery = Forgery(attributes=[timestamp_attribute(token())])
    report = verify(signed_data(forgery))
    assert report.timestamp is None


def test_a_timestamp_does_not_mend_a_signature():
    forged = Forgery(key=load_key("foreign-ca"))
    report = verify(stamped(token(forged), key=load_key("foreign-ca")))
    assert report.timestamp.verdict is Verdict.PASSED
    assert report.reasons == (Reason.SIGNATURE_INVALID,)


def test_the_authoritys_certificate_may_stand_beside_the_signers():
    forgery = Forgery(unsigned=[timestamp_attribute(token(certificates=[]))])
    bag = [load("signature"), authority()]
    assert verify(signed_data(forgery, certificates=bag)).timestamp.verdict is Verdict.PASSED


# --- a certificate that has expired since -------------------------------------------------------


def test_without_a_timestamp_an_expired_certificate_fails():
    assert verify(signed_data(Forgery()), at=AFTER).reasons == (Reason.EXPIRED,)


def test_a_signature_outlives_its_certificate_by_a_timestamp():
    report = verify(stamped(token()), at=AFTER)
    assert report.verdict is Verdict.PASSED
    assert report.notes == (Note.EXPIRED_AFTER_TIMESTAMP,)
    assert report.timestamp.time == AT


@pytest.mark.parametrize(
    ("time", "reasons"),
    [
        (LEAF_UNTIL, ()),
        (LEAF_UNTIL + SECOND, (Reason.EXPIRED,)),
        (LEAF_FROM, ()),
        (LEAF_FROM - SECOND, (Reason.EXPIRED,)),
    ],
)
def test_the_timestamp_must_lie_in_the_certificates_validity(time, reasons):
    old = build_authority(not_before=LEAF_FROM - DAY)
    report = verify(stamped(token(time=time, certificate=old)), at=AFTER)
    assert report.timestamp.verdict is Verdict.PASSED
    assert report.reasons == reasons


def test_a_timestamp_that_nobody_vouches_for_mends_nothing():
    other = build_authority(issuer=load("authentication-ca"), issuer_key=load_key("foreign-ca"))
    for bad in (
        token(certificate=other),
        token(key=load_key("foreign-ca")),
        token(certificate=build_authority(not_after=AFTER - SECOND)),
        token(time=AFTER + DAY),
    ):
        report = verify(stamped(bad), at=AFTER)
        assert report.reasons == (Reason.EXPIRED,)
        assert report.notes == ()


def test_a_timestamp_mends_nothing_but_expiry():
    wrong = replace(SIGNATURE_LEAF, policy="1.2.3").build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    forgery = Forgery(certificate=wrong)
    report = verify(stamped(token(forgery), certificate=wrong), at=AFTER)
    assert report.reasons == (Reason.EXPIRED, Reason.WRONG_POLICY)


def test_what_is_undecided_beside_expiry_stays_undecided():
    report = verify(stamped(token()), anchors=[load("signature-ca")], at=AFTER)
    assert report.reasons == ()
    required = RevocationMaterial(mode=RevocationMode.REQUIRE)
    report = verify(stamped(token()), at=AFTER, revocation=required)
    assert report.reasons == (Reason.REVOCATION_UNKNOWN,)
    assert report.verdict is Verdict.INDETERMINATE


def test_a_ca_that_has_expired_too_is_outlived_if_the_authoritys_has_not():
    brief = build_ca(load_key("signature-ca"), not_after=LEAF_UNTIL)
    both = [brief, load("foreign-ca")]
    other = build_authority(issuer=load("foreign-ca"), issuer_key=load_key("foreign-ca"))
    report = verify(stamped(token(certificate=other)), anchors=both, at=AFTER)
    assert report.reasons == ()
    alone = verify(signed_data(Forgery()), anchors=both, at=AFTER)
    assert alone.reasons == (Reason.EXPIRED, Reason.ANCHOR_EXPIRED)


def test_a_list_from_after_the_expiry_says_nothing_good_of_the_certificate():
    crl = Crl(this_update=AFTER - SECOND, next_update=AFTER + DAY).build()
    crls = load_crls(crl.public_bytes(Encoding.DER))
    for mode, reasons in (
        (RevocationMode.IF_AVAILABLE, ()),
        (RevocationMode.REQUIRE, (Reason.REVOCATION_UNKNOWN,)),
    ):
        material = RevocationMaterial(mode=mode, crls=crls)
        report = verify(stamped(token()), at=AFTER, revocation=material)
        assert report.reasons == reasons
        assert report.revocation is Revocation.NOT_CHECKED
        (rejected,) = report.path.revocation.rejected
        assert rejected.fault is EvidenceFault.PARTIAL


def test_a_certificate_on_the_list_stays_revoked():
    crl = Crl(
        entries=[(load("signature").serial_number, None)],
        this_update=AFTER - SECOND,
        next_update=AFTER + DAY,
    ).build()
    material = RevocationMaterial(crls=load_crls(crl.public_bytes(Encoding.DER)))
    report = verify(stamped(token()), at=AFTER, revocation=material)
    assert Reason.REVOKED in report.reasons


def test_a_past_time_of_the_check_leaves_the_certificate_valid_and_drops_nothing():
    report = verify(stamped(token()), at=LEAF_UNTIL, now=CA_UNTIL)
    assert report.reasons == ()
    assert report.notes == ()


# --- counter-signatures -------------------------------------------------------------------------


def countersignature(over: bytes) -> cms.CMSAttribute:
    signer_info = Forgery(document=over).signer_info()
    return attribute("counter_signature", signer_info)


@pytest.mark.parametrize("over", [b"this signature", b"another signature"])
def test_a_countersignature_is_noted_and_never_believed(over):
    signed = value_of(Forgery()) if over == b"this signature" else over
    forgery = Forgery(unsigned=[countersignature(signed)])
    report = verify(signed_data(forgery))
    assert report.verdict is Verdict.PASSED
    assert report.notes == (Note.COUNTERSIGNATURE_NOT_CHECKED,)
    assert report.timestamp is None


def test_a_countersignature_that_is_garbage_is_noted_too():
    oid = bytes.fromhex("06092A864886F70D010906")
    garbage = cms.CMSAttribute.load(b"\x30\x0f" + oid + b"\x31\x02\x05\x00")
    forgery = Forgery(unsigned=[garbage])
    assert verify(signed_data(forgery)).notes == (Note.COUNTERSIGNATURE_NOT_CHECKED,)


# --- what a server may try ----------------------------------------------------------------------


def test_a_token_for_another_signature_never_gets_into_one():
    def answer(asked):
        return Answer(body=response(answer_request(asked, imprint=bytes(32))))

    with serving(answer) as site, pytest.raises(ServerError, match="something else"):
        sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            timestamper=Timestamper(site.url()),
        )
