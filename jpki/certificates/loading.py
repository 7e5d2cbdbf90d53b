"""Certificates out of files: PEM (RFC 7468) or DER (RFC 5280), one or many."""

import re

from cryptography import x509

from jpki.certificates.der import DerError, read_element
from jpki.errors import CertificateMalformedError

MAX_CERTIFICATES = 1000  # a file of trust anchors has a handful; more is an accident or an attack
PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")


def load_certificate(der: bytes) -> x509.Certificate:
    """Load one certificate from strict DER, extensions included.

    Raises:
        CertificateMalformedError: no certificate, or one whose extensions cannot be read.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        # The extensions, names and key are parsed at first use; a fault in them must show here, not in the middle of a check.
        certificate.extensions  # noqa: B018
        certificate.public_key()
    except (
        ValueError,
        TypeError,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise CertificateMalformedError(None) from error
    return certificate


def load_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """Load every certificate of a file: PEM with one or more blocks, or DER with one or more in a row.

    Other PEM blocks (a key beside the certificate) are passed over.

    Raises:
        CertificateMalformedError: there is no certificate in the data, or one that cannot be read.
    """
    raise NotImplementedError
