"""PDFs made by hand, byte for byte, so that each piece can be odd; none is copied from anywhere.

A document is a mapping of object numbers to bodies; `build` writes it with a cross-reference table,
`build_compressed` with object streams, `build_hybrid` with both, and `update` appends a revision.
"""

import io
import re
import zlib
from collections.abc import Mapping, Sequence

from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

Objects = dict[int, bytes]

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
A4 = b"[0 0 595 842]"
PAGE_TEXT = "CONTRACT 100 YEN"


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(data), extra, data)


def page_content(text: str = PAGE_TEXT) -> bytes:
    return stream(b"BT /F1 24 Tf 72 700 Td (%s) Tj ET" % text.encode("ascii"))


def one_page(*, text: str = PAGE_TEXT, catalog: bytes = b"", page: bytes = b"") -> Objects:
    """Catalog 1, page tree 2, page 3, its content 4, a font 5."""
    return {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> %s >>" % (A4, page),
        4: page_content(text),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }


def with_form(
    *fields: bytes, text: str = PAGE_TEXT, form: bytes = b"", catalog: bytes = b""
) -> Objects:
    """The same with a form; its fields are objects 10, 11 and so on, widgets on the page."""
    references = b" ".join(b"%d 0 R" % (10 + index) for index in range(len(fields)))
    objects = one_page(
        text=text,
        catalog=b"/AcroForm << /Fields [%s] %s >> %s" % (references, form, catalog),
        page=b"/Annots [%s]" % references,
    )
    return objects | {10 + index: field for index, field in enumerate(fields)}


def text_field(name: str, value: str | None = None, extra: bytes = b"") -> bytes:
    given = b"" if value is None else b"/V (%s)" % value.encode("ascii")
    return (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (%s) /Rect [72 600 300 620] /P 3 0 R"
        b" /DA (/F1 12 Tf 0 g) /F 4 %s %s >>" % (name.encode("ascii"), given, extra)
    )


def signature_field(
    name: bytes, extra: bytes = b"", rectangle: bytes = b"[72 500 272 560]"
) -> bytes:
    return b"<< /Type /Annot /Subtype /Widget /FT /Sig /T %s /Rect %s /P 3 0 R /F 132 %s >>" % (
        name,
        rectangle,
        extra,
    )


def build(objects: Objects, *, header: bytes = HEADER) -> bytes:
    """Write a document with a cross-reference table; object 1 is its catalog."""
    return _append(header, objects, b"/Root 1 0 R /Size %d" % (max(objects) + 1), first=True)


def update(document: bytes, objects: Mapping[int, bytes], *, trailer: bytes = b"") -> bytes:
    """Append a revision with a cross-reference table."""
    size = max(size_of(document), max(objects, default=0) + 1)
    entries = b"/Root 1 0 R /Size %d /Prev %d %s" % (size, startxref(document), trailer)
    return _append(document, objects, entries)


def _append(
    document: bytes, objects: Mapping[int, bytes], entries: bytes, *, first: bool = False
) -> bytes:
    output = bytearray(document)
    if output and output[-1:] not in b"\r\n":
        output += b"\n"
    offsets = {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(output)
        output += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    place = len(output)
    output += b"xref\n"
    if first:
        output += b"0 1\n0000000000 65535 f \n"
    for number, offset in offsets.items():
        output += b"%d 1\n%010d 00000 n \n" % (number, offset)
    if not offsets and not first:
        output += b"0 0\n"
    output += b"trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n" % (entries, place)
    return bytes(output)


def build_compressed(
    objects: Objects, *, header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
) -> bytes:
    """Write a document with an object stream and a cross-reference stream."""
    loose = {number: body for number, body in objects.items() if b"stream" in body}
    packed = {number: body for number, body in objects.items() if number not in loose}
    container = max(objects) + 1
    heads, bodies = [], b""
    for number, body in packed.items():
        heads.append(b"%d %d" % (number, len(bodies)))
        bodies += body + b" "
    head = b" ".join(heads) + b" "
    data = zlib.compress(head + bodies)
    loose[container] = stream(
        data,
        b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode " % (len(packed), len(head)),
    )
    output = bytearray(header)
    rows = {0: (0, 0, 65535)}
    for number, body in sorted(loose.items()):
        rows[number] = (1, len(output), 0)
        output += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    for index, number in enumerate(packed):
        rows[number] = (2, container, index)
    own = container + 1
    rows[own] = (1, len(output), 0)
    numbers = b" ".join(b"%d 1" % number for number in sorted(rows))
    table = b"".join(
        kind.to_bytes(1) + where.to_bytes(4) + more.to_bytes(2)
        for _, (kind, where, more) in sorted(rows.items())
    )
    place = len(output)
    body = stream(
        zlib.compress(table),
        b"/Type /XRef /W [1 4 2] /Index [%s] /Root 1 0 R /Size %d /Filter /FlateDecode "
        % (numbers, own + 1),
    )
    output += b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (own, body, place)
    return bytes(output)


def build_hybrid(objects: Objects, hidden: Sequence[int]) -> bytes:
    """Write a hybrid-reference file, 7.5.8.4, as word processors do: `hidden` are in a stream."""
    output = bytearray(HEADER)
    container = max(objects) + 1
    own = container + 1
    heads, bodies = [], b""
    for number in hidden:
        heads.append(b"%d %d" % (number, len(bodies)))
        bodies += objects[number] + b" "
    head = b" ".join(heads) + b" "
    loose = {number: body for number, body in objects.items() if number not in hidden}
    loose[container] = stream(
        head + bodies, b"/Type /ObjStm /N %d /First %d " % (len(hidden), len(head))
    )
    offsets = {}
    for number, body in sorted(loose.items()):
        offsets[number] = len(output)
        output += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    stream_place = len(output)
    table = b"".join(
        b"\x02" + container.to_bytes(4) + index.to_bytes(2) for index, _ in enumerate(hidden)
    )
    index = b" ".join(b"%d 1" % number for number in hidden)
    body = stream(
        table, b"/Type /XRef /W [1 4 2] /Index [%s] /Root 1 0 R /Size %d " % (index, own + 1)
    )
    output += b"%d 0 obj\n%s\nendobj\n" % (own, body)
    offsets[own] = stream_place
    place = len(output)
    output += b"xref\n0 1\n0000000000 65535 f \n"
    for number in sorted(objects | offsets):
        if number in offsets:
            output += b"%d 1\n%010d 00000 n \n" % (number, offsets[number])
        else:
            output += b"%d 1\n0000000000 65535 f \n" % number
    output += b"trailer\n<< /Root 1 0 R /Size %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        own + 1,
        stream_place,
        place,
    )
    return bytes(output)


def startxref(document: bytes) -> int:
    return int(re.findall(rb"startxref\s+(\d+)", document)[-1])


def size_of(document: bytes) -> int:
    """/Size of the last trailer."""
    return int(re.findall(rb"/Size (\d+)", document)[-1])


def object_body(document: bytes, number: int) -> bytes:
    """The last body of an object that stands outside object streams."""
    bodies = re.findall(rb"(?:^|\n)%d 0 obj\n(.*?)\nendobj" % number, document, re.DOTALL)
    return bodies[-1]


def encrypted_pdf(password: str) -> bytes:
    """One page that opens with a password."""
    writer = PdfFileWriter()
    writer.encrypt(owner_pass=password, pdf_mac=False)
    writer.insert_page(
        PageObject(
            contents=writer.add_object(StreamObject(stream_data=b"")), media_box=(0, 0, 9, 9)
        )
    )
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()
