"""What was done to a PDF after it was signed: refused, or harmless and said."""

import io
import zlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support import pdf
from support.pki import load
from support.signed_pdf import (
    HandSigned,
    document_timestamp,
    notes,
    only,
    reasons,
    sign,
    verify,
)

from jpki.signing.pdf_options import Certification, PdfStamp
from jpki.verification import Coverage, Verdict

PLAIN = pdf.build(pdf.one_page())
FORM = pdf.build(
    pdf.with_form(
        pdf.text_field("amount", "100"),
        pdf.text_field("place"),
        pdf.signature_field(b"(seller)"),
        pdf.signature_field(b"(buyer)", rectangle=b"[300 500 500 560]"),
    )
)
AMOUNT, PLACE, SELLER, BUYER = 10, 11, 12, 13


def field_of(document: bytes) -> int:
    """The number of the signature field that signing has added: objects come in this order."""
    return pdf.size_of(document) - 2


def with_annotation(document: bytes, annotation: bytes, *, catalog: bytes = b"") -> bytes:
    """Add an annotation to the page of a document with one signature on it."""
    new = pdf.size_of(document)
    page = pdf.object_body(document, 3)
    extended = page.replace(b"/Annots [", b"/Annots [ %d 0 R " % new)
    assert extended != page
    return pdf.update(document, {3: extended, new: annotation})


def with_dss(document: bytes) -> bytes:
    """Add a certificate as later checks want it."""
    size = pdf.size_of(document)
    catalog = pdf.object_body(document, 1)
    changed = catalog.replace(b"/Pages", b"/DSS %d 0 R /Pages" % size)
    assert changed != catalog
    store = b"<< /Type /DSS /Certs [%d 0 R] >>" % (size + 1)
    certificate = pdf.stream(load("signature-ca").public_bytes(Encoding.DER))
    return pdf.update(document, {1: changed, size: store, size + 1: certificate})


def assert_changed(document: bytes) -> None:
    report = verify(document)
    assert report.verdict is Verdict.FAILED
    assert reasons(report) & {"changed-after-signing", "unsigned-bytes"}


# Item 25: incremental updates


def test_an_untouched_signature_covers_the_whole_file() -> None:
    signature = only(verify(sign(PLAIN)))
    assert signature.verdict is Verdict.PASSED
    assert signature.covers is Coverage.WHOLE
    assert signature.notes == ()


def test_a_new_catalog_is_refused() -> None:
    signed = sign(PLAIN)
    catalog = pdf.object_body(signed, 1)
    other = catalog.replace(b"/Pages 2 0 R", b"/Pages 40 0 R")
    pages = {
        40: b"<< /Type /Pages /Kids [41 0 R] /Count 1 >>",
        41: pdf.object_body(signed, 3).replace(b"4 0 R", b"42 0 R").replace(b"2 0 R", b"40 0 R"),
        42: pdf.page_content("CONTRACT 999 YEN"),
    }
    assert_changed(pdf.update(signed, {1: other} | pages))


def test_a_catalog_that_is_another_object_is_refused() -> None:
    signed = sign(PLAIN)
    new = pdf.size_of(signed)
    changed = pdf.update(signed, {new: pdf.object_body(signed, 1)})
    assert_changed(changed[:-200] + changed[-200:].replace(b"/Root 1 0 R", b"/Root %d 0 R" % new))


@pytest.mark.parametrize("number", [2, 3, 4, 5], ids=["page tree", "page", "content", "font"])
def test_a_page_that_is_replaced_is_refused(number: int) -> None:
    signed = sign(PLAIN)
    body = pdf.object_body(signed, number)
    changes = {
        2: body.replace(b"/Count 1", b"/Count 1 /Rotate 90"),
        3: body.replace(b"595", b"200"),
        4: pdf.page_content("CONTRACT 999 YEN"),
        5: body.replace(b"Helvetica", b"Symbol"),
    }
    assert changes[number] != body
    assert_changed(pdf.update(signed, {number: changes[number]}))


@pytest.mark.parametrize("subtype", [b"/FreeText", b"/Stamp", b"/Square", b"/Link", b"/Widget"])
def test_an_annotation_over_the_text_is_refused(subtype: bytes) -> None:
    annotation = b"<< /Type /Annot /Subtype %s /Rect [70 690 400 730] /Contents (999) >>" % subtype
    assert_changed(with_annotation(sign(PLAIN), annotation))


