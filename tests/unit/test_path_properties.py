"""Whatever a CA had signed, the check of the path answers; no certificate serves two purposes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.attacks.changing import ARC, CARD, LOGIN, PHONE, TEST, usage, uses
from support.attacks.usages import ANY_POLICY, ANY_USE, CLIENT, EMAIL, SERVER
from support.forging import (
    BASIC_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    FALSE,
    KEY_USAGE,
    POLICIES,
    SUBJECT_ALT_NAME,
    TRUE,
    by_rsa,
    ca_of,
    fields_of,
    holder,
    policies,
    seq,
)
from support.odd_certificates import der, flipped, tlv
from support.pki import AT, load

from jpki.certificates import PathReport, Purpose, Reason, Verdict, check_path, load_certificates
from jpki.certificates.verdict import worst
from jpki.errors import CertificateMalformedError

BASES = ("signature", "authentication")
CAS = [load("signature-ca"), load("authentication-ca")]
OWN = {"signature": Purpose.DOCUMENT, "authentication": Purpose.LOGIN}


def reports(certificate: bytes) -> dict[Purpose, PathReport] | None:
    """What the check says for each purpose; None: no certificate. Any other error goes through."""
    try:
        (leaf,) = load_certificates(certificate)
    except CertificateMalformedError:
        return None
    return {purpose: check_path(leaf, CAS, AT, purpose) for purpose in Purpose}


def check_report(report: PathReport) -> None:
    assert all(isinstance(reason, Reason) for reason in report.reasons)
    assert len(set(report.reasons)) == len(report.reasons)
    assert (report.verdict is Verdict.PASSED) is (report.reasons == ())
    assert bool(report.profile_faults) is (Reason.PROFILE_MISMATCH in report.reasons)


# --- one extension ------------------------------------------------------------------------------

CRITICALITY = st.sampled_from([b"", TRUE, FALSE, tlv(1, b"\x01"), tlv(1, b""), tlv(2, b"\xff")])


@st.composite
def values(draw: st.DrawFn, value: bytes) -> bytes:
    """A value changed a little, or another one."""
    kind = draw(st.sampled_from(["same", "flip", "splice", "element", "bytes"]))
    place = draw(st.integers(0, len(value) - 1))
    match kind:
        case "flip":
            return flipped(value, place * 8 + draw(st.integers(0, 7)))
        case "splice":
            cut = draw(st.integers(0, 4))
            return value[:place] + draw(st.binary(max_size=4)) + value[place + cut :]
        case "element":
            return tlv(draw(st.integers(0, 255)), draw(st.binary(max_size=40)))
        case "bytes":
            return draw(st.binary(max_size=40))
    return value


EXTENSIONS = {
    base: [(part.oid.dotted_string, part.value.public_bytes()) for part in load(base).extensions]
    for base in BASES
}


@settings(max_examples=1500, deadline=None)
@given(
    base=st.sampled_from(BASES),
    data=st.data(),
)
def test_however_an_extension_is_changed_the_check_answers_and_binds_the_purpose(base, data):
    dotted, value = data.draw(st.sampled_from(EXTENSIONS[base]))
    critical = data.draw(CRITICALITY)
    changed = fields_of(base).with_extension(dotted, data.draw(values(value)), critical)
    found = reports(changed.signed(by_rsa(ca_of(base))))
    if found is None:
        return
    for report in found.values():
        check_report(report)
        assert report.anchor_certificate == load(ca_of(base))
    assert found[other(OWN[base])].verdict is Verdict.FAILED
    if found[OWN[base]].reasons == ():
        assert critical == (TRUE if dotted in {KEY_USAGE, POLICIES} else b"")


def other(purpose: Purpose) -> Purpose:
    return {Purpose.DOCUMENT: Purpose.LOGIN, Purpose.LOGIN: Purpose.DOCUMENT}[purpose]


# --- every purpose ------------------------------------------------------------------------------

USAGE_BITS = ("", "1", "01", "11", "001", "101", "111", "110001", "1100001", "100001", "111111111")


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("extended", [None, [], [CLIENT], [EMAIL], [SERVER], [ANY_USE],
                                      [CLIENT, EMAIL], [CLIENT, CLIENT]], ids=str)  # fmt: skip
def test_of_all_usages_policies_and_names_one_combination_serves_each_purpose(base, extended):
    serving: dict[Purpose, set[tuple[object, ...]]] = {purpose: set() for purpose in Purpose}
    for bits in USAGE_BITS:
        for policy in (None, CARD, PHONE, TEST, LOGIN, ARC, ANY_POLICY):
            for named in (True, False):
                found = reports(combined(base, bits, extended, policy, named=named))
                for purpose, report in (found or {}).items():
                    if report.reasons == ():
                        serving[purpose].add((bits, policy, named))
    documents = {("11", CARD, True), ("11", TEST, True), ("11", PHONE, True), ("11", PHONE, False)}
    assert serving == {
        Purpose.DOCUMENT: documents if extended is None else set(),
        Purpose.LOGIN: {("1", LOGIN, False)} if extended == [CLIENT] else set(),
    }


def combined(
    base: str, bits: str, extended: list[str] | None, policy: str | None, *, named: bool
) -> bytes:
    fields = (
        fields_of(base)
        .with_extension(KEY_USAGE, usage(bits) if bits else None, TRUE)
        .with_extension(EXTENDED_KEY_USAGE, None if extended is None else uses(*extended))
        .with_extension(POLICIES, None if policy is None else policies(policy), TRUE)
        .with_extension(SUBJECT_ALT_NAME, holder() if named else None)
    )
    return fields.signed(by_rsa(ca_of(base)))


# --- the order and the sum ----------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(base=st.sampled_from(BASES), data=st.data())
def test_the_order_of_the_extensions_says_nothing(base, data):
    fields = fields_of(base)
    shuffled = tuple(data.draw(st.permutations(fields.extensions)))
    found = reports(replace(fields, extensions=shuffled).signed(by_rsa(ca_of(base))))
    assert found is not None
    assert found[OWN[base]].reasons == ()


FAULTS = [
    ("1.2.3.4", tlv(5, b""), TRUE),
    ("1.2.3.5", tlv(5, b""), b""),
    (BASIC_CONSTRAINTS, seq(TRUE), TRUE),
    (KEY_USAGE, usage("001"), TRUE),
    (POLICIES, policies(ARC), TRUE),
]


@settings(max_examples=200, deadline=None)
@given(base=st.sampled_from(BASES), data=st.data())
def test_an_extension_less_or_more_never_makes_a_failing_certificate_pass(base, data):
    """Each fault counts for itself: what fails with a change fails with a second one too."""
    first = data.draw(st.sampled_from(FAULTS))
    second = data.draw(st.sampled_from([*FAULTS, (BASIC_CONSTRAINTS, seq(), TRUE)]))
    once = fields_of(base).with_extension(*first)
    alone = reports(once.signed(by_rsa(ca_of(base))))
    both = reports(once.with_extension(*second).signed(by_rsa(ca_of(base))))
    assert alone is not None
    assert both is not None
    assert alone[OWN[base]].verdict is Verdict.FAILED
    if first[0] != second[0]:
        assert set(alone[OWN[base]].reasons) <= set(both[OWN[base]].reasons)


# --- without the CA -----------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_no_flipped_bit_of_a_certificate_passes(base):
    sound = der(base)
    assert own_reasons(base, sound) == ()
    issuer = sound.index(fields_of(base).issuer)
    unknown_issuer = range(issuer, issuer + len(fields_of(base).issuer))
    for bit in range(len(sound) * 8):
        found = own_reasons(base, flipped(sound, bit))
        if found is None or worst(reason.verdict for reason in found) is Verdict.FAILED:
            continue
        assert found == (Reason.NO_ANCHOR,)
        assert bit // 8 in unknown_issuer


def own_reasons(base: str, certificate: bytes) -> tuple[Reason, ...] | None:
    try:
        (leaf,) = load_certificates(certificate)
    except CertificateMalformedError:
        return None
    return check_path(leaf, CAS, AT, OWN[base]).reasons
