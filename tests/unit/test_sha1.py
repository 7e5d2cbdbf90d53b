"""SHA-1, which others signed with in former years: read, said to be weak, and passed on demand.

tests/interop/test_weak_hashes.py has the same made by OpenSSL and pyHanko.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from support.cms import (
    DOCUMENT,
    Forgery,
    signed_data,
    signing_certificate_v1,
    signing_time,
)
from support.containers import FILES, AsicContainer, manifest
from support.pki import AT, LEAF_UNTIL, load, load_key
from support.signed_pdf import HandSigned
from support.tsa import Token, authority, timestamp_attribute, version_1_attributes

from jpki.signing import HashAlgorithm, sign_cms
from jpki.signing.digest import WeakHash
from jpki.verification import (
    Note,
    Reason,
    Verdict,
    VerificationReport,
    verify_asice,
    verify_cms,
    verify_pdf,
)
from jpki.verification.timestamp import verify_timestamp

CA = [load("signature-ca")]
SHA1: dict[str, Any] = {"digest_algorithm": "sha1", "signature_algorithm": "sha1_rsa"}
WEAK = [Reason.WEAK_ALGORITHM]


def reasons_of(report: VerificationReport) -> list[Reason]:
    """All there are, of the file and its signatures, each once."""
    own = [reason for each in report.signatures for reason in each.reasons]
    return list(dict.fromkeys([*report.reasons, *own]))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A signature that rests on SHA-1, and one over something else."""

    verify: Callable[..., VerificationReport]
    sound: bytes
    tampered: bytes


def cms(data: bytes, **named: Any) -> VerificationReport:
    return verify_cms(data, io.BytesIO(DOCUMENT), CA, AT, **named)


def document(data: bytes, **named: Any) -> VerificationReport:
    return verify_pdf(io.BytesIO(data), CA, AT, **named)


def container(data: bytes, **named: Any) -> VerificationReport:
    return verify_asice(io.BytesIO(data), CA, AT, **named)


def signed_pdf(**named: Any) -> bytes:
    return HandSigned(**named).document()


def of_old_form(**forgery: Any) -> bytes:
    """A PDF whose CMS is over the SHA-1 of the document, ISO 32000-1 12.8.3.3.1."""

    def make(covered: bytes) -> bytes:
        digest = WeakHash.SHA1.digest(covered)
        return signed_data(Forgery(document=digest, **forgery), content=digest)

    usual = HandSigned()
    dictionary = usual.dictionary.replace("adbe.pkcs7.detached", "adbe.pkcs7.sha1")
    return HandSigned(dictionary=dictionary, make=make).document()


def tampered(data: bytes) -> bytes:
    changed = data.replace(b"100 YEN", b"900 YEN")
    assert changed != data
    return changed


