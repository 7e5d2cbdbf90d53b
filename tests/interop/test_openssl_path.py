"""`openssl verify` judges the certificates that the check of the path judges.

Where the two differ, the case says why; where they agree, it says nothing.
"""

import random
from dataclasses import replace

import pytest
from support.attacks.case import ACCEPTS, Case, Der, Threat, judged, login_ca, sound_ca
from support.attacks.openssl import openssl_verify, run_openssl
from support.attacks.table import CASES
from support.forging import (
    AUTHORITY_INFORMATION_ACCESS,
    CRL_DISTRIBUTION_POINTS,
    ISSUER_ALT_NAME,
    by_rsa,
    ca_of,
    fields_of,
    forge,
)
from support.odd_certificates import flipped

from jpki.certificates import Purpose

SEED = 20261123
FLIPS = 4_000


@pytest.mark.parametrize("case", CASES, ids=str)
def test_openssl_judges_as_the_table_says(tmp_path, case):
    assert openssl_verify(case, tmp_path) == case.openssl


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_judges_differ_only_where_the_table_says_why(case):
    agree = (case.reasons == ()) is (case.openssl == ACCEPTS)
    assert bool(case.why) is not agree


def test_the_table_has_attacks_that_openssl_lets_through_and_none_the_other_way_round():
    only_here = [case for case in CASES if case.reasons == () and case.openssl != ACCEPTS]
    assert {case.openssl for case in only_here} == {
        7,  # an anchor's own signature
        10,  # the last second
        85,  # no key identifier
        86,
    }
    assert sum(case.reasons != () and case.openssl == ACCEPTS for case in CASES) > 100


@pytest.mark.parametrize("base", ["signature", "authentication"])
def test_whatever_bits_the_ca_had_signed_what_passes_here_passes_openssl(tmp_path, base):
    usual = Case(
        threat=Threat.ENCODING,
        name=base,
        leaf=lambda: forge(base),
        anchors=(login_ca if base == "authentication" else sound_ca,),
        purpose=Purpose.LOGIN if base == "authentication" else Purpose.DOCUMENT,
    )
    rng = random.Random(SEED)  # noqa: S311 - the same flips each time
    passed: list[Der] = []
    for _ in range(FLIPS):
        case = replace(usual, leaf=signed_with_flips(base, rng))
        if judged(case) == ():
            passed.append(case.leaf)
    assert FLIPS / 50 < len(passed) < FLIPS / 2
    run = run_openssl(usual, tmp_path, passed)
    assert run.stderr == b""
    assert run.stdout.count(b": OK\n") == len(passed)


UNREAD = (ISSUER_ALT_NAME, CRL_DISTRIBUTION_POINTS, AUTHORITY_INFORMATION_ACCESS)
"""Nothing of a path hangs on these, so what they say is not looked at here."""


def signed_with_flips(base: str, rng: random.Random) -> Der:
    """A TBSCertificate with a bit or two flipped, which the CA signed all the same."""
    fields = fields_of(base)
    for dotted in UNREAD:
        fields = fields.with_extension(dotted, None)
    tbs = fields.tbs()
    changed = flipped(tbs, *(rng.randrange(len(tbs) * 8) for _ in range(rng.choice((1, 1, 2)))))
    data = fields.signed(by_rsa(ca_of(base)), lambda _: changed)
    return lambda: data
