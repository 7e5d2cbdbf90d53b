"""What a certificate says beside its holder: kind, medium, place of issue, dates, pin."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from support.pki import (
    AGENCY,
    AUTHENTICATION_LEAF,
    AUTHENTICATION_UNIT,
    SIGNATURE_LEAF,
    SIGNATURE_UNIT,
    build_ca,
    ca_name,
    key_usage,
    load,
    load_key,
)

from jpki.certificates import CertificateKind, Medium, load_certificates, read_profile

POLICY_ARC = "1.2.392.200149.8.5.1"
REAL_CA_DIR = os.environ.get("JPKI_REAL_CA_DIR")


def signature_leaf(**changes) -> x509.Certificate:
    leaf = replace(SIGNATURE_LEAF, **changes)
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


def authentication_leaf(**changes) -> x509.Certificate:
    leaf = replace(AUTHENTICATION_LEAF, **changes)
    return leaf.build(load_key("authentication").public_key(), load_key("authentication-ca"))


def name(*parts: tuple[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


# --- kind ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixture", "kind"),
    [
        ("signature", CertificateKind.SIGNATURE),
        ("authentication", CertificateKind.AUTHENTICATION),
        ("signature-ca", CertificateKind.SIGNATURE_CA),
        ("authentication-ca", CertificateKind.AUTHENTICATION_CA),
        ("signature-wrong-usage", CertificateKind.JPKI_UNKNOWN),
    ],
)
def test_the_kind_is_told_from_issuer_policy_and_usage(fixture, kind):
    assert read_profile(load(fixture)).kind is kind


@pytest.mark.parametrize("organization", ["JPKI", "JPKI-TEST"])
@pytest.mark.parametrize(("policy", "medium"), [("1.20", Medium.CARD), ("1.40", Medium.SMARTPHONE)])
def test_a_signature_certificate_of_card_or_phone_is_one(organization, policy, medium):
    certificate = signature_leaf(
        issuer=ca_name(organization=organization), policy=f"{POLICY_ARC}.{policy}"
    )
    profile = read_profile(certificate)
    assert profile.kind is CertificateKind.SIGNATURE
    assert profile.medium is medium
    assert profile.is_test is (organization == "JPKI-TEST")
    assert profile.policies == (f"{POLICY_ARC}.{policy}",)


def test_an_authentication_certificate_of_a_card_is_one():
    profile = read_profile(
        authentication_leaf(issuer=ca_name(AUTHENTICATION_UNIT, organization="JPKI"))
    )
    assert profile.kind is CertificateKind.AUTHENTICATION
    assert profile.medium is Medium.CARD
    assert profile.is_test is False


@pytest.mark.parametrize(
    ("changes", "medium"),
    [
        # Each of what tells the kind, wrong alone.
        ({"policy": f"{POLICY_ARC}.1.50"}, None),
        ({"policy": f"{POLICY_ARC}.3.30"}, Medium.CARD),
        ({"policy": "2.5.29.32.0"}, None),
        ({"issuer": ca_name(AUTHENTICATION_UNIT)}, Medium.CARD),
        ({"issuer": ca_name(organization="JPKI")}, Medium.CARD),  # with the policy of the tests
        ({"issuer": ca_name("Example", "Example")}, Medium.CARD),
        ({"usage": None}, Medium.CARD),
        ({"usage": key_usage("digital_signature")}, Medium.CARD),
        ({"usage": key_usage("content_commitment")}, Medium.CARD),
        (
            {"usage": key_usage("digital_signature", "content_commitment", "key_cert_sign")},
            Medium.CARD,
        ),
        ({"extended": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])}, Medium.CARD),
        ({"extra": ((x509.BasicConstraints(ca=True, path_length=None), True),)}, Medium.CARD),
    ],
)
def test_a_signature_certificate_that_is_not_quite_one_is_of_an_unknown_kind(changes, medium):
    profile = read_profile(signature_leaf(**changes))
    assert profile.kind is CertificateKind.JPKI_UNKNOWN
    assert profile.medium is medium


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": f"{POLICY_ARC}.1.20"},
        {"policy": f"{POLICY_ARC}.1.40"},
        {"policy": f"{POLICY_ARC}.0.20"},
        {"issuer": ca_name()},
        {"extended": None},
        {"extended": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])},
        {"usage": key_usage("digital_signature", "content_commitment")},
    ],
)
def test_an_authentication_certificate_that_is_not_quite_one_is_of_an_unknown_kind(changes):
    assert read_profile(authentication_leaf(**changes)).kind is CertificateKind.JPKI_UNKNOWN


def test_two_policies_name_neither_kind_nor_medium():
    policies = x509.CertificatePolicies(
        [
            x509.PolicyInformation(ObjectIdentifier(f"{POLICY_ARC}.{end}"), None)
            for end in ("1.20", "1.40")
        ]
    )
    leaf = replace(SIGNATURE_LEAF, issuer=ca_name(organization="JPKI"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(load_key("signature").public_key())
        .serial_number(1)
        .not_valid_before(leaf.not_before)
        .not_valid_after(leaf.not_after)
        .add_extension(leaf.usage, critical=True)
        .add_extension(policies, critical=True)
    )
    profile = read_profile(builder.sign(load_key("signature-ca"), hashes.SHA256()))
    assert profile.kind is CertificateKind.JPKI_UNKNOWN
    assert profile.medium is None


@pytest.mark.parametrize(
    "issuer",
    [
        ca_name(SIGNATURE_UNIT, "Example"),
        ca_name("JPKI for something", "JPKI"),
        name(
            (NameOID.COUNTRY_NAME, "JP"),
            (NameOID.ORGANIZATION_NAME, "JPKI"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, AGENCY),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, SIGNATURE_UNIT),
        ),
        name((NameOID.COMMON_NAME, SIGNATURE_UNIT)),
        name(),
    ],
    ids=["organization", "unit", "order", "common name", "none"],
)
def test_another_issuer_without_a_policy_of_jpki_is_not_jpki(issuer):
    certificate = signature_leaf(issuer=issuer, policy="1.2.3.4")
    assert read_profile(certificate).kind is CertificateKind.UNKNOWN
    assert read_profile(certificate).medium is None
    # The arc itself is no policy, nor is one that only begins with the same digits.
    for policy in (POLICY_ARC, f"{POLICY_ARC}0.1"):
        assert read_profile(signature_leaf(issuer=issuer, policy=policy)).kind is (
            CertificateKind.UNKNOWN
        )


def test_a_name_whose_parts_stand_in_one_rdn_is_not_jpkis():
    parts = list(ca_name())
    groups = [parts[:1], parts[1:2], parts[2:]]
    issuer = x509.Name([x509.RelativeDistinguishedName(group) for group in groups])
    assert list(issuer) == parts
    certificate = signature_leaf(issuer=issuer, policy="1.2.3.4")
    assert read_profile(certificate).kind is CertificateKind.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"name": ca_name("Example", "Example")}, CertificateKind.UNKNOWN),
        ({"is_ca": False}, CertificateKind.JPKI_UNKNOWN),
        ({"usage": key_usage("crl_sign")}, CertificateKind.JPKI_UNKNOWN),
        (
            {"extra": ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),)},
            CertificateKind.JPKI_UNKNOWN,
        ),
        (
            {
                "extra": (
                    (
                        x509.CertificatePolicies(
                            [x509.PolicyInformation(ObjectIdentifier("2.5.29.32.0"), None)]
                        ),
                        False,
                    ),
                )
            },
            CertificateKind.JPKI_UNKNOWN,
        ),
    ],
    ids=["name", "no CA", "key usage", "extended key usage", "policy"],
)
def test_a_ca_that_is_not_quite_jpkis_is_not_called_so(changes, kind):
    assert read_profile(build_ca(load_key("foreign-ca"), **changes)).kind is kind


def test_a_card_that_plays_ca_is_no_ca_of_jpki():
    certificate = signature_leaf(
        usage=key_usage("key_cert_sign"),
        extra=((x509.BasicConstraints(ca=True, path_length=None), True),),
    )
    assert read_profile(certificate).kind is CertificateKind.JPKI_UNKNOWN


def test_a_ca_under_a_ca_of_jpki_is_none_of_jpki():
    root = load("signature-ca")
    builder = (
        x509.CertificateBuilder()
        .subject_name(ca_name(organization="JPKI"))
        .issuer_name(root.subject)
        .public_key(load_key("foreign-ca").public_key())
        .serial_number(1)
        .not_valid_before(root.not_valid_before_utc)
        .not_valid_after(root.not_valid_after_utc)
        .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    certificate = builder.sign(load_key("signature-ca"), hashes.SHA256())
    assert read_profile(certificate).kind is CertificateKind.JPKI_UNKNOWN


# --- pin ----------------------------------------------------------------------------------------


def test_a_ca_with_the_name_of_a_pinned_one_is_not_pinned():
    ca = build_ca(load_key("foreign-ca"), name=ca_name(organization="JPKI"))
    profile = read_profile(ca)
    assert profile.kind is CertificateKind.SIGNATURE_CA
    assert profile.pin is None
    assert profile.is_test is False


@pytest.mark.skipif(REAL_CA_DIR is None, reason="JPKI_REAL_CA_DIR is unset: no real CAs here")
def test_the_cas_of_j_lis_are_known_and_pinned():
    found = {}
    for path in Path(str(REAL_CA_DIR)).glob("*.pem"):
        (certificate,) = load_certificates(path.read_bytes())
        profile = read_profile(certificate)
        assert profile.pin is not None
        assert profile.pin.name.startswith(f"{profile.kind.value}-")
        assert (profile.is_test, profile.medium, profile.municipality) == (False, None, None)
        found[profile.pin.name] = profile.kind
    assert len(found) == 6


# --- place of issue -----------------------------------------------------------------------------


def with_points(*points: x509.DistributionPoint) -> x509.Certificate:
    leaf = SIGNATURE_LEAF
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(load_key("signature").public_key())
        .serial_number(1)
        .not_valid_before(leaf.not_before)
        .not_valid_after(leaf.not_after)
        .add_extension(x509.CRLDistributionPoints(points), critical=False)
    )
    return builder.sign(load_key("signature-ca"), hashes.SHA256())


def point(*names: x509.GeneralName) -> x509.DistributionPoint:
    return x509.DistributionPoint(names, None, None, None)


def crl_name(
    prefecture: str = "Kanagawa-ken",
    common_name: str = "Yokohama-shi-Naka-ku CRLDP",
    unit: str = "CRL Distribution Points",
) -> x509.DirectoryName:
    return x509.DirectoryName(
        name(
            (NameOID.COUNTRY_NAME, "JP"),
            (NameOID.ORGANIZATION_NAME, "JPKI"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, SIGNATURE_UNIT),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, prefecture),
            (NameOID.COMMON_NAME, common_name),
        )
    )


def test_the_distribution_point_names_municipality_and_prefecture():
    profile = read_profile(with_points(point(crl_name())))
    assert (profile.municipality, profile.prefecture) == ("Yokohama-shi-Naka-ku", "Kanagawa-ken")
    assert "Yokohama" not in repr(profile)


@pytest.mark.parametrize(
    "points",
    [
        [point(crl_name(common_name="Yokohama-shi-Naka-ku"))],
        [point(crl_name(unit="Distribution Points"))],
        [point(crl_name()), point(crl_name(common_name="Tsukuba-shi CRLDP"))],
        [point(crl_name(), x509.UniformResourceIdentifier("http://crl.invalid"))],
        [point(x509.UniformResourceIdentifier("http://crl.invalid"))],
        [point(x509.DirectoryName(ca_name()))],
        [point(x509.DirectoryName(name((NameOID.COMMON_NAME, "Tsukuba-shi CRLDP"))))],
        [
            x509.DistributionPoint(
                None,
                x509.RelativeDistinguishedName(
                    [x509.NameAttribute(NameOID.COMMON_NAME, "Tsukuba-shi CRLDP")]
                ),
                None,
                None,
            )
        ],
    ],
    ids=["suffix", "unit", "two points", "two names", "uri", "ca", "alone", "relative"],
)
def test_a_distribution_point_of_another_shape_names_no_place(points):
    profile = read_profile(with_points(*points))
    assert (profile.municipality, profile.prefecture) == (None, None)


# --- the rest -----------------------------------------------------------------------------------


def test_a_profile_says_what_stands_in_the_certificate():
    certificate = load("signature")
    profile = read_profile(certificate)
    assert profile.subject == certificate.subject.rfc4514_string()
    assert profile.issuer == certificate.issuer.rfc4514_string()
    assert bytes.fromhex(profile.fingerprint_sha256) == certificate.fingerprint(hashes.SHA256())
    assert profile.serial_number == 0x01020304
    assert profile.not_valid_after == datetime(2030, 3, 31, 14, 59, 59, tzinfo=UTC)
    assert profile.not_valid_before == datetime(2025, 4, 2, 1, 2, 3, tzinfo=UTC)
    assert (profile.municipality, profile.prefecture) == ("Mihon-shi", "Mihon-ken")


def test_a_profile_does_not_print_the_holder_or_the_serial_number():
    text = repr(read_profile(load("signature")))
    for personal in ("見本", "東京", "1989", "MALE", str(0x01020304), "20250402010203", "Mihon"):
        assert personal not in text


def test_common_names_may_be_anything():
    subject = name((NameOID.COMMON_NAME, "a,b=c\x1b[31m\u202e"))
    assert "\x1b" in read_profile(signature_leaf(subject=subject)).subject
