"""Damaged and hostile PDFs: a verdict, never an exception, and never a pass by luck."""

import io
import random
import zlib
from contextlib import suppress

import pytest
from support import pdf
from support.cost import cpu_within
from support.pki import AT, load
from support.signed_pdf import HandSigned, document_timestamp, reasons, sign, verify
from support.timestampers import LocalTimestamper

from jpki.errors import DocumentError
from jpki.signing.pdf import check_pdf
from jpki.verification import Verdict
from jpki.verification.pdf import verify_pdf
from jpki.verification.pdf_document import PdfDocument
from jpki.verification.pdf_touki import check_touki

FORM = pdf.with_form(pdf.text_field("a", "1"), pdf.signature_field(b"(s)"))
FLIPS = 700  # of each document
SECONDS = 5.0


def outcome(document: bytes) -> Verdict:
    """Verify, and hold it against the rest that reads PDFs; none may raise."""
    report = verify_pdf(io.BytesIO(document), [load("signature-ca")], AT)
    check_touki(io.BytesIO(document))
    with suppress(DocumentError):
        check_pdf(io.BytesIO(document))
    return report.verdict


@pytest.mark.parametrize(
    "document",
    [
        sign(pdf.build(pdf.one_page()), timestamper=LocalTimestamper()),
        sign(pdf.build_compressed(FORM), field_name="s"),
        sign(sign(pdf.build(pdf.one_page()))),
    ],
    ids=["table", "object streams", "twice"],
)
def test_no_flipped_bit_of_what_was_signed_passes(document: bytes) -> None:
    covered = [signature.covered for signature in PdfDocument(io.BytesIO(document)).signatures]
    last = covered[-1]
    assert last is not None
    assert outcome(document) is Verdict.PASSED
    choose = random.Random(20260601)  # noqa: S311  # the same each time
    for _ in range(FLIPS):
        place = choose.randrange(len(document))
        changed = bytearray(document)
        changed[place] ^= 1 << choose.randrange(8)
        verdict = verify(bytes(changed)).verdict
        if not last.gap_start <= place < last.gap_end:
            assert verdict is Verdict.FAILED, place


def test_nothing_that_was_damaged_raises() -> None:
    sound = [
        sign(pdf.build(pdf.one_page())),
        sign(pdf.build_compressed(FORM), field_name="s"),
        document_timestamp(sign(pdf.build(pdf.one_page()), timestamper=LocalTimestamper())),
        pdf.update(sign(pdf.build(FORM)), {10: pdf.text_field("a", "2")}),
        pdf.build_hybrid(FORM, [2, 5]),
    ]
    choose = random.Random(20260602)  # noqa: S311
    for _ in range(400):
        data = bytearray(choose.choice(sound))
        for _ in range(choose.randrange(1, 6)):
            place = choose.randrange(len(data))
            match choose.randrange(5):
                case 0:
                    data[place] = choose.randrange(256)
                case 1:
                    del data[place : place + choose.randrange(1, 40)]
                case 2:
                    data[place:place] = choose.choice(
                        [b"<<", b">>", b"[", b"9999999999", b"-1", b" 0 R", b"/", b"null", b"%%EOF"]
                    )
                case 3:
                    del data[place:]
                case 4:
                    other = choose.choice(sound)
                    start = choose.randrange(len(other))
                    data[place:place] = other[start : start + 200]
            if not data:
                break
        outcome(bytes(data))


def test_every_truncation_fails() -> None:
    signed = sign(pdf.build(pdf.one_page()))
    for end in [*range(0, len(signed), 97), *range(len(signed) - 40, len(signed))]:
        assert verify(signed[:end]).verdict is Verdict.FAILED


# Bounded work


def within_seconds(document: bytes) -> set[str]:
    with cpu_within(SECONDS):
        report = verify(document)
    return reasons(report)


def test_a_table_of_billions_of_entries_is_refused() -> None:
    for widths in (b"[0 0 0]", b"[1 0 0]", b"[0 1 0]"):
        extra = b"/Type /XRef /W %s /Index [0 4000000000] /Root 1 0 R /Size 9 " % widths
        body = b"%PDF-1.7\n9 0 obj\n" + pdf.stream(b"", extra) + b"\nendobj\nstartxref\n9\n%%EOF\n"
        assert within_seconds(body) == {"malformed"}
    table = b"%PDF-1.7\nxref\n0 4000000000\n" + b"0000000000 65535 f \n" * 3
    assert within_seconds(table + b"trailer << >>\nstartxref\n9\n%%EOF\n") == {"malformed"}


def test_a_stream_that_unpacks_to_gigabytes_is_refused() -> None:
    packed = zlib.compress(zlib.compress(bytes(1 << 27), 9), 9)
    objects = pdf.one_page(catalog=b"/AcroForm 20 0 R")
    document = pdf.build(objects)
    size = pdf.size_of(document)
    bomb = pdf.stream(packed, b"/Type /ObjStm /N 1 /First 5 /Filter [/FlateDecode /FlateDecode] ")
    output = document + b"%d 0 obj\n%s\nendobj\n" % (size, bomb)
    place = len(output)
    rows = b"\x02" + size.to_bytes(4) + b"\0\0"
    rows += b"\x01" + len(document).to_bytes(4) + b"\0\0" + b"\x01" + place.to_bytes(4) + b"\0\0"
    extra = b"/Type /XRef /W [1 4 2] /Index [20 1 %d 1 %d 1] /Root 1 0 R /Size 30 /Prev %d " % (
        size,
        size + 1,
        pdf.startxref(document),
    )
    output += b"%d 0 obj\n%s\nendobj\n" % (size + 1, pdf.stream(rows, extra))
    assert within_seconds(output + b"startxref\n%d\n%%%%EOF\n" % place) == {"malformed"}


