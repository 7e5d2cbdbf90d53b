"""The fields of a TBSCertificate as they stand in the certificate, RFC 5280 4.1.

What ``cryptography`` tells of a certificate leaves out how it is written, and that tells copies
from the real thing.
"""

from typing import NamedTuple

from cryptography import x509

from jpki.certificates.asn1 import EXPLICIT_0, Asn1Error, Asn1Reader, Element

VERSION = EXPLICIT_0  # present in every v3 certificate, absent in v1
EXTENSIONS = 0xA3
MIN_FIELDS = 6  # up to the public key


class TbsFields(NamedTuple):
    """Each field in DER."""

    serial_number: bytes
    signature: bytes  # AlgorithmIdentifier
    issuer: bytes
    validity: bytes
    subject: bytes
    subject_public_key_info: bytes
    optional: tuple[bytes, ...]  # unique identifiers, extensions


def tbs_fields(certificate: x509.Certificate) -> TbsFields:
    """Take a certificate apart that was loaded."""
    reader = Asn1Reader(certificate.tbs_certificate_bytes, strict=True)
    return _fields(reader, reader.document())


def serial_number_of(certificate: x509.Certificate) -> int:
    """Return the serial number; of one that is not positive ``cryptography`` warns on stderr."""
    reader = Asn1Reader(tbs_fields(certificate).serial_number, strict=True)
    return int.from_bytes(reader.contents(reader.document()), "big", signed=True)


def extension_value(certificate: x509.Certificate, oid_der: bytes) -> bytes | None:
    """Return the contents of extnValue as they stand there. RFC 5280 4.1.

    Args:
        certificate: that was loaded.
        oid_der: of the extension, with its header.
    """
    for field in tbs_fields(certificate).optional:
        if field[0] == EXTENSIONS:
            return _value_in(field, oid_der)
    return None


def _value_in(extensions: bytes, oid_der: bytes) -> bytes | None:
    reader = Asn1Reader(extensions, strict=True)
    (sequence,) = reader.children(reader.document())
    offset = sequence.contents
    while offset < sequence.contents_end:  # one by one: there may be more than anybody needs
        extension = reader.element(offset, sequence.contents_end)
        oid, *_, value = reader.children(extension)
        if reader.encoding(oid) == oid_der:
            return reader.contents(value)
        offset = extension.end
    return None


def tbs_fields_of_der(certificate: bytes) -> TbsFields:
    """Take a certificate apart that nobody has parsed yet.

    Raises:
        Asn1Error: it is not shaped like a certificate.
    """
    reader = Asn1Reader(certificate, strict=True)
    return _fields(reader, reader.sequence(reader.document(), 1)[0])


def _fields(reader: Asn1Reader, tbs: Element) -> TbsFields:
    # [0] version, serialNumber, signature, issuer, validity, subject, ...
    fields = reader.sequence(tbs, 1)
    if fields[0].tag == VERSION:
        del fields[0]
    if len(fields) < MIN_FIELDS:
        raise Asn1Error("not a TBSCertificate")
    serial_number, signature, issuer, validity, subject, public_key, *optional = (
        reader.encoding(field) for field in fields
    )
    return TbsFields(
        serial_number, signature, issuer, validity, subject, public_key, tuple(optional)
    )
