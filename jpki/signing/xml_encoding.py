"""Encodings of XML documents, XML 1.0 4.3.3 and appendix F.

UTF-8, UTF-16, US-ASCII and ISO-8859-1 mean the same to everybody; such a document keeps every byte
when a signature is put into it. The Japanese encodings do not: Shift_JIS 0x8160 is U+301C to some
programs and U+FF5E to others, 0x5C a backslash or a yen sign (W3C Note "XML Japanese Profile"), and
a signature over one reading fails under the other. A document in one of them is read once, in the
case of Shift_JIS as Windows reads it, and becomes UTF-8 with the declaration changed: from then on
there is one reading.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from jpki.errors import DocumentError, DocumentFault

BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WITHOUT_BOM: Final = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
UTF_32: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"<\x00\x00\x00", b"\x00\x00\x00<")

# Declared names, in lower case, and the codecs of Python that read them.
KEPT: Final = {
    "": "utf-8",
    "utf-8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
}
CONVERTED: Final = {
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
}
# What may be declared where the first bytes have told the encoding.
AGREEING: Final = {
    "utf-8": ("", "utf-8"),
    "utf-16-le": ("", "utf-16", "utf-16le"),
    "utf-16-be": ("", "utf-16", "utf-16be"),
}

DECLARATION: Final = re.compile(
    r"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*["'][0-9.]{1,8}["']"""
    r"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*"""
    r"""["'](?P<encoding>[A-Za-z][A-Za-z0-9._-]{0,40})["'])?"""
    r"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>"""
)
DECLARATION_START: Final = re.compile(r"<\?xml[ \t\r\n]")
DECLARATION_BYTES: Final = 400  # of the longest declaration that is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedXml:
    """A document as UTF-8, and how it becomes bytes again."""

    utf8: bytes  # without byte order mark; the declaration may name another encoding
    codec: str  # of the output
    bom: bytes  # of the output

    def encode(self, utf8: bytes) -> bytes:
        """Return the document, with what was put into it, in its encoding."""
        if self.codec == "utf-8":
            return self.bom + utf8
        return self.bom + utf8.decode().encode(self.codec)


def decode_xml(document: bytes) -> DecodedXml:
    """Read a document by its byte order mark and declaration.

    Raises:
        DocumentError: XML_ENCODING, an encoding that is not read here, one that contradicts the
            declaration, or bytes that the encoding does not have; XML_MALFORMED, a declaration
            that is none.
    """
    bom, codec = _first_bytes(document)
    body = document[len(bom) :]
    declared = _declared(body, codec or "latin-1").lower()
    if codec is not None and declared not in AGREEING[codec]:
        raise DocumentError(DocumentFault.XML_ENCODING, declared)
    codec = codec or KEPT.get(declared) or CONVERTED.get(declared)
    if codec is None:
        raise DocumentError(DocumentFault.XML_ENCODING, declared)
    if codec == "utf-8":  # judged by the parser
        return DecodedXml(utf8=body, codec=codec, bom=bom)
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:  # its text quotes the document
        raise DocumentError(DocumentFault.XML_ENCODING, declared or codec) from None
    if declared in CONVERTED:
        return DecodedXml(utf8=_declare_utf8(text).encode(), codec="utf-8", bom=b"")
    return DecodedXml(utf8=text.encode(), codec=codec, bom=bom)


def _first_bytes(document: bytes) -> tuple[bytes, str | None]:
    """Return the byte order mark and what the first bytes say; None: the declaration says it."""
    if document.startswith(UTF_32):
        raise DocumentError(DocumentFault.XML_ENCODING, "utf-32")
    for bom, codec in BOMS:
        if document.startswith(bom):
            return bom, codec
    return b"", next((codec for start, codec in WITHOUT_BOM if document.startswith(start)), None)


def _declared(body: bytes, codec: str) -> str:
    head = body[:DECLARATION_BYTES].decode(codec, errors="replace")
    match = DECLARATION.match(head)
    if match is None and DECLARATION_START.match(head):
        raise DocumentError(DocumentFault.XML_MALFORMED, "1")
    return "" if match is None else match["encoding"] or ""


def _declare_utf8(text: str) -> str:
    match = DECLARATION.match(text)
    if match is None:  # it named the encoding when it was looked for
        raise DocumentError(DocumentFault.XML_ENCODING)
    start, end = match.span("encoding")
    return f"{text[:start]}UTF-8{text[end:]}"
