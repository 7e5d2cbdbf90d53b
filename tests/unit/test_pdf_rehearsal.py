"""What is refused before a card is asked is what could not be written afterwards, and no more."""

import io
from collections.abc import Iterator

import pytest
from support import pdf
from support.pki import AT, load, load_key

from jpki.errors import DocumentError
from jpki.signing.pdf import check_pdf, sign_pdf
from jpki.signing.pdf_options import Certification, PdfOptions

VALUES = {
    "null": b"null",
    "number": b"7",
    "string": b"(odd)",
    "empty array": b"[]",
    "numbers": b"[1 2]",
    "dictionaries": b"[<< /T (x) >>]",
    "nothing there": b"99 0 R",
    "itself": b"20 0 R",
    "a stream": b"4 0 R",
    "the catalog": b"[1 0 R]",
}
OPTIONS = {
    "new field": PdfOptions(),
    "existing field": PdfOptions(field_name="s"),
    "certified": PdfOptions(certify=Certification.FILL),
}
FIELD = pdf.signature_field(b"(s)")


def documents() -> Iterator[tuple[str, bytes]]:
    """Documents with one odd value each, direct and behind a reference."""
    for what, value in VALUES.items():
        for way, written, more in (("direct", value, {}), ("indirect", b"20 0 R", {20: value})):
            places = {
                "AcroForm": pdf.one_page(catalog=b"/AcroForm " + written),
                "Fields": pdf.one_page(catalog=b"/AcroForm << /Fields %s >>" % written),
                "SigFlags": pdf.with_form(FIELD, form=b"/SigFlags " + written),
                "NeedAppearances": pdf.with_form(FIELD, form=b"/NeedAppearances " + written),
                "Perms": pdf.with_form(FIELD, catalog=b"/Perms " + written),
                "DocMDP": pdf.with_form(FIELD, catalog=b"/Perms << /DocMDP %s >>" % written),
                "Annots": pdf.one_page(page=b"/Annots " + written),
                "Kids": pdf.with_form(pdf.signature_field(b"(s)", b"/Kids " + written)),
                "T": pdf.with_form(pdf.signature_field(written)),
                "V": pdf.with_form(pdf.signature_field(b"(s)", b"/V " + written)),
                "Lock": pdf.with_form(pdf.signature_field(b"(s)", b"/Lock " + written)),
                "SV": pdf.with_form(pdf.signature_field(b"(s)", b"/SV " + written)),
                "Rect": pdf.with_form(pdf.signature_field(b"(s)", rectangle=written)),
                "page": pdf.one_page() | {2: b"<< /Type /Pages /Kids %s /Count 1 >>" % written},
                "MediaBox": pdf.one_page() | {3: b"<< /Parent 2 0 R /MediaBox %s >>" % written},
            }
            for place, objects in places.items():
                yield f"{place}, {what}, {way}", pdf.build(objects | more)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_rehearsal_ends_as_the_signature_does(options: PdfOptions) -> None:
    differences, signed = [], 0
    for what, document in documents():
        checked = sound = True
        try:
            check_pdf(io.BytesIO(document), options)
        except DocumentError:
            checked = False
        try:
            sign_pdf(
                io.BytesIO(document), io.BytesIO(), load_key("signature"), load("signature"),
                signing_time=AT, options=options,
            )  # fmt: skip
        except DocumentError:
            sound = False
        differences += [(what, checked, sound)] if checked is not sound else []
        signed += sound
    assert differences == []
    assert signed > 20
