"""Certificates out of files: PEM (RFC 7468) or DER (RFC 5280), one or many."""

import base64
import binascii
import warnings
from collections.abc import Collection
from contextlib import AbstractContextManager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from jpki.certificates.asn1 import SEQUENCE, Asn1Error, Asn1Reader
from jpki.errors import CertificateMalformedError
from jpki.files import CertificateName

MAX_CERTIFICATES = 1000  # a file of anchors has a handful; more is an accident or an attack
PEM_BEGIN = b"-----BEGIN "
WHITE_SPACE = b" \t\n\v\f\r"
CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE")

# What 30,000 mutated certificates made cryptography 50 raise, at loading and at every accessor.
PARSER_ERRORS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

PARSED_LATE = (  # beside public key, issuer and extensions
    "subject",
    "not_valid_before_utc",
    "not_valid_after_utc",
    "signature_algorithm_oid",
    "serial_number",
)


def without_parser_warnings() -> AbstractContextManager[object]:
    """Keep ``cryptography`` from writing to stderr about odd names and serial numbers."""
    return warnings.catch_warnings(action="ignore")


def load_certificate(
    der: bytes, name: CertificateName | None = None, *, extensions: bool = True
) -> x509.Certificate:
    """Load one certificate from strict DER and read all of it that is used later.

    Args:
        der: the certificate.
        name: where it stood on the card, for the error.
        extensions: read these as well.

    Raises:
        CertificateMalformedError: no certificate, or one with a part that cannot be read.
    """
    try:
        with without_parser_warnings():
            certificate = x509.load_der_x509_certificate(der)
    except PARSER_ERRORS:  # its text could quote the certificate
        raise CertificateMalformedError(name) from None
    read_through(certificate, name, extensions=extensions, der=der)
    return certificate


def read_through(
    certificate: x509.Certificate,
    name: CertificateName | None = None,
    *,
    extensions: bool = True,
    der: bytes | None = None,
) -> None:
    """Read every part of a certificate once: ``cryptography`` parses most parts at first use.

    After this no accessor raises, so that checks can speak of what a certificate says.

    Args:
        certificate: to be read.
        name: where it stood on the card, for the error.
        extensions: read these as well.
        der: what it was loaded from, where that is at hand.

    Raises:
        CertificateMalformedError: a part of it cannot be read.
    """
    try:
        with without_parser_warnings():
            certificate.public_key()
            if not _has_whole_signature(der or certificate.public_bytes(Encoding.DER)):
                raise ValueError("signatureValue is not a whole number of bytes")
            if extensions:
                list(certificate.extensions)
            for part in ("issuer", *PARSED_LATE):
                getattr(certificate, part)
    except PARSER_ERRORS:
        raise CertificateMalformedError(name, "a part of it cannot be read") from None


def _has_whole_signature(certificate: bytes) -> bool:
    """Tell whether signatureValue has no unused bits: they would be changed without a trace."""
    reader = Asn1Reader(certificate, strict=True)
    _, _, signature = reader.sequence(reader.document(), 3)
    return reader.contents(signature)[:1] == b"\x00"


def load_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """Load every certificate of a file: PEM with one or more blocks, or DER, one or more in a row.

    Other PEM blocks (a key beside the certificate) are passed over.

    Raises:
        CertificateMalformedError: no certificate at all, too many, or one that cannot be read.
    """
    try:
        ders = split_items(data, CERTIFICATE_LABELS, MAX_CERTIFICATES)
    except ValueError as error:
        raise CertificateMalformedError(None, str(error)) from None
    if not ders:
        raise CertificateMalformedError(None, "no certificate in the data")
    return tuple(load_certificate(der) for der in ders)


def split_items(data: bytes, labels: Collection[bytes], most: int) -> list[bytes]:
    """Split a file into its items in DER: PEM blocks of some labels, or DER, one after the other.

    PEM blocks of other labels are passed over. Every byte is looked at once.

    Raises:
        ValueError: neither, or more than ``most``; the text quotes nothing of the data.
    """
    try:
        return _split_der(data, most)  # first, for a name in DER may look like a PEM block
    except Asn1Error:
        if PEM_BEGIN in data:
            return _split_pem(data, labels, most)
        raise ValueError("neither PEM nor DER") from None


def _split_pem(data: bytes, labels: Collection[bytes], most: int) -> list[bytes]:
    _, *blocks = data.split(PEM_BEGIN, most + 1)
    if len(blocks) > most:
        raise ValueError(f"more than {most} PEM blocks")
    try:
        return [
            base64.b64decode(body.translate(None, WHITE_SPACE), validate=True)
            for label, body in map(_pem_block, blocks)
            if label in labels
        ]
    except binascii.Error:
        raise ValueError("a PEM block that is not base64") from None


def _pem_block(data: bytes) -> tuple[bytes, bytes]:
    """Label and body of a block; every byte is looked at once, however many blocks have no end."""
    label, _, rest = data.partition(b"-----")
    body, end, _ = rest.partition(b"-----END " + label + b"-----")
    if not end:
        raise ValueError("a PEM block without its end")
    return label, body


def _split_der(data: bytes, most: int) -> list[bytes]:
    reader = Asn1Reader(data, strict=True)
    ders: list[bytes] = []
    offset = 0
    while offset < len(data):
        if len(ders) == most:
            raise ValueError(f"more than {most} in a row")
        element = reader.expect(reader.element(offset, len(data)), SEQUENCE)
        ders.append(reader.encoding(element))
        offset = element.end
    return ders
