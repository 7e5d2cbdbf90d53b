"""Programs that are not ours judge our PDFs: pdfsig and poppler, and pyHanko's own validator."""

import asyncio
import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from support import pdf
from support.by_pyhanko import signed_pdf
from support.cms import to_asn1
from support.pki import AT, load
from support.revocation import Crl
from support.signed_pdf import HandSigned, document_timestamp, notes, only, reasons, sign, verify
from support.timestampers import LocalTimestamper

from jpki.signing.pdf_options import Certification, PdfProfile, PdfStamp, StampPlace
from jpki.verification import Level, Verdict

PLAIN = pdf.build(pdf.one_page())
FORM = pdf.build(
    pdf.with_form(
        pdf.text_field("place"),
        pdf.signature_field(b"<FEFF7532>"),  # 甲
        pdf.signature_field(b"<FEFF4E59>", rectangle=b"[300 500 500 560]"),  # 乙
    )
)
FIRST, SECOND = "甲", "乙"
BUILDERS = {"table": pdf.build, "object streams": pdf.build_compressed}


def run(*command: str | Path) -> str:
    result = subprocess.run(list(map(str, command)), capture_output=True, check=True, timeout=60)
    return result.stdout.decode("utf-8", "replace")


def pdfsig(document: bytes, folder: Path) -> tuple[list[str], list[str]]:
    """What pdfsig says of each signature, and of what each covers."""
    path = folder / "judged.pdf"
    path.write_bytes(document)
    text = run("pdfsig", "-nocert", path)
    return (
        re.findall(r"Signature Validation: (.*)", text),
        re.findall(r"- ((?:Total document signed|Not total document signed))", text),
    )


def pyhanko(document: bytes, *, password: str | None = None) -> list[Any]:
    """pyHanko's own verdict on each signature."""
    reader = PdfFileReader(io.BytesIO(document))
    if password is not None:
        reader.decrypt(password)

    def context() -> ValidationContext:
        return ValidationContext(
            trust_roots=[to_asn1(load("signature-ca"))], moment=AT, allow_fetching=False
        )

    async def judge() -> list[Any]:
        return [
            await async_validate_pdf_signature(embedded, context(), context())
            for embedded in reader.embedded_regular_signatures
        ]

    return asyncio.run(judge())


def assert_all_agree(document: bytes, folder: Path, count: int = 1) -> None:
    verdicts, _ = pdfsig(document, folder)
    assert verdicts == ["Signature is Valid."] * count
    statuses = pyhanko(document)
    assert [status.bottom_line for status in statuses] == [True] * count
    report = verify(document)
    assert report.verdict is Verdict.PASSED, reasons(report)
    assert len(report.signatures) == count


# What we sign


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize("profile", PdfProfile)
def test_what_we_sign_is_valid_for_all(
    tmp_path: Path, profile: PdfProfile, build: Callable[..., bytes]
) -> None:
    document = sign(build(pdf.one_page()), profile=profile, reason="承認", location="東京")
    assert_all_agree(document, tmp_path)
    assert pdfsig(document, tmp_path)[1] == ["Total document signed"]


def test_two_signatures_in_fields_with_japanese_names_are_valid(tmp_path: Path) -> None:
    both = sign(sign(FORM, field_name=FIRST), field_name=SECOND)
    assert_all_agree(both, tmp_path, 2)
    assert pdfsig(both, tmp_path)[1] == ["Not total document signed", "Total document signed"]


@pytest.mark.parametrize("certify", Certification)
def test_a_certification_is_valid(tmp_path: Path, certify: Certification) -> None:
    document = sign(PLAIN, certify=certify)
    assert_all_agree(document, tmp_path)
    (status,) = pyhanko(document)
    assert status.docmdp_ok
    if certify is not Certification.NONE:
        assert_all_agree(sign(document), tmp_path, 2)


def test_a_timestamp_is_valid_for_pyhanko(tmp_path: Path) -> None:
    document = sign(PLAIN, timestamper=LocalTimestamper())
    assert_all_agree(document, tmp_path)
    (status,) = pyhanko(document)
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.valid


