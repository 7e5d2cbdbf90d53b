"""Which certificate belongs to a signer, RFC 5652 5.3 and RFC 5035 3-4."""

import hashlib
from functools import cached_property

from cryptography import x509

from jpki.certificates.asn1 import Asn1Error
from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import load_certificate
from jpki.certificates.names import issuer_and_serial_der
from jpki.certificates.trust import is_pinned
from jpki.errors import CertificateMalformedError
from jpki.verification.attributes import CertificateReference
from jpki.verification.signed_data import SignerInfo

MAX_CANDIDATES = 8  # certificates that answer to one signer's name; one is usual


class CertificateBag:
    """The certificates of a SignedData, found by name; each is looked at once for all signers."""

    def __init__(self, certificates: tuple[bytes, ...]) -> None:
        self._certificates = tuple(dict.fromkeys(certificates))

    def candidates(self, signer_info: SignerInfo) -> list[bytes]:
        """Return the certificates, DER, that a SignerInfo may mean; several only by malice."""
        if signer_info.subject_key_identifier is not None:
            found = self._by_key_identifier.get(signer_info.subject_key_identifier, [])
        else:
            name = (signer_info.issuer, signer_info.serial_number)
            found = self._by_issuer_and_serial.get(name, [])
        return found[:MAX_CANDIDATES]

    def pinned_anchors(self) -> tuple[x509.Certificate, ...]:
        """Return the CA certificates of J-LIS among them: trusted wherever they come from."""
        return tuple(load_certificate(der) for der in self._certificates if is_pinned(der))

    @cached_property
    def _by_issuer_and_serial(self) -> dict[tuple[bytes | None, bytes | None], list[bytes]]:
        index: dict[tuple[bytes | None, bytes | None], list[bytes]] = {}
        for der in self._certificates:
            name = _issuer_and_serial(der)
            if name is not None:
                index.setdefault(name, []).append(der)
        return index

    @cached_property
    def _by_key_identifier(self) -> dict[bytes, list[bytes]]:
        index: dict[bytes, list[bytes]] = {}
        for der in self._certificates:
            try:
                certificate = load_certificate(der)
            except CertificateMalformedError:
                continue
            extension = find_extension(certificate, x509.SubjectKeyIdentifier)
            if extension is not None:
                index.setdefault(extension.digest, []).append(der)
        return index


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
    except Asn1Error:
        return None
