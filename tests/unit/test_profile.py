"""What a certificate says: its kind, its dates, and its holder."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID, ObjectIdentifier
from support.pki import (
    HOLDER,
    SIGNATURE_LEAF,
    build_ca,
    ca_name,
    holder_names,
    load,
    load_key,
    other_name,
)

from jpki.certificates import CertificateKind, Sex, read_profile


def signature_leaf(**changes) -> x509.Certificate:
    leaf = replace(SIGNATURE_LEAF, **changes)
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("signature", CertificateKind.SIGNATURE),
        ("authentication", CertificateKind.AUTHENTICATION),
        ("signature-ca", CertificateKind.SIGNATURE_CA),
        ("authentication-ca", CertificateKind.AUTHENTICATION_CA),
        ("signature-wrong-usage", CertificateKind.UNKNOWN),
    ],
)
def test_the_kind_is_told_from_usage_and_name(name, kind):
    assert read_profile(load(name)).kind is kind


def test_the_kind_of_a_foreign_ca_is_unknown():
    ca = build_ca(load_key("foreign-ca"), name=ca_name("Example", "Example"))
    assert read_profile(ca).kind is CertificateKind.UNKNOWN
    assert read_profile(signature_leaf(usage=None)).kind is CertificateKind.UNKNOWN


def test_a_summary_says_what_stands_in_the_certificate():
    certificate = load("signature")
    summary = read_profile(certificate)
    assert summary.subject == certificate.subject.rfc4514_string()
    assert summary.issuer == certificate.issuer.rfc4514_string()
    assert bytes.fromhex(summary.fingerprint_sha256) == certificate.fingerprint(hashes.SHA256())
    assert summary.serial_number == 0x01020304
    assert summary.not_valid_after == datetime(2030, 3, 31, 14, 59, 59, tzinfo=UTC)
    assert summary.not_valid_before == datetime(2025, 4, 2, 1, 2, 3, tzinfo=UTC)


def test_the_holder_is_read_by_oid_whatever_the_order():
    wanted = ("見本　太郎", date(1989, 3, 31), Sex.MALE, HOLDER[5])
    for order in ((1, 4, 3, 5, 2, 6), (6, 5, 4, 3, 2, 1)):
        names = holder_names({number: HOLDER[number] for number in order})
        holder = read_profile(signature_leaf(names=names)).holder
        assert (holder.name, holder.birth_date, holder.sex, holder.address) == wanted


def test_a_certificate_without_the_holders_names_has_no_holder():
    assert read_profile(load("authentication")).holder is None
    web = x509.SubjectAlternativeName([x509.DNSName("example.jp")])
    assert read_profile(signature_leaf(names=web)).holder is None


@pytest.mark.parametrize(
    ("code", "sex"),
    [
        ("1", Sex.MALE),
        ("2", Sex.FEMALE),
        ("3", Sex.OTHER),
        ("9", Sex.OTHER),
        ("0", None),
        ("男", None),
    ],
)
def test_sex_codes(code, sex):
    assert read_profile(signature_leaf(names=holder_names({3: code}))).holder.sex is sex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("520240229", date(2024, 2, 29)),
        ("019890331", date(1989, 3, 31)),
        ("520230229", None),
        ("400000000", None),
        ("319890300", None),
        ("919890331", None),
        ("31989033", None),
        ("3198903311", None),
        ("３１９８９０３３１", None),
        ("3-9890331", None),
    ],
)
def test_birth_dates(text, expected):
    assert read_profile(signature_leaf(names=holder_names({4: text}))).holder.birth_date == expected


@pytest.mark.parametrize(
    "value", [b"\x0c\x01\xff", b"\x16\x03abc", b"\x1e\x02\x30\x42", b"\x04\x03abc", b"\x05\x00"]
)
def test_a_name_in_another_encoding_is_not_guessed(value):
    odd = x509.OtherName(ObjectIdentifier("1.2.392.200149.8.5.5.1"), value)
    names = x509.SubjectAlternativeName([odd, other_name(3, "2")])
    holder = read_profile(signature_leaf(names=names)).holder
    assert holder.name is None
    assert holder.sex is Sex.FEMALE


def test_a_name_given_twice_is_not_guessed():
    names = x509.SubjectAlternativeName([other_name(1, "見本　太郎"), other_name(1, "番号　花子")])
    assert read_profile(signature_leaf(names=names)).holder.name is None


def test_a_summary_does_not_print_the_holder_or_the_serial_number():
    text = repr(read_profile(load("signature")))
    assert "見本" not in text
    assert "東京" not in text
    assert str(0x01020304) not in text


def test_a_name_longer_than_127_bytes_is_read():
    address = "東京都" * 60
    text = address.encode()
    value = b"\x0c\x82" + len(text).to_bytes(2, "big") + text
    name = x509.OtherName(ObjectIdentifier("1.2.392.200149.8.5.5.5"), value)
    certificate = signature_leaf(names=x509.SubjectAlternativeName([name]))
    assert read_profile(certificate).holder.address == address


def test_common_names_may_be_anything():
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a,b=c\x1b[31m\u202e")])
    assert "\x1b" in read_profile(signature_leaf(subject=subject)).subject
