"""pyHanko signs what we judge, in its own ways, and its validator judges what we sign."""

import asyncio
import io
from datetime import timedelta

import pytest
from asn1crypto import cms
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import async_validate_cms_signature, async_validate_detached_cms
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator import ValidationContext
from support.by_pyhanko import signer, to_asn1_key
from support.cms import DOCUMENT, to_asn1
from support.pki import AT, LEAF_UNTIL, load, load_key
from support.tsa import authority, authority_key, running_tsa

from jpki.signing import HashAlgorithm, sign_cms
from jpki.signing.timestamp import Timestamper
from jpki.verification import Level, Reason, Verdict, verify_cms

CA = [load("signature-ca")]


def timestamper() -> DummyTimeStamper:
    return DummyTimeStamper(
        tsa_cert=to_asn1(authority()), tsa_key=to_asn1_key(authority_key()), fixed_dt=AT
    )


def sign(**named: object) -> bytes:
    time = AT if named.get("use_cades") else None  # without CAdES it writes none
    settings = PdfCMSSignedAttributes(signing_time=time)
    arguments = {
        "digest_algorithm": "sha256",
        "detached": True,
        "signed_attr_settings": settings,
        **named,
    }
    chosen = arguments.pop("signer", None) or signer()
    content_info = asyncio.run(
        chosen.async_sign_general_data(DOCUMENT, **arguments)  # type: ignore[attr-defined]
    )
    return content_info.dump()


# --- theirs, judged by us -----------------------------------------------------------------------


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("cades", [False, True])
def test_signatures_of_pyhanko_pass(cades, detached, hash_name):
    data = sign(detached=detached, digest_algorithm=hash_name, use_cades=cades)
    report = verify_cms(data, io.BytesIO(DOCUMENT) if detached else None, CA, AT)
    assert report.verdict is Verdict.PASSED
    (signature,) = report.signatures
    assert signature.level is (Level.CADES_B_B if cades else Level.CMS)


def test_a_signature_with_a_timestamp_by_pyhanko_is_of_level_t_and_outlives_its_certificate():
    data = sign(use_cades=True, timestamper=timestamper())
    for at in (AT, LEAF_UNTIL + timedelta(days=1)):
        report = verify_cms(data, io.BytesIO(DOCUMENT), CA, at)
        assert report.verdict is Verdict.PASSED
        (signature,) = report.signatures
        assert signature.level is Level.CADES_B_T
        assert signature.timestamp.verdict is Verdict.PASSED
        assert signature.timestamp.time == AT


@pytest.mark.parametrize(
    ("name", "key", "reason"),
    [
        ("signature-foreign", "signature", Reason.UNTRUSTED_ISSUER),
        ("signature-wrong-usage", "signature", Reason.WRONG_KEY_USAGE),
        ("authentication", "authentication", Reason.WRONG_KEY_USAGE),
    ],
)
def test_faults_are_found_in_signatures_of_pyhanko(name, key, reason):
    data = sign(use_cades=True, signer=signer(name, key))
    report = verify_cms(data, io.BytesIO(DOCUMENT), CA, AT)
    assert reason in report.signatures[0].reasons


def test_another_document_fails():
    data = sign(use_cades=True)
    report = verify_cms(data, io.BytesIO(DOCUMENT + b"x"), CA, AT)
    assert report.signatures[0].reasons == (Reason.DIGEST_MISMATCH,)


# --- ours, judged by them -----------------------------------------------------------------------


def context() -> ValidationContext:
    return ValidationContext(
        trust_roots=[to_asn1(load("signature-ca"))], moment=AT, allow_fetching=False
    )


def judged(signature: bytes, content: bytes | None) -> StandardCMSSignatureStatus:
    signed_data = cms.ContentInfo.load(signature)["content"]
    if content is None:
        status = async_validate_cms_signature(
            signed_data,
            validation_context=context(),
            status_cls=StandardCMSSignatureStatus,
        )
        return asyncio.run(status)  # type: ignore[arg-type]
    return asyncio.run(
        async_validate_detached_cms(
            content,
            signed_data,
            signer_validation_context=context(),
            ts_validation_context=context(),
        )
    )


@pytest.mark.parametrize("algorithm", HashAlgorithm)
@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("cades", [False, True])
def test_pyhanko_accepts_our_signature(algorithm, attached, cades):
    signature = sign_cms(
        io.BytesIO(DOCUMENT),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        algorithm=algorithm,
        attached=attached,
        cades=cades,
    )
    status = judged(signature, None if attached else DOCUMENT)
    assert (status.intact, status.valid, status.trusted) == (True, True, True)


def test_pyhanko_accepts_our_timestamped_signature(tmp_path):
    with running_tsa(tmp_path / "tsa") as site:
        signature = sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            timestamper=Timestamper(site.url()),
        )
    status = judged(signature, DOCUMENT)
    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    timestamp = status.timestamp_validity
    assert timestamp is not None
    assert (timestamp.intact, timestamp.valid, timestamp.trusted) == (True, True, True)
    assert timestamp.timestamp - AT < timedelta(minutes=1)
    assert not judged(signature, DOCUMENT + b"x").intact
