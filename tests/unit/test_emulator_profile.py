"""The virtual card's certificates have the shape of JPKI's, byte for byte where it is known."""

import json
import subprocess
from base64 import b64decode
from datetime import date
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, Hash

from jpki.emulator.profile import era_date

SIGNATURE, SIGNATURE_CA, AUTHENTICATION, AUTHENTICATION_CA = "0001", "0002", "000a", "000b"
AUTHORITY = "Japan Agency for Local Authority Information Systems"


@pytest.fixture
def certificates(jpki_card_path: Path) -> dict[str, bytes]:
    files = json.loads(jpki_card_path.read_text(encoding="utf-8"))["applications"][1]["files"]
    return {file["ef_id"]: b64decode(file["content"]) for file in files if file["type"] == "data"}


def extensions(der: bytes) -> list[tuple[str, bool, bytes]]:
    """Identifier, criticality and value in the order of the wire, read by another library."""
    parsed = asn1.Certificate.load(der, strict=True)["tbs_certificate"]["extensions"]
    return [(e["extn_id"].dotted, e["critical"].native, e["extn_value"].contents) for e in parsed]


def shape(der: bytes) -> list[tuple[str, bool]]:
    return [(oid, critical) for oid, critical, _ in extensions(der)]


def value(der: bytes, oid: str) -> bytes:
    return next(value for identifier, _, value in extensions(der) if identifier == oid)


def names(name: x509.Name) -> list[str]:
    return [f"{attribute.rfc4514_attribute_name}={attribute.value!s}" for attribute in name]


TAIL = [
    ("2.5.29.32", True),
    ("2.5.29.18", False),
    ("2.5.29.31", False),
    ("1.3.6.1.5.5.7.1.1", False),
    ("2.5.29.35", False),
    ("2.5.29.14", False),
]


def test_extensions_stand_in_the_order_of_the_real_certificates(
    certificates: dict[str, bytes],
) -> None:
    assert shape(certificates[AUTHENTICATION]) == [
        ("2.5.29.15", True),
        ("2.5.29.37", False),
        *TAIL,
    ]
    assert shape(certificates[SIGNATURE]) == [("2.5.29.15", True), ("2.5.29.17", False), *TAIL]
    for ca in (SIGNATURE_CA, AUTHENTICATION_CA):
        assert shape(certificates[ca]) == [
            ("2.5.29.15", True),
            ("2.5.29.17", False),
            ("2.5.29.19", True),
            ("2.5.29.31", False),
            ("2.5.29.14", False),
        ]


@pytest.mark.parametrize(
    ("ef_id", "usage"),
    [(SIGNATURE, "030206C0"), (AUTHENTICATION, "03020780"), (SIGNATURE_CA, "03020106"),
     (AUTHENTICATION_CA, "03020106")],
)  # fmt: skip
def test_key_usage_is_exact(certificates: dict[str, bytes], ef_id: str, usage: str) -> None:
    assert value(certificates[ef_id], "2.5.29.15").hex().upper() == usage


@pytest.mark.parametrize(
    ("ef_id", "policy"),
    [(SIGNATURE, "1.2.392.200149.8.5.1.0.20"), (AUTHENTICATION, "1.2.392.200149.8.5.1.3.30")],
)
def test_policy_is_that_of_the_test_hierarchy(
    certificates: dict[str, bytes], ef_id: str, policy: str
) -> None:
    certificate = x509.load_der_x509_certificate(certificates[ef_id])
    policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [item.policy_identifier.dotted_string for item in policies] == [policy]
    assert policies[0].policy_qualifiers == ["http://www.jpki.go.jp/cps.html"]


@pytest.mark.parametrize(
    ("ca", "leaf", "unit", "unit_ja"),
    [
        (SIGNATURE_CA, SIGNATURE, "JPKI for digital signature", "公的個人認証サービス署名用"),
        (
            AUTHENTICATION_CA,
            AUTHENTICATION,
            "JPKI for user authentication",
            "公的個人認証サービス利用者証明用",
        ),
    ],
)
def test_names_say_test(
    certificates: dict[str, bytes], ca: str, leaf: str, unit: str, unit_ja: str
) -> None:
    issuer = x509.load_der_x509_certificate(certificates[ca])
    issued = x509.load_der_x509_certificate(certificates[leaf])
    expected = ["C=JP", "O=JPKI-TEST", f"OU={unit}", f"OU={AUTHORITY}"]
    assert names(issuer.subject) == names(issuer.issuer) == names(issued.issuer) == expected
    issued.verify_directly_issued_by(issuer)
    points = issued.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [point.full_name and len(point.full_name) for point in points] == [1]
    assert points[0].full_name is not None
    assert names(points[0].full_name[0].value) == [
        "C=JP",
        "O=JPKI-TEST",
        f"OU={unit}",
        "OU=CRL Distribution Points",
        "OU=Tokyo-to",
        "CN=Chiyoda-ku CRLDP",
    ]
    japanese = [
        "C=JP",
        "O=公的個人認証サービス",
        f"OU={unit_ja}",
        "OU=地方公共団体情報システム機構",
    ]
    alternative = issued.extensions.get_extension_for_class(x509.IssuerAlternativeName).value
    assert names(list(alternative)[0].value) == japanese  # noqa: RUF015


