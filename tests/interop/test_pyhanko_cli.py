"""The command of pyHanko, as a person runs it: it judges what we sign, and we what it signs."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import pdf
from support.pki import AT, PKI_DIR, load, load_key
from support.signed_pdf import only, reasons, sign, verify
from support.tsa import running_tsa

from jpki.signing import sign_cms
from jpki.signing.pdf_options import Certification, PdfProfile
from jpki.verification import Coverage, Level, Reason, Verdict, verify_cms

PLAIN = pdf.build(pdf.one_page())
DOCUMENT = b"line one\r\nline two\n\x00\xff" * 100
CA = [load("signature-ca")]
CA_FILE = PKI_DIR / "signature-ca.pem"


def pyhanko(*arguments: str | Path, ok: bool = True) -> str:
    """Run it as at the time of the certificates."""
    done = subprocess.run(
        [
            *("env", "TZ=UTC", "faketime", "-f", f"{AT:%Y-%m-%d %H:%M:%S}"),
            *(str(Path(sys.executable).with_name("pyhanko")), *map(str, arguments)),
        ],
        capture_output=True,
        check=False,
        timeout=120,
    )
    said = (done.stdout + done.stderr).decode()
    assert (done.returncode == 0) is ok, said
    return said


def sign_with_pyhanko(source: Path, target: Path, *options: str) -> bytes:
    key, certificate = PKI_DIR / "signature.key", PKI_DIR / "signature.pem"
    pyhanko(
        *("sign", "addsig", *options, "pemder", "--no-pass"),
        *("--key", key, "--cert", certificate, source, target),
    )
    return target.read_bytes()


def sign_pdf(folder: Path, *options: str, document: bytes = PLAIN) -> bytes:
    (folder / "in.pdf").write_bytes(document)
    return sign_with_pyhanko(folder / "in.pdf", folder / "out.pdf", "--field", "Theirs", *options)


# --- theirs, judged by us -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ((), Level.PDF),
        (("--use-pades", "--reason", "承認", "--location", "東京"), Level.PADES_B_B),
        (("--certify",), Level.PDF),
    ],
)
def test_a_pdf_that_its_command_signs_passes(
    tmp_path: Path, options: tuple[str, ...], level: Level
) -> None:
    document = sign_pdf(tmp_path, *options)
    report = verify(document)
    assert (report.verdict, only(report).level) == (Verdict.PASSED, level)
    assert only(report).covers is Coverage.WHOLE
    tampered = document.replace(b"100 YEN", b"900 YEN")
    assert reasons(verify(tampered)) == {Reason.DIGEST_MISMATCH.value}


def test_a_timestamp_that_its_command_fetches_counts(tmp_path: Path) -> None:
    with running_tsa(tmp_path / "tsa") as site:
        document = sign_pdf(tmp_path, "--use-pades", "--timestamp-url", site.url())
    signature = only(verify(document))
    assert (signature.reasons, signature.level) == ((), Level.PADES_B_T)


def test_its_command_and_we_sign_after_each_other(tmp_path: Path) -> None:
    ours_first = sign_pdf(tmp_path, "--use-pades", document=sign(PLAIN))
    theirs_first = sign(sign_pdf(tmp_path, "--use-pades"))
    for document in (ours_first, theirs_first):
        report = verify(document)
        assert (report.verdict, len(report.signatures)) == (Verdict.PASSED, 2)


@pytest.mark.parametrize("pem", [False, True])
def test_a_detached_cms_that_its_command_makes_passes(tmp_path: Path, *, pem: bool) -> None:
    source = tmp_path / "document"
    source.write_bytes(DOCUMENT)
    options = ("--detach", *(("--detach-pem",) if pem else ()))
    signature = sign_with_pyhanko(source, tmp_path / "document.p7s", *options)
    assert signature.startswith(b"-----BEGIN") is pem
    assert verify_cms(signature, io.BytesIO(DOCUMENT), CA, AT).verdict is Verdict.PASSED
    other = verify_cms(signature, io.BytesIO(DOCUMENT + b"x"), CA, AT)
    assert other.signatures[0].reasons == (Reason.DIGEST_MISMATCH,)


# --- ours, judged by its command ----------------------------------------------------------------


def judge(document: bytes, folder: Path, *, ok: bool = True) -> str:
    path = folder / "judged.pdf"
    path.write_bytes(document)
    trust = ("--trust", CA_FILE, "--trust-replace", "--no-revocation-check")
    return pyhanko("sign", "validate", "--pretty-print", *trust, path, ok=ok)


@pytest.mark.parametrize(
    "options",
    [{"certify": Certification.FILL, "reason": "承認"}, {"profile": PdfProfile.TOUKI}],
    ids=["PAdES", "touki"],
)
def test_its_command_accepts_our_pdf(tmp_path: Path, options: dict[str, Any]) -> None:
    said = judge(sign(PLAIN, **options), tmp_path)
    assert "The signature is judged VALID" in said


def test_its_command_refuses_our_pdf_when_it_was_changed(tmp_path: Path) -> None:
    said = judge(sign(PLAIN).replace(b"100 YEN", b"900 YEN"), tmp_path, ok=False)
    assert "judged VALID" not in said


def test_its_command_accepts_our_detached_cms(tmp_path: Path) -> None:
    source, signature = tmp_path / "document", tmp_path / "document.p7s"
    source.write_bytes(DOCUMENT)
    signature.write_bytes(
        sign_cms(
            io.BytesIO(DOCUMENT),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
        )
    )
    trust = ("--trust", CA_FILE, "--trust-replace", "--no-revocation-check")
    said = pyhanko("sign", "validate", "--detached", signature, *trust, source)
    assert "INTACT:TRUSTED" in said
    source.write_bytes(DOCUMENT + b"x")
    said = pyhanko("sign", "validate", "--detached", signature, *trust, source, ok=False)
    assert "INTACT" not in said
