"""The exact profile of the holder's certificates: what JPKI issues, and nothing beside it.

A certificate that its CA signed and that still looks otherwise is a sign that something is not as
it seems, or that J-LIS changed the profile: the faults name the part, so that the two can be told
apart. The profile is not published; it was seen on cards (the authentication certificate byte by
byte, the signature certificate by descriptions of several projects).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from jpki.certificates.asn1 import (
    PRINTABLE_STRING,
    UTC_TIME,
    UTF8_STRING,
    Asn1Reader,
    Element,
    encode_length,
)
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.policies import SMARTPHONE_SIGNATURE_POLICY

MODULUS_BITS: Final = 2048
PUBLIC_EXPONENT: Final = 65537
MAX_SERIAL_NUMBER_BITS: Final = 159  # 20 octets and a sign, RFC 5280 4.1.2.2

_NULL: Final = bytes.fromhex("0500")
SHA256_WITH_RSA: Final = bytes.fromhex("300D06092A864886F70D01010B") + _NULL
RSA_ENCRYPTION: Final = bytes.fromhex("300D06092A864886F70D010101") + _NULL
AUTHORITY_KEY_IDENTIFIER: Final = bytes.fromhex("0603551D23")
TEXT_TYPES: Final = frozenset({UTF8_STRING, PRINTABLE_STRING})  # the latter for the country

COMMON_EXTENSIONS: Final[Mapping[ObjectIdentifier, bool]] = {
    ExtensionOID.KEY_USAGE: True,
    ExtensionOID.CERTIFICATE_POLICIES: True,
    ExtensionOID.ISSUER_ALTERNATIVE_NAME: False,
    ExtensionOID.CRL_DISTRIBUTION_POINTS: False,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS: False,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
}
"""Extension -> critical, in both kinds."""
SIGNATURE_EXTENSIONS: Final = {**COMMON_EXTENSIONS, ExtensionOID.SUBJECT_ALTERNATIVE_NAME: False}
AUTHENTICATION_EXTENSIONS: Final = {**COMMON_EXTENSIONS, ExtensionOID.EXTENDED_KEY_USAGE: False}


class ProfileFaultKind(StrEnum):
    """What is not as JPKI writes it."""

    UNEXPECTED_EXTENSION = "unexpected-extension"
    MISSING_EXTENSION = "missing-extension"
    WRONG_CRITICALITY = "wrong-criticality"
    WRONG_ISSUER_IDENTIFIER = "wrong-issuer-identifier"
    """The authorityKeyIdentifier names another CA certificate than the one that signed."""
    VERSION = "version"
    SERIAL_NUMBER = "serial-number"
    ALGORITHM_PARAMETERS = "algorithm-parameters"
    TIME_TYPE = "time-type"
    UNIQUE_IDENTIFIER = "unique-identifier"
    NAME = "name"
    """The subject is empty, or not made of single attributes in PrintableString or UTF8String."""
    MISSING_HOLDER = "missing-holder"
    """A signature certificate that says nothing of its holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFault:
    """One difference from the profile; ``oid`` is that of the extension, if it is about one."""

    kind: ProfileFaultKind
    oid: str | None = None


def issuer_identifier_faults(
    certificate: ParsedCertificate, issuer: ParsedCertificate
) -> Iterator[ProfileFault]:
    """Compare a leaf's authorityKeyIdentifier with the CA certificate that signed it.

    RFC 5280 4.2.1.1: key identifier, and the CA certificate's own issuer and serial number.
    """
    identifier = certificate.find(x509.AuthorityKeyIdentifier)
    if identifier is None:
        return
    own = issuer.find(x509.SubjectKeyIdentifier)
    wrong_key = own is not None and identifier.key_identifier not in (None, own.digest)
    names = identifier.authority_cert_issuer, identifier.authority_cert_serial_number
    wrong_name = names != (None, None) and not _names_issuer(certificate, issuer)
    if wrong_key or wrong_name:
        oid = ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string
        yield ProfileFault(kind=ProfileFaultKind.WRONG_ISSUER_IDENTIFIER, oid=oid)