def test_four_attributes_of_the_holder_stand_in_six_other_names(
    certificates: dict[str, bytes],
) -> None:
    certificate = x509.load_der_x509_certificate(certificates[SIGNATURE])
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    seen = []
    for name in alternative:
        assert isinstance(name, x509.OtherName)
        text = asn1.UTF8String.load(name.value, strict=True).native
        seen.append((name.type_id.dotted_string.removeprefix("1.2.392.200149.8.5.5."), text))
    assert seen == [
        ("1", "見本　太郎"),
        ("4", "319850401"),
        ("3", "1"),
        ("5", "東京都千代田区見本町１丁目２番３号"),
        ("2", "00000"),
        ("6", "0" * 17),
    ]


def test_long_address_is_valid_der(certificates: dict[str, bytes]) -> None:
    from jpki.emulator.profile import _utf8_string

    for length in (1, 42, 43, 85, 86, 200):
        assert (
            asn1.UTF8String.load(_utf8_string("町" * length), strict=True).native == "町" * length
        )


def test_subjects_have_the_known_shape(certificates: dict[str, bytes]) -> None:
    authentication = x509.load_der_x509_certificate(certificates[AUTHENTICATION])
    country, common_name = names(authentication.subject)
    assert country == "C=JP"
    assert len(common_name) == len("CN=") + 23
    assert common_name.endswith("13101003A")
    signature = x509.load_der_x509_certificate(certificates[SIGNATURE])
    assert names(signature.subject)[:3] == ["C=JP", "L=Tokyo-to", "L=Chiyoda-ku"]
    assert names(signature.subject)[3].endswith("13101")


def test_country_is_printable_and_the_rest_utf8(certificates: dict[str, bytes]) -> None:
    for ef_id in (SIGNATURE, SIGNATURE_CA, AUTHENTICATION, AUTHENTICATION_CA):
        tbs = asn1.Certificate.load(certificates[ef_id])["tbs_certificate"]
        for name in (tbs["issuer"], tbs["subject"]):
            tags = [rdn[0]["value"].chosen.tag for rdn in name.chosen]
            assert tags == [19] + [12] * (len(tags) - 1)


@pytest.mark.parametrize(
    ("ca", "leaf"), [(SIGNATURE_CA, SIGNATURE), (AUTHENTICATION_CA, AUTHENTICATION)]
)
def test_key_identifiers_and_serials(certificates: dict[str, bytes], ca: str, leaf: str) -> None:
    issuer = x509.load_der_x509_certificate(certificates[ca])
    issued = x509.load_der_x509_certificate(certificates[leaf])
    key = asn1.Certificate.load(certificates[leaf]).public_key["public_key"]
    digest = Hash(SHA1())  # noqa: S303 - a name, not a protection
    digest.update(key.contents[1:])
    own = issued.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert own.digest == digest.finalize()
    authority = issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert authority.key_identifier == (
        issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )
    assert authority.authority_cert_serial_number == issuer.serial_number
    assert authority.authority_cert_issuer == [x509.DirectoryName(issuer.subject)]
    for certificate in (issuer, issued):
        assert 0x01000000 <= certificate.serial_number < 0x80000000


def test_no_certificate_points_to_a_real_revocation_service(
    certificates: dict[str, bytes],
) -> None:
    for ef_id in (SIGNATURE, AUTHENTICATION):
        certificate = x509.load_der_x509_certificate(certificates[ef_id])
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        assert [item.access_location.value.endswith(".invalid") for item in access.value] == [True]


def test_leaf_lies_within_its_ca_and_ends_with_a_japanese_day(
    certificates: dict[str, bytes],
) -> None:
    for ca, leaf in ((SIGNATURE_CA, SIGNATURE), (AUTHENTICATION_CA, AUTHENTICATION)):
        issuer = x509.load_der_x509_certificate(certificates[ca])
        issued = x509.load_der_x509_certificate(certificates[leaf])
        assert issuer.not_valid_before_utc < issued.not_valid_before_utc
        assert issued.not_valid_after_utc < issuer.not_valid_after_utc
        for certificate in (issuer, issued):
            assert f"{certificate.not_valid_after_utc:%H:%M:%S}" == "14:59:59"


def test_openssl_accepts_the_paths_strictly(certificates: dict[str, bytes], tmp_path: Path) -> None:
    for ca, leaf in ((SIGNATURE_CA, SIGNATURE), (AUTHENTICATION_CA, AUTHENTICATION)):
        for ef_id in (ca, leaf):
            certificate = x509.load_der_x509_certificate(certificates[ef_id])
            from cryptography.hazmat.primitives.serialization import Encoding

            (tmp_path / f"{ef_id}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        subprocess.run(
            [
                "openssl",
                "verify",
                "-x509_strict",
                "-check_ss_sig",
                "-CAfile",
                f"{ca}.pem",
                f"{leaf}.pem",
            ],
            cwd=tmp_path,
            check=True,
            stdout=subprocess.DEVNULL,
        )


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2019-05-01", "520190501"), ("2019-04-30", "420190430"), ("1989-01-08", "419890108"),
     ("1989-01-07", "319890107"), ("1926-12-25", "319261225"), ("1926-12-24", "219261224"),
     ("1912-07-30", "219120730"), ("1912-07-29", "119120729")],
)  # fmt: skip
def test_birth_date_names_the_era_and_the_gregorian_year(day: str, expected: str) -> None:
    assert era_date(date.fromisoformat(day)) == expected
