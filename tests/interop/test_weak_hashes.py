"""SHA-1 as OpenSSL, pyHanko and `openssl ts` make it: read, named as weak, passed on demand."""

import asyncio
import hashlib
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyhanko.sign import fields
from pyhanko.sign.timestamps import DummyTimeStamper
from support import pdf
from support.by_pyhanko import signed_pdf, to_asn1_key
from support.cms import to_asn1
from support.pki import AT, PKI_DIR, load
from support.signed_pdf import only, reasons, verify
from support.tsa import authority, authority_key

from jpki.verification import Note, Reason, verify_cms
from jpki.verification.timestamp import verify_timestamp

DOCUMENT = b"a document of former years\n"
CA = [load("signature-ca")]
AT_TEXT = AT.isoformat()


def openssl_sign(folder: Path, *options: str) -> bytes:
    (folder / "document").write_bytes(DOCUMENT)
    made = subprocess.run(
        [
            *("env", "TZ=UTC", "faketime", "-f", f"{AT:%Y-%m-%d %H:%M:%S}"),
            *("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha1"),
            *("-in", str(folder / "document"), "-signer", str(PKI_DIR / "signature.pem")),
            *("-inkey", str(PKI_DIR / "signature.key"), *options),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return made.stdout


@pytest.mark.parametrize("options", [(), ("-nodetach",), ("-keyid",), ("-cades",)])
def test_what_openssl_signs_with_sha1_passes_on_demand(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    signature = openssl_sign(tmp_path, *options)

    def check(document: bytes = DOCUMENT, **named: Any) -> tuple[tuple[Reason | Note, ...], ...]:
        content = None if "-nodetach" in options else io.BytesIO(document)
        report = verify_cms(signature, content, CA, AT, **named)
        return tuple((*each.reasons, *each.notes) for each in report.signatures)

    assert check() == ((Reason.WEAK_ALGORITHM,),)
    assert check(allow_sha1=True) == ((Note.SHA1_ALLOWED,),)
    if "-nodetach" not in options:
        assert Reason.DIGEST_MISMATCH in check(b"another", allow_sha1=True)[0]


@pytest.mark.parametrize(
    "subfilter", [fields.SigSeedSubFilter.PADES, fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED]
)
def test_a_pdf_that_pyhanko_signs_with_sha1_passes_on_demand(
    monkeypatch: pytest.MonkeyPatch, subfilter: fields.SigSeedSubFilter
) -> None:
    plain = pdf.build(pdf.one_page())
    document = signed_pdf(plain, monkeypatch, md_algorithm="sha1", subfilter=subfilter)
    assert reasons(verify(document)) == {Reason.WEAK_ALGORITHM.value}
    allowed = verify(document, allow_sha1=True)
    assert (reasons(allowed), only(allowed).notes) == (set(), (Note.SHA1_ALLOWED,))
    tampered = document.replace(b"100 YEN", b"900 YEN")
    assert reasons(verify(tampered, allow_sha1=True)) == {Reason.DIGEST_MISMATCH.value}


def test_a_timestamp_of_pyhanko_over_a_sha1_passes_on_demand() -> None:
    stamper = DummyTimeStamper(
        tsa_cert=to_asn1(authority()),
        tsa_key=to_asn1_key(authority_key()),
        fixed_dt=AT,
        override_md="sha1",
    )
    digest = hashlib.sha1(b"message").digest()  # noqa: S324
    token = asyncio.run(stamper.async_timestamp(digest, "sha1")).dump()
    assert verify_timestamp(token, b"message", CA, AT).reasons == (Reason.WEAK_ALGORITHM,)
    report = verify_timestamp(token, b"message", CA, AT, allow_sha1=True)
    assert (report.reasons, report.notes) == ((), (Note.SHA1_ALLOWED,))
