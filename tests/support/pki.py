"""A throw-away PKI in the shape of JPKI, built with `cryptography`; nothing in it is secret.

`scripts/make_fixtures.py` writes the usual ones to `fixtures/pki`; tests load those with `load`
and build odd ones with `Leaf` and `build_ca`. All dates are fixed: tests pass `AT`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

PKI_DIR = Path(__file__).parents[2] / "fixtures" / "pki"
AT = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)

CA_SERIAL_NUMBER = 0x1EA8A8
CA_FROM = datetime(2023, 7, 16, 0, 50, 27, tzinfo=UTC)
CA_UNTIL = datetime(2033, 7, 15, 14, 59, 59, tzinfo=UTC)
LEAF_FROM = datetime(2025, 4, 2, 1, 2, 3, tzinfo=UTC)
LEAF_UNTIL = datetime(2030, 3, 31, 14, 59, 59, tzinfo=UTC)

SIGNATURE_UNIT = "JPKI for digital signature"
AUTHENTICATION_UNIT = "JPKI for user authentication"
AGENCY = "Japan Agency for Local Authority Information Systems"

HOLDER = {  # otherName number: value, in the order of a card
    1: "見本　太郎",
    4: "419890331",
    3: "1",
    5: "東京都千代田区見本町一丁目１番地",
    2: "00000",
    6: "0000000000000000",
}


def ca_name(unit: str = SIGNATURE_UNIT, organization: str = "JPKI-TEST") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, AGENCY),
        ]
    )


def key_usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


def other_name(number: int, text: str) -> x509.OtherName:
    value = text.encode()
    assert len(value) < 128
    oid = ObjectIdentifier(f"1.2.392.200149.8.5.5.{number}")
    return x509.OtherName(oid, bytes([0x0C, len(value)]) + value)


def holder_names(holder: dict[int, str] | None = None) -> x509.SubjectAlternativeName:
    chosen = HOLDER if holder is None else holder
    return x509.SubjectAlternativeName([other_name(*item) for item in chosen.items()])


def build_ca(
    key: rsa.RSAPrivateKey,
    *,
    name: x509.Name | None = None,
    serial_number: int = CA_SERIAL_NUMBER,
    not_before: datetime = CA_FROM,
    not_after: datetime = CA_UNTIL,
    is_ca: bool = True,
    usage: x509.KeyUsage | None = None,
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> x509.Certificate:
    subject = ca_name() if name is None else name
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial_number)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(usage or key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(
            x509.BasicConstraints(ca=is_ca, path_length=None),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """What goes into an end-entity certificate; `replace` makes an odd one."""

    subject: x509.Name
    issuer: x509.Name
    usage: x509.KeyUsage | None
    extended: x509.ExtendedKeyUsage | None = None
    names: x509.SubjectAlternativeName | None = None
    policy: str
    policy_critical: bool = True
    serial_number: int = 0x01020304
    not_before: datetime = LEAF_FROM
    not_after: datetime = LEAF_UNTIL
    algorithm: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    issuer_identifier: x509.AuthorityKeyIdentifier | None = None  # of the issuer unless told
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = ()

    def build(
        self,
        public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        issuer_key: rsa.RSAPrivateKey,
        **sign_arguments: object,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(self.issuer)
            .public_key(public_key)
            .serial_number(self.serial_number)
            .not_valid_before(self.not_before)
            .not_valid_after(self.not_after)
        )
        for extension, critical in (*self._extensions(public_key, issuer_key), *self.extra):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(issuer_key, self.algorithm, **sign_arguments)  # type: ignore[arg-type]

    def _extensions(
        self,
        public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        issuer_key: rsa.RSAPrivateKey,
    ) -> list[tuple[x509.ExtensionType, bool]]:
        """In the order in which a card's certificate has them."""
        found: list[tuple[x509.ExtensionType, bool]] = []
        if self.usage is not None:
            found.append((self.usage, True))
        if self.extended is not None:
            found.append((self.extended, False))
        if self.names is not None:
            found.append((self.names, False))
        cps = x509.PolicyInformation(
            ObjectIdentifier(self.policy), ["http://www.jpki.go.jp/cps.html"]
        )
        point = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "JPKI-TEST"),
                *self.issuer.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)[:1],
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "CRL Distribution Points"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Mihon-ken"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Mihon-shi CRLDP"),
            ]
        )
        directory = [x509.DirectoryName(point)]
        ocsp = x509.UniformResourceIdentifier("http://ocsp.invalid")
        found += [
            (x509.CertificatePolicies([cps]), self.policy_critical),
            (x509.IssuerAlternativeName([x509.DirectoryName(self.issuer)]), False),
            (
                x509.CRLDistributionPoints([x509.DistributionPoint(directory, None, None, None)]),
                False,
            ),
            (
                x509.AuthorityInformationAccess(
                    [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp)]
                ),
                False,
            ),
            (self.issuer_identifier or self._issuer_identifier(issuer_key), False),
            (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        ]
        return found

    def _issuer_identifier(self, issuer_key: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
        own = x509.SubjectKeyIdentifier.from_public_key(issuer_key.public_key())
        names = [x509.DirectoryName(self.issuer)]
        return x509.AuthorityKeyIdentifier(own.digest, names, CA_SERIAL_NUMBER)


SIGNATURE_LEAF = Leaf(
    subject=x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Mihon-ken"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Mihon-shi"),
            x509.NameAttribute(NameOID.COMMON_NAME, "20250402010203MIHON99999"),
        ]
    ),
    issuer=ca_name(),
    usage=key_usage("digital_signature", "content_commitment"),
    names=holder_names(),
    policy="1.2.392.200149.8.5.1.0.20",
)
AUTHENTICATION_LEAF = Leaf(
    subject=x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.COMMON_NAME, "MIHON00000TEST99999003A"),
        ]
    ),
    issuer=ca_name(AUTHENTICATION_UNIT),
    usage=key_usage("digital_signature"),
    extended=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
    policy="1.2.392.200149.8.5.1.3.30",
    serial_number=0x01020305,
)

