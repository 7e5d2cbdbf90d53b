"""OpenSSL judges what we sign, and signs what we judge."""

import hashlib
import io
import os
import subprocess
from pathlib import Path

import pytest
from support.pki import AT, PKI_DIR, load, load_key

from jpki.signing import HashAlgorithm, sign_cms, sign_digest, sign_raw, write_attached
from jpki.verification import Level, Reason, Verdict, verify_cms, verify_raw

DOCUMENT = b"line one\r\nline two\n\x00\xff" * 100
CA = [load("signature-ca")]
AT_SECONDS = str(int(AT.timestamp()))


def run(*command: str | Path, ok: bool = True) -> subprocess.CompletedProcess[bytes]:
    result = subprocess.run(list(map(str, command)), capture_output=True, check=False, timeout=60)
    assert (result.returncode == 0) is ok, result.stderr.decode()
    return result


def openssl(*arguments: str | Path, ok: bool = True) -> subprocess.CompletedProcess[bytes]:
    return run("openssl", *arguments, ok=ok)


@pytest.fixture
def document(tmp_path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(DOCUMENT)
    return path


def judge(signature: Path, *, content: Path | None, cades: bool = True, ok: bool = True) -> bytes:
    """Let `openssl cms -verify` judge; return the content that it takes for signed."""
    output = signature.with_suffix(".out")
    openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-out", output),
        *(("-cades",) if cades else ()),
        *(("-content", str(content)) if content else ()),
        *("-CAfile", PKI_DIR / "signature-ca.pem", "-attime", AT_SECONDS),
        ok=ok,
    )
    return output.read_bytes() if ok else b""


# --- ours, judged by OpenSSL --------------------------------------------------------------------


@pytest.mark.parametrize("cades", [True, False])
@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_openssl_accepts_our_signature(tmp_path, document, algorithm, attached, cades):
    signature = tmp_path / "document.p7"
    signature.write_bytes(
        sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            algorithm=algorithm,
            attached=attached,
            cades=cades,
        )
    )
    content = None if attached else document
    assert judge(signature, content=content, cades=cades) == DOCUMENT


def test_openssl_refuses_our_signature_over_another_document(tmp_path, document):
    signature = tmp_path / "document.p7s"
    signature.write_bytes(
        sign_cms(
            io.BytesIO(DOCUMENT + b"x"), load_key("signature"), load("signature"), signing_time=AT
        )
    )
    judge(signature, content=document, ok=False)


def test_openssl_wants_cades_attributes_that_the_plain_form_lacks(tmp_path, document):
    signature = tmp_path / "document.p7s"
    signature.write_bytes(
        sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            cades=False,
        )
    )
    judge(signature, content=document, cades=True, ok=False)


def test_openssl_reads_content_spliced_in_by_streaming(tmp_path):
    content = os.urandom(5 << 20)
    digest = hashlib.sha256(content).digest()
    detached = sign_digest(
        digest, HashAlgorithm.SHA256, load_key("signature"), load("signature"), signing_time=AT
    )
    path = tmp_path / "document.p7m"
    with path.open("wb") as output:
        write_attached(detached, io.BytesIO(content), len(content), output)
    assert judge(path, content=None) == content
    assert verify_cms(path.read_bytes(), None, CA, AT).verdict is Verdict.PASSED


@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_openssl_accepts_our_bare_signature(tmp_path, document, algorithm):
    public_key = tmp_path / "public.pem"
    public_key.write_bytes(
        openssl("x509", "-in", PKI_DIR / "signature.pem", "-pubkey", "-noout").stdout
    )
    signature = tmp_path / "document.sig"
    signature.write_bytes(sign_raw(algorithm.digest(DOCUMENT), load_key("signature"), algorithm))
    openssl(
        *("dgst", f"-{algorithm.value}", "-verify", public_key, "-signature", signature, document)
    )


# --- OpenSSL's, judged by us --------------------------------------------------------------------


def openssl_sign(document: Path, *options: str, name: str = "signature", key: str = "") -> bytes:
    """Sign at AT: OpenSSL takes the signing time from the clock, which faketime sets."""
    signature = document.with_suffix(".signed")
    run(
        *("env", "TZ=UTC", "faketime", "-f", f"{AT:%Y-%m-%d %H:%M:%S}", "openssl"),
        *("cms", "-sign", "-binary", "-in", document, "-out", signature),
        *("-signer", PKI_DIR / f"{name}.pem", "-inkey", PKI_DIR / f"{key or name}.key"),
        *(() if "-outform" in options else ("-outform", "DER")),
        *options,
    )
    return signature.read_bytes()


