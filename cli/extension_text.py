"""The extensions of a certificate in the words of RFC 5280 4.2, with nothing personal unasked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    ExtensionOID,
    ObjectIdentifier,
)

from cli.certificate_view import MASK, masked_name
from cli.printable import printable
from jpki.certificates import HolderAttribute
from jpki.certificates.holder import other_name_text

HEX_BYTES_PER_LINE: Final = 24
MOST_HEX_BYTES: Final = 4096
"""Nobody reads more of one value; the certificate itself has it."""

EXTENSION_NAMES: Final = {
    ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES: "subjectDirectoryAttributes",
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    ExtensionOID.KEY_USAGE: "keyUsage",
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME: "subjectAltName",
    ExtensionOID.ISSUER_ALTERNATIVE_NAME: "issuerAltName",
    ExtensionOID.BASIC_CONSTRAINTS: "basicConstraints",
    ExtensionOID.NAME_CONSTRAINTS: "nameConstraints",
    ExtensionOID.CRL_DISTRIBUTION_POINTS: "cRLDistributionPoints",
    ExtensionOID.CERTIFICATE_POLICIES: "certificatePolicies",
    ExtensionOID.POLICY_MAPPINGS: "policyMappings",
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
    ExtensionOID.POLICY_CONSTRAINTS: "policyConstraints",
    ExtensionOID.EXTENDED_KEY_USAGE: "extKeyUsage",
    ExtensionOID.FRESHEST_CRL: "freshestCRL",
    ExtensionOID.INHIBIT_ANY_POLICY: "inhibitAnyPolicy",
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS: "authorityInfoAccess",
    ExtensionOID.SUBJECT_INFORMATION_ACCESS: "subjectInfoAccess",
}
PURPOSE_NAMES: Final = {
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}
ACCESS_NAMES: Final = {
    AuthorityInformationAccessOID.OCSP: "ocsp",
    AuthorityInformationAccessOID.CA_ISSUERS: "caIssuers",
}
ATTRIBUTE_NAMES: Final = {attribute.oid: attribute.value for attribute in HolderAttribute}
KEY_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
AGREEMENT_USAGES: Final = {"encipher_only": "encipherOnly", "decipher_only": "decipherOnly"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What lies over the personal parts of a certificate."""

    reveal: bool
    subject: x509.Name = field(repr=False)

    def name(self, name: x509.Name) -> str:
        """A name in RFC 4514; the subject's own without what is the subject's own."""
        text = name.rfc4514_string()
        return text if self.reveal or name != self.subject else masked_name(text)


def extension_lines(extension: x509.Extension[x509.ExtensionType], cover: Cover) -> Iterator[str]:
    """The name of an extension with its OID, then its value, indented."""
    critical = ", critical" if extension.critical else ""
    yield f"{_named(extension.oid, EXTENSION_NAMES)}{critical}:"
    for line in _value_lines(extension.value, cover):
        yield f"    {line}"


def hex_lines(octets: bytes) -> Iterator[str]:
    """Bytes as lines of hexadecimal."""
    shown = octets[:MOST_HEX_BYTES]
    for start in range(0, len(shown), HEX_BYTES_PER_LINE):
        yield shown[start : start + HEX_BYTES_PER_LINE].hex(":")
    if len(octets) > len(shown):
        yield f"... ({len(octets)} bytes)"


def _value_lines(value: x509.ExtensionType, cover: Cover) -> Iterable[str]:  # noqa: C901
    match value:
        case x509.KeyUsage():
            return [", ".join(_key_usages(value))]
        case x509.ExtendedKeyUsage():
            return [_named(oid, PURPOSE_NAMES) for oid in value]
        case x509.BasicConstraints():
            length = "" if value.path_length is None else f", pathLen: {value.path_length}"
            return [f"CA: {str(value.ca).upper()}{length}"]
        case x509.SubjectAlternativeName():
            return [_general_name(name, cover, personal=True) for name in value]
        case x509.IssuerAlternativeName():
            return [_general_name(name, cover) for name in value]
        case x509.CertificatePolicies():
            return _policy_lines(value)
        case x509.CRLDistributionPoints() | x509.FreshestCRL():
            return _distribution_point_lines(value, cover)
        case x509.AuthorityInformationAccess() | x509.SubjectInformationAccess():
            return [
                f"{_named(access.access_method, ACCESS_NAMES)}:"
                f" {_general_name(access.access_location, cover)}"
                for access in value
            ]
        case x509.AuthorityKeyIdentifier():
            return _authority_key_lines(value, cover)
        case x509.SubjectKeyIdentifier():
            return hex_lines(value.digest)
        case _:
            return _der_lines(value, cover)


