"""Names of a certificate as bytes, RFC 5280 4.1.2.4: two names are the same when their DER is.

Comparing values would take UTF8String for PrintableString, which RFC 5280 7.1 allows and JPKI
never needs; whoever varies the encoding gets nothing from it here.
"""

from cryptography import x509

from jpki.certificates.asn1 import EXPLICIT_0, Asn1Error, Asn1Reader, Element

VERSION = EXPLICIT_0  # present in every v3 certificate, absent in v1
SERIAL_NUMBER, ISSUER, SUBJECT = 0, 2, 4  # places in a TBSCertificate after the version
MIN_FIELDS = 6  # up to the public key


def subject_der(certificate: x509.Certificate) -> bytes:
    """Return the subject as it stands in the certificate."""
    return _tbs_fields(certificate)[SUBJECT]


def issuer_der(certificate: x509.Certificate) -> bytes:
    """Return the issuer as it stands in the certificate."""
    return _tbs_fields(certificate)[ISSUER]


def issuer_and_serial_der(certificate: bytes) -> tuple[bytes, bytes]:
    """Return issuer and serial number of a certificate that nobody has parsed yet.

    Raises:
        Asn1Error: it is not shaped like a certificate.
    """
    reader = Asn1Reader(certificate, strict=True)
    fields = _fields(reader, reader.sequence(reader.document(), 1)[0])
    return fields[ISSUER], fields[SERIAL_NUMBER]


def _tbs_fields(certificate: x509.Certificate) -> list[bytes]:
    reader = Asn1Reader(certificate.tbs_certificate_bytes, strict=True)
    return _fields(reader, reader.document())


def _fields(reader: Asn1Reader, tbs: Element) -> list[bytes]:
    # [0] version, serialNumber, signature, issuer, validity, subject, ...: RFC 5280 4.1
    fields = reader.sequence(tbs, 1)
    if fields[0].tag == VERSION:
        del fields[0]
    if len(fields) < MIN_FIELDS:
        raise Asn1Error("not a TBSCertificate")
    return [reader.encoding(field) for field in fields]
