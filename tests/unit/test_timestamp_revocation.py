"""Whether the authority of a timestamp was revoked: what the caller has counts for it as well."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from support.pki import AT, load
from support.revocation import DAY, Crl, OcspAnswer, scope
from support.tsa import Token, authority, build_authority, build_intermediate, intermediate_key

from jpki.certificates import Revocation
from jpki.certificates.revocation import (
    NOTHING_GIVEN,
    RevocationMaterial,
    RevocationMode,
    load_crls,
    load_ocsp_responses,
)
from jpki.verification import Reason, TimestampReport, Verdict
from jpki.verification.timestamp import verify_timestamp

MESSAGE = b"the value of a signature"
CA = [load("signature-ca")]
REQUIRE = RevocationMode.REQUIRE
REVOKED_AT = AT - 10 * DAY  # what support.revocation writes
Flag = x509.ReasonFlags


def crls(*entries: tuple[int, Flag | None], **changes: object) -> RevocationMaterial:
    crl = replace(Crl(scope=None), entries=entries, **changes).build()  # type: ignore[arg-type]
    return RevocationMaterial(crls=load_crls(crl.public_bytes(Encoding.DER)))


def answers(**changes: object) -> RevocationMaterial:
    answer = OcspAnswer(certificate=authority(), **changes).build()  # type: ignore[arg-type]
    return RevocationMaterial(ocsp_responses=load_ocsp_responses(answer.public_bytes(Encoding.DER)))


def verify(
    material: RevocationMaterial = NOTHING_GIVEN, time: datetime = AT, **token: object
) -> TimestampReport:
    data = Token(message=MESSAGE, time=time, **token).der()  # type: ignore[arg-type]
    return verify_timestamp(data, MESSAGE, CA, AT, revocation=material)


def test_nothing_given_is_said_and_passes() -> None:
    report = verify()
    assert (report.verdict, report.revocation) == (Verdict.PASSED, Revocation.NOT_CHECKED)


@pytest.mark.parametrize("material", [crls(), crls((1, None)), answers()])
def test_evidence_that_does_not_name_the_authority_is_good(material: RevocationMaterial) -> None:
    for mode in (RevocationMode.IF_AVAILABLE, REQUIRE):
        report = verify(replace(material, mode=mode))
        assert (report.verdict, report.revocation) == (Verdict.PASSED, Revocation.GOOD)


SERIAL = authority().serial_number


@pytest.mark.parametrize(
    "material",
    [
        crls((SERIAL, None)),
        crls((SERIAL, Flag.key_compromise)),
        answers(status=ocsp.OCSPCertStatus.REVOKED),
        answers(status=ocsp.OCSPCertStatus.REVOKED, reason=Flag.key_compromise),
    ],
)
@pytest.mark.parametrize("time", [REVOKED_AT - DAY, REVOKED_AT + DAY])
def test_a_revoked_authority_proves_nothing_whenever_it_spoke(
    material: RevocationMaterial, time: datetime
) -> None:
    report = verify(material, time)
    assert report.reasons == (Reason.REVOKED,)
    assert report.revocation is Revocation.REVOKED


@pytest.mark.parametrize(
    "reason",
    [Flag.superseded, Flag.cessation_of_operation, Flag.affiliation_changed, Flag.unspecified],
)
def test_an_authority_that_ended_its_work_is_believed_for_the_time_before(reason: Flag) -> None:
    material = crls((SERIAL, reason))
    assert verify(material, REVOKED_AT - timedelta(seconds=1)).reasons == ()
    assert verify(material, REVOKED_AT).reasons == (Reason.REVOKED,)
    assert verify(material, REVOKED_AT + DAY).reasons == (Reason.REVOKED,)


def test_a_suspended_or_unknown_authority_is_undecided() -> None:
    assert verify(crls((SERIAL, Flag.certificate_hold))).reasons == (Reason.SUSPENDED,)
    unknown = answers(status=ocsp.OCSPCertStatus.UNKNOWN)
    assert verify(unknown).reasons == (Reason.REVOCATION_UNKNOWN,)


@pytest.mark.parametrize(
    "material",
    [
        RevocationMaterial(),
        crls(next_update=AT - DAY / 2),
        crls(scope=scope()),  # of a municipality's certificates
        crls(key="foreign-ca"),
    ],
    ids=["none", "stale", "of a municipality", "forged"],
)
def test_evidence_that_does_not_count_decides_nothing(material: RevocationMaterial) -> None:
    assert verify(material).revocation is Revocation.NOT_CHECKED
    report = verify(replace(material, mode=REQUIRE))
    assert report.reasons == (Reason.REVOCATION_UNKNOWN,)


def test_nothing_is_looked_at_where_nobody_wants_it() -> None:
    material = replace(crls((SERIAL, None)), mode=RevocationMode.NONE)
    report = verify(material)
    assert (report.reasons, report.revocation) == ((), Revocation.NOT_CHECKED)


def test_the_server_for_signers_is_not_asked_about_authorities() -> None:
    def ask(_request: bytes) -> bytes:
        raise AssertionError("asked")

    report = verify(RevocationMaterial(responder=ask))
    assert (report.reasons, report.revocation) == ((), Revocation.NOT_CHECKED)


# --- CAs between --------------------------------------------------------------------------------


def under_intermediate(material: RevocationMaterial) -> TimestampReport:
    between = build_intermediate()
    leaf = build_authority(issuer=between, issuer_key=intermediate_key())
    return verify(material, certificate=leaf, certificates=[leaf, between])


def test_a_revoked_ca_between_is_a_revoked_authority() -> None:
    number = build_intermediate().serial_number
    assert under_intermediate(crls((number, None))).reasons == (Reason.REVOKED,)


def test_a_path_is_good_only_if_all_of_it_is_known_to_be() -> None:
    report = under_intermediate(crls())  # the authority's own CA says nothing
    assert (report.reasons, report.revocation) == ((), Revocation.NOT_CHECKED)


def test_a_list_of_people_says_nothing_of_a_ca() -> None:
    people = scope([], full_name=None, only_contains_user_certs=True)
    number = build_intermediate().serial_number
    assert verify(crls(scope=people)).revocation is Revocation.GOOD
    assert under_intermediate(crls((number, None), scope=people)).reasons == ()
