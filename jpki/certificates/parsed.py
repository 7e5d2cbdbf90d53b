"""A certificate parsed once, RFC 5280 4.1: the value that checks hand to each other.

``cryptography`` reads most of a certificate anew at each access and does not tell how it is
written; to find that out once more for each check would cost more than the check.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from jpki.certificates.asn1 import Asn1Error
from jpki.certificates.holder import Holder, holder_in
from jpki.certificates.loading import PARSER_ERRORS, read_through, without_parser_warnings
from jpki.certificates.tbs import CertificateParts, certificate_parts
from jpki.certificates.trust import PinnedCa, pin_with
from jpki.errors import CertificateMalformedError

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


# No slots: what not every check needs is worked out at its first use.
@dataclass(frozen=True, kw_only=True, repr=False)
class ParsedCertificate:
    """A certificate, what it says, and how that is written."""

    certificate: x509.Certificate = field(compare=False)
    der: bytes

    @classmethod
    def of(cls, certificate: "x509.Certificate | ParsedCertificate") -> "ParsedCertificate":
        """Take a certificate; it is read when it is first asked for its ``parts``."""
        if isinstance(certificate, ParsedCertificate):
            return certificate
        return cls(certificate=certificate, der=certificate.public_bytes(Encoding.DER))

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Take one certificate in strict DER; it is read when it is first asked for its ``parts``.

        Raises:
            CertificateMalformedError: no certificate.
        """
        try:
            with without_parser_warnings():
                return cls(certificate=x509.load_der_x509_certificate(der), der=der)
        except PARSER_ERRORS:  # its text could quote the certificate
            raise CertificateMalformedError(None) from None

    def read(self) -> Self:
        """Read all of it now, where it is to be said early that it cannot be. Raises: as parts."""
        _ = self.parts
        return self

    @cached_property
    def parts(self) -> CertificateParts:
        """Where its fields stand. After this no accessor of the certificate raises.

        Raises:
            CertificateMalformedError: a part of it cannot be read (never so after
                ``load_certificates``).
        """
        try:
            parts = certificate_parts(self.der)
        except Asn1Error:
            raise CertificateMalformedError(None) from None
        read_through(self.certificate, der=self.der)
        return parts

    def find(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of an extension, or None where there is none of the kind."""
        extension = self.extensions.get(kind.oid)
        return extension.value if extension is not None else None  # type: ignore[return-value]  # found by its OID

    @cached_property
    def validity(self) -> tuple[datetime, datetime]:
        """The first and the last moment of its validity, UTC. RFC 5280 4.1.2.5: both belong."""
        return self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc

    @cached_property
    def rsa_key(self) -> RSAPublicKey | None:
        """Its public key; None: one of another kind."""
        key = self.certificate.public_key()
        return key if isinstance(key, RSAPublicKey) else None

    @cached_property
    def extensions(self) -> Mapping[ObjectIdentifier, x509.Extension[x509.ExtensionType]]:
        """The extensions by their type. Raises: as parts."""
        return {extension.oid: extension for extension in self.read().certificate.extensions}

    @cached_property
    def extension_values(self) -> Mapping[bytes, bytes]:
        """OID of an extension in DER -> the contents of extnValue as they stand there."""
        return self.parts.extension_values

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
