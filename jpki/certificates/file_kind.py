"""What a file is that should hold certificates and holds none that can be read.

Only the outermost shape is looked at, RFC 7468 or X.690: it is for the message to a person.
"""

from enum import Enum
from typing import Final

from jpki.certificates import asn1
from jpki.certificates.asn1 import Asn1Error, Asn1Reader, Element

PKCS7_ARC: Final = bytes.fromhex("2A864886F70D0107")  # 1.2.840.113549.1.7
TIMES: Final = frozenset({asn1.UTC_TIME, asn1.GENERALIZED_TIME})
UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"-\0-\0", b"\0-\0-")


class FileKind(Enum):
    """What it seems to be."""

    EMPTY = "empty"
    UTF16 = "utf-16"
    """Text as PowerShell writes it; PEM is ASCII."""
    CERTIFICATE = "certificate"
    """One that is damaged, or not in DER."""
    REQUEST = "request"
    PRIVATE_KEY = "private-key"
    PUBLIC_KEY = "public-key"
    CRL = "crl"
    PKCS7 = "pkcs7"
    """Also a CMS signature."""
    PKCS12 = "pkcs12"
    UNKNOWN = "unknown"


KIND_OF_LABEL: Final = (
    (b"CERTIFICATE REQUEST-----", FileKind.REQUEST),  # NEW CERTIFICATE REQUEST as well
    (b"CERTIFICATE-----", FileKind.CERTIFICATE),
    (b"PRIVATE KEY-----", FileKind.PRIVATE_KEY),
    (b"PUBLIC KEY-----", FileKind.PUBLIC_KEY),
    (b"X509 CRL-----", FileKind.CRL),
    (b"PKCS7-----", FileKind.PKCS7),
    (b"CMS-----", FileKind.PKCS7),
)
"""How a line that begins a PEM block ends."""


def file_kind(data: bytes) -> FileKind:
    """Tell what a file is whose certificates could not be read."""
    if not data.strip():
        return FileKind.EMPTY
    if data.startswith(UTF16):
        return FileKind.UTF16
    if b"-----BEGIN " in data:
        return next((kind for end, kind in KIND_OF_LABEL if end in data), FileKind.UNKNOWN)
    reader = Asn1Reader(data)
    try:
        return _kind_of_document(reader)
    except Asn1Error:
        return FileKind.UNKNOWN


def _kind_of_document(reader: Asn1Reader) -> FileKind:
    parts = reader.sequence(reader.element(0, len(reader.data)), 2)
    match tuple(part.tag for part in parts):
        case (asn1.OBJECT_IDENTIFIER, asn1.EXPLICIT_0):
            return FileKind.PKCS7 if _is_pkcs7(reader, parts[0]) else FileKind.UNKNOWN
        case (asn1.INTEGER, asn1.SEQUENCE, *_):
            inner = reader.sequence(parts[1], 1)
            return FileKind.PKCS12 if _is_pkcs7(reader, inner[0]) else FileKind.PRIVATE_KEY
        case (asn1.INTEGER, asn1.INTEGER | asn1.OCTET_STRING, *_):
            return FileKind.PRIVATE_KEY
        case (asn1.SEQUENCE, asn1.OCTET_STRING):
            return FileKind.PRIVATE_KEY  # encrypted
        case (asn1.SEQUENCE, asn1.BIT_STRING):
            return FileKind.PUBLIC_KEY
        case (asn1.SEQUENCE, asn1.SEQUENCE, asn1.BIT_STRING):
            return _kind_of_signed(reader, parts[0])
        case _:
            return FileKind.UNKNOWN


def _is_pkcs7(reader: Asn1Reader, element: Element) -> bool:
    return element.tag == asn1.OBJECT_IDENTIFIER and reader.contents(element).startswith(PKCS7_ARC)


def _kind_of_signed(reader: Asn1Reader, signed: Element) -> FileKind:
    tags = [part.tag for part in reader.sequence(signed, 1)]
    request = [asn1.INTEGER, asn1.SEQUENCE, asn1.SEQUENCE]  # version, subject, key
    if tags in (request, [*request, asn1.EXPLICIT_0]):
        return FileKind.REQUEST
    if TIMES.intersection(tags):
        return FileKind.CRL
    return FileKind.CERTIFICATE