def _named(oid: ObjectIdentifier, names: dict[ObjectIdentifier, str]) -> str:
    name = names.get(oid)
    return oid.dotted_string if name is None else f"{name} ({oid.dotted_string})"


def _key_usages(usage: x509.KeyUsage) -> Iterator[str]:
    names = KEY_USAGES | (AGREEMENT_USAGES if usage.key_agreement else {})
    return (name for attribute, name in names.items() if getattr(usage, attribute))


def _general_name(name: x509.GeneralName, cover: Cover, *, personal: bool = False) -> str:
    """One name; a person's only on request, and so is an otherName, which may be anybody's."""
    match name:
        case x509.OtherName():
            known = ATTRIBUTE_NAMES.get(name.type_id.dotted_string)
            kind = f"otherName {name.type_id.dotted_string}" + (f" ({known})" if known else "")
            return f"{kind}: {_other_name_text(name.value) if cover.reveal else MASK}"
        case x509.DirectoryName():
            kind, text = "directoryName", cover.name(name.value)
        case x509.RegisteredID():
            kind, text = "registeredID", name.value.dotted_string
        case x509.UniformResourceIdentifier():
            kind, text = "URI", name.value
        case _:
            kind, text = type(name).__name__, str(name.value)
    return f"{kind}: {printable(text) if cover.reveal or not personal else MASK}"


def _other_name_text(der: bytes) -> str:
    text = other_name_text(der)
    return f"DER {der.hex(':')}" if text is None else printable(text)


def _policy_lines(policies: x509.CertificatePolicies) -> Iterator[str]:
    for policy in policies:
        yield policy.policy_identifier.dotted_string
        for qualifier in policy.policy_qualifiers or ():
            if isinstance(qualifier, str):
                yield f"    CPS: {printable(qualifier)}"
            else:
                yield f"    userNotice: {printable(qualifier.explicit_text or '')}"


def _distribution_point_lines(
    points: x509.CRLDistributionPoints | x509.FreshestCRL, cover: Cover
) -> Iterator[str]:
    for point in points:
        for name in point.full_name or ():
            yield _general_name(name, cover)
        if point.relative_name is not None:
            yield f"relativeName: {printable(point.relative_name.rfc4514_string())}"
        if point.reasons is not None:
            yield "reasons: " + ", ".join(sorted(reason.value for reason in point.reasons))
        for name in point.crl_issuer or ():
            yield f"cRLIssuer: {_general_name(name, cover)}"


def _authority_key_lines(key: x509.AuthorityKeyIdentifier, cover: Cover) -> Iterator[str]:
    if key.key_identifier is not None:
        yield f"keyIdentifier: {key.key_identifier.hex(':')}"
    for name in key.authority_cert_issuer or ():
        yield f"authorityCertIssuer: {_general_name(name, cover)}"
    if key.authority_cert_serial_number is not None:
        yield f"authorityCertSerialNumber: {key.authority_cert_serial_number:x}"


def _der_lines(value: x509.ExtensionType, cover: Cover) -> Iterator[str]:
    """What is not decoded here; nobody knows what stands in an extension that nobody knows."""
    if isinstance(value, x509.UnrecognizedExtension):
        der = value.value if cover.reveal else None
        yield f"DER, {len(value.value)} bytes:" + ("" if cover.reveal else f" {MASK}")
    else:
        der = value.public_bytes()
        yield f"{type(value).__name__}, DER:"
    yield from hex_lines(der or b"")