def test_another_value_in_a_form_is_refused() -> None:
    signed = sign(FORM, field_name="seller")
    assert verify(signed).verdict is Verdict.PASSED
    assert_changed(pdf.update(signed, {AMOUNT: pdf.text_field("amount", "999")}))


def test_another_value_is_refused_even_with_a_signature_of_somebody_else_behind_it() -> None:
    changed = pdf.update(sign(FORM, field_name="seller"), {AMOUNT: pdf.text_field("amount", "999")})
    report = verify(sign(changed, field_name="buyer"))
    first, second = report.signatures
    assert [reason.value for reason in first.reasons] == ["changed-after-signing"]
    assert second.verdict is Verdict.PASSED
    assert report.verdict is Verdict.FAILED


def test_another_appearance_of_the_same_value_is_refused() -> None:
    drawn = pdf.text_field("amount", "100", b"/AP << /N 20 0 R >>")
    form = pdf.with_form(drawn, pdf.signature_field(b"(seller)"))
    extra = b"/Type /XObject /Subtype /Form /BBox [0 0 228 20] "
    signed = sign(pdf.build(form | {20: pdf.stream(b"(100) Tj", extra)}), field_name="seller")
    assert verify(signed).verdict is Verdict.PASSED
    assert_changed(pdf.update(signed, {20: pdf.stream(b"(999) Tj", extra)}))


def test_appearances_made_anew_are_refused() -> None:
    # The value says 999, the drawing 100, and a reader is told to draw the value.
    drawn = pdf.text_field("amount", "999", b"/AP << /N 20 0 R >>")
    extra = b"/Type /XObject /Subtype /Form /BBox [0 0 228 20] "
    form = pdf.with_form(drawn) | {20: pdf.stream(b"(100) Tj", extra)}
    signed = sign(pdf.build(form))
    catalog = pdf.object_body(signed, 1)
    changed = catalog.replace(b"/AcroForm <<", b"/AcroForm <<\n/NeedAppearances true")
    assert changed != catalog
    assert_changed(pdf.update(signed, {1: changed}))


def test_other_fonts_for_appearances_made_by_readers_are_refused() -> None:
    resources = b"/DR << /Font << /F1 5 0 R >> >> /NeedAppearances true"
    base = pdf.build(pdf.with_form(pdf.text_field("amount", "100"), form=resources))
    signed = HandSigned(base=base).document()  # we take /NeedAppearances away
    catalog = pdf.object_body(signed, 1)
    assert b"/NeedAppearances true" in catalog
    number = pdf.size_of(signed)
    other = catalog.replace(b"/Font << /F1 5 0 R", b"/Font << /F1 %d 0 R" % number)
    assert other != catalog
    font = pdf.object_body(signed, 5).replace(b"Helvetica", b"Symbol")
    changed = pdf.update(signed, {1: other, number: font})
    assert "changed-after-signing" in reasons(verify(sign(changed)))
    assert verify(signed).verdict is Verdict.PASSED


def test_a_form_filled_under_a_timestamp_alone_is_refused() -> None:
    # Anybody can make a timestamp; it is not the consent of the one who filled it in.
    signed = sign(FORM, field_name="seller")
    assert verify(document_timestamp(signed)).verdict is Verdict.PASSED
    filled = pdf.update(signed, {PLACE: pdf.text_field("place", "Tokyo")})
    assert "unsigned-bytes" in reasons(verify(document_timestamp(filled)))


def test_a_form_filled_and_signed_by_the_next_is_noted() -> None:
    filled = pdf.update(sign(FORM, field_name="seller"), {PLACE: pdf.text_field("place", "Tokyo")})
    report = verify(sign(filled, field_name="buyer"))
    assert report.verdict is Verdict.PASSED
    assert notes(report) == [["form-filled-after-signing"], []]
    first, second = report.signatures
    assert (first.covers, first.covered) == (Coverage.PART, "revision 2 of 4")
    assert (second.covers, second.covered) == (Coverage.WHOLE, None)


def test_a_form_filled_by_nobody_who_signed_is_refused() -> None:
    signed = sign(FORM, field_name="seller")
    report = verify(pdf.update(signed, {PLACE: pdf.text_field("place", "Tokyo")}))
    assert reasons(report) == {"unsigned-bytes"}


def test_data_for_later_checks_are_noted() -> None:
    report = verify(with_dss(sign(PLAIN)))
    assert report.verdict is Verdict.PASSED
    assert notes(report) == [["extended-after-signing"]]
    assert only(report).covered == "revision 2 of 3"


