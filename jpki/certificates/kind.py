"""The kind of a certificate: what issuer, policy, CA flag and key usages say with one voice."""

from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from jpki.certificates.issuer import TEST_ORGANIZATION
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.policies import (
    AUTHENTICATION_POLICY,
    POLICY_ARC,
    SIGNATURE_POLICY,
    SMARTPHONE_SIGNATURE_POLICY,
    TEST_SIGNATURE_POLICY,
)
from jpki.certificates.purpose import Purpose

ORGANIZATION: Final = "JPKI"
AGENCY: Final = "Japan Agency for Local Authority Information Systems"


class CertificateKind(StrEnum):
    """What a certificate is for."""

    SIGNATURE = "signature"
    """署名用電子証明書."""
    AUTHENTICATION = "authentication"
    """利用者証明用電子証明書."""
    SIGNATURE_CA = "signature-ca"
    AUTHENTICATION_CA = "authentication-ca"
    JPKI_UNKNOWN = "jpki-unknown"
    """Of JPKI by its issuer or its policy, and none of the above."""
    UNKNOWN = "unknown"
    """Not of JPKI."""

    @property
    def is_ca(self) -> bool:
        """Whether it is that of a CA of JPKI, and so says nothing of a person."""
        return self in {CertificateKind.SIGNATURE_CA, CertificateKind.AUTHENTICATION_CA}


class Medium(StrEnum):
    """Where the key is."""

    CARD = "card"
    SMARTPHONE = "smartphone"


MEDIUM_OF_POLICY: Final = {
    SIGNATURE_POLICY: Medium.CARD,
    TEST_SIGNATURE_POLICY: Medium.CARD,
    AUTHENTICATION_POLICY: Medium.CARD,
    SMARTPHONE_SIGNATURE_POLICY: Medium.SMARTPHONE,
}


PURPOSE_OF_UNIT: Final = {
    "JPKI for digital signature": Purpose.DOCUMENT,
    "JPKI for user authentication": Purpose.LOGIN,
}
"""The organizational unit of a CA -> what the certificates under it are for."""


def kind_of(certificate: ParsedCertificate) -> CertificateKind:
    """Tell the kind of a certificate."""
    policies = certificate.policies
    organization, purpose = _jpki_name(certificate.certificate.issuer)
    if purpose is None:
        is_jpki = any(policy.startswith(f"{POLICY_ARC}.") for policy in policies)
        return CertificateKind.JPKI_UNKNOWN if is_jpki else CertificateKind.UNKNOWN
    constraints = certificate.find(x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        ca = CertificateKind(f"{purpose.certificate.value}-ca")
        return ca if _is_plain_root(certificate) else CertificateKind.JPKI_UNKNOWN
    is_test = organization == TEST_ORGANIZATION
    is_leaf = purpose.fits_usages_of(certificate)
    if is_leaf and purpose.fits_policies(policies, may_be_test=is_test):
        return CertificateKind(purpose.certificate.value)
    return CertificateKind.JPKI_UNKNOWN


def _is_plain_root(certificate: ParsedCertificate) -> bool:
    """Tell whether a CA certificate is as those of JPKI: a root, without policies."""
    usage = certificate.find(x509.KeyUsage)
    return (
        certificate.certificate.subject == certificate.certificate.issuer
        and usage is not None
        and usage.key_cert_sign
        and not certificate.find(x509.ExtendedKeyUsage)
        and not certificate.policies
    )


def medium_of(certificate: ParsedCertificate) -> Medium | None:
    """Tell from its policy where the key of a certificate is; None: the policy does not say."""
    policies = certificate.policies
    return MEDIUM_OF_POLICY.get(policies[0]) if len(policies) == 1 else None


def _jpki_name(name: x509.Name) -> tuple[str | None, Purpose | None]:
    """Organization of a CA of JPKI, and what it issues; None and None for any other name."""
    parts = [(attribute.oid, str(attribute.value)) for attribute in name]
    for organization in (ORGANIZATION, TEST_ORGANIZATION):
        for unit, purpose in PURPOSE_OF_UNIT.items():
            expected = [
                (NameOID.COUNTRY_NAME, "JP"),
                (NameOID.ORGANIZATION_NAME, organization),
                (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                (NameOID.ORGANIZATIONAL_UNIT_NAME, AGENCY),
            ]
            if parts == expected and len(name.rdns) == len(expected):
                return organization, purpose
    return None, None
