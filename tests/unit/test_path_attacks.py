"""Certificates of attackers before the check of the path, each beside a sound one that passes.

The cases stand in `tests/support/attacks`; `tests/interop/test_openssl_path.py` lets OpenSSL judge
the same ones.
"""

import time
import warnings

import pytest
from cryptography import x509
from support.attacks.case import NO_CA, REFUSED, Case, Threat, judged
from support.attacks.table import CASES
from support.forging import forge
from support.odd_certificates import der

from jpki.certificates import Reason, check_path, load_certificates, read_profile
from jpki.errors import AnchorNotCaError, CertificateMalformedError

ATTACKS = [case for case in CASES if case.reasons != ()]
SOUND = [case for case in CASES if case.reasons == ()]
MAX_SECONDS = 1.0  # of processor


HOLDERS = [
    case
    for case in CASES
    if case.threat in {Threat.HOLDER_TWICE, Threat.HOLDER_CODES} and case.reasons != REFUSED
]


def test_nothing_forged_is_the_sound_certificate_byte_for_byte():
    for name in ("signature", "authentication", "signature-ca", "authentication-ca"):
        assert forge(name) == der(name)


def test_every_threat_has_its_attacks_and_its_controls():
    assert len({str(case) for case in CASES}) == len(CASES)
    assert {case.threat for case in SOUND} == set(Threat)
    assert {case.threat for case in CASES if case.reasons or case.reported} == set(Threat)


@pytest.mark.parametrize("case", SOUND, ids=str)
def test_a_sound_certificate_passes(case):
    assert judged(case) == ()


@pytest.mark.parametrize("case", ATTACKS, ids=str)
def test_an_attack_fails_with_exactly_these_reasons(case):
    assert judged(case) == case.reasons


@pytest.mark.parametrize("case", HOLDERS, ids=str)
def test_what_is_odd_about_the_holder_is_reported(case):
    (certificate,) = load_certificates(case.leaf())
    holder = read_profile(certificate).holder
    faults = () if holder is None else holder.faults
    assert {fault.kind for fault in faults} == case.reported


@pytest.mark.parametrize("case", [case for case in CASES if case.reasons == REFUSED], ids=str)
def test_what_is_no_der_does_not_pass_without_our_loading_either(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            leaf = x509.load_der_x509_certificate(case.leaf())
        except (ValueError, x509.InvalidVersion):
            return
    anchors = [x509.load_der_x509_certificate(anchor()) for anchor in case.anchors]
    report = check_path(leaf, anchors, case.at, case.purpose)
    assert report.reasons == (Reason.CERTIFICATE_MALFORMED,)


def test_no_certificate_keeps_the_check_busy():
    slowest: dict[float, Case] = {}
    for case in CASES:
        data = case.leaf()
        anchors = [x509.load_der_x509_certificate(anchor()) for anchor in case.anchors]
        started = time.process_time()
        try:
            for leaf in load_certificates(data):
                check_path(leaf, anchors, case.at, case.purpose)
        except (CertificateMalformedError, AnchorNotCaError):
            assert case.reasons in {REFUSED, NO_CA}
        slowest[time.process_time() - started] = case
    assert max(slowest) < MAX_SECONDS, slowest[max(slowest)]
