"""A certificate parsed once, RFC 5280 4.1: the value that checks hand to each other.

``cryptography`` reads most of a certificate anew at each access and does not tell how it is
written; to find that out once more for each check would cost more than the check.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final, Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from jpki.certificates.holder import Holder, holder_in
from jpki.certificates.loading import (
    PARSED_LATE,
    PARSER_ERRORS,
    read_through,
    without_parser_warnings,
)
from jpki.certificates.tbs import CertificateParts, certificate_parts
from jpki.certificates.trust import PinnedCa, pin_with
from jpki.errors import CertificateMalformedError

UNUSED_BITS: Final = 0
"""What a BIT STRING of whole bytes begins with."""
KEY_IDENTIFIER: Final = bytes.fromhex("301D0603551D0E04160414")
"""How a subjectKeyIdentifier of 20 bytes begins, not critical. RFC 5280 4.2.1.2."""
KEY_IDENTIFIER_SIZE: Final = 20
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


# No slots: what not every check needs is worked out at its first use.
@dataclass(frozen=True, kw_only=True, repr=False)
class ParsedCertificate:
    """A certificate every part of which can be read, and how each is written."""

    certificate: x509.Certificate = field(compare=False)
    der: bytes
    parts: CertificateParts = field(compare=False)

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
    def from_der(cls, der: bytes) -> Self:
        """Parse one certificate from strict DER.

        Raises:
            CertificateMalformedError: no certificate, or one with a part that cannot be read.
        """
        parsed = cls.but_for_extensions(der)
        parsed.read()
        return parsed

    @classmethod
    def but_for_extensions(cls, der: bytes) -> Self:
        """Parse one certificate from strict DER, all but its issuer and its extensions.

        They take longer than the rest, and the check of a path may know them: it calls ``read``
        unless it does. After a check that found an anchor they can be read.

        Raises:
            CertificateMalformedError: no certificate, or one with another part that cannot be read.
        """
        try:
            with without_parser_warnings():
                certificate = x509.load_der_x509_certificate(der)
                certificate.public_key()
                for part in PARSED_LATE:
                    getattr(certificate, part)
            parts = certificate_parts(der)
        except PARSER_ERRORS:  # its text could quote the certificate
            raise CertificateMalformedError(None) from None
        if der[parts.signature_value.contents] != UNUSED_BITS:
            raise CertificateMalformedError(None, "a part of it cannot be read")
        return cls(certificate=certificate, der=der, parts=parts)

    def read(self) -> None:
        """Read what ``but_for_extensions`` left, once. Raises: CertificateMalformedError."""
        _ = self.extensions

    @cached_property
    def likeness(self) -> tuple[bytes, bytes] | None:
        """What certificates of one kind have in common: all extensions but for the key identifier.

        Where one with this likeness has a subjectKeyIdentifier of 20 bytes, not critical, all have
        the same extensions, and only those 20 bytes may differ. None: there is no saying.
        """
        optional = self.parts.optional
        if len(optional) != 1:
            return None
        before, mark, rest = self.parts.der(optional[0]).partition(KEY_IDENTIFIER)
        if not mark or KEY_IDENTIFIER in rest or len(rest) < KEY_IDENTIFIER_SIZE:
            return None
        return before, rest[KEY_IDENTIFIER_SIZE:]

    def find(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of an extension, or None where there is none of the kind."""
        extension = self.extensions.get(kind.oid)
        return extension.value if extension is not None else None  # type: ignore[return-value]  # found by its OID

    @cached_property
    def rsa_key(self) -> RSAPublicKey | None:
        """Its public key; None: one of another kind."""
        key = self.certificate.public_key()
        return key if isinstance(key, RSAPublicKey) else None

    @cached_property
    def extensions(self) -> Mapping[ObjectIdentifier, x509.Extension[x509.ExtensionType]]:
        """The extensions by their type; the issuer is read with them.

        Raises:
            CertificateMalformedError: one of them cannot be read.
        """
        try:
            with without_parser_warnings():
                _ = self.certificate.issuer
                return {extension.oid: extension for extension in self.certificate.extensions}
        except PARSER_ERRORS:
            raise CertificateMalformedError(None, "a part of it cannot be read") from None

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
