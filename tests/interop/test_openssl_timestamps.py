"""OpenSSL judges our timestamped signatures, and its authority's tokens are judged by us."""

import io
import subprocess
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from asn1crypto import cms
from support.cms import DOCUMENT
from support.pki import AT, LEAF_UNTIL, PKI_DIR, load, load_key
from support.tsa import OpensslAuthority, Token, build_authority, running_tsa

from jpki.signing import HashAlgorithm, sign_cms
from jpki.signing.timestamp import Timestamper, build_request
from jpki.verification import Level, Reason, Verdict, verify_cms
from jpki.verification.timestamp import verify_timestamp

CA = [load("signature-ca")]
CA_FILE = PKI_DIR / "signature-ca.pem"


def openssl(*arguments: str | Path, ok: bool = True) -> bytes:
    result = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, check=False, timeout=60
    )
    assert (result.returncode == 0) is ok, result.stderr.decode()
    return result.stdout + result.stderr


def judge(token: bytes, message: bytes, folder: Path, *, ok: bool = True) -> None:
    """Let `openssl ts -verify` judge a token over a message."""
    (folder / "token.der").write_bytes(token)
    (folder / "message").write_bytes(message)
    openssl(
        *("ts", "-verify", "-token_in", "-in", folder / "token.der", "-data", folder / "message"),
        *("-CAfile", CA_FILE, "-attime", str(int(AT.timestamp()))),
        ok=ok,
    )


def stamped(folder: Path, **named: object) -> bytes:
    with running_tsa(folder / "tsa") as site:
        return sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            timestamper=Timestamper(site.url()),
            **named,  # type: ignore[arg-type]
        )


def token_and_value(signature: bytes) -> tuple[bytes, bytes]:
    (signer,) = cms.ContentInfo.load(signature)["content"]["signer_infos"]
    (timestamp,) = signer["unsigned_attrs"]
    assert timestamp["type"].native == "signature_time_stamp_token"
    return timestamp["values"][0].dump(), signer["signature"].native


def test_openssl_accepts_the_token_in_our_signature(tmp_path):
    token, value = token_and_value(stamped(tmp_path))
    judge(token, value, tmp_path)
    judge(token, value + b"x", tmp_path, ok=False)


@pytest.mark.parametrize("attached", [False, True])
def test_openssl_accepts_our_signature_with_a_timestamp_in_it(tmp_path, attached):
    signature, document = tmp_path / "signature", tmp_path / "document"
    signature.write_bytes(stamped(tmp_path, attached=attached))
    document.write_bytes(DOCUMENT)
    openssl(
        *("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", signature),
        *(() if attached else ("-content", str(document))),
        *("-CAfile", CA_FILE, "-attime", str(int(AT.timestamp())), "-out", tmp_path / "out"),
    )
    assert (tmp_path / "out").read_bytes() == DOCUMENT


@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_our_request_is_read_by_openssl_as_it_was_meant(tmp_path, algorithm):
    request = tmp_path / "request.tsq"
    digest = algorithm.digest(DOCUMENT)
    request.write_bytes(build_request(digest, algorithm, 0x1234567890))
    text = openssl("ts", "-query", "-in", request, "-text").decode()
    assert f"Hash Algorithm: {algorithm.value}" in text
    assert "Nonce: 0x1234567890" in text
    assert "Certificate required: yes" in text
    assert "Policy OID: unspecified" in text


def test_a_request_by_openssl_and_ours_are_the_same_bytes(tmp_path):
    document, theirs = tmp_path / "document", tmp_path / "theirs.tsq"
    document.write_bytes(DOCUMENT)
    openssl("ts", "-query", "-data", document, "-sha256", "-cert", "-no_nonce", "-out", theirs)
    ours = build_request(sha256(DOCUMENT).digest(), HashAlgorithm.SHA256, 7)
    nonce = b"\x02\x01\x07"
    assert ours.replace(nonce, b"").replace(b"\x30\x3c", b"\x30\x39", 1) == theirs.read_bytes()


def test_openssl_and_we_agree_on_tokens(tmp_path):
    message = b"a signature"
    control = Token(message=message)
    judge(control.der(), message, tmp_path)
    assert verify_timestamp(control.der(), message, CA, AT).verdict is Verdict.PASSED
    for bad in (
        Token(message=b"another"),
        Token(message=message, key=load_key("foreign-ca")),
        Token(message=message, certificate=build_authority(critical=False)),
        Token(message=message, certificate=build_authority(extended=())),
        Token(message=message, certificate=build_authority(not_after=AT - timedelta(seconds=1))),
        Token(message=message, content_type="data"),
        Token(message=message, attributes=[]),
        Token(message=message, certificates=[]),
    ):
        judge(bad.der(), message, tmp_path, ok=False)
        assert verify_timestamp(bad.der(), message, CA, AT).verdict is Verdict.FAILED


def test_a_signature_stamped_by_openssl_outlives_its_certificate(tmp_path):
    signature = stamped(tmp_path)
    after = LEAF_UNTIL + timedelta(days=1)
    report = verify_cms(signature, io.BytesIO(DOCUMENT), CA, after).signatures[0]
    assert (report.verdict, report.level) == (Verdict.PASSED, Level.CADES_B_T)
    without = sign_cms(
        io.BytesIO(DOCUMENT), load_key("signature"), load("signature"), signing_time=AT
    )
    report = verify_cms(without, io.BytesIO(DOCUMENT), CA, after).signatures[0]
    assert report.reasons == (Reason.EXPIRED,)


def test_a_refusal_of_openssl_is_read(tmp_path):
    answer = OpensslAuthority(tmp_path).reply(
        build_request(bytes(20), HashAlgorithm.SHA256, 1)  # a digest that is too short
    )
    from jpki.signing.timestamp import ResponseFaultError, check_response

    with pytest.raises(ResponseFaultError, match=r"refused: rejection.*badDataFormat"):
        check_response(answer, bytes(32), HashAlgorithm.SHA256, 1)
