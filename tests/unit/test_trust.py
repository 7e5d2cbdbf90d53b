"""The pinned CAs. That they are those of J-LIS is shown by tests/interop with the real files."""

import itertools
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding
from support.pki import load

from jpki.certificates.trust import PINNED_CAS, is_pinned, pin_of, pinned_among


def test_each_ca_is_pinned_once_under_a_name_of_its_own():
    assert sorted(pin.name for pin in PINNED_CAS) == [
        "authentication-ca-2015",
        "authentication-ca-2019",
        "authentication-ca-2023",
        "signature-ca-2015",
        "signature-ca-2019",
        "signature-ca-2023",
    ]
    assert len({pin.fingerprint_sha256 for pin in PINNED_CAS}) == len(PINNED_CAS)
    assert all(len(bytes.fromhex(pin.fingerprint_sha256)) == 32 for pin in PINNED_CAS)


def test_a_generation_overlaps_the_next_so_that_every_card_has_an_anchor():
    for issues in {pin.issues for pin in PINNED_CAS}:
        pins = sorted(
            (pin for pin in PINNED_CAS if pin.issues is issues), key=lambda p: p.not_after
        )
        assert [pin.generation for pin in pins] == [2015, 2019, 2023]
        for older, newer in itertools.pairwise(pins):
            assert older.not_before < newer.not_before < older.not_after
    assert min(pin.not_before for pin in PINNED_CAS) < datetime(2016, 1, 1, tzinfo=UTC)


def test_a_throw_away_ca_is_not_pinned():
    ca = load("signature-ca")
    assert pin_of(ca) is None
    assert not is_pinned(ca.public_bytes(Encoding.DER))
    assert pinned_among([ca, load("authentication-ca")]) == ()


def test_a_pinned_ca_is_found_among_others(pinned_signature_ca):
    ca = load("signature-ca")
    assert pin_of(ca) is pinned_signature_ca
    assert is_pinned(ca.public_bytes(Encoding.DER))
    assert pinned_among([load("foreign-ca"), ca]) == (ca,)
