"""What is known of a leaf that has passed saves work when it comes again, and lets nothing pass."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.attacks.case import NO_CA, REFUSED, Case, Outcome, Threat
from support.attacks.table import CASES
from support.pki import AT, AUTHENTICATION_LEAF, build_ca, key_usage, load, load_key

from jpki.certificates import Purpose, Reason, TrustAnchors, check_path, read_profile
from jpki.certificates import issuer as issuer_module
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.revocation import RevocationMaterial, load_crls
from jpki.errors import AnchorNotCaError, CertificateMalformedError

CA = load("authentication-ca")


def parsed(certificate: x509.Certificate) -> ParsedCertificate:
    return ParsedCertificate.from_der(certificate.public_bytes(Encoding.DER))


def login_leaf(**changes) -> ParsedCertificate:
    leaf = replace(AUTHENTICATION_LEAF, **changes)
    return parsed(
        leaf.build(load_key("authentication").public_key(), load_key("authentication-ca"))
    )


def is_known(leaf: ParsedCertificate) -> bool:
    """Whether a check that was made did without reading it."""
    return "parts" not in vars(leaf)


@pytest.fixture
def anchors() -> TrustAnchors:
    return TrustAnchors([load("signature-ca"), load("authentication-ca")])


def test_a_leaf_that_passed_is_known_and_gets_the_same_report(anchors: TrustAnchors):
    reports = []
    for known in (False, True, True):
        leaf = login_leaf()
        reports.append(check_path(leaf, anchors, AT, Purpose.LOGIN))
        assert is_known(leaf) is known
        assert read_profile(leaf).policies == reports[0].policies
    assert reports[0].reasons == ()
    assert reports[1] == reports[2] == reports[0]


def test_another_leaf_is_not_known(anchors: TrustAnchors):
    for number in (1, 2):
        leaf = login_leaf(serial_number=number)
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == ()
        assert not is_known(leaf)


def test_what_is_known_of_logins_says_nothing_of_documents(anchors: TrustAnchors):
    for _ in range(2):
        assert check_path(login_leaf(), anchors, AT, Purpose.LOGIN).reasons == ()
    report = check_path(login_leaf(), anchors, AT, Purpose.DOCUMENT)
    assert report.reasons == (Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY)


def test_what_did_not_pass_is_not_known(anchors: TrustAnchors):
    for _ in range(2):
        leaf = login_leaf(usage=key_usage("key_agreement"))
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == (Reason.WRONG_KEY_USAGE,)
        assert not is_known(leaf)


def test_the_dates_of_a_leaf_that_is_known_count(anchors: TrustAnchors):
    assert check_path(login_leaf(), anchors, AT, Purpose.LOGIN).reasons == ()
    for year, reason in ((2031, Reason.EXPIRED), (2020, Reason.NOT_YET_VALID)):
        leaf = login_leaf()
        reasons = check_path(leaf, anchors, AT.replace(year=year), Purpose.LOGIN).reasons
        assert reasons[0] is reason
        assert is_known(leaf)


def test_the_dates_of_the_anchor_of_a_leaf_that_is_known_count(anchors: TrustAnchors):
    assert check_path(login_leaf(), anchors, AT, Purpose.LOGIN).reasons == ()
    late = load("authentication-ca").not_valid_after_utc.replace(year=2100)
    fresh = TrustAnchors([load("authentication-ca")])
    known = check_path(login_leaf(), anchors, late, Purpose.LOGIN)
    assert known.reasons == check_path(login_leaf(), fresh, late, Purpose.LOGIN).reasons
    assert known.reasons == (Reason.EXPIRED, Reason.ANCHOR_EXPIRED)


def test_a_leaf_that_is_known_can_be_revoked(anchors: TrustAnchors):
    from support.revocation import Crl, der

    leaf = load("signature")
    assert check_path(parsed(leaf), anchors, AT, Purpose.DOCUMENT).reasons == ()
    material = RevocationMaterial(
        crls=load_crls(der(Crl(entries=[(leaf.serial_number, None)]).build()))
    )
    known = parsed(leaf)
    report = check_path(known, anchors, AT, Purpose.DOCUMENT, material)
    assert report.reasons == (Reason.REVOKED,)


def test_a_leaf_of_two_anchors_with_one_key_is_looked_at_each_time():
    two = TrustAnchors([CA, build_ca(load_key("authentication-ca"), name=CA.subject)])
    for _ in range(2):
        leaf = login_leaf()
        assert check_path(leaf, two, AT, Purpose.LOGIN).reasons == ()
        assert not is_known(leaf)


def test_no_more_is_kept_in_mind_than_may_be(
    anchors: TrustAnchors, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(issuer_module, "MAX_KNOWN", 2)
    for number in (1, 2, 3):
        check_path(login_leaf(serial_number=number), anchors, AT, Purpose.LOGIN)
    for number, known in ((3, True), (1, False)):
        leaf = login_leaf(serial_number=number)
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == ()
        assert is_known(leaf) is known


def test_no_flipped_bit_of_a_leaf_that_is_known_passes(anchors: TrustAnchors):
    sound = parsed(load("authentication"))
    for _ in range(2):
        assert check_path(sound, anchors, AT, Purpose.LOGIN).reasons == ()
    for bit in range(len(sound.der) * 8):
        changed = bytearray(sound.der)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            leaf = ParsedCertificate.from_der(bytes(changed))
        except CertificateMalformedError:
            continue
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons != (), bit


@pytest.mark.parametrize("threat", Threat)
def test_no_attack_gains_by_what_is_known(threat: Threat):
    """Every case twice, with anchors that have seen all the others of its kind and the usual."""
    known: dict[tuple[bytes, ...], TrustAnchors] = {}
    cases = [case for case in CASES if case.threat is threat]
    assert [case for case in (*cases, *cases) if judged(case, known) != case.reasons] == []


def judged(case: Case, known: dict[tuple[bytes, ...], TrustAnchors]) -> Outcome:
    ders = tuple(anchor() for anchor in case.anchors)
    try:
        if ders not in known:
            known[ders] = TrustAnchors(map(x509.load_der_x509_certificate, ders))
            usual(known[ders])
        leaf = ParsedCertificate.from_der(case.leaf())
        reasons = check_path(leaf, known[ders], case.at, case.purpose).reasons
    except AnchorNotCaError:
        return NO_CA
    except CertificateMalformedError:
        return REFUSED
    return REFUSED if reasons == (Reason.CERTIFICATE_MALFORMED,) else reasons


def usual(anchors: TrustAnchors) -> None:
    for name, purpose in (("authentication", Purpose.LOGIN), ("signature", Purpose.DOCUMENT)):
        check_path(parsed(load(name)), anchors, AT, purpose)
