"""Names of a certificate as bytes, RFC 5280 4.1.2.4: two names are the same when their DER is.

Comparing values would take UTF8String for PrintableString, which RFC 5280 7.1 allows and JPKI
never needs; whoever varies the encoding gets nothing from it here.
"""

from cryptography import x509

from jpki.certificates.der import SEQUENCE, DerError, children, read_element

VERSION_TAG = 0xA0  # present in every v3 certificate, absent in v1
SERIAL_NUMBER, ISSUER, SUBJECT = 0, 2, 4  # places in a TBSCertificate after the version
MIN_FIELDS = 6  # up to the public key


def subject_der(certificate: x509.Certificate) -> bytes:
    """Return the subject as it stands in the certificate."""
    return _fields(certificate.tbs_certificate_bytes)[SUBJECT]


def issuer_der(certificate: x509.Certificate) -> bytes:
    """Return the issuer as it stands in the certificate."""
    return _fields(certificate.tbs_certificate_bytes)[ISSUER]


def issuer_and_serial_der(certificate: bytes) -> tuple[bytes, bytes]:
    """Return issuer and serial number of a certificate that nobody has parsed yet.

    Raises:
        DerError: it is not shaped like a certificate.
    """
    outer = read_element(certificate)
    if outer.tag != SEQUENCE or outer.end != len(certificate):
        raise DerError("not a certificate")
    tbs = read_element(certificate, outer.contents)
    fields = _fields(certificate[tbs.start : tbs.end])
    return fields[ISSUER], fields[SERIAL_NUMBER]


def _fields(tbs: bytes) -> list[bytes]:
    # [0] version, serialNumber, signature, issuer, validity, subject, ...: RFC 5280 4.1
    fields = children(tbs, read_element(tbs))
    if fields and fields[0].tag == VERSION_TAG:
        del fields[0]
    if len(fields) < MIN_FIELDS:
        raise DerError("not a TBSCertificate")
    return [tbs[field.start : field.end] for field in fields]
