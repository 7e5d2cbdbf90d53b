"""The fields of a certificate as they stand in it, RFC 5280 4.1.

What ``cryptography`` tells of a certificate leaves out how it is written, and that tells copies
from the real thing.
"""

from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

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

    @property
    def serial(self) -> int:
        """The serial number; of one that is not positive ``cryptography`` warns on stderr."""
        reader = Asn1Reader(self.serial_number, strict=True)
        return int.from_bytes(reader.contents(reader.document()), "big", signed=True)


class CertificateParts(NamedTuple):
    """What was signed, and with what."""

    tbs: bytes  # TBSCertificate, DER
    fields: TbsFields
    signature_algorithm: bytes  # AlgorithmIdentifier, DER


def certificate_parts(certificate: bytes) -> CertificateParts:
    """Take a certificate (DER) apart.

    Raises:
        Asn1Error: it is not shaped like a certificate.
    """
    reader = Asn1Reader(certificate, strict=True)
    tbs, signature_algorithm, *_ = reader.sequence(reader.document(), 3)
    return CertificateParts(
        reader.encoding(tbs), _fields(reader, tbs), reader.encoding(signature_algorithm)
    )


def tbs_fields(certificate: x509.Certificate) -> TbsFields:
    """Take a certificate apart that was loaded."""
    return certificate_parts(certificate.public_bytes(Encoding.DER)).fields


def tbs_fields_of_der(certificate: bytes) -> TbsFields:
    """Take a certificate apart that nobody has parsed yet.

    Raises:
        Asn1Error: it is not shaped like a certificate.
    """
    reader = Asn1Reader(certificate, strict=True)
    return _fields(reader, reader.sequence(reader.document(), 1)[0])


def extension_values(parts: CertificateParts) -> dict[bytes, bytes]:
    """Return the contents of each extnValue as they stand there, by OID in DER. RFC 5280 4.1."""
    values: dict[bytes, bytes] = {}
    for field in parts.fields.optional:
        if field[0] == EXTENSIONS:
            reader = Asn1Reader(field, strict=True)
            (sequence,) = reader.children(reader.document())
            offset = sequence.contents
            while offset < sequence.contents_end:  # one by one: there may be any number of them
                extension = reader.element(offset, sequence.contents_end)
                oid, *_, value = reader.children(extension)
                values[reader.encoding(oid)] = reader.contents(value)
                offset = extension.end
    return values


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
