"""Signing PDFs: what is written, and what is refused before a key is needed."""

import io
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support import pdf
from support.keys import CountingKey
from support.pki import AT, load, load_key
from support.signed_pdf import only, reasons, sign, verify
from support.timestampers import LocalTimestamper

from jpki.errors import ContentChangedError, DocumentError, DocumentFault, ServerError
from jpki.signing.pdf import check_pdf, sign_pdf
from jpki.signing.pdf_options import (
    Certification,
    Corner,
    PdfOptions,
    PdfProfile,
    PdfStamp,
    Rectangle,
    StampPlace,
)
from jpki.verification import Level, Verdict

PLAIN = pdf.build(pdf.one_page())
WITH_FIELDS = pdf.build(
    pdf.with_form(
        pdf.signature_field("(甲)".encode("latin-1", "replace")),
        pdf.signature_field(b"<FEFF4E59>"),  # 乙
        pdf.text_field("text"),
        pdf.signature_field(b"(unseen)", rectangle=b"[0 0 0 0]"),
    )
)
SECOND = "乙"


def fault(document: bytes, **options: Any) -> DocumentFault:
    """Why a document is refused; by the check, and with a key by the signing in the same way."""
    key = CountingKey(load_key("signature"))
    with pytest.raises(DocumentError) as checked:
        check_pdf(io.BytesIO(document), PdfOptions(**options))
    with pytest.raises(DocumentError) as signed:
        sign_pdf(
            io.BytesIO(document),
            io.BytesIO(),
            key,
            load("signature"),
            signing_time=AT,
            options=PdfOptions(**options),
        )
    assert signed.value.fault is checked.value.fault
    assert key.signed == []
    return checked.value.fault


# What is written


@pytest.mark.parametrize("build", [pdf.build, pdf.build_compressed], ids=["table", "stream"])
def test_the_document_stays_as_it_is_in_front_of_the_signature(build: Any) -> None:
    document = build(pdf.one_page())
    signed = sign(document)
    assert signed.startswith(document)
    assert verify(signed).verdict is Verdict.PASSED


def test_the_key_is_asked_once_and_when_all_else_is_written() -> None:
    output = io.BytesIO()
    seen: list[int] = []

    class Watching(CountingKey):
        def sign(self, *arguments: Any, **more: Any) -> bytes:
            seen.append(len(output.getvalue()))
            return super().sign(*arguments, **more)

    sign_pdf(
        io.BytesIO(PLAIN),
        output,
        Watching(load_key("signature")),
        load("signature"),
        signing_time=AT,
        options=PdfOptions(stamp=PdfStamp()),
        timestamper=LocalTimestamper(),
    )
    assert seen == [len(output.getvalue())]


def test_the_signature_holds_what_pades_asks_for_and_no_more() -> None:
    from jpki.verification.pdf_contents import read_contents
    from jpki.verification.pdf_document import PdfDocument

    (signature,) = PdfDocument(io.BytesIO(sign(PLAIN))).signatures
    contents = read_contents(signature)
    assert contents is not None
    (signer,) = contents.signed_data.signer_infos
    oids = sorted(attribute.type.hex() for attribute in signer.attributes)
    assert oids == sorted(
        [
            "06092a864886f70d010903",  # content-type
            "06092a864886f70d010904",  # message-digest
            "060b2a864886f70d010910022f",  # signing-certificate-v2
        ]
    )
    assert signer.unsigned_attributes == ()


def test_name_reason_and_place_are_written() -> None:
    signed = sign(PLAIN, reason="承認", location="東京")
    assert b"/Reason " in signed
    assert "承認".encode("utf-16-be") in unescaped(signed)
    assert "東京".encode("utf-16-be") in unescaped(signed)
    assert b"/Name " not in signed


