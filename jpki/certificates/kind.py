"""The kind of a certificate: what issuer, policy, CA flag and key usages say with one voice."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from jpki.certificates.extensions import find_extension
from jpki.certificates.issuer import TEST_ORGANIZATION
from jpki.certificates.policies import (
    AUTHENTICATION_POLICY,
    POLICY_ARC,
    SIGNATURE_POLICY,
    SMARTPHONE_SIGNATURE_POLICY,
    TEST_SIGNATURE_POLICY,
    policies_of,
)

ORGANIZATION: Final = "JPKI"
SIGNATURE_CA_UNIT: Final = "JPKI for digital signature"
AUTHENTICATION_CA_UNIT: Final = "JPKI for user authentication"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Purpose:
    """What one CA and the certificates under it have in common."""

    ca: CertificateKind
    leaf: CertificateKind
    usage: x509.KeyUsage
    extended: tuple[ObjectIdentifier, ...]
    policies: frozenset[str]


def _usage(*, content_commitment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


PURPOSE_OF_UNIT: Final = {
    SIGNATURE_CA_UNIT: _Purpose(
        ca=CertificateKind.SIGNATURE_CA,
        leaf=CertificateKind.SIGNATURE,
        usage=_usage(content_commitment=True),
        extended=(),
        policies=frozenset({SIGNATURE_POLICY, SMARTPHONE_SIGNATURE_POLICY}),
    ),
    AUTHENTICATION_CA_UNIT: _Purpose(
        ca=CertificateKind.AUTHENTICATION_CA,
        leaf=CertificateKind.AUTHENTICATION,
        usage=_usage(content_commitment=False),
        extended=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        policies=frozenset({AUTHENTICATION_POLICY}),
    ),
}
TEST_POLICIES: Final = {SIGNATURE_CA_UNIT: frozenset({TEST_SIGNATURE_POLICY})}
"""What stands under a test CA beside the policies of production."""


def kind_of(certificate: x509.Certificate) -> CertificateKind:
    """Tell the kind of a certificate that was read."""
    policies = policies_of(certificate)
    organization, unit = _jpki_name(certificate.issuer)
    if unit is None:
        is_jpki = any(policy.startswith(f"{POLICY_ARC}.") for policy in policies)
        return CertificateKind.JPKI_UNKNOWN if is_jpki else CertificateKind.UNKNOWN
    purpose = PURPOSE_OF_UNIT[unit]
    allowed = purpose.policies
    if organization == TEST_ORGANIZATION:
        allowed |= TEST_POLICIES.get(unit, frozenset())
    constraints = find_extension(certificate, x509.BasicConstraints)
    usage = find_extension(certificate, x509.KeyUsage)
    extended = tuple(find_extension(certificate, x509.ExtendedKeyUsage) or ())
    if constraints is not None and constraints.ca:
        # The CAs of JPKI are roots, without policies.
        is_root = certificate.subject == certificate.issuer
        is_ca = is_root and usage is not None and usage.key_cert_sign
        return purpose.ca if is_ca and not (extended or policies) else CertificateKind.JPKI_UNKNOWN
    is_leaf = usage == purpose.usage and extended == purpose.extended
    if is_leaf and len(policies) == 1 and policies[0] in allowed:
        return purpose.leaf
    return CertificateKind.JPKI_UNKNOWN


def medium_of(certificate: x509.Certificate) -> Medium | None:
    """Tell from its policy where the key of a certificate is; None: the policy does not say."""
    policies = policies_of(certificate)
    return MEDIUM_OF_POLICY.get(policies[0]) if len(policies) == 1 else None


def _jpki_name(name: x509.Name) -> tuple[str | None, str | None]:
    """Organization and unit of the name of a CA of JPKI; None and None for any other name."""
    parts = [(attribute.oid, str(attribute.value)) for attribute in name]
    for organization in (ORGANIZATION, TEST_ORGANIZATION):
        for unit in PURPOSE_OF_UNIT:
            expected = [
                (NameOID.COUNTRY_NAME, "JP"),
                (NameOID.ORGANIZATION_NAME, organization),
                (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                (NameOID.ORGANIZATIONAL_UNIT_NAME, AGENCY),
            ]
            if parts == expected and len(name.rdns) == len(expected):
                return organization, unit
    return None, None