KEY_NAMES = (
    "signature-ca",
    "authentication-ca",
    "foreign-ca",
    "signature",
    "authentication",
)


@dataclass(frozen=True)
class Recipe:
    """How one certificate of the fixtures comes about."""

    build: Callable[[Callable[[str], rsa.RSAPrivateKey]], x509.Certificate]
    what: str


def _leaf(leaf: Leaf, key: str, issuer: str) -> Callable[..., x509.Certificate]:
    return lambda keys: leaf.build(keys(key).public_key(), keys(issuer))


RECIPES = {
    "signature-ca": Recipe(lambda keys: build_ca(keys("signature-ca")), "CA of signatures"),
    "authentication-ca": Recipe(
        lambda keys: build_ca(keys("authentication-ca"), name=ca_name(AUTHENTICATION_UNIT)),
        "CA of logins",
    ),
    "foreign-ca": Recipe(
        lambda keys: build_ca(keys("foreign-ca")), "name of the signature CA, another key"
    ),
    "signature": Recipe(_leaf(SIGNATURE_LEAF, "signature", "signature-ca"), "the usual signer"),
    "signature-foreign": Recipe(
        _leaf(SIGNATURE_LEAF, "signature", "foreign-ca"), "the signer, issued by the foreign CA"
    ),
    "signature-expired": Recipe(
        _leaf(
            replace(
                SIGNATURE_LEAF,
                not_before=datetime(2023, 8, 1, tzinfo=UTC),
                not_after=datetime(2025, 3, 31, 14, 59, 59, tzinfo=UTC),
            ),
            "signature",
            "signature-ca",
        ),
        "over since 2025-03-31",
    ),
    "signature-not-yet-valid": Recipe(
        _leaf(
            replace(
                SIGNATURE_LEAF,
                not_before=datetime(2028, 4, 1, tzinfo=UTC),
                not_after=datetime(2033, 3, 31, 14, 59, 59, tzinfo=UTC),
            ),
            "signature",
            "signature-ca",
        ),
        "begins 2028-04-01",
    ),
    "signature-wrong-usage": Recipe(
        _leaf(
            replace(SIGNATURE_LEAF, usage=key_usage("digital_signature")),
            "signature",
            "signature-ca",
        ),
        "without nonRepudiation",
    ),
    "authentication": Recipe(
        _leaf(AUTHENTICATION_LEAF, "authentication", "authentication-ca"), "the usual login"
    ),
    "authentication-expired": Recipe(
        _leaf(
            replace(
                AUTHENTICATION_LEAF,
                not_before=datetime(2023, 8, 1, tzinfo=UTC),
                not_after=datetime(2025, 3, 31, 14, 59, 59, tzinfo=UTC),
            ),
            "authentication",
            "authentication-ca",
        ),
        "over since 2025-03-31",
    ),
}


@cache
def load(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((PKI_DIR / f"{name}.pem").read_bytes())


@cache
def load_key(name: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key((PKI_DIR / f"{name}.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
