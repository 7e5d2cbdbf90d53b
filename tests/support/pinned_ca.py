"""Fixture: the throw-away signature CA stands in for one of J-LIS, whose keys nobody here has."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from support.pki import load

from jpki.certificates import trust


@pytest.fixture
def pinned_signature_ca(monkeypatch: pytest.MonkeyPatch) -> trust.PinnedCa:
    """Pin the fixtures' signature CA as the one of 2019, for one test."""
    pin = trust.PINNED_CAS[1]
    fingerprint = load("signature-ca").fingerprint(SHA256()).hex()
    monkeypatch.setitem(trust._BY_FINGERPRINT, fingerprint, pin)
    return pin
