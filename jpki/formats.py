"""What a document is, told from its first bytes and never from its name.

A wrong guess costs nothing: what reads the document then says that it is malformed.
"""

import codecs
import re
from enum import Enum
from typing import Final

HEAD_BYTES: Final = 4096
"""As many first bytes as ``detect_format`` wants to see."""

ZIP_ENTRY: Final = b"PK\x03\x04"
# ETSI EN 319 162-1 A.1: the entry ``mimetype`` stands first, not compressed, so that its content
# follows its name at this place.
ASIC_MIMETYPE: Final = re.compile(
    rb"PK\x03\x04.{26}mimetypeapplication/vnd\.etsi\.asic-[es]\+zip", re.DOTALL
)
# A ContentInfo of SignedData, RFC 5652 3: SEQUENCE, length of up to five bytes, its OID.
CMS_DER: Final = re.compile(
    rb"\x30(?:[\x00-\x80]|[\x81-\x88].{1,8}?)\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
    re.DOTALL,
)
CMS_PEM: Final = re.compile(rb"\s*-----BEGIN (?:CMS|PKCS7|PKCS #7 SIGNED DATA)-----")
PDF_HEADER: Final = b"%PDF-"
PDF_HEADER_WITHIN: Final = 1024  # bytes; what readers of PDF accept before the header
JWS_COMPACT: Final = re.compile(rb"\s*eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*\s*)?")
XML_START: Final = re.compile(r"\s*<(?:\?xml\s|!--|[^\W\d])")
HTML_START: Final = re.compile(r"\s*<(?:!doctype\s+)?html\b", re.IGNORECASE)
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\x00?\x00", "utf-16-le"),
    (b"\x00<\x00?", "utf-16-be"),
)


class DocumentFormat(Enum):
    """What jpki tells apart; the value is the word of ``--format``."""

    PDF = "pdf"
    XML = "xml"
    ASICE = "asice"
    """A ZIP container that says it is ASiC, ETSI EN 319 162-1."""
    CMS = "cms"
    """A SignedData, RFC 5652, in DER, BER or PEM."""
    JWS = "jws"
    """RFC 7515 7.1, compact."""
    OTHER = "other"


def detect_format(head: bytes) -> DocumentFormat:
    """Tell what a document is.

    Args:
        head: its first ``HEAD_BYTES`` bytes, or all there are.
    """
    # Containers first: a PDF or XML document may stand inside, within the first kilobyte.
    if head.startswith(ZIP_ENTRY):
        return DocumentFormat.ASICE if ASIC_MIMETYPE.match(head) else DocumentFormat.OTHER
    if CMS_DER.match(head) or CMS_PEM.match(head):
        return DocumentFormat.CMS
    if PDF_HEADER in head[: PDF_HEADER_WITHIN + len(PDF_HEADER)]:
        return DocumentFormat.PDF
    if JWS_COMPACT.fullmatch(head):
        return DocumentFormat.JWS
    return DocumentFormat.XML if _is_xml(head) else DocumentFormat.OTHER


def _is_xml(head: bytes) -> bool:
    encoding = next((name for mark, name in BOMS if head.startswith(mark)), "utf-8")
    text = head.decode(encoding, errors="replace").lstrip("\ufeff")
    return XML_START.match(text) is not None and HTML_START.match(text) is None
