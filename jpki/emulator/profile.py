"""Certificates in the shape of JPKI's, RFC 5280: names, extensions, their order and criticality.

Everything here says JPKI-TEST. The OCSP addresses end in ``.invalid``, so that no validator asks
J-LIS about a person who does not exist.
"""

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from jpki.emulator.image import Municipality

# from the test hierarchy's certificates: the policy arc of production, with 0 for 1.
SIGNATURE_POLICY = x509.ObjectIdentifier("1.2.392.200149.8.5.1.0.20")
AUTHENTICATION_POLICY = x509.ObjectIdentifier("1.2.392.200149.8.5.1.3.30")
CPS_URI = "http://www.jpki.go.jp/cps.html"
OTHER_NAME_ARC = "1.2.392.200149.8.5.5"
LOCAL_AUTHORITY_JA = "地方公共団体情報システム機構"
SERVICE_JA = "公的個人認証サービス"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What differs between the two kinds of certificate."""

    unit: str  # the first OU of the CA
    unit_ja: str
    ocsp_uri: str


SIGNATURE = Purpose(
    unit="JPKI for digital signature",
    unit_ja=SERVICE_JA + "署名用",
    ocsp_uri="http://ocspsignnorm.jpki-test.invalid",
)
AUTHENTICATION = Purpose(
    unit="JPKI for user authentication",
    unit_ja=SERVICE_JA + "利用者証明用",
    ocsp_uri="http://ocspauthnorm.jpki-test.invalid",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAttributes:
    """基本4情報 as the signature certificate writes them."""

    name: str
    sex: str  # 1 male, 2 female, 3 neither
    birth_date: str  # EYYYYMMDD: era digit and Gregorian date
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """First and last second."""

    not_before: datetime.datetime
    not_after: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A CA that issues: its certificate and its key."""

    certificate: x509.Certificate
    key: RSAPrivateKey


def ca_name(purpose: Purpose) -> x509.Name:
    """The DN of a test CA: that of the real one with O=JPKI-TEST."""
    return _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATION_NAME, "JPKI-TEST"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, purpose.unit),
        (
            NameOID.ORGANIZATIONAL_UNIT_NAME,
            "Japan Agency for Local Authority Information Systems",
        ),
    )


def make_ca(
    purpose: Purpose, key: RSAPrivateKey, validity: Validity, serial_number: int
) -> x509.Certificate:
    """Make a self-signed CA certificate: KU, SAN, BC, CRLDP, SKI."""
    name = ca_name(purpose)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (_key_usage(key_cert_sign=True, crl_sign=True), True),
        (x509.SubjectAlternativeName([_japanese_name(purpose)]), False),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (_crl_distribution_point(name), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
    return _certificate(name, key.public_key(), validity, serial_number, extensions, key, name)


def make_signature_certificate(
    key: RSAPublicKey,
    issuer: Issuer,
    *,
    validity: Validity,
    serial_number: int,
    common_name: str,
    holder: BasicAttributes,
    municipality: Municipality,
) -> x509.Certificate:
    """Make 署名用電子証明書: KU, SAN, CP, IAN, CRLDP, AIA, AKI, SKI."""
    subject = _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.LOCALITY_NAME, municipality.prefecture),
        (NameOID.LOCALITY_NAME, municipality.name),
        (NameOID.COMMON_NAME, common_name),
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (_key_usage(digital_signature=True, content_commitment=True), True),
        (_basic_attributes(holder), False),
        *_tail(SIGNATURE, SIGNATURE_POLICY, municipality, issuer.certificate, key),
    ]
    return _certificate(
        subject, key, validity, serial_number, extensions, issuer.key, issuer.certificate.subject
    )


def make_authentication_certificate(
    key: RSAPublicKey,
    issuer: Issuer,
    *,
    validity: Validity,
    serial_number: int,
    common_name: str,
    municipality: Municipality,
) -> x509.Certificate:
    """Make 利用者証明用電子証明書: KU, EKU, CP, IAN, CRLDP, AIA, AKI, SKI."""
    subject = _name((NameOID.COUNTRY_NAME, "JP"), (NameOID.COMMON_NAME, common_name))
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (_key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        *_tail(AUTHENTICATION, AUTHENTICATION_POLICY, municipality, issuer.certificate, key),
    ]
    return _certificate(
        subject, key, validity, serial_number, extensions, issuer.key, issuer.certificate.subject
    )