def test_a_chain_of_tables_that_bites_its_tail_is_refused() -> None:
    document = pdf.build(pdf.one_page())
    place = pdf.startxref(document)
    looped = document.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % place)
    assert within_seconds(looped) == {"malformed"}


def test_more_ways_than_anybody_can_count_are_refused() -> None:
    # Each object holds the next one twice: 2^60 ways to the last.
    levels = 60
    objects = pdf.one_page(catalog=b"/PieceInfo 100 0 R")
    for level in range(levels):
        objects[100 + level] = b"<< /A %d 0 R /B %d 0 R >>" % (101 + level, 101 + level)
    objects[100 + levels] = b"<< >>"
    signed = sign(pdf.build(objects))
    assert within_seconds(signed) == set()  # nothing changed, nothing to compare
    changed = pdf.update(signed, {4: pdf.page_content("X")})
    with cpu_within(30):
        assert reasons(verify(changed)) == {"changed-after-signing"}


def test_a_long_row_of_bookmarks_is_no_fault() -> None:
    # pyHanko by itself goes one call deeper for each.
    count = 1500
    objects = pdf.one_page(catalog=b"/Outlines 100 0 R")
    objects[100] = b"<< /Type /Outlines /First 101 0 R /Last %d 0 R /Count %d >>" % (
        100 + count,
        count,
    )
    for index in range(count):
        number = 101 + index
        following = b"/Next %d 0 R" % (number + 1) if index < count - 1 else b""
        before = b"/Prev %d 0 R" % (number - 1) if index else b""
        objects[number] = b"<< /Title (x) /Parent 100 0 R /Dest [3 0 R /Fit] %s %s >>" % (
            following,
            before,
        )
    twice = sign(sign(pdf.build(objects)))
    assert verify(twice).verdict is Verdict.PASSED, reasons(verify(twice))


@pytest.mark.parametrize(
    "extra",
    [
        b"[" * 20_000,
        b"<< /A " * 20_000,
        b"[" * 20_000 + b"]" * 20_000,
        b"(" * 100_000,
        b"9" * 100_000,
        b"/" + b"A" * 1_000_000,
    ],
    ids=["arrays", "dictionaries", "closed arrays", "strings", "a number", "a name"],
)
def test_deep_or_long_objects_end_in_a_verdict(extra: bytes) -> None:
    within_seconds(pdf.build(pdf.one_page(catalog=b"/Deep " + extra)))
    within_seconds(pdf.build(pdf.one_page() | {6: b"<< /ByteRange " + extra + b" >>"}))


@pytest.mark.parametrize("length", [b"-1", b"-99", b"4 0 R", b"999999999999", b"null", b"/x"])
def test_a_length_that_cannot_be_ends_in_a_verdict(length: bytes) -> None:
    objects = pdf.one_page()
    objects[4] = objects[4].replace(b"/Length 47", b"/Length " + length)
    signed = sign(pdf.build(objects))  # nobody looks into the page for that
    assert within_seconds(signed) == set()
    assert within_seconds(sign(signed)) == {"changed-after-signing"}


def test_a_stream_too_large_to_hold_is_never_held() -> None:
    import tracemalloc

    size = 3 << 26
    objects = pdf.one_page() | {6: pdf.stream(bytes(size))}
    objects[3] = objects[3].replace(b"/Type /Page ", b"/Type /Page /Thumb 6 0 R ")
    twice = io.BytesIO(sign(sign(pdf.build(objects))))
    del objects
    tracemalloc.start()
    report = verify_pdf(twice, [load("signature-ca")], AT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.verdict is Verdict.PASSED
    assert peak < size / 4


def test_trees_that_are_no_trees_end_in_a_verdict() -> None:
    circular = pdf.with_form(b"<< /T (a) /Kids [10 0 R] >>")
    assert within_seconds(pdf.build(circular)) == {"no-signature"}
    deep = pdf.one_page(catalog=b"/AcroForm << /Fields [10 0 R] >>")
    for number in range(10, 200):
        deep[number] = b"<< /T (a) /Kids [%d 0 R] >>" % (number + 1)
    assert within_seconds(pdf.build(deep)) == {"malformed"}
    pages = pdf.one_page()
    pages[2] = b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    assert within_seconds(pdf.build(pages)) == {"no-signature"}
    with pytest.raises(DocumentError):
        check_pdf(io.BytesIO(pdf.build(pages)))


def test_thousands_of_fields_or_signatures_end_in_a_verdict() -> None:
    fields = [pdf.signature_field(b"(f%d)" % index, b"/V 4 0 R") for index in range(300)]
    assert within_seconds(pdf.build(pdf.with_form(*fields))) == {"malformed"}
    mentions = pdf.one_page() | dict.fromkeys(range(10, 3000), b"<< /ByteRange [0 1 2 3] >>")
    assert "malformed" in within_seconds(pdf.build(mentions))


def test_contents_of_megabytes_end_in_a_verdict() -> None:
    made = HandSigned(
        dictionary="<< /ByteRange %(range)s /Contents %(contents)s /X (" + "x" * 4_000_000 + ") >>"
    )
    assert within_seconds(made.document()) <= {"byte-range-invalid", "unsupported-format"}