def test_data_for_later_checks_with_something_else_are_refused() -> None:
    signed = sign(PLAIN)
    extended = with_dss(signed)
    assert_changed(pdf.update(extended, {4: pdf.page_content("CONTRACT 999 YEN")}))
    # and the other way round
    assert_changed(with_dss(pdf.update(signed, {4: pdf.page_content("CONTRACT 999 YEN")})))


def test_bytes_behind_data_for_later_checks_are_refused() -> None:
    for tail in (b"x", b"\n\n\n", b"% a comment\n"):
        report = verify(with_dss(sign(PLAIN)) + tail)
        assert "unsigned-bytes" in reasons(report)


def test_a_stream_written_again_as_it_was_is_no_change() -> None:
    # Some programs do; large ones are compared by their hashes.
    text = "A" * 10_000
    signed = sign(pdf.build(pdf.one_page(text=text)))
    same = pdf.update(signed, {4: pdf.page_content(text)})
    assert verify(sign(same)).verdict is Verdict.PASSED
    other = pdf.update(signed, {4: pdf.page_content(text[:-1] + "B")})
    assert "changed-after-signing" in reasons(verify(sign(other)))


def test_an_update_of_nothing_is_refused() -> None:
    assert "unsigned-bytes" in reasons(verify(pdf.update(sign(PLAIN), {})))


def test_an_update_of_what_nobody_uses_is_refused() -> None:
    signed = sign(PLAIN)
    unused = {pdf.size_of(signed): pdf.page_content("CONTRACT 999 YEN")}
    assert "unsigned-bytes" in reasons(verify(pdf.update(signed, unused)))


def test_the_words_of_a_person_do_not_count_a_linearised_file_twice() -> None:
    # A linearised file has the table of its first page in front, and that of the rest behind.
    text = bytearray(pdf.HEADER)
    objects = pdf.one_page()
    first = {3: objects[3], 4: objects[4], 5: objects[5], 1: objects[1]}
    room = len(text)
    text += b" " * 400
    offsets = {}
    for number, body in first.items():
        offsets[number] = len(text)
        text += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    offsets[2] = len(text)
    text += b"2 0 obj\n%s\nendobj\n" % objects[2]
    rest = len(text)
    text += b"xref\n0 1\n0000000000 65535 f \n2 1\n%010d 00000 n \n" % offsets[2]
    text += b"trailer\n<< /Size 6 >>\nstartxref\n%d\n%%%%EOF\n" % room
    front = b"xref\n"
    for number in (1, 3, 4, 5):
        front += b"%d 1\n%010d 00000 n \n" % (number, offsets[number])
    front += b"trailer\n<< /Root 1 0 R /Size 6 /Prev %d >>\nstartxref\n0\n%%%%EOF\n" % rest
    text[room : room + len(front)] = front
    twice = sign(sign(bytes(text)))
    report = verify(twice)
    assert report.verdict is Verdict.PASSED, reasons(report)
    assert report.signatures[0].covered == "revision 2 of 3"


# Item 26: shadow attacks


def test_what_hides_text_cannot_be_taken_away() -> None:
    # The author draws an image over "999", has it signed, and removes the image.
    objects = pdf.one_page(page=b"", text="CONTRACT 999 YEN")
    cover = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] "
    objects[3] = objects[3].replace(b"/Font", b"/XObject << /C 6 0 R >> /Font")
    objects[4] = pdf.stream(b"BT /F1 24 Tf 72 700 Td (999) Tj ET /C Do")
    objects[6] = pdf.stream(b"1 g 0 0 595 842 re f", cover)
    signed = sign(pdf.build(objects))
    assert verify(signed).verdict is Verdict.PASSED
    assert_changed(pdf.update(signed, {6: pdf.stream(b"", cover)}))
    freed = pdf.update(signed, {6: b"null"})
    offset = freed.rindex(b"\n6 1\n") + 5
    entry = b"0000000000 00001 f \n"
    assert_changed(freed[:offset] + entry + freed[offset + 20 :])


def test_a_hole_in_what_was_signed_cannot_be_filled() -> None:
    # The page shows 4 0 R and, where it exists, 50 0 R. It does not exist when it is signed.
    objects = pdf.one_page()
    objects[3] = objects[3].replace(b"/Contents 4 0 R", b"/Contents [4 0 R 50 0 R]")
    signed = sign(pdf.build(objects))
    assert verify(signed).verdict is Verdict.PASSED
    assert verify(sign(signed)).verdict is Verdict.PASSED  # a hole by itself is no fault
    overlay = {50: pdf.page_content("CONTRACT 999 YEN")}
    assert_changed(pdf.update(signed, overlay))
    report = verify(sign(pdf.update(signed, overlay)))
    assert "changed-after-signing" in reasons(report)


