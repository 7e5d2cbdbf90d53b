"""Revocation: what a CRL or an OCSP answer says, and when it says nothing that counts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pki import AT, SIGNATURE_LEAF, load, load_key
from support.revocation import (
    DAY,
    HOLD,
    Crl,
    OcspAnswer,
    der,
    other_municipality,
    responder_certificate,
    scope,
)

from jpki.certificates import Purpose, Reason, Revocation, Unchecked, Verdict, check_path
from jpki.certificates.ocsp import NONCE_BYTES
from jpki.certificates.revocation import (
    EvidenceFault,
    RejectedEvidence,
    RevocationMaterial,
    RevocationMode,
    RevocationSource,
    check_revocation,
    load_crls,
    load_ocsp_responses,
)
from jpki.errors import RevocationDataMalformedError, ServerError

LEAF, CA = load("signature"), load("signature-ca")
SERIAL = LEAF.serial_number
MINUTE = timedelta(minutes=1)
REVOKED = ocsp.OCSPCertStatus.REVOKED


def by_crl(crl: Crl, at=AT):
    return check_revocation(LEAF, CA, at, RevocationMaterial(crls=(crl.build(),)))


def by_ocsp(answer: OcspAnswer, at=AT):
    material = RevocationMaterial(ocsp_responses=(answer.build(),))
    return check_revocation(LEAF, CA, at, material)


def assert_does_not_count(finding, fault: EvidenceFault) -> None:
    assert finding.status is Revocation.NOT_CHECKED
    assert [item.fault for item in finding.rejected] == [fault]


# --- lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "status", "reason"),
    [
        ([], Revocation.GOOD, None),
        ([(SERIAL + 1, x509.ReasonFlags.key_compromise)], Revocation.GOOD, None),
        ([(SERIAL, None)], Revocation.REVOKED, None),
        ([(SERIAL, x509.ReasonFlags.superseded)], Revocation.REVOKED, "superseded"),
        (
            [(SERIAL, x509.ReasonFlags.affiliation_changed)],
            Revocation.REVOKED,
            "affiliationChanged",
        ),
        ([(SERIAL, HOLD)], Revocation.SUSPENDED, "certificateHold"),
    ],
)
def test_a_list_tells_good_revoked_and_suspended(entries, status, reason):
    finding = by_crl(Crl(entries=entries))
    assert (finding.status, finding.reason) == (status, reason)
    assert finding.source is RevocationSource.CRL
    assert finding.since == (None if status is Revocation.GOOD else AT - 10 * DAY)
    assert (finding.this_update, finding.next_update) == (AT - DAY, AT + DAY)
    assert finding.rejected == ()


@pytest.mark.parametrize(
    "crl",
    [
        Crl(scope=None),
        Crl(scope=scope([], only_contains_user_certs=True)),
        Crl(extensions=[(x509.CRLNumber(7), False)]),
        Crl(scope=scope([*other_municipality(), *scope().full_name])),
    ],
    ids=["whole CA", "all people", "number", "two names"],
)
def test_sound_lists_of_other_shapes_count(crl):
    assert by_crl(crl).status is Revocation.GOOD
    listed = replace(crl, entries=[(SERIAL, None)])
    assert by_crl(listed).status is Revocation.REVOKED


UNREAD = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"scope": scope(other_municipality())}, EvidenceFault.OTHER_SCOPE),
        ({"scope": scope(only_contains_ca_certs=True)}, EvidenceFault.OTHER_SCOPE),
        ({"scope": scope(only_contains_attribute_certs=True)}, EvidenceFault.OTHER_SCOPE),
        ({"scope": scope(indirect_crl=True)}, EvidenceFault.INDIRECT),
        (
            {"scope": scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))},
            EvidenceFault.PARTIAL,
        ),
        ({"extensions": [(x509.DeltaCRLIndicator(3), True)]}, EvidenceFault.PARTIAL),
        ({"extensions": [(UNREAD, True)]}, EvidenceFault.UNKNOWN_CRITICAL_EXTENSION),
        ({"key": "foreign-ca"}, EvidenceFault.SIGNATURE_INVALID),
        (
            {"key": "authentication-ca", "issuer": load("authentication-ca").subject},
            EvidenceFault.OTHER_ISSUER,
        ),
        ({"key": "signature"}, EvidenceFault.SIGNATURE_INVALID),
        (
            {"this_update": AT + timedelta(seconds=1), "next_update": AT + 2 * DAY},
            EvidenceFault.NOT_YET_VALID,
        ),
    ],
    ids=[
        "other municipality", "CA certificates", "attribute certificates", "indirect",
        "some reasons", "delta", "unknown critical", "other generation", "other CA",
        "signed by the leaf", "not yet",
    ],
)  # fmt: skip
def test_a_list_that_does_not_count_is_as_if_not_given(changes, fault):
    for entries in ([], [(SERIAL, x509.ReasonFlags.key_compromise)]):
        assert_does_not_count(by_crl(replace(Crl(entries=entries), **changes)), fault)


STALE_LIST = Crl(next_update=AT - timedelta(seconds=1))
STALE_ANSWER = OcspAnswer(this_update=AT - 2 * DAY, next_update=AT - DAY)


def test_what_is_out_of_date_tells_nothing_of_the_present():
    for finding in (
        by_crl(STALE_LIST),
        by_crl(replace(STALE_LIST, entries=[(SERIAL, HOLD)])),  # it may have been lifted
        by_ocsp(STALE_ANSWER),
        by_ocsp(replace(STALE_ANSWER, status=ocsp.OCSPCertStatus.UNKNOWN)),
        by_ocsp(replace(STALE_ANSWER, status=REVOKED, reason=HOLD)),
    ):
        assert_does_not_count(finding, EvidenceFault.STALE)


@pytest.mark.parametrize("reason", [None, x509.ReasonFlags.superseded])
def test_a_revocation_stays_one_when_its_list_or_answer_is_out_of_date(reason):
    for finding in (
        by_crl(replace(STALE_LIST, entries=[(SERIAL, reason)])),
        by_ocsp(replace(STALE_ANSWER, status=REVOKED, reason=reason)),
    ):
        assert finding.status is Revocation.REVOKED
        assert finding.rejected == ()


def test_a_revocation_that_is_out_of_date_and_forged_is_none():
    for finding in (
        by_crl(replace(STALE_LIST, entries=[(SERIAL, None)], key="foreign-ca")),
        by_ocsp(
            replace(
                STALE_ANSWER,
                status=REVOKED,
                responder=load("foreign-ca"),
                key=load_key("foreign-ca"),
                by_name=True,
            )
        ),
    ):
        assert_does_not_count(finding, EvidenceFault.SIGNATURE_INVALID)


def test_a_list_holds_from_its_first_second_to_its_last():
    crl = Crl(this_update=AT, next_update=AT + DAY)
    assert by_crl(crl, AT).status is Revocation.GOOD
    assert by_crl(crl, AT + DAY).status is Revocation.GOOD


@pytest.mark.parametrize("serial_number", [SERIAL, SERIAL + 1])
def test_one_unknown_critical_entry_extension_spoils_the_whole_list(serial_number):
    entries = [(serial_number, x509.ReasonFlags.superseded)]
    finding = by_crl(Crl(entries=entries, entry_extensions=[(UNREAD, True)]))
    assert_does_not_count(finding, EvidenceFault.UNKNOWN_CRITICAL_EXTENSION)
    harmless = by_crl(Crl(entries=entries, entry_extensions=[(UNREAD, False)]))
    assert harmless.rejected == ()


def test_removed_from_a_list_that_is_no_delta_means_nothing():
    finding = by_crl(Crl(entries=[(SERIAL, x509.ReasonFlags.remove_from_crl)]))
    assert_does_not_count(finding, EvidenceFault.MALFORMED)


# --- OCSP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, Revocation.GOOD, None),
        ({"cert_id_hash": hashes.SHA256()}, Revocation.GOOD, None),
        ({"by_name": True}, Revocation.GOOD, None),
        ({"status": ocsp.OCSPCertStatus.UNKNOWN}, Revocation.UNKNOWN, None),
        ({"status": REVOKED}, Revocation.REVOKED, None),
        ({"status": REVOKED, "reason": HOLD}, Revocation.SUSPENDED, "certificateHold"),
        (
            {"status": REVOKED, "reason": x509.ReasonFlags.key_compromise},
            Revocation.REVOKED,
            "keyCompromise",
        ),
    ],
)
def test_an_answer_tells_good_revoked_suspended_and_unknown(changes, status, reason):
    finding = by_ocsp(replace(OcspAnswer(), **changes))
    assert (finding.status, finding.reason) == (status, reason)
    assert finding.source is RevocationSource.OCSP


RESPONDER_KEY = load_key("foreign-ca")


def delegated(**changes) -> OcspAnswer:
    responder = responder_certificate(RESPONDER_KEY, **changes)
    return OcspAnswer(responder=responder, key=RESPONDER_KEY, certificates=[responder])


def test_a_responder_that_the_ca_charged_may_answer():
    assert by_ocsp(delegated()).status is Revocation.GOOD
    assert by_ocsp(replace(delegated(), by_name=True)).status is Revocation.GOOD


LEAF_ANSWER = OcspAnswer(responder=LEAF, key=load_key("signature"), certificates=[LEAF])


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (delegated(purposes=()), EvidenceFault.RESPONDER_NOT_AUTHORIZED),
        (
            delegated(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]),
            EvidenceFault.RESPONDER_NOT_AUTHORIZED,
        ),
        (delegated(issuer="authentication-ca"), EvidenceFault.RESPONDER_NOT_AUTHORIZED),
        (delegated(not_after=AT - DAY), EvidenceFault.RESPONDER_NOT_AUTHORIZED),
        (delegated(ca=True), EvidenceFault.RESPONDER_NOT_AUTHORIZED),
        (LEAF_ANSWER, EvidenceFault.RESPONDER_NOT_AUTHORIZED),
        (replace(LEAF_ANSWER, certificates=[]), EvidenceFault.RESPONDER_NOT_AUTHORIZED),
        (
            OcspAnswer(responder=load("foreign-ca"), key=RESPONDER_KEY, by_name=True),
            EvidenceFault.SIGNATURE_INVALID,
        ),
        (OcspAnswer(certificate=load("signature-expired"), issuer=CA), None),
        (OcspAnswer(issuer=load("foreign-ca")), EvidenceFault.OTHER_ISSUER),
        (OcspAnswer(issuer=load("authentication-ca")), EvidenceFault.OTHER_ISSUER),
        (
            OcspAnswer(this_update=AT + 6 * MINUTE, next_update=AT + DAY),
            EvidenceFault.NOT_YET_VALID,
        ),
        (OcspAnswer(extensions=[(UNREAD, True)]), EvidenceFault.UNKNOWN_CRITICAL_EXTENSION),
    ],
    ids=[
        "no purpose", "other purpose", "of the other CA", "expired responder", "a CA", "the leaf",
        "the leaf, unnamed", "wrong key", "same serial", "other key", "other CA",
        "not yet", "unknown critical",
    ],
)  # fmt: skip
def test_an_answer_that_does_not_count_is_as_if_not_given(answer, fault):
    for changes in ({}, {"status": REVOKED}):
        finding = by_ocsp(replace(answer, **changes))
        if fault is None:  # the control: serial number and issuer are all that an answer names
            assert finding.rejected == ()
        else:
            assert_does_not_count(finding, fault)


def test_an_answer_about_another_certificate_does_not_count():
    other = load("signature-not-yet-valid")
    neighbour = check_revocation(
        LEAF, CA, AT, RevocationMaterial(ocsp_responses=(answer_about(SERIAL + 1),))
    )
    assert_does_not_count(neighbour, EvidenceFault.OTHER_CERTIFICATE)
    assert other.serial_number == SERIAL


def answer_about(serial_number: int) -> ocsp.OCSPResponse:
    leaf = replace(SIGNATURE_LEAF, serial_number=serial_number)
    certificate = leaf.build(load_key("signature").public_key(), load_key("signature-ca"))
    return OcspAnswer(certificate=certificate).build()


def test_clocks_may_differ_by_five_minutes_and_an_answer_without_end_holds_a_day():
    early = OcspAnswer(this_update=AT + 5 * MINUTE, next_update=AT + DAY)
    assert by_ocsp(early).status is Revocation.GOOD
    open_ended = OcspAnswer(this_update=AT - DAY, next_update=None)
    assert by_ocsp(open_ended).status is Revocation.GOOD
    assert_does_not_count(by_ocsp(open_ended, AT + MINUTE), EvidenceFault.STALE)


@pytest.mark.parametrize("status", list(ocsp.OCSPResponseStatus)[1:])
def test_a_responder_that_declines_gives_no_answer(status):
    declined = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
    finding = check_revocation(LEAF, CA, AT, RevocationMaterial(ocsp_responses=(declined,)))
    assert_does_not_count(finding, EvidenceFault.NO_ANSWER)


# --- a server that was named ----------------------------------------------------------------------


def asked(answer: OcspAnswer, *, echo: bool):
    questions: list[ocsp.OCSPRequest] = []

    def respond(request: bytes) -> bytes:
        question = ocsp.load_der_ocsp_request(request)
        questions.append(question)
        nonce = question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        return der(replace(answer, nonce=nonce if echo else answer.nonce).build())

    finding = check_revocation(LEAF, CA, AT, RevocationMaterial(responder=respond))
    (question,) = questions
    assert question.serial_number == SERIAL
    return finding


def test_the_answer_to_our_question_carries_our_nonce_or_none():
    assert asked(OcspAnswer(), echo=True).status is Revocation.GOOD
    assert asked(OcspAnswer(), echo=False).status is Revocation.GOOD
    replayed = asked(OcspAnswer(nonce=bytes(NONCE_BYTES)), echo=False)
    assert_does_not_count(replayed, EvidenceFault.NONCE_MISMATCH)


def test_no_answer_but_junk_does_not_count_and_a_failed_server_is_an_error():
    junk = check_revocation(LEAF, CA, AT, RevocationMaterial(responder=lambda _request: b"junk"))
    assert_does_not_count(junk, EvidenceFault.MALFORMED)

    def fail(_request: bytes) -> bytes:
        raise ServerError("http://ocsp.invalid", "no such host")

    with pytest.raises(ServerError):
        check_revocation(LEAF, CA, AT, RevocationMaterial(responder=fail))


def test_nobody_is_asked_about_a_certificate_that_failed_already():
    def fail(_request: bytes) -> bytes:
        raise AssertionError("asked")

    material = RevocationMaterial(responder=fail)
    report = check_path(load("signature-expired"), [CA], AT, Purpose.DOCUMENT, material)
    assert report.reasons == (Reason.EXPIRED,)
    assert check_path(LEAF, [], AT, Purpose.DOCUMENT, material).reasons == (Reason.NO_ANCHOR,)


# --- several of them ------------------------------------------------------------------------------


def test_a_revocation_is_final_and_the_newest_word_decides_about_a_suspension():
    revoked = Crl(entries=[(SERIAL, None)], this_update=AT - 2 * DAY).build()
    held = Crl(entries=[(SERIAL, HOLD)], this_update=AT - 2 * DAY).build()
    good, held_now = OcspAnswer().build(), OcspAnswer(status=REVOKED, reason=HOLD).build()

    def status(*crls, answers=()):
        material = RevocationMaterial(crls=crls, ocsp_responses=answers)
        return check_revocation(LEAF, CA, AT, material).status

    assert status(revoked, Crl().build(), answers=(good,)) is Revocation.REVOKED
    assert status(held, answers=(good,)) is Revocation.GOOD
    assert status(held, Crl().build()) is Revocation.GOOD
    assert status(Crl().build(), answers=(held_now,)) is Revocation.SUSPENDED


def test_of_lists_for_several_municipalities_the_right_one_counts():
    crls = (Crl(scope=scope(other_municipality())).build(), Crl(entries=[(SERIAL, None)]).build())
    finding = check_revocation(LEAF, CA, AT, RevocationMaterial(crls=crls))
    assert finding.status is Revocation.REVOKED
    assert finding.rejected == (
        RejectedEvidence(source=RevocationSource.CRL, fault=EvidenceFault.OTHER_SCOPE),
    )


# --- the verdict ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "reasons", "verdict"),
    [
        ([], (), Verdict.PASSED),
        ([(SERIAL, None)], (Reason.REVOKED,), Verdict.FAILED),
        ([(SERIAL, HOLD)], (Reason.SUSPENDED,), Verdict.INDETERMINATE),
    ],
)
def test_a_suspended_certificate_is_not_a_revoked_one_r14(entries, reasons, verdict):
    for mode in (RevocationMode.IF_AVAILABLE, RevocationMode.REQUIRE):
        material = RevocationMaterial(mode=mode, crls=(Crl(entries=entries).build(),))
        report = check_path(LEAF, [CA], AT, Purpose.DOCUMENT, material)
        assert (report.reasons, report.verdict) == (reasons, verdict)
        assert report.not_checked == ()


def test_without_data_that_count_the_mode_decides():
    elsewhere = (Crl(scope=scope(other_municipality())).build(),)
    for crls in ((), elsewhere):
        for mode, reasons in (
            (RevocationMode.IF_AVAILABLE, ()),
            (RevocationMode.REQUIRE, (Reason.REVOCATION_UNKNOWN,)),
            (RevocationMode.NONE, ()),
        ):
            material = RevocationMaterial(mode=mode, crls=crls)
            report = check_path(LEAF, [CA], AT, Purpose.DOCUMENT, material)
            assert report.reasons == reasons
            assert report.not_checked == (Unchecked.REVOCATION,)


def test_unknown_to_the_responder_is_indeterminate_and_none_looks_at_nothing():
    unknown = (OcspAnswer(status=ocsp.OCSPCertStatus.UNKNOWN).build(),)
    material = RevocationMaterial(ocsp_responses=unknown)
    report = check_path(LEAF, [CA], AT, Purpose.DOCUMENT, material)
    assert (report.reasons, report.verdict) == (
        (Reason.REVOCATION_UNKNOWN,),
        Verdict.INDETERMINATE,
    )
    revoked = (Crl(entries=[(SERIAL, None)]).build(),)
    ignored = RevocationMaterial(mode=RevocationMode.NONE, crls=revoked)
    assert check_path(LEAF, [CA], AT, Purpose.DOCUMENT, ignored).reasons == ()


# --- files ----------------------------------------------------------------------------------------


def test_files_hold_one_or_many_in_pem_or_der():
    one, other = Crl().build(), Crl(entries=[(5, None)]).build()
    pem = one.public_bytes(Encoding.PEM) + load("signature").public_bytes(Encoding.PEM)
    assert load_crls(pem + other.public_bytes(Encoding.PEM)) == (one, other)
    assert load_crls(der(one) + der(other)) == (one, other)
    answers = [OcspAnswer().build(), OcspAnswer(status=REVOKED).build()]
    loaded = load_ocsp_responses(b"".join(der(answer) for answer in answers))
    assert [der(item) for item in loaded] == [der(answer) for answer in answers]


@pytest.mark.parametrize("load_all", [load_crls, load_ocsp_responses])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"\x30\x03\x02\x01",
        LEAF.public_bytes(encoding=Encoding.PEM),
        LEAF.public_bytes(encoding=Encoding.DER),
        b"-----BEGIN X509 CRL-----\n",
        b"\x30\x00" * 1001,
    ],
)
def test_what_is_none_is_refused_with_one_error(load_all, data):
    with pytest.raises(RevocationDataMalformedError):
        load_all(data)


CRL_DER, OCSP_DER = der(Crl(entries=[(SERIAL, HOLD)]).build()), der(delegated().build())


@settings(max_examples=5000, deadline=None)
@given(st.data())
def test_damaged_data_say_good_never_and_raise_nothing_else(data):
    sound = data.draw(st.sampled_from([CRL_DER, OCSP_DER]))
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    is_crl = sound is CRL_DER
    try:
        items = (load_crls if is_crl else load_ocsp_responses)(bytes(damaged))
    except RevocationDataMalformedError:
        return
    material = RevocationMaterial(**{"crls" if is_crl else "ocsp_responses": items})
    finding = check_revocation(LEAF, CA, AT, material)
    if is_crl:
        assert finding.status is not Revocation.GOOD
    elif finding.status is Revocation.GOOD:  # outside what is signed: the bag of certificates
        (item,) = items
        assert item.tbs_response_bytes == load_ocsp_responses(OCSP_DER)[0].tbs_response_bytes


def test_a_list_of_three_thousand_entries_is_looked_up():
    entries = [(number, x509.ReasonFlags.superseded) for number in range(1, 3001)]
    crl = Crl(entries=[*entries, (SERIAL, HOLD)]).build()
    data = der(crl)
    assert len(data) > 90_000
    finding = check_revocation(LEAF, CA, AT, RevocationMaterial(crls=load_crls(data)))
    assert finding.status is Revocation.SUSPENDED