def unescaped(document: bytes) -> bytes:
    """Literal strings of PDF write some bytes as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), document)


def test_the_form_of_touki_names_the_holder() -> None:
    signed = sign(PLAIN, profile=PdfProfile.TOUKI)
    assert "見本　太郎".encode("utf-16-be") in unescaped(signed)
    assert b"/adbe.pkcs7.detached" in signed
    assert b"/M (D:20260601030000Z)" in signed
    assert only(verify(signed)).level is Level.PDF


def test_a_certificate_without_a_name_is_named_as_it_names_itself() -> None:
    output = io.BytesIO()
    sign_pdf(
        io.BytesIO(PLAIN),
        output,
        load_key("authentication"),
        load("authentication"),
        signing_time=AT,
        options=PdfOptions(profile=PdfProfile.TOUKI),
    )
    assert b"MIHON00000TEST99999003A" in output.getvalue()


def test_extra_certificates_are_embedded() -> None:
    output = io.BytesIO()
    extra = [load("signature-ca")]
    sign_pdf(
        io.BytesIO(PLAIN),
        output,
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        extra_certificates=extra,
    )
    assert verify(output.getvalue()).verdict is Verdict.PASSED


def test_new_fields_get_names_that_are_free() -> None:
    signed = sign(sign(sign(PLAIN)))
    assert all(b"(Signature%d)" % number in signed for number in (1, 2, 3))
    assert len(verify(signed).signatures) == 3


def test_a_field_that_is_there_is_filled() -> None:
    signed = sign(WITH_FIELDS, field_name=SECOND)
    assert verify(signed).verdict is Verdict.PASSED
    assert b"(Signature1)" not in signed


def test_a_field_below_another_is_filled_under_its_whole_name() -> None:
    objects = pdf.with_form(b"<< /T (deal) /FT /Sig /Kids [20 0 R 21 0 R] >>")
    widget = b"<< /Type /Annot /Subtype /Widget /Parent 21 0 R /Rect [9 9 99 39] /P 3 0 R >>"
    objects |= {
        20: b"<< /T (seller) /Parent 10 0 R /Kids [] >>",
        21: b"<< /T (buyer) /Parent 10 0 R /Kids [22 0 R] >>",  # the widget stands by itself
        22: widget,
    }
    objects[3] = objects[3].replace(b"/Annots [10 0 R]", b"/Annots [22 0 R]")
    document = pdf.build(objects)
    signed = sign(document, field_name="deal.buyer", stamp=PdfStamp(with_date=False))
    assert verify(signed).verdict is Verdict.PASSED
    assert fault(signed, field_name="deal.buyer") is DocumentFault.FIELD_SIGNED
    assert fault(document, field_name="buyer") is DocumentFault.FIELD_MISSING
    again = sign(signed)
    assert verify(again).verdict is Verdict.PASSED, reasons(verify(again))


def test_a_field_can_be_made_under_a_name() -> None:
    signed = sign(PLAIN, field_name="buyer", create_field=True)
    assert b"(buyer)" in signed


def test_a_field_with_a_lock_locks() -> None:
    lock = b"/Lock << /Type /SigFieldLock /Action /All >>"
    form = pdf.build(
        pdf.with_form(
            pdf.signature_field(b"(first)", lock),
            pdf.signature_field(b"(second)"),
        )
    )
    signed = sign(form, field_name="first")
    assert b"/FieldMDP" in signed
    assert verify(signed).verdict is Verdict.PASSED
    assert fault(signed, field_name="second") is DocumentFault.PDF_FORBIDS_SIGNATURES
    assert fault(signed) is DocumentFault.PDF_FORBIDS_SIGNATURES


def test_a_file_is_signed_into_a_file(tmp_path: Path) -> None:
    source, target = tmp_path / "a.pdf", tmp_path / "b.pdf"
    source.write_bytes(PLAIN)
    with source.open("rb") as document, target.open("w+b") as output:
        sign_pdf(document, output, load_key("signature"), load("signature"), signing_time=AT)
    assert verify(target.read_bytes()).verdict is Verdict.PASSED


def test_the_document_may_stand_at_any_position() -> None:
    document = io.BytesIO(PLAIN)
    document.seek(100)
    check_pdf(document)
    output = io.BytesIO()
    sign_pdf(document, output, load_key("signature"), load("signature"), signing_time=AT)
    assert verify(output.getvalue()).verdict is Verdict.PASSED


def test_a_document_that_grows_meanwhile_is_not_signed() -> None:
    key = CountingKey(load_key("signature"))

    class Growing(io.BytesIO):
        def write(self, data: Any) -> int:
            document.seek(0, os.SEEK_END)
            document.write(b"more")
            return super().write(data)

    document, output = io.BytesIO(PLAIN), Growing()
    with pytest.raises((ContentChangedError, DocumentError)):
        sign_pdf(document, output, key, load("signature"), signing_time=AT)
    assert key.signed == []


def test_a_document_that_is_overwritten_meanwhile_is_not_signed() -> None:
    key = CountingKey(load_key("signature"))

    class Overwriting(io.BytesIO):
        def write(self, data: Any) -> int:
            document.seek(0)
            document.write(bytes(len(PLAIN)))
            return super().write(data if self.tell() else bytes(len(data)))

    document, output = io.BytesIO(PLAIN), Overwriting()
    with pytest.raises((ContentChangedError, DocumentError)):
        sign_pdf(document, output, key, load("signature"), signing_time=AT)
    assert key.signed == []


def test_a_timestamp_is_asked_for_over_the_signature() -> None:
    stamper = LocalTimestamper()
    signed = sign(PLAIN, timestamper=stamper)
    assert len(stamper.asked) == 1
    assert only(verify(signed)).level is Level.PADES_B_T


def test_a_server_that_fails_is_an_error() -> None:
    class Failing(LocalTimestamper):
        def timestamp(self, digest: bytes, algorithm: Any) -> bytes:
            raise ServerError("http://tsa.invalid/", "no answer")

    with pytest.raises(ServerError):
        sign(PLAIN, timestamper=Failing())


def test_a_full_disk_is_an_os_error() -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        sign_pdf(
            io.BytesIO(PLAIN), Full(), load_key("signature"), load("signature"), signing_time=AT
        )


def test_mistakes_of_the_caller_are_value_errors(tmp_path: Path) -> None:
    key, certificate = load_key("signature"), load("signature")
    naive = datetime(2026, 6, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        sign_pdf(io.BytesIO(PLAIN), io.BytesIO(), key, certificate, signing_time=naive)
    with (tmp_path / "out.pdf").open("wb") as output, pytest.raises(ValueError, match=r"w\+b"):
        sign_pdf(io.BytesIO(PLAIN), output, key, certificate, signing_time=AT)


def test_neither_the_password_nor_the_name_is_in_the_options_as_they_are_shown() -> None:
    assert "himitsu" not in repr(PdfOptions(password="himitsu"))


@pytest.mark.parametrize(
    "module", ["jpki.signing", "jpki.signing.pdf_options", "jpki.verification"]
)
def test_what_everybody_imports_leaves_pyhanko_alone(module: str) -> None:
    code = f"import sys, {module}; print('pyhanko' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"


def test_the_packages_offer_what_is_loaded_on_first_use() -> None:
    import jpki.signing
    import jpki.verification
    from jpki.verification.pdf import verify_pdf

    assert jpki.signing.sign_pdf is sign_pdf
    assert jpki.verification.verify_pdf is verify_pdf
    for package in (jpki.signing, jpki.verification):
        assert all(hasattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError):
        _ = jpki.signing.sign_everything


# What is refused


def broken_table() -> bytes:
    return PLAIN.replace(b"startxref\n", b"startxref\n9")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", DocumentFault.EMPTY),
        (b"hello", DocumentFault.NOT_PDF),
        (b"<?xml version='1.0'?><a/>", DocumentFault.NOT_PDF),
        (b"\n" * 10 + PLAIN, DocumentFault.PDF_BROKEN),
        (broken_table(), DocumentFault.PDF_BROKEN),
        (PLAIN[: len(PLAIN) // 2], DocumentFault.PDF_BROKEN),
        (PLAIN.replace(b"%%EOF", b""), DocumentFault.PDF_BROKEN),
        (PLAIN.replace(b"/Pages 2 0 R", b"/Pages 9 0 R"), DocumentFault.PDF_BROKEN),
        (PLAIN.replace(b"/Root 1 0 R", b"/Root 4 0 R"), DocumentFault.PDF_BROKEN),
        (PLAIN.replace(b"/Size 6", b"/Size 3"), DocumentFault.PDF_BROKEN),
        (PLAIN.replace(b"/Count 1", b"/Count 0"), DocumentFault.PAGE_MISSING),
        (b"%PDF-1.7\n", DocumentFault.PDF_BROKEN),
    ],
    ids=[
        "empty",
        "text",
        "xml",
        "junk in front",
        "startxref",
        "cut in half",
        "no end",
        "no pages",
        "no catalog",
        "size too small",
        "no page",
        "header alone",
    ],
)
def test_a_document_is_refused_that_is(document: bytes, expected: DocumentFault) -> None:
    assert fault(document) is expected


def encrypted(password: str, *, mac: bool = False) -> bytes:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(PLAIN)))
    writer.encrypt(owner_pass="owner", user_pass=password, pdf_mac=mac)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def test_an_encrypted_document_wants_its_password() -> None:
    document = encrypted("himitsu")
    assert fault(document) is DocumentFault.PDF_ENCRYPTED
    assert fault(document, password="wrong") is DocumentFault.PDF_PASSWORD_WRONG
    for password in ("himitsu", "owner"):
        assert verify(sign(document, password=password), password="himitsu").signatures


def test_a_document_with_an_integrity_code_is_refused() -> None:
    assert fault(encrypted("himitsu", mac=True), password="himitsu") is DocumentFault.PDF_HAS_MAC


def test_the_password_is_in_no_error() -> None:
    with pytest.raises(DocumentError) as caught:
        check_pdf(io.BytesIO(encrypted("himitsu")), PdfOptions(password="geheim"))
    assert "geheim" not in f"{caught.value} {caught.value.args} {vars(caught.value)}"


def test_a_form_in_xml_is_refused() -> None:
    xfa = pdf.with_form(form=b"/XFA [(template) 20 0 R]") | {20: pdf.stream(b"<xdp/>")}
    assert fault(pdf.build(xfa)) is DocumentFault.XFA_FORM


def test_a_document_that_was_certified_against_it_takes_no_signature() -> None:
    assert fault(sign(PLAIN, certify=Certification.NONE)) is DocumentFault.PDF_FORBIDS_SIGNATURES


@pytest.mark.parametrize("certify", [Certification.FILL, Certification.ANNOTATE])
def test_a_document_that_was_certified_otherwise_takes_more(certify: Certification) -> None:
    both = sign(sign(PLAIN, certify=certify))
    assert verify(both).verdict is Verdict.PASSED
    assert len(verify(both).signatures) == 2


def test_a_certified_document_takes_no_new_stamp() -> None:
    signed = sign(WITH_FIELDS, certify=Certification.FILL)
    assert fault(signed, stamp=PdfStamp()) is DocumentFault.PDF_FORBIDS_STAMP
    again = sign(signed, field_name=SECOND, stamp=PdfStamp())
    assert verify(again).verdict is Verdict.PASSED


def test_a_certification_comes_first() -> None:
    for first in (None, Certification.FILL):
        signed = sign(PLAIN, certify=first)
        assert fault(signed, certify=Certification.FILL) is DocumentFault.PDF_ALREADY_SIGNED


def test_a_field_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(DocumentError) as caught:
        check_pdf(io.BytesIO(WITH_FIELDS), PdfOptions(field_name="丙"))
    assert caught.value.fault is DocumentFault.FIELD_MISSING
    assert SECOND in caught.value.detail
    assert "text" not in caught.value.detail


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"field_name": "text"}, DocumentFault.FIELD_AMBIGUOUS),
        ({"field_name": "text", "create_field": True}, DocumentFault.FIELD_AMBIGUOUS),
        ({"field_name": "a.b", "create_field": True}, DocumentFault.FIELD_AMBIGUOUS),
        ({"field_name": "", "create_field": True}, DocumentFault.FIELD_AMBIGUOUS),
        ({"field_name": "none"}, DocumentFault.FIELD_MISSING),
        ({"field_name": "unseen", "stamp": PdfStamp()}, DocumentFault.FIELD_INVISIBLE),
    ],
)
def test_a_field_is_refused(options: dict[str, Any], expected: DocumentFault) -> None:
    assert fault(WITH_FIELDS, **options) is expected


def test_a_field_that_was_signed_is_refused() -> None:
    signed = sign(WITH_FIELDS, field_name=SECOND)
    assert fault(signed, field_name=SECOND) is DocumentFault.FIELD_SIGNED


@pytest.mark.parametrize(
    ("demand", "profile", "is_met"),
    [
        (b"/Ff 2 /SubFilter [/adbe.pkcs7.detached]", PdfProfile.TOUKI, True),
        (b"/Ff 2 /SubFilter [/adbe.pkcs7.detached]", PdfProfile.PADES, False),
        (b"/Ff 0 /SubFilter [/adbe.pkcs7.detached]", PdfProfile.PADES, True),
        (b"/Ff 64 /DigestMethod [(SHA256)]", PdfProfile.PADES, True),
        (b"/Ff 64 /DigestMethod [(SHA512)]", PdfProfile.PADES, False),
        (b"/Ff 8 /Reasons [(Yes)]", PdfProfile.PADES, False),
        (b"/Ff 32 /AddRevInfo true", PdfProfile.PADES, False),
    ],
)
def test_what_the_author_of_a_field_demands_is_met_or_refused(
    demand: bytes, profile: PdfProfile, is_met: bool
) -> None:
    seed = b"/SV << /Type /SV %s >>" % demand
    form = pdf.build(pdf.with_form(pdf.signature_field(b"(field)", seed)))
    if is_met:
        assert verify(sign(form, field_name="field", profile=profile)).signatures
    else:
        assert fault(form, field_name="field", profile=profile) is DocumentFault.FIELD_CONSTRAINED


def test_a_reason_that_the_author_of_a_field_allows_is_taken() -> None:
    seed = b"/SV << /Type /SV /Ff 8 /Reasons [(Yes)] >>"
    form = pdf.build(pdf.with_form(pdf.signature_field(b"(field)", seed)))
    assert verify(sign(form, field_name="field", reason="Yes")).verdict is Verdict.PASSED
    assert fault(form, field_name="field", reason="No") is DocumentFault.FIELD_CONSTRAINED


@pytest.mark.parametrize("page", [2, -2, 99])
def test_a_page_that_is_not_there_is_refused(page: int) -> None:
    stamp = PdfStamp(place=StampPlace(where=Corner.TOP_LEFT, page=page))
    with pytest.raises(DocumentError) as caught:
        check_pdf(io.BytesIO(PLAIN), PdfOptions(stamp=stamp))
    assert caught.value.fault is DocumentFault.PAGE_MISSING
    assert caught.value.detail == "1"


@pytest.mark.parametrize(
    ("x", "y", "width", "height"), [(500, 10, 200, 50), (-1, 10, 200, 50), (10, 800, 200, 50)]
)
def test_a_stamp_beside_the_page_is_refused(
    x: float, y: float, width: float, height: float
) -> None:
    where = Rectangle(x=x, y=y, width=width, height=height)
    with pytest.raises(DocumentError) as caught:
        check_pdf(io.BytesIO(PLAIN), PdfOptions(stamp=PdfStamp(place=StampPlace(where=where))))
    assert caught.value.fault is DocumentFault.STAMP_OUTSIDE_PAGE
    assert caught.value.detail == "595 × 842"


def test_a_hole_in_a_document_is_no_reason_to_refuse_it() -> None:
    # 7.3.10: a reference to an object that is not there is null, and many programs write some.
    objects = pdf.one_page(catalog=b"/Metadata 77 0 R /Outlines 78 0 R")
    assert verify(sign(pdf.build(objects))).verdict is Verdict.PASSED


def test_what_another_program_signed_stays_good() -> None:
    from support.signed_pdf import HandSigned

    both = sign(HandSigned().document())
    report = verify(both)
    assert report.verdict is Verdict.PASSED, reasons(report)
    assert len(report.signatures) == 2


def test_a_certificate_object_is_not_needed_for_the_check(tmp_path: Path) -> None:
    certificate: x509.Certificate = load("signature")
    check_pdf(io.BytesIO(PLAIN), PdfOptions(stamp=PdfStamp()), certificate)
    check_pdf(io.BytesIO(PLAIN), PdfOptions(stamp=PdfStamp()))