def test_a_parent_that_was_missing_cannot_be_supplied() -> None:
    # What a page inherits is found through /Parent, which nobody else follows.
    objects = pdf.one_page()
    objects[3] = (
        objects[3]
        .replace(b"/Parent 2 0 R", b"/Parent 50 0 R")
        .replace(b"/Resources << /Font << /F1 5 0 R >> >>", b"")
    )
    signed = sign(pdf.build(objects))
    parent = b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 51 0 R >> >> >>"
    font = pdf.object_body(signed, 5).replace(b"Helvetica", b"ZapfDingbats")
    assert_changed(sign(pdf.update(signed, {50: parent, 51: font})))


def test_what_was_signed_cannot_lie_beyond_its_end() -> None:
    # The table that was signed says that the content begins where the file ends.
    base = pdf.build(pdf.one_page())
    offset = base.index(b"4 0 obj")
    probe = sign(base)
    beyond = len(probe) + 20  # nothing is there yet
    hollow = base.replace(b"%010d 00000 n" % offset, b"%010d 00000 n" % beyond)
    signed = sign(hollow)
    place = len(signed)
    assert place <= beyond
    padding = b"%" + b"x" * (beyond - place - 2) + b"\n"
    content = b"4 0 obj\n%s\nendobj\n" % pdf.page_content("CONTRACT 999 YEN")
    assert_changed(sign(signed + padding + content))


def test_hidden_content_cannot_be_swapped_in_by_the_table_alone() -> None:
    # Hide and replace: both contents are signed; an update points the number at the other one.
    base = pdf.build(pdf.one_page())
    evil = b"4 0 obj\n%s\nendobj\n" % pdf.page_content("CONTRACT 999 YEN")
    head = base.index(b"5 0 obj")
    shifted = base[:head] + evil + base[head:]
    for number in (5,):
        old = base.index(b"%d 0 obj" % number)
        shifted = shifted.replace(b"%010d 00000 n" % old, b"%010d 00000 n" % (old + len(evil)))
    end = pdf.startxref(base)
    shifted = shifted.replace(b"startxref\n%d" % end, b"startxref\n%d" % (end + len(evil)))
    signed = sign(shifted)
    assert verify(signed).verdict is Verdict.PASSED
    place = len(signed)
    table = b"xref\n4 1\n%010d 00000 n \ntrailer\n<< /Root 1 0 R /Size %d /Prev %d >>\n" % (
        signed.index(evil),
        pdf.size_of(signed),
        pdf.startxref(signed),
    )
    assert_changed(signed + table + b"startxref\n%d\n%%%%EOF\n" % place)


def test_a_visible_signature_field_that_nobody_signed_is_refused() -> None:
    # It draws what it likes over the page, and looks like a place for the next signature.
    signed = sign(PLAIN)
    number, drawing = pdf.size_of(signed), pdf.size_of(signed) + 1
    catalog = pdf.object_body(signed, 1)
    form_number = int(catalog.split(b"/AcroForm ")[1].split()[0])
    form = pdf.object_body(signed, form_number)
    changed_form = form.replace(b"/Fields [", b"/Fields [ %d 0 R" % number)
    page = pdf.object_body(signed, 3)
    extra = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] "
    field = pdf.signature_field(b"(next)", b"/AP << /N %d 0 R >>" % drawing, b"[0 0 595 842]")
    changes = {
        form_number: changed_form,
        3: page.replace(b"/Annots [", b"/Annots [ %d 0 R" % number),
        number: field,
        drawing: pdf.stream(b"1 g 0 0 595 842 re f", extra),
    }
    assert changed_form != form
    report = verify(sign(pdf.update(signed, changes)))
    assert "changed-after-signing" in reasons(report)


def test_a_visible_field_that_somebody_signed_is_noted() -> None:
    report = verify(sign(sign(PLAIN), stamp=PdfStamp()))
    assert report.verdict is Verdict.PASSED
    assert notes(report) == [["form-filled-after-signing"], []]


# Item 27: certifications, hybrid files, object streams


