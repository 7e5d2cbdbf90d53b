"""Making CMS and CAdES signatures."""

import asyncio
import hashlib
import io
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from support.keys import CountingKey
from support.pki import AT, load, load_key

from jpki.errors import ContentChangedError, ContentTooLargeError
from jpki.signing import HashAlgorithm, sign_cms, sign_digest, write_attached
from jpki.signing.attached import MAX_ATTACHED_SIZE
from jpki.signing.signed_data import KeySigner
from jpki.verification import Level, Verdict, verify_cms

DOCUMENT = b"a document\n"
DIGEST = hashlib.sha256(DOCUMENT).digest()
CA = [load("signature-ca")]


@pytest.fixture
def key() -> CountingKey:
    return CountingKey(load_key("signature"))


def sign(key, **options) -> bytes:
    return sign_cms(io.BytesIO(DOCUMENT), key, load("signature"), **{"signing_time": AT, **options})


def signer_info_of(signature: bytes) -> cms.SignerInfo:
    return cms.ContentInfo.load(signature, strict=True)["content"]["signer_infos"][0]


def attributes_of(signature: bytes) -> dict[str, object]:
    return {
        attribute["type"].native: attribute["values"].native[0]
        for attribute in signer_info_of(signature)["signed_attrs"]
    }


@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("cades", [False, True])
@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_a_signature_uses_the_key_exactly_once(key, algorithm, cades, attached):
    signature = sign(key, algorithm=algorithm, cades=cades, attached=attached)
    assert len(key.signed) == 1
    content = None if attached else io.BytesIO(DOCUMENT)
    report = verify_cms(signature, content, CA, AT)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].level is (Level.CADES_B_B if cades else Level.CMS)


def test_a_dry_run_leaves_the_key_alone(key):
    signer = KeySigner(key, load("signature"))
    placeholder = asyncio.run(signer.async_sign_raw(b"data", "sha256", dry_run=True))
    assert placeholder == bytes(256)
    assert key.signed == []


def test_signed_attributes_are_those_of_level_b_b_in_der_order(key):
    signature = sign(key)
    attributes = attributes_of(signature)
    assert set(attributes) == {
        "content_type",
        "signing_time",
        "message_digest",
        "signing_certificate_v2",
    }
    assert attributes["content_type"] == "data"
    assert attributes["message_digest"] == DIGEST
    assert attributes["signing_time"] == AT
    reference = attributes["signing_certificate_v2"]["certs"][0]
    certificate = load("signature").public_bytes(Encoding.DER)
    assert reference["cert_hash"] == hashlib.sha256(certificate).digest()
    encodings = [attribute.dump() for attribute in signer_info_of(signature)["signed_attrs"]]
    assert encodings == sorted(encodings)
    assert key.signed == [signer_info_of(signature)["signed_attrs"].untag().dump()]


def test_the_plain_form_lacks_the_signing_certificate(key):
    assert set(attributes_of(sign(key, cades=False))) == {
        "content_type",
        "signing_time",
        "message_digest",
    }


def test_the_claimed_time_is_written_in_utc_to_the_second(key):
    japan = timezone(timedelta(hours=9))
    moment = datetime(2026, 6, 1, 8, 30, 15, 999999, tzinfo=japan)
    written = attributes_of(sign(key, signing_time=moment))["signing_time"]
    assert written == datetime(2026, 5, 31, 23, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(("year", "form"), [(2049, "utc_time"), (2050, "generalized_time")])
def test_years_from_2050_on_are_generalized_time(key, year, form):
    moment = datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC)
    signature = sign(key, signing_time=moment)
    (time,) = [
        attribute["values"][0]
        for attribute in signer_info_of(signature)["signed_attrs"]
        if attribute["type"].native == "signing_time"
    ]
    assert time.name == form
    report = verify_cms(signature, io.BytesIO(DOCUMENT), CA, AT)
    assert report.signatures[0].signing_time == moment


