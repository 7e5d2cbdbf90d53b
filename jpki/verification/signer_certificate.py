"""Which certificate belongs to a signer, RFC 5652 5.3 and RFC 5035 3-4."""

import hashlib

from cryptography import x509

from jpki.certificates.der import DerError
from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import load_certificate
from jpki.certificates.names import issuer_and_serial_der
from jpki.errors import CertificateMalformedError
from jpki.verification.attributes import CertificateReference
from jpki.verification.signed_data import SignerInfo

MAX_CANDIDATES = 8  # certificates that answer to one signer's name; one is usual


def find_candidates(signer_info: SignerInfo, certificates: tuple[bytes, ...]) -> list[bytes]:
    """Return the certificates, DER, that a SignerInfo may mean; several only by malice."""
    if signer_info.subject_key_identifier is None:
        wanted = (signer_info.issuer, signer_info.serial_number)
        found = [der for der in certificates if _issuer_and_serial(der) == wanted]
    else:
        found = _by_key_identifier(signer_info.subject_key_identifier, certificates)
    return list(dict.fromkeys(found))[:MAX_CANDIDATES]


def is_referenced(reference: CertificateReference, certificate: bytes) -> bool:
    """Tell whether a signing-certificate attribute means this certificate (DER)."""
    digest = hashlib.new(reference.hash_name, certificate, usedforsecurity=False).digest()
    if digest != reference.certificate_hash:
        return False
    if reference.issuer is None:
        return True
    return (reference.issuer, reference.serial_number) == _issuer_and_serial(certificate)


def _issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes] | None:
    try:
        return issuer_and_serial_der(certificate)
    except DerError:
        return None


def _by_key_identifier(identifier: bytes, certificates: tuple[bytes, ...]) -> list[bytes]:
    found: list[bytes] = []
    for der in certificates:
        try:
            certificate = load_certificate(der)
        except CertificateMalformedError:
            continue
        extension = find_extension(certificate, x509.SubjectKeyIdentifier)
        if extension is not None and extension.digest == identifier:
            found.append(der)
    return found