@pytest.mark.parametrize("certify", Certification)
def test_a_certification_decides_what_may_change(certify: Certification) -> None:
    signed = sign(FORM, field_name="seller", certify=certify)
    comment = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (why?) >>"
    changes = {
        "content": pdf.update(signed, {4: pdf.page_content("CONTRACT 999 YEN")}),
        "filled": pdf.update(signed, {PLACE: pdf.text_field("place", "Tokyo")}),
        "altered": pdf.update(signed, {AMOUNT: pdf.text_field("amount", "999")}),
        "comment": with_annotation(signed, comment),
        "extended": with_dss(signed),
    }
    allowed = {
        Certification.NONE: {"extended"},
        Certification.FILL: {"extended", "filled", "altered"},
        Certification.ANNOTATE: {"extended", "filled", "altered", "comment"},
    }
    assert verify(signed).verdict is Verdict.PASSED
    passed = {
        name for name, document in changes.items() if verify(document).verdict is Verdict.PASSED
    }
    assert passed == allowed[certify]


def test_a_comment_under_a_certification_that_allows_it_is_noted() -> None:
    signed = sign(PLAIN, certify=Certification.ANNOTATE)
    comment = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (why?) >>"
    commented = with_annotation(signed, comment)
    assert notes(verify(commented)) == [["annotated-after-signing"]]
    again = commented.replace(b"(why?)", b"(why!)")
    number = pdf.size_of(commented) - 1
    answered = pdf.update(commented, {number: comment.replace(b"why?", b"so?!")})
    assert verify(answered).verdict is Verdict.PASSED
    assert verify(again).verdict is Verdict.PASSED  # it is a comment, and nobody signed it


@pytest.mark.parametrize("subtype", [b"/FreeText", b"/Stamp", b"/Square", b"/Redact", b"/Link"])
def test_a_comment_may_not_write_over_the_page(subtype: bytes) -> None:
    signed = sign(PLAIN, certify=Certification.ANNOTATE)
    annotation = b"<< /Type /Annot /Subtype %s /Rect [70 690 400 730] /Contents (999) >>" % subtype
    assert_changed(with_annotation(signed, annotation))


def test_a_comment_may_not_bring_a_new_page() -> None:
    signed = sign(PLAIN, certify=Certification.ANNOTATE)
    comment = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (why?) >>"
    commented = with_annotation(signed, comment)
    page = pdf.object_body(commented, 3).replace(b"595", b"100")
    assert_changed(pdf.update(commented, {3: page}))
    assert_changed(pdf.update(commented, {4: pdf.page_content("CONTRACT 999 YEN")}))


def test_the_certification_of_an_author_holds_for_the_signatures_of_others() -> None:
    signed = sign(FORM, field_name="seller", certify=Certification.FILL)
    both = sign(signed, field_name="buyer")
    assert verify(both).verdict is Verdict.PASSED
    filled = pdf.update(both, {PLACE: pdf.text_field("place", "Tokyo")})
    assert notes(verify(filled)) == [["form-filled-after-signing"]] * 2


def test_a_certification_by_somebody_else_afterwards_is_refused() -> None:
    signed = sign(PLAIN)
    number = field_of(signed) + 1
    catalog = pdf.object_body(signed, 1)
    changed = catalog.replace(b"/Pages", b"/Perms << /DocMDP %d 0 R >> /Pages" % number)
    assert changed != catalog
    assert_changed(sign(pdf.update(signed, {1: changed})))


def test_a_locked_field_stays_as_it_is() -> None:
    lock = b"/Lock << /Type /SigFieldLock /Action /Include /Fields [(place)] >>"
    form = pdf.build(
        pdf.with_form(
            pdf.text_field("other"),
            pdf.text_field("place"),
            pdf.signature_field(b"(seller)", lock),
            pdf.signature_field(b"(buyer)"),
        )
    )
    signed = sign(form, field_name="seller")
    assert verify(signed).verdict is Verdict.PASSED
    locked = pdf.update(signed, {11: pdf.text_field("place", "Tokyo")})
    assert "changed-after-signing" in reasons(verify(sign(locked, field_name="buyer")))
    free = pdf.update(signed, {10: pdf.text_field("other", "Tokyo")})
    assert verify(sign(free, field_name="buyer")).verdict is Verdict.PASSED


@pytest.mark.parametrize("build", [pdf.build, pdf.build_compressed])
def test_object_streams_make_no_difference(build: object) -> None:
    signed = sign(sign(build(pdf.one_page())))  # type: ignore[operator]
    assert verify(signed).verdict is Verdict.PASSED