def test_a_stamp_does_not_disturb(tmp_path: Path) -> None:
    assert_all_agree(sign(PLAIN, stamp=PdfStamp()), tmp_path)
    in_field = sign(sign(FORM, field_name=FIRST), field_name=SECOND, stamp=PdfStamp())
    assert_all_agree(in_field, tmp_path, 2)


def test_an_encrypted_document_is_valid(tmp_path: Path) -> None:
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(PLAIN)))
    writer.encrypt(owner_pass="owner", user_pass="himitsu", pdf_mac=False)
    output = io.BytesIO()
    writer.write(output)
    document = sign(output.getvalue(), password="himitsu")
    (status,) = pyhanko(document, password="himitsu")
    assert status.bottom_line
    assert verify(document, password="himitsu").verdict is Verdict.PASSED


def test_a_tampered_document_is_valid_for_nobody(tmp_path: Path) -> None:
    document = sign(PLAIN).replace(b"100 YEN", b"900 YEN")
    assert pdfsig(document, tmp_path)[0] != ["Signature is Valid."]
    assert [status.bottom_line for status in pyhanko(document)] == [False]
    assert reasons(verify(document)) == {"digest-mismatch"}


def test_an_update_is_refused_by_pyhanko_and_by_us(tmp_path: Path) -> None:
    document = pdf.update(sign(PLAIN), {4: pdf.page_content("CONTRACT 999 YEN")})
    # pdfsig says that the signature is valid, and that it does not cover the document.
    assert pdfsig(document, tmp_path)[1] == ["Not total document signed"]
    assert [status.bottom_line for status in pyhanko(document)] == [False]
    assert verify(document).verdict is Verdict.FAILED


# The stamp, as poppler shows it


def text_of(document: bytes, folder: Path) -> str:
    path = folder / "shown.pdf"
    path.write_bytes(document)
    return run("pdftotext", "-layout", path, "-")


def pixels(document: bytes, folder: Path, dpi: int = 72) -> tuple[int, int, bytes]:
    """Width, height and grey values of the first page."""
    path = folder / "shown.pdf"
    path.write_bytes(document)
    run("pdftoppm", "-gray", "-r", str(dpi), "-f", "1", "-l", "1", path, folder / "page")
    (image,) = folder.glob("page*.pgm")
    data = image.read_bytes()
    image.unlink()
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    assert header is not None
    return int(header[1]), int(header[2]), data[header.end() :]


def inked(document: bytes, folder: Path) -> tuple[int, int, int, int]:
    """The box of what differs from white: left, top, right, bottom in points, from above."""
    width, height, data = pixels(document, folder)
    rows = [y for y in range(height) if min(data[y * width : (y + 1) * width]) < 200]
    columns = [x for x in range(width) if min(data[x::width]) < 200]
    return columns[0], rows[0], columns[-1], rows[-1]


def test_the_stamp_says_in_japanese_who_and_when(tmp_path: Path) -> None:
    text = text_of(sign(PLAIN, stamp=PdfStamp(text="髙﨑は契約に同意します")), tmp_path)
    assert "電子署名" in text
    assert "見本" in text
    assert "2026年6月1日" in text
    assert "12:00:00" in text
    assert "髙﨑は契約に同意します" in text
    assert "CONTRACT 100 YEN" in text


def test_a_signature_without_stamp_is_not_seen(tmp_path: Path) -> None:
    assert pixels(sign(PLAIN), tmp_path) == pixels(PLAIN, tmp_path)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("place", "is_left", "is_high"),
    [
        ("top-left", True, True),
        ("top-right", False, True),
        ("bottom-left", True, False),
        ("bottom-right", False, False),
    ],
)
def test_the_stamp_is_where_it_was_put_however_the_page_is_turned(
    tmp_path: Path, rotation: int, place: str, is_left: bool, is_high: bool
) -> None:
    blank = pdf.one_page(page=b"/Rotate %d /CropBox [20 30 575 812]" % rotation, text="")
    signed = sign(pdf.build(blank), stamp=PdfStamp(place=StampPlace.parse(place)))
    left, top, right, bottom = inked(signed, tmp_path)
    width, height, _ = pixels(signed, tmp_path)
    assert (left < width / 3) is is_left
    assert (right > width * 2 / 3) is not is_left
    assert (top < height / 3) is is_high
    assert (bottom > height * 2 / 3) is not is_high
    assert right - left > bottom - top  # upright: wider than high
    assert min(left, top, width - right, height - bottom) > 10


