"""Certificates: the path to an anchor, loading, and what they say."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from support.pki import (
    AT,
    AUTHENTICATION_LEAF,
    CA_FROM,
    CA_UNTIL,
    HOLDER,
    PKI_DIR,
    SIGNATURE_LEAF,
    build_ca,
    ca_name,
    holder_names,
    key_usage,
    load,
    load_key,
    other_name,
)

from jpki.certificates import (
    AnchorOrigin,
    CertificateKind,
    Purpose,
    Reason,
    Sex,
    Verdict,
    check_path,
    load_certificates,
    read_profile,
)
from jpki.certificates.loading import MAX_CERTIFICATES
from jpki.errors import CertificateMalformedError

SIGNATURE_CA = [load("signature-ca")]
AUTHENTICATION_CA = [load("authentication-ca")]


def signature_leaf(**changes) -> x509.Certificate:
    leaf = replace(SIGNATURE_LEAF, **changes)
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


def reasons_for(certificate, anchors=None, at=AT, purpose=Purpose.DOCUMENT) -> tuple[Reason, ...]:
    return check_path(
        certificate, SIGNATURE_CA if anchors is None else anchors, at, purpose
    ).reasons


# --- controls -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "anchors", "purpose"),
    [
        ("signature", SIGNATURE_CA, Purpose.DOCUMENT),
        ("authentication", AUTHENTICATION_CA, Purpose.LOGIN),
    ],
)
def test_each_certificate_passes_for_its_own_purpose(name, anchors, purpose):
    report = check_path(load(name), anchors, AT, purpose)
    assert report.reasons == ()
    assert report.verdict is Verdict.PASSED
    assert report.anchor is AnchorOrigin.TEST
    assert report.anchor_certificate == anchors[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"policy_critical": False},
        {"names": None},
        {"algorithm": hashes.SHA512()},
        {"serial_number": (1 << 159) - 1},
        {"extra": ((x509.TLSFeature([x509.TLSFeatureType.status_request]), False),)},
        {"extra": ((x509.BasicConstraints(ca=False, path_length=None), True),)},
    ],
    ids=["policy", "no holder", "sha512", "long serial", "unknown extension", "not a CA"],
)
def test_sound_variants_pass(changes):
    assert reasons_for(signature_leaf(**changes)) == ()


# --- purpose ------------------------------------------------------------------------------------


def test_neither_certificate_serves_the_other_purpose():
    wrong = (Reason.WRONG_KEY_USAGE,)
    assert reasons_for(load("authentication"), AUTHENTICATION_CA) == wrong
    assert reasons_for(load("signature"), purpose=Purpose.LOGIN) == wrong


@pytest.mark.parametrize(
    "usage", [None, key_usage("digital_signature"), key_usage("key_encipherment")]
)
def test_a_document_wants_non_repudiation(usage):
    assert reasons_for(signature_leaf(usage=usage)) == (Reason.WRONG_KEY_USAGE,)


@pytest.mark.parametrize(
    "changes",
    [
        {"usage": None},
        {"usage": key_usage("content_commitment")},
        {"extended": None},
        {"extended": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])},
        {"extended": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])},
    ],
)
def test_a_login_wants_digital_signature_and_client_authentication(changes):
    certificate = replace(AUTHENTICATION_LEAF, **changes).build(
        load_key("authentication").public_key(), load_key("authentication-ca")
    )
    reasons = reasons_for(certificate, AUTHENTICATION_CA, purpose=Purpose.LOGIN)
    assert reasons == (Reason.WRONG_KEY_USAGE,)


# --- the leaf -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": ((x509.BasicConstraints(ca=True, path_length=None), True),)},
        {"usage": key_usage("digital_signature", "content_commitment", "key_cert_sign")},
        {"usage": key_usage("digital_signature", "content_commitment", "crl_sign")},
    ],
)
def test_a_leaf_that_could_issue_is_refused(changes):
    assert reasons_for(signature_leaf(**changes)) == (Reason.SIGNER_IS_CA,)


@pytest.mark.parametrize(
    "extension",
    [
        x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
        x509.NameConstraints([x509.DNSName("example.jp")], None),
        x509.PolicyConstraints(0, None),
        x509.TLSFeature([x509.TLSFeatureType.status_request]),
    ],
    ids=["private", "name constraints", "policy constraints", "tls feature"],
)
def test_a_critical_extension_that_nobody_reads_is_refused(extension):
    critical = signature_leaf(extra=((extension, True),))
    assert reasons_for(critical) == (Reason.UNKNOWN_CRITICAL_EXTENSION,)
    assert reasons_for(signature_leaf(extra=((extension, False),))) == ()


def test_a_critical_alternative_name_is_refused():
    certificate = signature_leaf(names=None, extra=((holder_names(), True),))
    assert reasons_for(certificate) == (Reason.UNKNOWN_CRITICAL_EXTENSION,)


@pytest.mark.parametrize(
    ("make_key", "reason"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), Reason.WEAK_KEY),  # noqa: S505
        (lambda: rsa.generate_private_key(65537, 2046), Reason.WEAK_KEY),  # noqa: S505
        (lambda: rsa.generate_private_key(3, 2048), Reason.WEAK_KEY),
        (lambda: ec.generate_private_key(ec.SECP256R1()), Reason.UNSUPPORTED_ALGORITHM),
    ],
    ids=["1024 bits", "2046 bits", "e=3", "P-256"],
)
def test_a_key_that_is_not_rsa_2048_with_65537_is_refused(make_key, reason):
    certificate = SIGNATURE_LEAF.build(make_key().public_key(), load_key("signature-ca"))
    assert reasons_for(certificate) == (reason,)


def test_a_modulus_that_keeps_verifiers_busy_is_refused():
    numbers = rsa.RSAPublicNumbers(65537, (1 << 16384) - 3)
    certificate = SIGNATURE_LEAF.build(numbers.public_key(), load_key("signature-ca"))
    assert reasons_for(certificate) == (Reason.WEAK_KEY,)


def test_a_certificate_signed_with_pss_is_not_supported():
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    certificate = SIGNATURE_LEAF.build(
        load_key("signature").public_key(), load_key("signature-ca"), rsa_padding=scheme
    )
    assert reasons_for(certificate) == (Reason.UNSUPPORTED_ALGORITHM,)


def swap_algorithm(certificate: x509.Certificate, new: str, *, places: slice) -> x509.Certificate:
    """Write another signature algorithm into a certificate, inside and/or outside."""
    der = certificate.public_bytes(Encoding.DER)
    old = bytes.fromhex("06092A864886F70D01010B")
    pieces = der.split(old)
    assert len(pieces) == 3
    names = [old, old]
    names[places] = [bytes.fromhex(new)] * len(names[places])
    body = pieces[0] + names[0] + pieces[1] + names[1] + pieces[2]
    return x509.load_der_x509_certificate(body)


def test_sha1_and_md5_certificates_are_weak():
    for oid in ("06092A864886F70D010105", "06092A864886F70D010104"):
        certificate = swap_algorithm(load("signature"), oid, places=slice(0, 2))
        assert Reason.WEAK_ALGORITHM in reasons_for(certificate)


def test_another_algorithm_inside_than_outside_is_not_the_cas_signature():
    oid = "06092A864886F70D01010C"
    for places in (slice(0, 1), slice(1, 2)):
        certificate = swap_algorithm(load("signature"), oid, places=places)
        assert Reason.UNTRUSTED_ISSUER in reasons_for(certificate)


def test_a_changed_certificate_is_not_the_cas():
    der = load("signature").public_bytes(Encoding.DER)
    changed = der.replace("見本".encode(), "本見".encode())
    assert changed != der
    assert reasons_for(x509.load_der_x509_certificate(changed)) == (Reason.UNTRUSTED_ISSUER,)


def test_a_part_that_cannot_be_read_is_a_reason_not_a_crash():
    der = load("signature").public_bytes(Encoding.DER)
    doubled = der.replace(bytes.fromhex("0603551D0F"), bytes.fromhex("0603551D12"))
    certificate = x509.load_der_x509_certificate(doubled)
    assert reasons_for(certificate) == (Reason.CERTIFICATE_MALFORMED,)


def test_all_faults_are_named_at_once():
    certificate = signature_leaf(
        usage=key_usage("digital_signature"),
        not_before=datetime(2020, 5, 1, tzinfo=UTC),
        not_after=datetime(2025, 3, 31, 14, 59, 59, tzinfo=UTC),
    )
    assert reasons_for(certificate, []) == (
        Reason.EXPIRED,
        Reason.WRONG_KEY_USAGE,
        Reason.NO_ANCHOR,
    )


# --- anchors ------------------------------------------------------------------------------------


def anchor(**changes) -> x509.Certificate:
    return build_ca(load_key("signature-ca"), **changes)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"is_ca": False}, (Reason.ANCHOR_NOT_CA,)),
        ({"usage": key_usage("crl_sign")}, (Reason.ANCHOR_NOT_CA,)),
        ({"not_after": AT - timedelta(days=1)}, (Reason.ANCHOR_EXPIRED,)),
        ({"not_before": AT + timedelta(days=1)}, (Reason.ANCHOR_NOT_YET_VALID,)),
        (
            {"extra": ((x509.NameConstraints([x509.DNSName("jp")], None), True),)},
            (Reason.UNKNOWN_CRITICAL_EXTENSION,),
        ),
    ],
)
def test_an_anchor_must_be_a_ca_certificate_in_date(changes, reasons):
    report = check_path(load("signature"), [anchor(**changes)], AT, Purpose.DOCUMENT)
    assert report.reasons == reasons
    assert report.anchor is AnchorOrigin.TEST


def test_of_two_anchors_with_one_key_the_better_counts():
    expired = anchor(not_after=AT - timedelta(days=1))
    for anchors in ([expired, anchor()], [anchor(), expired]):
        assert reasons_for(load("signature"), anchors) == ()


def test_the_anchors_own_dates_hold_to_the_second():
    leaf = signature_leaf(not_before=CA_FROM - timedelta(365), not_after=CA_UNTIL + timedelta(365))
    second = timedelta(seconds=1)
    assert reasons_for(leaf, at=CA_FROM) == ()
    assert reasons_for(leaf, at=CA_FROM - second) == (Reason.ANCHOR_NOT_YET_VALID,)
    assert reasons_for(leaf, at=CA_UNTIL) == ()
    assert reasons_for(leaf, at=CA_UNTIL + second) == (Reason.ANCHOR_EXPIRED,)


def test_an_expired_generation_still_vouches_for_its_own_time():
    old = anchor(not_before=CA_FROM - timedelta(3650), not_after=AT - timedelta(days=1))
    assert reasons_for(load("signature"), [old]) == (Reason.ANCHOR_EXPIRED,)
    assert reasons_for(load("signature"), [old], at=AT - timedelta(days=30)) == ()


def test_names_that_differ_only_in_their_encoding_are_different():
    printable = x509.Name(
        [
            x509.NameAttribute(item.oid, item.value, _type=x509.name._ASN1Type.PrintableString)
            for item in ca_name()
        ]
    )
    assert reasons_for(load("signature"), [anchor(name=printable)]) == (Reason.NO_ANCHOR,)


def test_the_reason_tells_a_false_issuer_from_an_unknown_one():
    foreign = check_path(load("signature"), [load("foreign-ca")], AT, Purpose.DOCUMENT)
    assert (foreign.reasons, foreign.verdict) == ((Reason.UNTRUSTED_ISSUER,), Verdict.FAILED)
    unknown = check_path(load("signature"), AUTHENTICATION_CA, AT, Purpose.DOCUMENT)
    assert (unknown.reasons, unknown.verdict) == ((Reason.NO_ANCHOR,), Verdict.INDETERMINATE)


def test_a_key_identifier_that_points_elsewhere_does_not_decide():
    # AKI is a hint (RFC 5280 4.2.1.1); the leaf names foreign-ca's key and is signed by the CA.
    built = SIGNATURE_LEAF.build(load_key("signature").public_key(), load_key("foreign-ca"))
    assert reasons_for(built) == (Reason.UNTRUSTED_ISSUER,)
    assert reasons_for(built, [load("signature-ca"), load("foreign-ca")]) == ()


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        reasons_for(load("signature"), at=datetime(2026, 6, 1))  # noqa: DTZ001


# --- loading ------------------------------------------------------------------------------------


def der(name: str) -> bytes:
    return load(name).public_bytes(Encoding.DER)


def pem(name: str) -> bytes:
    return (PKI_DIR / f"{name}.pem").read_bytes()


def test_der_and_pem_with_one_or_many_are_loaded():
    both = (load("signature"), load("signature-ca"))
    assert load_certificates(der("signature")) == both[:1]
    assert load_certificates(der("signature") + der("signature-ca")) == both
    assert load_certificates(pem("signature")) == both[:1]
    bundle = b"# a comment\r\n" + pem("signature") + b"\n\n" + pem("signature-ca")
    assert load_certificates(bundle) == both
    assert load_certificates(bundle.replace(b"\n", b"\r\n")) == both


def test_a_key_beside_the_certificate_is_passed_over():
    data = (PKI_DIR / "signature.key").read_bytes() + pem("signature")
    assert load_certificates(data) == (load("signature"),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"hello",
        b"0",
        der("signature")[:-1],
        der("signature") + b"\x00",
        der("signature") + b"\x30",
        b"\x04" + der("signature")[1:],
        b"\x30\x84\x05\xf5\xe1\x00" + bytes(100),
        b"\x30\x80" + der("signature")[4:] + b"\x00\x00",
        b"\x30\x82\x01\x00" * 5000,
        (PKI_DIR / "signature.key").read_bytes(),
        pem("signature")[:-20],
        pem("signature") + b"-----BEGIN CERTIFICATE-----\nAAAA",
        pem("signature").replace(b"M", b"*", 1),
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
        der("signature") * (MAX_CERTIFICATES + 1),
    ],
    ids=lambda data: f"{len(data)} bytes {data[:8]!r}",
)
def test_what_is_no_certificate_is_refused_with_one_error(data):
    with pytest.raises(CertificateMalformedError):
        load_certificates(data)


def test_every_truncation_is_refused():
    data = der("signature")
    for size in range(len(data)):
        with pytest.raises(CertificateMalformedError):
            load_certificates(data[:size])


# --- describing ---------------------------------------------------------------------------------


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