def _names_issuer(certificate: ParsedCertificate, issuer: ParsedCertificate) -> bool:
    """Tell whether authorityCertIssuer and authorityCertSerialNumber are those of the CA, in DER.

    They stand at the end of the extension: [1] with one directoryName [4], and [2].
    """
    value = certificate.extension_values.get(AUTHORITY_KEY_IDENTIFIER)
    parts = issuer.parts
    name = _tagged(0xA1, _tagged(0xA4, parts.der(parts.issuer)))
    serial_number = bytes([0x82]) + parts.der(parts.serial_number)[1:]
    return value is not None and value.endswith(name + serial_number)


def _tagged(tag: int, contents: bytes) -> bytes:
    return bytes([tag]) + encode_length(len(contents)) + contents


def is_card_key(key: RSAPublicKey) -> bool:
    """Tell whether a key is one that the card makes: RSA, 2048 bits, exponent 65537."""
    numbers = key.public_numbers()
    return (
        key.key_size == MODULUS_BITS
        and numbers.e == PUBLIC_EXPONENT
        and numbers.n % 2 == 1  # an even one is no product of two primes
    )


def field_faults(leaf: ParsedCertificate) -> Iterator[ProfileFault]:
    """Compare a leaf with the profile of its kind, but for its extensions.

    Key, algorithm, key usage and policy have reasons of their own and are not looked at here.
    """
    parts = leaf.parts
    reader = parts.reader
    if leaf.certificate.version is not x509.Version.v3:
        yield ProfileFault(kind=ProfileFaultKind.VERSION)
    if not 0 < parts.serial < 1 << MAX_SERIAL_NUMBER_BITS:
        yield ProfileFault(kind=ProfileFaultKind.SERIAL_NUMBER)
    key = parts.subject_public_key_info
    key_algorithm = reader.encoding(reader.element(key.contents, key.contents_end))
    algorithm = parts.der(parts.signature)
    sha256_with_junk = algorithm[4:13] == SHA256_WITH_RSA[4:13]
    if (sha256_with_junk and algorithm != SHA256_WITH_RSA) or (
        leaf.rsa_key is not None and key_algorithm != RSA_ENCRYPTION
    ):
        yield ProfileFault(kind=ProfileFaultKind.ALGORITHM_PARAMETERS)
    if not _is_plain_name(reader, parts.subject):  # the issuer's is compared with that of its CA
        yield ProfileFault(kind=ProfileFaultKind.NAME)
    if any(time.tag != UTC_TIME for time in reader.children(parts.validity)):
        yield ProfileFault(kind=ProfileFaultKind.TIME_TYPE)
    if len(parts.optional) > 1:  # the extensions alone are expected
        yield ProfileFault(kind=ProfileFaultKind.UNIQUE_IDENTIFIER)


def _is_plain_name(reader: Asn1Reader, name: Element) -> bool:
    """Tell whether a Name has parts, and each is one attribute with a text. RFC 5280 4.1.2.4."""
    parts = [reader.children(part) for part in reader.children(name)]
    return bool(parts) and all(
        len(attributes) == 1 and reader.children(attributes[0])[-1].tag in TEXT_TYPES
        for attributes in parts
    )


def extension_faults(certificate: ParsedCertificate) -> Iterator[ProfileFault]:
    """Compare the extensions of a leaf with the profile of its kind.

    An extendedKeyUsage makes it an authentication certificate, as it is the only kind with one.
    """
    found = certificate.extensions
    logs_in = ExtensionOID.EXTENDED_KEY_USAGE in found
    expected = AUTHENTICATION_EXTENSIONS if logs_in else SIGNATURE_EXTENSIONS
    for oid, extension in found.items():
        if oid == ExtensionOID.BASIC_CONSTRAINTS:
            continue  # JPKI writes none; a CA flag has a reason of its own
        if oid not in expected:
            kind = ProfileFaultKind.UNEXPECTED_EXTENSION
        elif extension.critical is not expected[oid]:
            kind = ProfileFaultKind.WRONG_CRITICALITY
        else:
            continue
        yield ProfileFault(kind=kind, oid=oid.dotted_string)
    # Whether the certificates on phones name their holder is not known.
    names_holder = not logs_in and SMARTPHONE_SIGNATURE_POLICY not in certificate.policies
    if names_holder and ExtensionOID.SUBJECT_ALTERNATIVE_NAME not in found:
        oid = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        yield ProfileFault(kind=ProfileFaultKind.MISSING_EXTENSION, oid=oid.dotted_string)
    elif names_holder and certificate.holder is None:
        yield ProfileFault(kind=ProfileFaultKind.MISSING_HOLDER)
