"""OpenSSL judges our JWS, taken apart here by RFC 7515 3 and 7797 with nothing of ours."""

import base64
import json
import subprocess
from pathlib import Path

import pytest
from support.pki import AT, PKI_DIR, load, load_key

from jpki.signing.jws import sign_jws
from jpki.verification import Verdict
from jpki.verification.jws import verify_jws

DOCUMENT = "見本 line one\r\n\x00.".encode() * 50


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def openssl(*arguments: str | Path, ok: bool = True) -> bytes:
    result = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, check=False, timeout=60
    )
    assert (result.returncode == 0) is ok, result.stderr.decode()
    return result.stdout


def judge(signed: bytes, signature: bytes, certificate: bytes, folder: Path, *, ok: bool) -> None:
    (folder / "signed").write_bytes(signed)
    (folder / "signature").write_bytes(signature)
    (folder / "certificate").write_bytes(certificate)
    key = openssl("x509", "-inform", "DER", "-in", folder / "certificate", "-pubkey", "-noout")
    (folder / "key").write_bytes(key)
    openssl(
        *("dgst", "-sha256", "-verify", folder / "key"),
        *("-signature", folder / "signature", folder / "signed"),
        ok=ok,
    )


@pytest.mark.parametrize("detached", [False, True])
def test_openssl_accepts_our_jws(tmp_path, detached):
    jws = sign_jws(
        DOCUMENT, load_key("signature"), load("signature"), signing_time=AT, detached=detached
    ).decode()
    protected, payload, signature = jws.split(".")
    header = json.loads(decode(protected))
    assert header["alg"] == "RS256"
    if detached:
        assert (payload, header["b64"], header["crit"]) == ("", False, ["b64"])
        signed = f"{protected}.".encode() + DOCUMENT
    else:
        assert decode(payload) == DOCUMENT
        signed = f"{protected}.{payload}".encode()
    certificate = base64.b64decode(header["x5c"][0])
    digest = openssl(
        *("x509", "-in", PKI_DIR / "signature.pem", "-noout", "-fingerprint", "-sha256")
    ).decode()
    assert decode(header["x5t#S256"]).hex() in digest.replace(":", "").lower()
    judge(signed, decode(signature), certificate, tmp_path, ok=True)
    judge(signed + b"x", decode(signature), certificate, tmp_path, ok=False)


def test_a_jws_signed_by_openssl_passes(tmp_path):
    certificate = openssl("x509", "-in", PKI_DIR / "signature.pem", "-outform", "DER")
    header = json.dumps({"alg": "RS512", "x5c": [base64.b64encode(certificate).decode()]})
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header.encode(), DOCUMENT)]
    signed = tmp_path / "signed"
    signed.write_bytes(b".".join(parts))
    openssl(
        *("dgst", "-sha512", "-sign", PKI_DIR / "signature.key", "-out", tmp_path / "value", signed)
    )
    value = base64.urlsafe_b64encode((tmp_path / "value").read_bytes()).rstrip(b"=")
    report = verify_jws(b".".join([*parts, value]), None, [load("signature-ca")], AT)
    assert report.verdict is Verdict.PASSED