def test_an_object_stream_that_replaces_the_page_is_refused() -> None:
    signed = sign(pdf.build_compressed(pdf.one_page()))
    size = pdf.size_of(signed)
    body = pdf.one_page()[3].replace(b"595", b"100")
    head = b"3 0 "
    data = zlib.compress(head + body)
    extra = b"/Type /ObjStm /N 1 /First %d /Filter /FlateDecode " % len(head)
    output = signed + b"%d 0 obj\n%s\nendobj\n" % (size, pdf.stream(data, extra))
    place = len(output)
    rows = b"\x02" + size.to_bytes(4) + b"\0\0" + b"\x01" + len(signed).to_bytes(4) + b"\0\0"
    rows += b"\x01" + place.to_bytes(4) + b"\0\0"
    extra = b"/Type /XRef /W [1 4 2] /Index [3 1 %d 1 %d 1] /Root 1 0 R /Size %d /Prev %d " % (
        size,
        size + 1,
        size + 2,
        pdf.startxref(signed),
    )
    output += b"%d 0 obj\n%s\nendobj\n" % (size + 1, pdf.stream(rows, extra))
    assert_changed(output + b"startxref\n%d\n%%%%EOF\n" % place)


def test_a_hybrid_file_passes_with_a_note() -> None:
    # Word processors write them; the table in the old style does not have all objects.
    objects = pdf.one_page(catalog=b"/Lang 6 0 R") | {6: b"(ja)"}
    signed = sign(pdf.build_hybrid(objects, [6]))
    assert verify(signed).verdict is Verdict.PASSED
    assert notes(verify(signed)) == [["hybrid-references"]]
    assert verify(sign(signed)).verdict is Verdict.PASSED


def test_a_hybrid_update_is_refused() -> None:
    # Old programs see the page that was signed, new ones another.
    signed = sign(PLAIN)
    size = pdf.size_of(signed)
    head = b"3 0 "
    body = pdf.object_body(signed, 3).replace(b"4 0 R", b"%d 0 R" % (size + 2))
    container = pdf.stream(head + body, b"/Type /ObjStm /N 1 /First %d " % len(head))
    content = pdf.page_content("CONTRACT 999 YEN")
    hidden_place = len(signed)
    output = signed + b"%d 0 obj\n%s\nendobj\n" % (size, container)
    content_place = len(output)
    output += b"%d 0 obj\n%s\nendobj\n" % (size + 2, content)
    stream_place = len(output)
    rows = b"\x02" + size.to_bytes(4) + b"\0\0"
    rows += b"\x01" + hidden_place.to_bytes(4) + b"\0\0" + b"\x01" + content_place.to_bytes(4)
    rows += b"\0\0"
    extra = b"/Type /XRef /W [1 4 2] /Index [3 1 %d 1 %d 1] /Size %d " % (size, size + 2, size + 3)
    output += b"%d 0 obj\n%s\nendobj\n" % (size + 1, pdf.stream(rows, extra))
    place = len(output)
    output += b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R /Size %d" % (size + 3)
    output += b" /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        pdf.startxref(signed),
        stream_place,
        place,
    )
    assert_changed(output)
    assert "changed-after-signing" in reasons(verify(sign(output)))


def test_a_table_that_hides_the_signed_one_is_refused() -> None:
    # The last table leads back past the one that was signed.
    signed = sign(PLAIN)
    size, base_table = pdf.size_of(signed), pdf.startxref(PLAIN)
    changed = {4: pdf.page_content("CONTRACT 999 YEN")}
    numbers = {number: pdf.object_body(signed, number) for number in (1, 3, *range(7, size))}
    output = pdf.update(signed, changed | numbers)
    mark = b"/Prev %d" % pdf.startxref(signed)
    tail = output.rindex(mark)
    assert_failed_somehow(output[:tail] + b"/Prev %d" % base_table + output[tail + len(mark) :])


def assert_failed_somehow(document: bytes) -> None:
    report = verify(document)
    assert report.verdict is Verdict.FAILED


def test_the_document_as_it_was_signed_is_written() -> None:
    first = sign(FORM, field_name="seller")
    second = sign(first, field_name="buyer")
    report = verify(second)
    written = []
    for signature in report.signatures:
        assert signature.write_covered is not None
        output = io.BytesIO()
        signature.write_covered(output)
        written.append(output.getvalue())
    assert written == [first, second]


def test_the_document_that_is_written_ends_where_the_signature_does() -> None:
    document = HandSigned().document()
    output = io.BytesIO()
    write = only(verify(document + b"evil")).write_covered
    assert write is not None
    write(output)
    assert output.getvalue() == document
