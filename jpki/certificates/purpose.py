"""What the holder's certificates are for, and how each says so: key usage and policy.

RFC 5280 4.2.1.3, 4.2.1.4 and 4.2.1.12. The key usage is compared as DER: bits may be encoded in
several ways, and in one by DER.
"""

from enum import Enum
from typing import Final, Self

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.policies import (
    AUTHENTICATION_POLICY,
    SIGNATURE_POLICY,
    SMARTPHONE_SIGNATURE_POLICY,
    TEST_SIGNATURE_POLICY,
)
from jpki.files import CertificateName

KEY_USAGE_OID: Final = bytes.fromhex("0603551D0F")


class Purpose(Enum):
    """What a leaf certificate is used for; each wants its own key usage and policy."""

    DOCUMENT = (
        "document",
        CertificateName.SIGNATURE,
        bytes.fromhex("030206C0"),  # digitalSignature, nonRepudiation
        (),
        frozenset({SIGNATURE_POLICY, SMARTPHONE_SIGNATURE_POLICY}),
        frozenset({TEST_SIGNATURE_POLICY}),
    )
    """Signing a document: key usage digitalSignature and nonRepudiation, no extended key usage."""
    LOGIN = (
        "login",
        CertificateName.AUTHENTICATION,
        bytes.fromhex("03020780"),  # digitalSignature
        (ExtendedKeyUsageOID.CLIENT_AUTH,),
        frozenset({AUTHENTICATION_POLICY}),
    )
    """Logging in: key usage digitalSignature and extended key usage clientAuth."""

    certificate: CertificateName
    key_usage: bytes  # BIT STRING, DER
    extended_key_usage: tuple[ObjectIdentifier, ...]  # empty: the extension is not there
    policies: frozenset[str]  # OIDs; a certificate has one of them
    test_policies: frozenset[str]  # what may stand there instead where J-LIS did not issue it

    # The defaults: type checkers take ``Purpose("login")``, a look-up, for a call of this.
    def __new__(
        cls,
        word: str,
        certificate: CertificateName = CertificateName.SIGNATURE,
        key_usage: bytes = b"",
        extended_key_usage: tuple[ObjectIdentifier, ...] = (),
        policies: frozenset[str] = frozenset(),
        test_policies: frozenset[str] = frozenset(),
    ) -> Self:
        """Make the word the value, and the facts attributes."""
        member = object.__new__(cls)
        member._value_ = word
        member.certificate = certificate
        member.key_usage = key_usage
        member.extended_key_usage = extended_key_usage
        member.policies = policies
        member.test_policies = test_policies
        return member

    def fits_usages_of(self, certificate: ParsedCertificate) -> bool:
        """Tell whether a certificate is made for this and for nothing else.

        Without a key usage RFC 5280 would allow everything; JPKI always says what for.
        """
        usage = certificate.extension_values.get(KEY_USAGE_OID)
        extended = tuple(certificate.find(x509.ExtendedKeyUsage) or ())
        return (usage, extended) == (self.key_usage, self.extended_key_usage)

    def fits_policies(self, policies: tuple[str, ...], *, may_be_test: bool) -> bool:
        """Tell whether the OIDs of a certificate's policies are one that is issued for this."""
        allowed = self.policies | self.test_policies if may_be_test else self.policies
        return len(policies) == 1 and policies[0] in allowed
