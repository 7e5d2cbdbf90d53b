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


class CertificateParts(NamedTuple):
    """A certificate and where its fields stand in it."""

    reader: Asn1Reader
    tbs: Element
    serial_number: Element
    signature: Element  # AlgorithmIdentifier inside of what is signed
    issuer: Element
    validity: Element
    subject: Element
    subject_public_key_info: Element
    optional: tuple[Element, ...]  # unique identifiers, extensions
    signature_algorithm: Element  # the same outside
    signature_value: Element

    def der(self, part: Element) -> bytes:
        """Return a field with its header."""
        return self.reader.encoding(part)

    @property
    def serial(self) -> int:
        """The serial number; of one that is not positive ``cryptography`` warns on stderr."""
        return int.from_bytes(self.reader.contents(self.serial_number), "big", signed=True)

    @property
    def extension_values(self) -> dict[bytes, bytes]:
        """The contents of each extnValue as they stand there, by OID in DER. RFC 5280 4.1."""
        values: dict[bytes, bytes] = {}
        reader = self.reader
        for field in self.optional:
            if field.tag != EXTENSIONS:
                continue
            (sequence,) = reader.children(field)
            offset = sequence.contents
            while offset < sequence.contents_end:  # one by one: there may be any number of them
                extension = reader.element(offset, sequence.contents_end)
                oid, *_, value = reader.children(extension)
                values[reader.encoding(oid)] = reader.contents(value)
                offset = extension.end
        return values


def certificate_parts(certificate: bytes) -> CertificateParts:
    """Take a certificate (DER) apart.

    Raises:
        Asn1Error: it is not shaped like a certificate.
    """
    reader = Asn1Reader(certificate, strict=True)
    tbs, algorithm, value, *_ = reader.sequence(reader.document(), 3)
    # [0] version, serialNumber, signature, issuer, validity, subject, ...
    fields = reader.sequence(tbs, 1)
    if fields[0].tag == VERSION:
        del fields[0]
    if len(fields) < MIN_FIELDS:
        raise Asn1Error("not a TBSCertificate")
    serial_number, signature, issuer, validity, subject, public_key, *optional = fields
    return CertificateParts(
        reader=reader,
        tbs=tbs,
        serial_number=serial_number,
        signature=signature,
        issuer=issuer,
        validity=validity,
        subject=subject,
        subject_public_key_info=public_key,
        optional=tuple(optional),
        signature_algorithm=algorithm,
        signature_value=value,
    )


def parts_of(certificate: x509.Certificate) -> CertificateParts:
    """Take a certificate apart that was loaded."""
    return certificate_parts(certificate.public_bytes(Encoding.DER))
