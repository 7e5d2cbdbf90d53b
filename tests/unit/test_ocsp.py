"""OCSP answers that `cryptography` does not write, and responders that share a name or are weak."""

from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp
from support.pki import AT, SIGNATURE_LEAF, load, load_key
from support.revocation import HOLD, OcspAnswer, der, responder_certificate

from jpki.certificates import Revocation
from jpki.certificates.revocation import (
    EvidenceFault,
    RevocationMaterial,
    check_revocation,
    load_ocsp_responses,
)

LEAF, CA = load("signature"), load("signature-ca")
KEY = load_key("foreign-ca")
GOOD = OcspAnswer()
REVOKED = OcspAnswer(status=ocsp.OCSPCertStatus.REVOKED, reason=x509.ReasonFlags.key_compromise)
HELD = replace(REVOKED, reason=HOLD)


def look_up(item: ocsp.OCSPResponse):
    return check_revocation(LEAF, CA, AT, RevocationMaterial(ocsp_responses=(item,)))


def faults(finding) -> list[EvidenceFault]:
    assert finding.status is Revocation.NOT_CHECKED
    return [item.fault for item in finding.rejected]


def _basic(answer: OcspAnswer) -> asn1_ocsp.BasicOCSPResponse:
    octets = asn1_ocsp.OCSPResponse.load(der(answer.build()))["response_bytes"]["response"]
    return asn1_ocsp.BasicOCSPResponse.load(octets.parsed.dump())


def edited(answer: OcspAnswer, edit) -> ocsp.OCSPResponse:
    """The answer, changed in a way that `cryptography` does not write, and signed again."""
    basic = _basic(answer)
    edit(basic["tbs_response_data"]["responses"])
    tbs = basic["tbs_response_data"].dump(force=True)
    basic["signature"] = load_key("signature-ca").sign(tbs, PKCS1v15(), SHA256())
    content = {
        "response_type": "basic_ocsp_response",
        "response": core.ParsableOctetString(basic.dump(force=True)),
    }
    whole = asn1_ocsp.OCSPResponse({"response_status": "successful", "response_bytes": content})
    (loaded,) = load_ocsp_responses(whole.dump())
    return loaded


def together(first: OcspAnswer, *others: OcspAnswer) -> ocsp.OCSPResponse:
    """One answer with several SingleResponses."""

    def edit(responses) -> None:
        for other in others:
            responses.append(_basic(other)["tbs_response_data"]["responses"][0])

    return edited(first, edit)


# --- several in one -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ((GOOD, GOOD), Revocation.GOOD),
        ((GOOD, REVOKED), Revocation.REVOKED),
        ((REVOKED, GOOD), Revocation.REVOKED),
        ((GOOD, HELD), Revocation.SUSPENDED),
        ((HELD, GOOD), Revocation.SUSPENDED),
        ((HELD, replace(GOOD, this_update=AT)), Revocation.GOOD),
        ((GOOD, replace(GOOD, status=ocsp.OCSPCertStatus.UNKNOWN)), Revocation.UNKNOWN),
    ],
    ids=[
        "good twice", "revoked last", "revoked first", "held last", "held first", "hold lifted",
        "unknown last",
    ],
)  # fmt: skip
def test_of_answers_that_contradict_in_one_the_order_decides_nothing(answers, status):
    assert look_up(together(*answers)).status is status


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(minutes=30)], ids=["old", "newer"])
def test_an_answer_out_of_date_does_not_hide_the_revocation_beside_it(age):
    old = replace(GOOD, this_update=AT - age, next_update=AT - timedelta(minutes=1))
    revoked = replace(REVOKED, this_update=AT - timedelta(minutes=45))
    for answers in ((old, revoked), (revoked, old)):
        assert look_up(together(*answers)).status is Revocation.REVOKED


def test_the_answer_about_this_certificate_is_found_among_those_about_others():
    neighbour = replace(SIGNATURE_LEAF, serial_number=LEAF.serial_number + 1)
    certificate = neighbour.build(load_key("signature").public_key(), load_key("signature-ca"))
    other = replace(GOOD, certificate=certificate)
    assert look_up(together(other, REVOKED)).status is Revocation.REVOKED
    assert look_up(together(replace(REVOKED, certificate=certificate), GOOD)).status is (
        Revocation.GOOD
    )


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("answers", [(GOOD,), (GOOD, GOOD)], ids=["alone", "of two"])
def test_a_critical_extension_of_one_answer_is_a_condition_nobody_looks_at(answers, critical):
    def edit(responses) -> None:
        for other in answers[1:]:
            responses.append(_basic(other)["tbs_response_data"]["responses"][0])
        extension = {"extn_id": "1.2.3.4", "extn_value": core.ParsableOctetString(b"\x05\x00")}
        responses[len(responses) - 1]["single_extensions"] = [{**extension, "critical": critical}]

    finding = look_up(edited(answers[0], edit))
    if critical:
        assert faults(finding) == [EvidenceFault.UNKNOWN_CRITICAL_EXTENSION]
    else:
        assert finding.status is Revocation.GOOD


@pytest.mark.parametrize(
    ("time", "fault"),
    [
        (b"00010101000000Z", EvidenceFault.SIGNATURE_INVALID),  # which is looked at before the age
        (b"99991231235959Z", EvidenceFault.NOT_YET_VALID),
    ],
    ids=["the year 1", "the year 9999"],
)
def test_a_time_at_the_edge_of_the_calendar_is_a_time_like_any(time, fault):
    sound = der(replace(GOOD, next_update=None).build())
    this_update = f"{GOOD.this_update:%Y%m%d%H%M%SZ}".encode()
    assert sound.count(this_update) == 1
    (odd,) = load_ocsp_responses(sound.replace(this_update, time))
    assert faults(look_up(odd)) == [fault]


# --- who signed ---------------------------------------------------------------------------------


def test_of_responders_with_one_name_the_one_who_signed_is_found():
    signer, namesake = responder_certificate(KEY), responder_certificate(load_key("signature"))
    assert signer.subject == namesake.subject
    answer = OcspAnswer(responder=signer, key=KEY, by_name=True)
    for certificates in ((signer, namesake), (namesake, signer)):
        item = replace(answer, certificates=certificates).build()
        assert look_up(item).status is Revocation.GOOD
    alone = replace(answer, certificates=[namesake]).build()
    assert faults(look_up(alone)) == [EvidenceFault.SIGNATURE_INVALID]


def test_a_responder_with_a_weak_key_does_not_count():
    for exponent, size in ((65537, 1024), (3, 2048)):
        key = rsa.generate_private_key(public_exponent=exponent, key_size=size)
        weak = responder_certificate(key)
        item = OcspAnswer(responder=weak, key=key, certificates=[weak]).build()
        assert faults(look_up(item)) == [EvidenceFault.WEAK_ALGORITHM]


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_rsa_with_sha_2_counts(algorithm):
    assert look_up(replace(REVOKED, algorithm=algorithm).build()).status is Revocation.REVOKED


def test_no_other_algorithm_counts():
    item = replace(REVOKED, algorithm=hashes.SHA224()).build()
    assert faults(look_up(item)) == [EvidenceFault.WEAK_ALGORITHM]
