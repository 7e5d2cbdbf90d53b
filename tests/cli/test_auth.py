"""`jpki auth`: a challenge, its answer, and the site's look at it."""

import base64
import json
import stat
from pathlib import Path

import pytest
from support.cards import PIN
from support.trial import Trial

ORIGIN = "https://example.jp"
SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")


def challenge(trial: Trial) -> str:
    return trial.run("auth", "challenge", as_json=False).stdout.decode().strip()


def test_a_challenge_is_new_each_time_and_bare_in_text(trial: Trial) -> None:
    nonce = challenge(trial)
    assert len(base64.b64decode(nonce)) == 32
    assert challenge(trial) != nonce
    assert len(json.loads(trial.run("auth", "challenge").stdout)["nonce"]) == 44


@pytest.mark.parametrize("as_json", [True, False])
def test_the_answer_is_the_token_itself(trial: Trial, as_json: bool) -> None:
    run = trial.run(
        "auth", "respond", "--origin", ORIGIN, "--nonce", challenge(trial), *SOURCE,
        pin=PIN, as_json=as_json,
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr
    token = json.loads(run.stdout)
    assert token["format"] == "web-eid:1.0"
    assert token["algorithm"] == "RS256"
    assert set(token) == {
        "unverifiedCertificate", "algorithm", "signature", "format", "appVersion",
    }  # fmt: skip


def test_the_person_sees_which_site_asks_and_what_it_gets(trial: Trial) -> None:
    nonce = challenge(trial)
    trial.run("auth", "respond", "--origin", ORIGIN, "--nonce", nonce, answers=[PIN])
    (shown,) = trial.person.heard
    assert ORIGIN in shown
    assert "municipality" in shown


@pytest.mark.parametrize(
    ("origin", "nonce", "fault"),
    [
        ("http://example.jp", "A" * 44, "origin"),
        ("https://example.jp/", "A" * 44, "origin"),
        ("https://EXAMPLE.jp", "A" * 44, "origin"),
        (ORIGIN, "short", "nonce"),
        (ORIGIN, "A" * 200, "nonce"),
    ],
)
def test_a_bad_challenge_is_refused_before_the_pin(
    trial: Trial, origin: str, nonce: str, fault: str
) -> None:
    run = trial.run("auth", "respond", "--origin", origin, "--nonce", nonce, answers=[PIN])
    trial.refused(run, "token-invalid")
    assert run.error["fault"] == fault
    assert trial.person.questions == []


def test_a_token_passes_for_its_site_and_challenge_only(trial: Trial, ca_folder: Path) -> None:
    nonce = challenge(trial)
    run = trial.run(
        "auth", "respond", "--origin", ORIGIN, "--nonce", nonce, "-o", "token", *SOURCE, pin=PIN
    )
    assert json.loads(run.stdout)["output"] == "token"
    assert stat.S_IMODE((trial.folder / "token").stat().st_mode) == 0o600
    trust = ("--trust", str(ca_folder / "authentication-ca.pem"))
    site = ("auth", "verify", "token", "--origin", ORIGIN, "--nonce", nonce)

    passed = trial.run(*site, *trust)
    assert passed.exit_code == 0, passed.stderr
    answer = json.loads(passed.stdout)
    assert (answer["verdict"], answer["anchor"]) == ("passed", "test")
    assert answer["user"]["kind"] == "authentication"

    for origin, other in ((ORIGIN, "B" * 44), ("https://example.com", nonce)):
        failed = trial.run("auth", "verify", "token", "--origin", origin, "--nonce", other, *trust)
        assert failed.exit_code == 10
        assert json.loads(failed.stdout)["reasons"] == ["signature"]

    undecided = trial.run(*site)
    assert undecided.exit_code == 11
    assert json.loads(undecided.stdout)["reasons"] == ["no-anchor"]

    expired = trial.run(*site, *trust, "--at", "2100-01-01")
    assert expired.exit_code == 10
    assert "expired" in json.loads(expired.stdout)["reasons"]

    content = (trial.folder / "token").read_bytes()
    arguments = ("auth", "verify", "-", "--origin", ORIGIN, "--nonce", nonce, *trust)
    assert trial.run(*arguments, stdin=content).exit_code == 0
    assert trial.run(*arguments, stdin=b"{}").exit_code == 10
    assert trial.run(*arguments, stdin=b"x" * 100_000).exit_code == 10