OLD_ATTRIBUTES = [signing_time(), signing_certificate_v1(load("signature"))]
WEAK_MANIFEST = manifest(FILES, hash_name="sha1")
CASES = {
    "CMS": Case(
        verify=cms,
        sound=signed_data(Forgery(**SHA1, attributes=OLD_ATTRIBUTES)),
        tampered=signed_data(Forgery(**SHA1, attributes=OLD_ATTRIBUTES, document=b"another")),
    ),
    "CMS by rsaEncryption": Case(
        verify=cms,
        sound=signed_data(Forgery(digest_algorithm="sha1", signature_algorithm="rsassa_pkcs1v15")),
        tampered=signed_data(
            Forgery(
                digest_algorithm="sha1",
                signature_algorithm="rsassa_pkcs1v15",
                key=load_key("foreign-ca"),
            )
        ),
    ),
    "PDF": Case(
        verify=document,
        sound=signed_pdf(forgery=SHA1),
        tampered=tampered(signed_pdf(forgery=SHA1)),
    ),
    "PDF of the old form": Case(
        verify=document, sound=of_old_form(**SHA1), tampered=tampered(of_old_form(**SHA1))
    ),
    "PDF of the old form, signed with SHA-256": Case(
        verify=document, sound=of_old_form(), tampered=tampered(of_old_form())
    ),
    "ASiC-E": Case(
        verify=container,
        sound=AsicContainer(forgery=Forgery(**SHA1)).build(),
        tampered=AsicContainer(forgery=Forgery(**SHA1), signed=dict(FILES, more=b"")).build(),
    ),
    "ASiC-E with SHA-1 in the manifest": Case(
        verify=container,
        sound=AsicContainer(manifest=WEAK_MANIFEST).build(),
        tampered=AsicContainer(
            manifest=WEAK_MANIFEST, files=dict.fromkeys(FILES, b"another")
        ).build(),
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_it_is_read_and_fails_for_its_weakness_alone(case: Case) -> None:
    report = case.verify(case.sound)
    assert report.verdict is Verdict.FAILED
    assert reasons_of(report) == WEAK
    signer = report.signatures[0].signer
    assert signer is not None
    assert signer.holder is not None
    assert signer.holder.name == "見本　太郎"


def test_it_passes_on_demand_and_its_weakness_is_said(case: Case) -> None:
    report = case.verify(case.sound, allow_sha1=True)
    assert reasons_of(report) == []
    assert [each.notes for each in report.signatures] == [(Note.SHA1_ALLOWED,)]


def test_what_is_wrong_with_it_is_said_and_never_passes(case: Case) -> None:
    assert report_has_more(case.verify(case.tampered))
    report = case.verify(case.tampered, allow_sha1=True)
    assert report.verdict is Verdict.FAILED
    assert Reason.WEAK_ALGORITHM not in reasons_of(report)


def report_has_more(report: VerificationReport) -> bool:
    found = set(reasons_of(report))
    return Reason.WEAK_ALGORITHM in found and len(found) > 1


def test_the_hash_is_named_in_the_report() -> None:
    assert cms(CASES["CMS"].sound).signatures[0].hash_algorithm is WeakHash.SHA1


@pytest.mark.parametrize(
    "forgery",
    [
        Forgery(digest_algorithm="md5", signature_algorithm="md5_rsa"),
        Forgery(digest_algorithm="sha1", signature_algorithm="md5_rsa"),
        Forgery(signature_algorithm="sha1_rsa"),
        Forgery(digest_algorithm="sha1", signature_algorithm="sha256_rsa"),
    ],
    ids=["MD5", "SHA-1 said, MD5 named", "SHA-256 said, SHA-1 named", "the other way round"],
)
def test_md5_and_what_contradicts_itself_never_pass(forgery: Forgery) -> None:
    assert cms(signed_data(forgery)).verdict is Verdict.FAILED
    assert cms(signed_data(forgery), allow_sha1=True).verdict is Verdict.FAILED


def test_an_old_form_without_the_digest_inside_is_malformed() -> None:
    dictionary = HandSigned().dictionary.replace("adbe.pkcs7.detached", "adbe.pkcs7.sha1")
    report = document(HandSigned(dictionary=dictionary).document(), allow_sha1=True)
    assert report.verdict is Verdict.FAILED


def test_the_form_before_cms_is_named_as_one_that_is_not_read() -> None:
    dictionary = HandSigned().dictionary.replace("adbe.pkcs7.detached", "adbe.x509.rsa_sha1")
    report = document(HandSigned(dictionary=dictionary).document(), allow_sha1=True)
    assert reasons_of(report) == [Reason.WEAK_ALGORITHM, Reason.UNSUPPORTED_FORMAT]


def test_nothing_is_signed_with_it() -> None:
    assert "sha1" not in [algorithm.value for algorithm in HashAlgorithm]
    with pytest.raises(ValueError, match="sha1"):
        sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            algorithm=WeakHash.SHA1,  # type: ignore[arg-type]
        )


# --- timestamps ---------------------------------------------------------------------------------

MESSAGE = b"the value of a signature"
WEAK_TOKENS = {
    "imprint": {"hash_name": "sha1"},
    "signature": SHA1,
    "both, as before RFC 5816": {
        **SHA1,
        "hash_name": "sha1",
        "attributes": version_1_attributes(authority()),
    },
}


@pytest.mark.parametrize("changes", WEAK_TOKENS.values(), ids=WEAK_TOKENS)
def test_a_timestamp_that_rests_on_it_passes_on_demand_only(changes: dict[str, object]) -> None:
    token = Token(message=MESSAGE, **changes).der()  # type: ignore[arg-type]
    assert verify_timestamp(token, MESSAGE, CA, AT).reasons == (Reason.WEAK_ALGORITHM,)
    report = verify_timestamp(token, MESSAGE, CA, AT, allow_sha1=True)
    assert (report.reasons, report.notes) == ((), (Note.SHA1_ALLOWED,))
    assert verify_timestamp(token, b"another", CA, AT, allow_sha1=True).reasons == (
        Reason.DIGEST_MISMATCH,
    )


def test_a_weak_timestamp_proves_nothing_of_an_expired_certificate_unless_allowed() -> None:
    value = Forgery().signer_info()["signature"].native
    token = Token(message=value, hash_name="sha1").der()
    signature = signed_data(Forgery(unsigned=[timestamp_attribute(token)]))
    after = LEAF_UNTIL + timedelta(days=1)

    def verify(**named: Any) -> VerificationReport:
        return verify_cms(signature, io.BytesIO(DOCUMENT), CA, after, **named)

    assert reasons_of(verify()) == [Reason.EXPIRED]
    assert reasons_of(verify(allow_sha1=True)) == []


def test_attributes_of_version_1_name_the_certificate_by_sha1_and_that_is_no_weakness() -> None:
    signature = signed_data(Forgery(attributes=OLD_ATTRIBUTES))
    assert reasons_of(cms(signature)) == []
