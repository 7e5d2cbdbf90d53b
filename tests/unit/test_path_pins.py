"""What the name of J-LIS is worth without its keys, and what each of its CAs may vouch for."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from support.attacks.naming import ORGANIZATION, UNIT, ca_name, identifier
from support.attacks.roots import false_root, production_leaf, production_root
from support.forging import (
    AUTHORITY_KEY_IDENTIFIER,
    POLICIES,
    SUBJECT_KEY_IDENTIFIER,
    TRUE,
    attribute,
    by_rsa,
    ca_of,
    fields_of,
    forge,
    integer,
    policies,
    seq,
    spki,
    time_of,
)
from support.odd_certificates import flipped, tlv
from support.pki import (
    AGENCY,
    AT,
    AUTHENTICATION_UNIT,
    CA_SERIAL_NUMBER,
    SIGNATURE_UNIT,
    load,
    load_key,
)

from jpki.certificates import AnchorOrigin, Purpose, Reason, Verdict, check_path
from jpki.certificates.trust import PINNED_CAS, PinnedCa, is_pinned, pin_of, pinned_among
from jpki.files import CertificateName

CARD_POLICY = "1.2.392.200149.8.5.1.1.20"
LOGIN_POLICY = "1.2.392.200149.8.5.1.3.30"
UNITS = {
    CertificateName.SIGNATURE: SIGNATURE_UNIT,
    CertificateName.AUTHENTICATION: AUTHENTICATION_UNIT,
}


def certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def imitation(pin: PinnedCa) -> bytes:
    """All that a root of J-LIS says of itself, with another key."""
    name = ca_name(
        organization=attribute(ORGANIZATION, "JPKI"), unit=attribute(UNIT, UNITS[pin.issues])
    )
    fields = replace(
        fields_of("signature-ca"),
        serial_number=integer(pin.serial_number),
        issuer=name,
        subject=name,
        validity=seq(time_of(pin.not_before), time_of(pin.not_after)),
        public_key=spki(load_key("foreign-ca").public_key()),
    )
    value = tlv(4, bytes.fromhex(pin.subject_key_identifier))
    return fields.with_extension(SUBJECT_KEY_IDENTIFIER, value).signed(by_rsa("foreign-ca"))


@pytest.mark.parametrize("pin", PINNED_CAS, ids=lambda pin: pin.name)
def test_a_root_that_says_all_that_j_lis_says_is_not_pinned(pin):
    root = certificate(imitation(pin))
    assert root.serial_number == pin.serial_number
    assert root.not_valid_after_utc == pin.not_after
    assert pin_of(root) is None
    assert pinned_among([root]) == ()


def test_a_bit_makes_another_certificate(pinned_signature_ca):
    ca = forge("signature-ca")
    assert is_pinned(ca)
    for bit in range(0, len(ca) * 8, 7):
        assert not is_pinned(flipped(ca, bit))


def test_the_false_root_is_no_anchor_and_one_that_was_given_is_not_called_pinned(
    pinned_signature_ca,
):
    leaf = certificate(forge(sign=by_rsa("foreign-ca")))
    bag = [certificate(false_root()), load("signature-ca")]
    assert pinned_among(bag) == (load("signature-ca"),)
    report = check_path(leaf, pinned_among(bag), AT, Purpose.DOCUMENT)
    assert (report.reasons, report.anchor) == ((Reason.UNTRUSTED_ISSUER,), None)
    report = check_path(leaf, bag, AT, Purpose.DOCUMENT)
    assert (report.reasons, report.anchor, report.pin) == ((), AnchorOrigin.TEST, None)


# --- the test hierarchy -------------------------------------------------------------------------


def test_a_test_certificate_is_indeterminate_where_only_pinned_roots_count():
    report = check_path(load("signature"), (), AT, Purpose.DOCUMENT)
    assert report.verdict is Verdict.INDETERMINATE
    report = check_path(load("signature"), [certificate(production_root())], AT, Purpose.DOCUMENT)
    assert report.reasons == (Reason.NO_ANCHOR,)


def test_what_stands_under_a_test_root_is_called_test_whatever_its_policy():
    for policy in (CARD_POLICY, "1.2.392.200149.8.5.1.0.20"):
        fields = fields_of().with_extension(POLICIES, policies(policy), TRUE)
        leaf = certificate(fields.signed(by_rsa()))
        report = check_path(leaf, [load("signature-ca")], AT, Purpose.DOCUMENT)
        assert (report.reasons, report.anchor) == ((), AnchorOrigin.TEST)


def test_a_given_root_in_the_name_of_j_lis_is_given_and_not_pinned():
    report = check_path(
        certificate(production_leaf()), [certificate(production_root())], AT, Purpose.DOCUMENT
    )
    assert (report.reasons, report.anchor) == ((), AnchorOrigin.GIVEN)


def test_the_policy_of_tests_does_not_stand_under_a_pinned_root(pinned_signature_ca):
    under_test_policy = certificate(forge())
    report = check_path(under_test_policy, [load("signature-ca")], AT, Purpose.DOCUMENT)
    assert (report.reasons, report.anchor) == ((Reason.WRONG_POLICY,), AnchorOrigin.PINNED)
    fields = fields_of().with_extension(POLICIES, policies(CARD_POLICY), TRUE)
    control = certificate(fields.signed(by_rsa()))
    assert check_path(control, [load("signature-ca")], AT, Purpose.DOCUMENT).reasons == ()


# --- each CA for its own ------------------------------------------------------------------------


@pytest.fixture
def both_pinned(monkeypatch) -> list[x509.Certificate]:
    """The throw-away CAs in the place of J-LIS's of 2019."""
    from jpki.certificates import trust

    pins = {pin.issues: pin for pin in PINNED_CAS if pin.generation == 2019}
    cas = [load("signature-ca"), load("authentication-ca")]
    for ca, issues in zip(cas, UNITS, strict=True):
        monkeypatch.setitem(trust._BY_FINGERPRINT, ca.fingerprint(SHA256()).hex(), pins[issues])
    return cas


def issued_by(ca: str, base: str, policy: str) -> x509.Certificate:
    """A leaf of one kind from a CA of either kind, which signed it."""
    unit = SIGNATURE_UNIT if ca == "signature-ca" else AUTHENTICATION_UNIT
    name = ca_name(unit=attribute(UNIT, unit), agency=attribute(UNIT, AGENCY))
    value = identifier(ca, name, CA_SERIAL_NUMBER)
    fields = (
        replace(fields_of(base), issuer=name)
        .with_extension(AUTHORITY_KEY_IDENTIFIER, value)
        .with_extension(POLICIES, policies(policy), TRUE)
    )
    return certificate(fields.signed(by_rsa(ca)))


@pytest.mark.parametrize(
    ("base", "policy", "purpose"),
    [
        ("signature", CARD_POLICY, Purpose.DOCUMENT),
        ("authentication", LOGIN_POLICY, Purpose.LOGIN),
    ],
)
def test_a_ca_of_j_lis_vouches_for_its_own_kind_alone(both_pinned, base, policy, purpose):
    own = ca_of(base)
    other = {"signature-ca": "authentication-ca", "authentication-ca": "signature-ca"}[own]
    report = check_path(issued_by(own, base, policy), both_pinned, AT, purpose)
    assert (report.reasons, report.anchor) == ((), AnchorOrigin.PINNED)
    report = check_path(issued_by(other, base, policy), both_pinned, AT, purpose)
    assert (report.reasons, report.anchor) == ((Reason.WRONG_POLICY,), AnchorOrigin.PINNED)