def test_the_frame_is_drawn_to_the_point(tmp_path: Path) -> None:
    blank = pdf.build(pdf.one_page(text=""))
    signed = sign(blank, stamp=PdfStamp(place=StampPlace.parse("100,200,300,80")))
    left, top, right, bottom = inked(signed, tmp_path)
    assert (left, right) == pytest.approx((100, 399), abs=1)
    assert (842 - bottom, 842 - top) == pytest.approx((200, 280), abs=1)


@pytest.mark.parametrize("length", [1, 40, 200])
def test_no_text_leaves_its_frame(tmp_path: Path, length: int) -> None:
    blank = pdf.build(pdf.one_page(text=""))
    text = "東京都千代田区見本町 ABC 123 " * 20
    stamp = PdfStamp(text=text[:length], place=StampPlace.parse("50,300,160,160"))
    signed = sign(blank, stamp=stamp)
    left, top, right, bottom = inked(signed, tmp_path)
    assert left >= 49
    assert right <= 211
    assert 842 - bottom >= 299
    assert 842 - top <= 461
    shown = re.sub(r"\s", "", text_of(signed, tmp_path))
    assert re.sub(r"\s", "", text[:length]) in shown


# What others sign


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize(
    ("subfilter", "level"),
    [
        (fields.SigSeedSubFilter.PADES, Level.PADES_B_B),
        (fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED, Level.PDF),
    ],
)
def test_what_pyhanko_signs_is_verified(
    monkeypatch: pytest.MonkeyPatch,
    build: Callable[..., bytes],
    subfilter: fields.SigSeedSubFilter,
    level: Level,
) -> None:
    document = signed_pdf(build(pdf.one_page()), monkeypatch, subfilter=subfilter)
    signature = only(verify(document))
    assert signature.verdict is Verdict.PASSED, signature.reasons
    assert signature.level is level
    tampered = document.replace(b"100 YEN", b"900 YEN")
    if tampered != document:
        assert reasons(verify(tampered)) == {"digest-mismatch"}


def test_a_certification_by_pyhanko_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    document = signed_pdf(
        FORM,
        monkeypatch,
        field_name=FIRST,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    assert verify(document).verdict is Verdict.PASSED
    filled = pdf.update(document, {10: pdf.text_field("place", "Tokyo")})
    assert verify(filled).verdict is Verdict.FAILED


def test_we_and_pyhanko_sign_after_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours_first = signed_pdf(sign(PLAIN), monkeypatch)
    theirs_first = sign(signed_pdf(PLAIN, monkeypatch))
    for document in (ours_first, theirs_first):
        assert_all_agree(document, tmp_path, 2)
        assert notes(verify(document))[0] == ["form-filled-after-signing"]


def test_a_store_by_pyhanko_is_read() -> None:
    from asn1crypto import crl as asn1_crl

    signed = sign(PLAIN, timestamper=LocalTimestamper())
    crl = asn1_crl.CertificateList.load(Crl().build().public_bytes(Encoding.DER))
    output = io.BytesIO(signed)
    DocumentSecurityStore.add_dss(
        output_stream=output,
        sig_contents=None,
        certs=[to_asn1(load("signature-ca"))],
        crls=[crl],
        ocsps=[],
    )
    report = verify(output.getvalue())
    assert report.verdict is Verdict.PASSED, reasons(report)
    assert only(report).level is Level.PADES_B_LT
    assert notes(report) == [["extended-after-signing"]]
    archived = document_timestamp(output.getvalue())
    assert only(verify(archived)).level is Level.PADES_B_LTA


# Where the others are wrong


def test_what_is_signed_twice_by_hand_is_valid_for_pdfsig(tmp_path: Path) -> None:
    """The forgeries of the unit tests are sound but for what each is about."""
    document = HandSigned().document()
    assert pdfsig(document, tmp_path)[0] == ["Signature is Valid."]
    assert [status.bottom_line for status in pyhanko(document)] == [True]