@pytest.mark.parametrize(
    ("options", "level"),
    [
        (("-cades", "-md", "sha256"), Level.CADES_B_B),
        (("-cades", "-md", "sha512"), Level.CADES_B_B),
        (("-md", "sha256"), Level.CMS),
        (("-md", "sha384", "-nosmimecap"), Level.CMS),
        (("-cades", "-keyid"), Level.CADES_B_B),
        (("-cades", "-certfile", str(PKI_DIR / "signature-ca.pem")), Level.CADES_B_B),
        (("-cades", "-outform", "PEM"), Level.CADES_B_B),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_detached_signatures_of_openssl_pass(document, options, level):
    report = verify_cms(openssl_sign(document, *options), io.BytesIO(DOCUMENT), CA, AT)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].level is level


@pytest.mark.parametrize("streaming", [(), ("-stream",)], ids=["definite", "indefinite"])
def test_attached_signatures_of_openssl_pass(document, streaming):
    signature = openssl_sign(document, "-cades", "-nodetach", *streaming)
    assert (signature[1] == 0x80) is bool(streaming)
    assert verify_cms(signature, None, CA, AT).verdict is Verdict.PASSED
    assert verify_cms(signature, io.BytesIO(DOCUMENT), CA, AT).verdict is Verdict.PASSED
    changed = signature.replace(b"line two", b"line 222", 1)
    assert changed != signature
    assert verify_cms(changed, None, CA, AT).signatures[0].reasons == (Reason.DIGEST_MISMATCH,)


def test_attached_content_streamed_in_many_pieces_passes(tmp_path):
    document = tmp_path / "large"
    document.write_bytes(os.urandom(3 << 20))
    signature = openssl_sign(document, "-cades", "-nodetach", "-stream")
    assert verify_cms(signature, None, CA, AT).verdict is Verdict.PASSED


def test_two_signers_of_openssl_are_both_verified(document):
    signature = openssl_sign(
        document,
        *("-cades", "-signer", str(PKI_DIR / "authentication.pem")),
        *("-inkey", str(PKI_DIR / "authentication.key")),
    )
    anchors = [load("signature-ca"), load("authentication-ca")]
    report = verify_cms(signature, io.BytesIO(DOCUMENT), anchors, AT)
    assert report.verdict is Verdict.FAILED
    reasons = sorted(signature.reasons for signature in report.signatures)
    assert reasons == [(), (Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY)]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-md", "sha1"), Reason.WEAK_ALGORITHM),
        (("-keyopt", "rsa_padding_mode:pss"), Reason.UNSUPPORTED_ALGORITHM),
        (("-noattr",), Reason.SIGNED_ATTRIBUTES_MISSING),
        (("-nocerts",), Reason.SIGNER_CERTIFICATE_MISSING),
    ],
    ids=["SHA-1", "PSS", "no attributes", "no certificates"],
)
def test_what_we_do_not_take_from_openssl_is_named(document, options, reason):
    report = verify_cms(openssl_sign(document, *options), io.BytesIO(DOCUMENT), CA, AT)
    assert report.signatures[0].reasons == (reason,)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("signature-expired", (Reason.SIGNING_TIME_INVALID, Reason.EXPIRED)),
        ("signature-not-yet-valid", (Reason.SIGNING_TIME_INVALID, Reason.NOT_YET_VALID)),
        ("signature-wrong-usage", (Reason.WRONG_KEY_USAGE,)),
        ("signature-foreign", (Reason.UNTRUSTED_ISSUER,)),
    ],
)
def test_faults_of_the_certificate_are_found_in_signatures_of_openssl(document, name, reasons):
    signature = openssl_sign(document, "-cades", name=name, key="signature")
    report = verify_cms(signature, io.BytesIO(DOCUMENT), CA, AT)
    assert report.signatures[0].reasons == reasons


def test_other_cms_types_are_no_signatures(document, tmp_path):
    data = tmp_path / "data.der"
    openssl("cms", "-data_create", "-binary", "-in", document, "-outform", "DER", "-out", data)
    report = verify_cms(data.read_bytes(), io.BytesIO(DOCUMENT), CA, AT)
    assert report.reasons == (Reason.MALFORMED,)


def test_a_bundle_of_certificates_is_no_signature(tmp_path):
    bundle = tmp_path / "bundle.p7b"
    certificate = PKI_DIR / "signature.pem"
    openssl(*("crl2pkcs7", "-nocrl", "-certfile", certificate, "-outform", "DER", "-out", bundle))
    report = verify_cms(bundle.read_bytes(), None, CA, AT)
    assert report.reasons == (Reason.NO_SIGNATURE,)


@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_bare_signatures_of_openssl_pass(tmp_path, document, algorithm):
    signature = tmp_path / "document.sig"
    key = PKI_DIR / "signature.key"
    openssl("dgst", f"-{algorithm.value}", "-sign", key, "-out", signature, document)
    report = verify_raw(
        signature.read_bytes(), io.BytesIO(DOCUMENT), load("signature"), CA, AT, algorithm
    )
    assert report.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("leaf", "ca", "ok"),
    [
        ("signature", "signature-ca", True),
        ("authentication", "authentication-ca", True),
        ("signature-expired", "signature-ca", False),
        ("signature-not-yet-valid", "signature-ca", False),
        ("signature-foreign", "signature-ca", False),
        ("signature-foreign", "foreign-ca", True),
        ("signature", "authentication-ca", False),
    ],
)
def test_openssl_and_we_agree_on_the_paths_of_the_fixtures(leaf, ca, ok):
    from jpki.certificates import Purpose, check_path

    openssl(
        *("verify", "-x509_strict", "-attime", AT_SECONDS),
        *("-CAfile", PKI_DIR / f"{ca}.pem", PKI_DIR / f"{leaf}.pem"),
        ok=ok,
    )
    purpose = Purpose.LOGIN if leaf.startswith("authentication") else Purpose.DOCUMENT
    assert (check_path(load(leaf), [load(ca)], AT, purpose).reasons == ()) is ok
