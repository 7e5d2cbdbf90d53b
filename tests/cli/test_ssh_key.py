"""`jpki auth ssh-key`: the line for authorized_keys."""

import json
from pathlib import Path

import pytest
from support.cards import PIN
from support.trial import Trial

from jpki.emulator import create_card, load_card


def test_the_line_is_printed_without_a_pin(trial: Trial) -> None:
    run = trial.run("auth", "ssh-key", as_json=False)
    assert run.exit_code == 0, run.stderr
    kind, key, comment = run.stdout.decode().split()
    assert (kind, comment) == ("ssh-rsa", "my-number-card")
    assert len(key) == 372  # RSA-2048 with e = 65537
    assert trial.card.verify_count == 0
    assert trial.person.questions == []


def test_the_json_has_the_line_and_its_fingerprint(trial: Trial) -> None:
    answer = json.loads(trial.run("auth", "ssh-key", "--comment", "taro@example.jp").stdout)
    assert set(answer) == {"schema", "key", "fingerprint"}
    assert answer["key"].endswith(" taro@example.jp")
    assert answer["fingerprint"].startswith("SHA256:")


@pytest.mark.parametrize("comment", ["two\nlines", "a\x1b[2J", "nul\0"])
def test_a_comment_that_would_be_another_line_is_refused(trial: Trial, comment: str) -> None:
    trial.refused(trial.run("auth", "ssh-key", "--comment", comment), "usage")
    assert trial.card.exchange_count == 0


def test_a_comment_may_be_empty(trial: Trial) -> None:
    run = trial.run("auth", "ssh-key", "--comment", "", as_json=False)
    assert len(run.stdout.split()) == 2


def test_a_phone_shows_its_key_after_its_pin(trial: Trial, tmp_path: Path) -> None:
    create_card(tmp_path / "phone", label="JPKIAPGPSETOKEN", authentication_pin=PIN)
    trial.card = load_card(tmp_path / "phone")
    run = trial.run("auth", "ssh-key", as_json=False, answers=[PIN])
    assert run.exit_code == 0, run.stderr
    assert run.stdout.startswith(b"ssh-rsa ")
    assert trial.card.verify_count == 1
    assert trial.run("auth", "ssh-key").exit_code == 2  # nobody to ask, no --pin-from
