"""Names of a certificate as bytes, RFC 5280 4.1.2.4: two names are the same when their DER is.

Comparing values would take UTF8String for PrintableString, which RFC 5280 7.1 allows and JPKI
never needs; whoever varies the encoding gets nothing from it here.
"""

from cryptography import x509

from jpki.certificates.tbs import certificate_parts, parts_of


def subject_der(certificate: x509.Certificate) -> bytes:
    """Return the subject as it stands in the certificate."""
    parts = parts_of(certificate)
    return parts.der(parts.subject)


def issuer_der(certificate: x509.Certificate) -> bytes:
    """Return the issuer as it stands in the certificate."""
    parts = parts_of(certificate)
    return parts.der(parts.issuer)


def issuer_and_serial_der(certificate: bytes) -> tuple[bytes, bytes]:
    """Return issuer and serial number of a certificate that nobody has parsed yet.

    Raises:
        Asn1Error: it is not shaped like a certificate.
    """
    parts = certificate_parts(certificate)
    return parts.der(parts.issuer), parts.der(parts.serial_number)
