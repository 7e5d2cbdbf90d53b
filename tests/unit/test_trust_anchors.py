"""What an anchor knows from one leaf saves work with the next, and lets nothing pass."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.attacks.case import NO_CA, REFUSED, Case, Outcome, Threat
from support.attacks.table import CASES
from support.pki import AT, AUTHENTICATION_LEAF, Leaf, key_usage, load, load_key

from jpki.certificates import Purpose, Reason, TrustAnchors, check_path, read_profile
from jpki.certificates import issuer as issuer_module
from jpki.certificates.parsed import KEY_IDENTIFIER, ParsedCertificate
from jpki.errors import AnchorNotCaError, CertificateMalformedError


def parsed(certificate: x509.Certificate) -> ParsedCertificate:
    return ParsedCertificate.but_for_extensions(certificate.public_bytes(Encoding.DER))


def login_leaf(number: int, leaf: Leaf = AUTHENTICATION_LEAF) -> ParsedCertificate:
    leaf = replace(leaf, serial_number=0x700000 + number)
    key = load_key("authentication" if number % 2 else "signature").public_key()
    return parsed(leaf.build(key, load_key("authentication-ca")))


def is_known(leaf: ParsedCertificate) -> bool:
    """Whether a check that was made did without the extensions."""
    return "extensions" not in vars(leaf)


@pytest.fixture
def anchors() -> TrustAnchors:
    return TrustAnchors([load("signature-ca"), load("authentication-ca")])


def test_a_leaf_like_one_that_passed_is_known_and_gets_the_same_report(anchors: TrustAnchors):
    reports = []
    for number, known in ((1, False), (2, True), (3, True)):
        leaf = login_leaf(number)
        reports.append(check_path(leaf, anchors, AT, Purpose.LOGIN))
        assert is_known(leaf) is known
        assert read_profile(leaf).policies == reports[0].policies
    assert reports[0].reasons == ()
    assert reports[1] == reports[2] == reports[0]


def test_what_is_known_of_logins_says_nothing_of_documents(anchors: TrustAnchors):
    for number in (1, 2):
        assert check_path(login_leaf(number), anchors, AT, Purpose.LOGIN).reasons == ()
    report = check_path(login_leaf(3), anchors, AT, Purpose.DOCUMENT)
    assert report.reasons == (Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY)


def test_what_did_not_pass_is_not_known(anchors: TrustAnchors):
    odd = replace(AUTHENTICATION_LEAF, usage=key_usage("key_agreement"))
    for number in (1, 2):
        leaf = login_leaf(number, odd)
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == (Reason.WRONG_KEY_USAGE,)
        assert not is_known(leaf)


def test_what_is_known_is_known_of_one_anchor_only(anchors: TrustAnchors):
    assert check_path(login_leaf(1), anchors, AT, Purpose.LOGIN).reasons == ()
    leaf = parsed(
        AUTHENTICATION_LEAF.build(load_key("signature").public_key(), load_key("foreign-ca"))
    )
    assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == (Reason.UNTRUSTED_ISSUER,)
    assert not is_known(leaf)


def test_the_dates_of_a_leaf_that_is_known_count(anchors: TrustAnchors):
    for number in (1, 2):
        assert check_path(login_leaf(number), anchors, AT, Purpose.LOGIN).reasons == ()
    late = AT.replace(year=2031)
    assert check_path(login_leaf(3), anchors, late, Purpose.LOGIN).reasons == (Reason.EXPIRED,)


def test_a_leaf_that_names_its_holder_is_looked_at_each_time(anchors: TrustAnchors):
    for _ in range(2):
        leaf = parsed(load("signature"))
        assert check_path(leaf, anchors, AT, Purpose.DOCUMENT).reasons == ()
        assert not is_known(leaf)


def test_an_anchor_keeps_no_more_in_mind_than_it_may(
    anchors: TrustAnchors, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(issuer_module, "MAX_USUAL", 0)
    for number in (1, 2):
        leaf = login_leaf(number)
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == ()
        assert not is_known(leaf)


def test_leaves_are_alike_when_nothing_but_the_key_identifier_differs():
    leaf = parsed(load("authentication"))
    identifier = leaf.find(x509.SubjectKeyIdentifier)
    (extensions,) = leaf.parts.optional
    place = leaf.der.index(identifier.digest, extensions.start)
    alike = []
    for offset in range(extensions.start, extensions.end):
        changed = bytearray(leaf.der)
        changed[offset] ^= 1
        try:
            other = ParsedCertificate.but_for_extensions(bytes(changed))
        except CertificateMalformedError:
            continue
        if other.likeness is not None and other.likeness == leaf.likeness:
            other.read()
            alike.append(offset)
    assert alike == list(range(place, place + len(identifier.digest)))


class HiddenIdentifier(Leaf):
    """Its key identifier has another length, and an address looks like one of the usual length."""

    def _extensions(self, public_key, issuer_key):
        look = KEY_IDENTIFIER.decode("ascii") + f"{self.serial_number:020}"
        address = x509.IssuerAlternativeName([x509.UniformResourceIdentifier(look)])
        replaced = {
            x509.IssuerAlternativeName: address,
            x509.SubjectKeyIdentifier: x509.SubjectKeyIdentifier(bytes(32)),
        }
        return [
            (replaced.get(type(value), value), critical)
            for value, critical in super()._extensions(public_key, issuer_key)
        ]


def test_what_only_looks_like_a_key_identifier_is_looked_at_each_time(anchors: TrustAnchors):
    odd = HiddenIdentifier(**vars(AUTHENTICATION_LEAF))
    first, second = login_leaf(1, odd), login_leaf(2, odd)
    assert first.likeness == second.likeness
    assert first.likeness is not None
    for leaf in (first, second):
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons == ()
        assert not is_known(leaf)


def test_no_flipped_bit_of_a_leaf_that_is_known_passes(anchors: TrustAnchors):
    sound = parsed(load("authentication"))
    for _ in range(2):
        assert check_path(sound, anchors, AT, Purpose.LOGIN).reasons == ()
    for bit in range(len(sound.der) * 8):
        changed = bytearray(sound.der)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            leaf = ParsedCertificate.but_for_extensions(bytes(changed))
        except CertificateMalformedError:
            continue
        assert check_path(leaf, anchors, AT, Purpose.LOGIN).reasons != (), bit


@pytest.mark.parametrize("threat", Threat)
def test_no_attack_gains_by_what_an_anchor_knows(threat: Threat):
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
        leaf = ParsedCertificate.but_for_extensions(case.leaf())
        reasons = check_path(leaf, known[ders], case.at, case.purpose).reasons
    except AnchorNotCaError:
        return NO_CA
    except CertificateMalformedError:
        return REFUSED
    return REFUSED if reasons == (Reason.CERTIFICATE_MALFORMED,) else reasons


def usual(anchors: TrustAnchors) -> None:
    for name, purpose in (("authentication", Purpose.LOGIN), ("signature", Purpose.DOCUMENT)):
        check_path(parsed(load(name)), anchors, AT, purpose)
