"""Certificates: the path to an anchor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from support.pki import (
    AT,
    AUTHENTICATION_LEAF,
    CA_FROM,
    CA_UNTIL,
    LEAF_FROM,
    SIGNATURE_LEAF,
    build_ca,
    ca_name,
    holder_names,
    key_usage,
    load,
    load_key,
)

from jpki.certificates import (
    AnchorOrigin,
    Purpose,
    Reason,
    Verdict,
    check_path,
)
from jpki.certificates.conformance import ProfileFault, ProfileFaultKind
from jpki.errors import AnchorNotCaError

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
        {"serial_number": (1 << 159) - 1},
        {"policy": "1.2.392.200149.8.5.1.1.20"},
        {"policy": "1.2.392.200149.8.5.1.1.40", "names": None},
        {"extra": ((x509.BasicConstraints(ca=False, path_length=None), True),)},
    ],
    ids=["long serial", "policy of cards", "policy of phones", "not a CA"],
)
def test_sound_variants_pass(changes):
    assert reasons_for(signature_leaf(**changes)) == ()


# --- purpose ------------------------------------------------------------------------------------


def test_neither_certificate_serves_the_other_purpose():
    wrong = (Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY)
    assert reasons_for(load("authentication"), AUTHENTICATION_CA) == wrong
    assert reasons_for(load("signature"), purpose=Purpose.LOGIN) == wrong


@pytest.mark.parametrize(
    "usage",
    [
        None,
        key_usage("digital_signature"),
        key_usage("content_commitment"),
        key_usage("digital_signature", "content_commitment", "key_encipherment"),
    ],
)
def test_a_document_wants_digital_signature_and_non_repudiation_and_nothing_else(usage):
    assert reasons_for(signature_leaf(usage=usage)) == (Reason.WRONG_KEY_USAGE,)


@pytest.mark.parametrize(
    "changes",
    [
        {"usage": None},
        {"usage": key_usage("content_commitment")},
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
    assert Reason.SIGNER_IS_CA in reasons_for(signature_leaf(**changes))


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
    expected = (Reason.UNKNOWN_CRITICAL_EXTENSION, Reason.PROFILE_MISMATCH)
    assert reasons_for(critical) == expected
    report = check_path(
        signature_leaf(extra=((extension, False),)), SIGNATURE_CA, AT, Purpose.DOCUMENT
    )
    assert report.reasons == (Reason.PROFILE_MISMATCH,)
    kind, oid = ProfileFaultKind.UNEXPECTED_EXTENSION, extension.oid.dotted_string
    assert report.profile_faults == (ProfileFault(kind=kind, oid=oid),)


def test_a_critical_alternative_name_is_refused():
    certificate = signature_leaf(names=None, extra=((holder_names(), True),))
    expected = (Reason.UNKNOWN_CRITICAL_EXTENSION, Reason.PROFILE_MISMATCH)
    assert reasons_for(certificate) == expected


@pytest.mark.parametrize(
    "changes",
    [{"policy_critical": False}, {"names": None}],
    ids=["policy not critical", "no holder"],
)
def test_what_jpki_does_not_issue_is_refused(changes):
    assert reasons_for(signature_leaf(**changes)) == (Reason.PROFILE_MISMATCH,)


@pytest.mark.parametrize(
    "policy",
    ["1.2.392.200149.8.5.1.3.30", "1.2.392.200149.8.5.1.1.30", "2.5.29.32.0", "1.2.3.4"],
)
def test_a_policy_that_does_not_stand_for_documents_is_refused_with_its_oid(policy):
    report = check_path(signature_leaf(policy=policy), SIGNATURE_CA, AT, Purpose.DOCUMENT)
    assert report.reasons == (Reason.WRONG_POLICY,)
    assert report.policies == (policy,)


@pytest.mark.parametrize(
    ("policy", "allowed_if_pinned"),
    [
        ("1.2.392.200149.8.5.1.1.20", True),
        ("1.2.392.200149.8.5.1.1.40", True),
        ("1.2.392.200149.8.5.1.0.20", False),
    ],
)
def test_the_test_hierarchys_policy_does_not_stand_under_a_ca_of_j_lis(
    policy, allowed_if_pinned, request
):
    certificate = signature_leaf(policy=policy)
    assert reasons_for(certificate) == ()
    pin = request.getfixturevalue("pinned_signature_ca")
    report = check_path(certificate, SIGNATURE_CA, AT, Purpose.DOCUMENT)
    assert report.anchor is AnchorOrigin.PINNED
    assert report.pin is pin
    assert report.reasons == (() if allowed_if_pinned else (Reason.WRONG_POLICY,))


@pytest.mark.parametrize(
    ("make_key", "reason"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), Reason.WEAK_KEY),  # noqa: S505
        (lambda: rsa.generate_private_key(65537, 2046), Reason.WEAK_KEY),  # noqa: S505
        (lambda: rsa.generate_private_key(3, 2048), Reason.WEAK_KEY),
        (lambda: rsa.generate_private_key(65537, 3072), Reason.WEAK_KEY),
        (lambda: ec.generate_private_key(ec.SECP256R1()), Reason.UNSUPPORTED_ALGORITHM),
    ],
    ids=["1024 bits", "2046 bits", "e=3", "3072 bits", "P-256"],
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
        (
            {"not_after": AT - timedelta(days=1)},
            (Reason.ANCHOR_EXPIRED, Reason.OUTSIDE_ANCHOR_VALIDITY),
        ),
        (
            {"not_before": AT + timedelta(days=1)},
            (Reason.ANCHOR_NOT_YET_VALID, Reason.OUTSIDE_ANCHOR_VALIDITY),
        ),
        (
            {"extra": ((x509.NameConstraints([x509.DNSName("jp")], None), True),)},
            (Reason.UNKNOWN_CRITICAL_EXTENSION,),
        ),
    ],
)
def test_an_anchor_must_be_in_date_and_without_unknown_conditions(changes, reasons):
    report = check_path(load("signature"), [anchor(**changes)], AT, Purpose.DOCUMENT)
    assert report.reasons == reasons
    assert report.anchor is AnchorOrigin.TEST


@pytest.mark.parametrize("changes", [{"is_ca": False}, {"usage": key_usage("crl_sign")}])
def test_an_anchor_that_is_no_ca_is_the_callers_mistake(changes):
    with pytest.raises(AnchorNotCaError):
        reasons_for(load("signature"), [anchor(**changes)])


def test_of_two_anchors_with_one_key_the_better_counts():
    expired = anchor(not_after=AT - timedelta(days=1))
    for anchors in ([expired, anchor()], [anchor(), expired]):
        assert reasons_for(load("signature"), anchors) == ()


def test_the_anchors_own_dates_hold_to_the_second():
    leaf = signature_leaf(not_before=CA_FROM - timedelta(365), not_after=CA_UNTIL + timedelta(365))
    second = timedelta(seconds=1)
    outside = Reason.OUTSIDE_ANCHOR_VALIDITY
    assert reasons_for(leaf, at=CA_FROM) == (outside,)
    assert reasons_for(leaf, at=CA_FROM - second) == (Reason.ANCHOR_NOT_YET_VALID, outside)
    assert reasons_for(leaf, at=CA_UNTIL) == (outside,)
    assert reasons_for(leaf, at=CA_UNTIL + second) == (Reason.ANCHOR_EXPIRED, outside)


def test_a_leaf_may_live_as_long_as_its_ca_and_not_a_second_longer():
    second = timedelta(seconds=1)
    assert reasons_for(signature_leaf(not_before=CA_FROM, not_after=CA_UNTIL)) == ()
    for changes in ({"not_before": CA_FROM - second}, {"not_after": CA_UNTIL + second}):
        assert reasons_for(signature_leaf(**changes)) == (Reason.OUTSIDE_ANCHOR_VALIDITY,)


def test_an_expired_generation_still_vouches_for_its_own_time():
    old = anchor(not_before=CA_FROM - timedelta(3650), not_after=AT - timedelta(days=1))
    leaf = signature_leaf(not_before=LEAF_FROM, not_after=AT - timedelta(days=2))
    assert reasons_for(leaf, [old]) == (Reason.EXPIRED, Reason.ANCHOR_EXPIRED)
    assert reasons_for(leaf, [old], at=AT - timedelta(days=30)) == ()


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


def test_the_signature_finds_the_issuer_among_its_namesakes():
    built = SIGNATURE_LEAF.build(load_key("signature").public_key(), load_key("foreign-ca"))
    assert reasons_for(built) == (Reason.UNTRUSTED_ISSUER,)
    assert reasons_for(built, [load("signature-ca"), load("foreign-ca")]) == ()


@pytest.mark.parametrize(
    ("key", "serial_number"),
    [("foreign-ca", 0x1EA8A8), ("signature-ca", 0x1EA8A9)],
    ids=["key identifier", "serial number"],
)
def test_an_issuer_identifier_must_not_contradict_the_signature(key, serial_number):
    other = x509.SubjectKeyIdentifier.from_public_key(load_key(key).public_key()).digest
    identifier = x509.AuthorityKeyIdentifier(other, [x509.DirectoryName(ca_name())], serial_number)
    report = check_path(
        signature_leaf(issuer_identifier=identifier), SIGNATURE_CA, AT, Purpose.DOCUMENT
    )
    assert report.reasons == (Reason.PROFILE_MISMATCH,)
    (fault,) = report.profile_faults
    assert fault.kind is ProfileFaultKind.WRONG_ISSUER_IDENTIFIER


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        reasons_for(load("signature"), at=datetime(2026, 6, 1))  # noqa: DTZ001
