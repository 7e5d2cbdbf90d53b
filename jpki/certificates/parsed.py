"""A certificate parsed once, RFC 5280 4.1: the value that checks hand to each other.

``cryptography`` reads most of a certificate anew at each access and does not tell how it is
written; to find that out once more for each check would cost more than the check.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from jpki.certificates.holder import Holder, holder_in
from jpki.certificates.loading import load_certificate, read_through
from jpki.certificates.tbs import CertificateParts, certificate_parts, extension_values
from jpki.certificates.trust import PinnedCa, pin_with
from jpki.files import CertificateName

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


# No slots: what not every check needs is worked out at its first use.
@dataclass(frozen=True, kw_only=True, repr=False)
class ParsedCertificate:
    """A certificate every part of which can be read, and how each is written."""

    certificate: x509.Certificate
    der: bytes
    parts: CertificateParts

    @classmethod
    def of(cls, certificate: "x509.Certificate | ParsedCertificate") -> "ParsedCertificate":
        """Parse a certificate; one that was parsed stays as it is.

        Raises:
            CertificateMalformedError: a part of it cannot be read (never so after
                ``load_certificates``).
        """
        if isinstance(certificate, ParsedCertificate):
            return certificate
        read_through(certificate)
        der = certificate.public_bytes(Encoding.DER)
        return cls(certificate=certificate, der=der, parts=certificate_parts(der))

    @classmethod
    def from_der(cls, der: bytes, name: CertificateName | None = None) -> Self:
        """Parse one certificate from strict DER.

        Args:
            der: the certificate.
            name: where it stood on the card, for the error.

        Raises:
            CertificateMalformedError: no certificate, or one with a part that cannot be read.
        """
        certificate = load_certificate(der, name)
        return cls(certificate=certificate, der=der, parts=certificate_parts(der))

    def find(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of an extension, or None where there is none of the kind."""
        extension = self.extensions.get(kind.oid)
        return extension.value if extension is not None else None  # type: ignore[return-value]  # found by its OID

    @cached_property
    def extensions(self) -> Mapping[ObjectIdentifier, x509.Extension[x509.ExtensionType]]:
        """The extensions by their type."""
        return {extension.oid: extension for extension in self.certificate.extensions}

    @cached_property
    def extension_values(self) -> Mapping[bytes, bytes]:
        """OID of an extension in DER -> the contents of extnValue as they stand there."""
        return extension_values(self.parts)

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """The OIDs of its policies, in its order; JPKI writes exactly one. RFC 5280 4.2.1.4."""
        policies = self.find(x509.CertificatePolicies)
        return tuple(policy.policy_identifier.dotted_string for policy in policies or ())

    @cached_property
    def holder(self) -> Holder | None:
        """Who holds it; None: it names nobody."""
        return holder_in(self.find(x509.SubjectAlternativeName))

    @cached_property
    def fingerprint_sha256(self) -> str:
        """The SHA-256 of its DER, lower-case hex."""
        return sha256(self.der).hexdigest()

    @cached_property
    def pin(self) -> PinnedCa | None:
        """Which CA of J-LIS it is, if it is one."""
        return pin_with(self.fingerprint_sha256)