def era_date(date: datetime.date) -> str:
    """EYYYYMMDD: the digit of the Japanese era, then the Gregorian date."""
    eras = (
        (5, datetime.date(2019, 5, 1)),
        (4, datetime.date(1989, 1, 8)),
        (3, datetime.date(1926, 12, 25)),
        (2, datetime.date(1912, 7, 30)),
        (1, datetime.date(1868, 10, 23)),
    )
    era = next((number for number, first in eras if date >= first), 0)
    return f"{era}{date.year:04}{date.month:02}{date.day:02}"


def _certificate(
    subject: x509.Name,
    key: RSAPublicKey,
    validity: Validity,
    serial_number: int,
    extensions: list[tuple[x509.ExtensionType, bool]],
    ca_key: RSAPrivateKey,
    issuer: x509.Name,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .serial_number(serial_number)
        .issuer_name(issuer)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .subject_name(subject)
        .public_key(key)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ca_key, SHA256())


def _tail(
    purpose: Purpose,
    policy: x509.ObjectIdentifier,
    municipality: Municipality,
    ca: x509.Certificate,
    key: RSAPublicKey,
) -> list[tuple[x509.ExtensionType, bool]]:
    """The six extensions that both kinds end with: CP, IAN, CRLDP, AIA, AKI, SKI."""
    ocsp = x509.AccessDescription(
        AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(purpose.ocsp_uri)
    )
    ca_key_identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    crl_issuer = _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATION_NAME, "JPKI-TEST"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, purpose.unit),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "CRL Distribution Points"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, municipality.prefecture),
        (NameOID.COMMON_NAME, f"{municipality.name} CRLDP"),
    )
    return [
        (x509.CertificatePolicies([x509.PolicyInformation(policy, [CPS_URI])]), True),
        (x509.IssuerAlternativeName([_japanese_name(purpose)]), False),
        (_crl_distribution_point(crl_issuer), False),
        (x509.AuthorityInformationAccess([ocsp]), False),
        (
            x509.AuthorityKeyIdentifier(
                ca_key_identifier.digest, [x509.DirectoryName(ca.subject)], ca.serial_number
            ),
            False,
        ),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
    ]


def _basic_attributes(holder: BasicAttributes) -> x509.SubjectAlternativeName:
    """The six otherNames in the order of the wire: 1, 4, 3, 5, 2, 6. No substitute characters."""
    values = (
        (1, holder.name),
        (4, holder.birth_date),
        (3, holder.sex),
        (5, holder.address),
        (2, "0" * len(holder.name)),
        (6, "0" * len(holder.address)),
    )
    return x509.SubjectAlternativeName(
        [
            x509.OtherName(x509.ObjectIdentifier(f"{OTHER_NAME_ARC}.{arc}"), _utf8_string(text))
            for arc, text in values
        ]
    )


def _utf8_string(text: str) -> bytes:
    """DER UTF8String, X.690 8.23."""
    value = text.encode()
    if len(value) < 0x80:
        return bytes([0x0C, len(value)]) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8)
    return bytes([0x0C, 0x80 | len(length)]) + length + value


def _name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _japanese_name(purpose: Purpose) -> x509.DirectoryName:
    return x509.DirectoryName(
        _name(
            (NameOID.COUNTRY_NAME, "JP"),
            (NameOID.ORGANIZATION_NAME, SERVICE_JA),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, purpose.unit_ja),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, LOCAL_AUTHORITY_JA),
        )
    )


def _crl_distribution_point(name: x509.Name) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints(
        [
            x509.DistributionPoint(
                full_name=[x509.DirectoryName(name)],
                relative_name=None,
                reasons=None,
                crl_issuer=None,
            )
        ]
    )


def _key_usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