def test_a_time_without_zone_or_a_wrong_digest_is_a_bug_of_the_caller(key):
    with pytest.raises(ValueError, match="time zone"):
        sign(key, signing_time=datetime(2026, 6, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="32 bytes"):
        sign_digest(b"", HashAlgorithm.SHA256, key, load("signature"), signing_time=AT)
    assert key.signed == []


def certificates_of(signature: bytes) -> list[bytes]:
    return [
        choice.chosen.dump()
        for choice in cms.ContentInfo.load(signature)["content"]["certificates"]
    ]


def test_only_the_signers_certificate_is_embedded_unless_more_are_given(key):
    signer = load("signature").public_bytes(Encoding.DER)
    ca = load("signature-ca").public_bytes(Encoding.DER)
    assert certificates_of(sign(key)) == [signer]
    extra = [load("signature-ca"), load("signature")]
    assert sorted(certificates_of(sign(key, extra_certificates=extra))) == sorted([signer, ca])


def test_the_output_is_der_to_the_last_byte(key):
    for attached in (False, True):
        signature = sign(key, attached=attached)
        parsed = cms.ContentInfo.load(signature, strict=True)
        copy = cms.ContentInfo.load(parsed.dump(force=True), strict=True)
        assert copy.dump(force=True) == signature


def test_attached_holds_the_document_and_the_same_signer(key):
    attached = cms.ContentInfo.load(sign(key, attached=True))["content"]
    assert attached["encap_content_info"]["content"].native == DOCUMENT
    detached = cms.ContentInfo.load(sign(key))["content"]
    assert detached["encap_content_info"]["content"].native is None
    assert detached["signer_infos"].dump() == attached["signer_infos"].dump()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 20, (1 << 20) + 1])
def test_documents_of_every_length_form_are_attached(key, size):
    document = bytes(size)
    signature = sign_cms(
        io.BytesIO(document), key, load("signature"), signing_time=AT, attached=True
    )
    content = cms.ContentInfo.load(signature, strict=True)["content"]["encap_content_info"]
    assert content["content"].native == document
    assert verify_cms(signature, None, CA, AT).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("changed", "size"),
    [
        (b"another doc", 11),
        (DOCUMENT[:-1], 11),
        (DOCUMENT + b"more", 11),
        (DOCUMENT + b"more", 15),
        (DOCUMENT[:-1], 10),
    ],
    ids=["other bytes", "shorter", "longer", "longer and known", "shorter and known"],
)
def test_content_that_changed_since_hashing_is_refused(key, changed, size):
    with pytest.raises(ContentChangedError):
        write_attached(sign(key), io.BytesIO(changed), size, io.BytesIO())


def test_what_openssl_could_not_read_is_refused_before_the_key_is_used(key):
    class Huge(io.BytesIO):
        def seek(self, offset, whence=0):
            return super().seek(offset, whence) if whence == 0 else MAX_ATTACHED_SIZE

    with pytest.raises(ContentTooLargeError) as refused:
        sign_cms(Huge(), key, load("signature"), signing_time=AT, attached=True)
    assert refused.value.size == MAX_ATTACHED_SIZE
    assert key.signed == []


def test_writing_attached_refuses_two_gibibytes(key):
    output = io.BytesIO()
    with pytest.raises(ContentTooLargeError):
        write_attached(sign(key), io.BytesIO(), 1 << 31, output)
    assert output.getvalue() == b""


def test_attaching_twice_is_a_bug_of_the_caller(key):
    with pytest.raises(ValueError, match="content already"):
        write_attached(sign(key, attached=True), io.BytesIO(DOCUMENT), 11, io.BytesIO())


def test_signing_works_inside_a_running_event_loop(key):
    async def caller() -> bytes:
        return sign(key)

    assert len(asyncio.run(caller())) > 256
    assert len(key.signed) == 1


def test_ctrl_c_stays_with_whoever_waits_for_the_card():
    seen = []

    class Watching(CountingKey):
        def sign(self, data, padding, algorithm):
            seen.append(signal.getsignal(signal.SIGINT))
            return super().sign(data, padding, algorithm)

    sign(Watching(load_key("signature")))
    assert seen == [signal.default_int_handler]


def test_an_error_of_the_key_comes_out_as_it_is():
    class Pulled(CountingKey):
        def sign(self, data, padding, algorithm):
            raise ConnectionError("card pulled")

    with pytest.raises(ConnectionError, match="card pulled"):
        sign(Pulled(load_key("signature")))


def test_the_key_is_called_the_way_signxml_and_paramiko_call_it(key):
    assert key.sign(data=DOCUMENT, padding=PKCS1v15(), algorithm=SHA256())
    assert len(sign(key)) > 256


@pytest.mark.parametrize(
    "module", ["jpki.signing", "jpki.verification", "jpki.certificates", "jpki.authentication"]
)
def test_importing_does_not_import_pyhanko_or_asn1crypto(module):
    code = (
        f"import sys, {module}\n"
        "print([name for name in ('pyhanko', 'asn1crypto', 'asyncio') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_verifying_does_not_import_pyhanko_or_asn1crypto(tmp_path, key):
    (tmp_path / "document.p7s").write_bytes(sign(key))
    code = (
        "import sys, io, datetime\n"
        "from jpki.verification import verify_cms\n"
        f"signature = open({str(tmp_path / 'document.p7s')!r}, 'rb').read()\n"
        "at = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)\n"
        f"print(verify_cms(signature, io.BytesIO({DOCUMENT!r}), [], at).verdict.value)\n"
        "print([name for name in ('pyhanko', 'asn1crypto') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["indeterminate", "[]"]
