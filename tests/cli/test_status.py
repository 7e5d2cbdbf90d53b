"""`jpki status`, `jpki cert list`: what a card says of itself without a PIN."""

import errno
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.trial import ENVIRONMENT, Person, Trial

from cli.certificate_state_view import certificate_warnings, certificates_as_text
from cli.context import AppContext
from cli.root import root
from jpki.emulator import create_card, load_card
from jpki.files import CertificateName
from jpki.overview import CertificateState


def test_status_has_the_documented_shape_and_says_test(trial: Trial) -> None:
    answer = json.loads(trial.run("status").stdout)
    assert answer["card"] == {"kind": "card", "reader": "emulator:card", "test": True}
    assert [pin["tries_left"] for pin in answer["pins"]] == [5, 3]
    names = [certificate["name"] for certificate in answer["certificates"]]
    assert names == ["signature", "signature-ca", "authentication", "authentication-ca"]
    by_name = {certificate["name"]: certificate for certificate in answer["certificates"]}
    assert by_name["signature"]["needs_pin"] is True
    assert by_name["signature"]["not_valid_after"] is None
    assert by_name["authentication"]["not_valid_after"].endswith("-04-01T14:59:59Z")
    assert by_name["authentication"]["renewal_opens"].endswith("-01-02")
    assert by_name["authentication-ca"]["renewal_opens"] is None
    assert trial.card.verify_count == 0


def test_status_says_test_in_words(trial: Trial) -> None:
    text = trial.run("status", as_json=False).stdout.decode()
    assert "TEST" in text
    assert "5 of 5 tries left" in text
    assert "can be read with its PIN only" in text
    assert text.count("; the city office renews it from ") == 1


def test_cert_list_is_the_same_list(trial: Trial) -> None:
    listed = json.loads(trial.run("cert", "list").stdout)["certificates"]
    assert listed == json.loads(trial.run("status").stdout)["certificates"]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"with_signature_certificate": False}, "No signature certificate"),
        ({"face_authentication": True}, "A face-authentication card"),
        ({"label": "JPKIAPICCTOKEN"}, "住基カード"),
        ({"label": "JPKIAPGPSETOKEN"}, "a phone"),
        ({"label": "JPKIAPIOSTOKEN"}, "a phone"),
    ],
)
def test_each_other_kind_of_card_gets_a_clear_word(
    tmp_path: Path, attributes: dict[str, Any], words: str
) -> None:
    path = tmp_path / "card.json"
    create_card(path, **attributes)
    app = AppContext(prompter=Person(None))
    arguments = ["--reader", f"emulator:{path}", "status"]
    result = CliRunner().invoke(root, arguments, obj=app, env=ENVIRONMENT)
    assert result.exit_code == 0, result.stderr
    assert words in result.stdout


@pytest.mark.parametrize(
    ("attributes", "lockout"),
    [
        ({}, "none"),
        ({"with_signature_certificate": False}, "no-signature-certificate"),
        ({"face_authentication": True}, "perhaps-face-authentication"),
        (
            {"face_authentication": True, "with_signature_certificate": False},
            "perhaps-face-authentication",
        ),
    ],
)
def test_why_pins_are_blocked_is_told_to_programs(
    tmp_path: Path, attributes: dict[str, Any], lockout: str
) -> None:
    path = tmp_path / "card.json"
    create_card(path, **attributes)
    for command in (["status"], ["pin", "status"]):
        arguments = ["--json", "--reader", f"emulator:{path}", *command]
        run = CliRunner().invoke(root, arguments, env=ENVIRONMENT)
        assert run.exit_code == 0, run.stderr
        assert json.loads(run.stdout)["lockout"] == lockout


@pytest.mark.parametrize(
    ("now", "renewal", "words"),
    [
        (datetime(2031, 2, 10, 14, 59, tzinfo=UTC), None, "renews it from 2031-02-11 on"),
        (datetime(2031, 2, 10, 15, 0, tzinfo=UTC), "open", "RENEW IT NOW"),
        (datetime(2031, 5, 10, 14, 59, 59, tzinfo=UTC), "open", "RENEW IT NOW"),
        (datetime(2031, 5, 10, 15, 0, tzinfo=UTC), "expired", "it has EXPIRED"),
    ],
)
def test_r7_status_warns_from_the_day_on_which_renewal_opens_and_ends_with_0(
    trial: Trial, tmp_path: Path, now: datetime, renewal: str | None, words: str
) -> None:
    path = tmp_path / "expiring.json"
    create_card(path, issued=date(2026, 11, 1), expires=date(2031, 5, 10))
    trial.card = load_card(path)
    run = trial.run("status", as_json=False, clock=lambda: now)
    assert run.exit_code == 0
    assert words in run.stdout.decode()
    answer = trial.run("status", clock=lambda: now)
    assert answer.exit_code == 0
    warnings = [{"certificate": "authentication", "renewal": renewal}] if renewal else []
    assert json.loads(answer.stdout)["warnings"] == warnings
    for stderr in (run.stderr, answer.stderr):
        assert ("Warning: The authentication certificate" in stderr) is (renewal is not None)
        assert ("city office" in stderr) is (renewal is not None)
        assert stderr.count("\n") == len(warnings)


def test_a_certificate_without_an_end_has_a_last_day_like_any() -> None:
    state = CertificateState(
        name=CertificateName.AUTHENTICATION,
        present=True,
        # RFC 5280 4.1.2.5: no end.
        not_valid_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    )
    (line,) = certificates_as_text([state], date(2026, 11, 23))
    assert "9999-12-31 23:59:59 UTC" in line
    assert certificate_warnings([state], date(2026, 11, 23)) == ()


@pytest.mark.parametrize("attributes", [{"with_signature_certificate": False}])
def test_a_childs_card_says_so_before_the_password_is_asked_for(
    tmp_path: Path, attributes: dict[str, Any]
) -> None:
    path = tmp_path / "card.json"
    create_card(path, **attributes)
    document = tmp_path / "document"
    document.write_text("x")
    person = Person(["ABC123"])
    arguments = ["--reader", f"emulator:{path}", "sign", str(document)]
    result = CliRunner().invoke(root, arguments, obj=AppContext(prompter=person), env=ENVIRONMENT)
    assert result.exit_code == 2
    assert "no signature certificate" in result.stderr
    assert person.questions == []


def test_the_default_virtual_card_is_made_once_and_its_pins_are_announced(
    tmp_path: Path,
) -> None:
    environment = {**ENVIRONMENT, "XDG_DATA_HOME": str(tmp_path)}
    first = CliRunner().invoke(root, ["--reader", "emulator", "status"], env=environment)
    assert first.exit_code == 0, first.stderr
    assert "virtual TEST card was made" in first.stderr
    assert "Signature password: " in first.stderr
    second = CliRunner().invoke(root, ["--reader", "emulator", "status"], env=environment)
    assert second.stderr == ""
    assert second.stdout == first.stdout
    shown = CliRunner().invoke(root, ["--json", "emulator", "show"], env=environment)
    password = json.loads(shown.stdout)["pins"]["signature"]
    assert password in first.stderr


@pytest.mark.parametrize("call", ["exists", "mkdir"])
def test_where_the_default_virtual_card_cannot_be_made_that_is_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, call, refuse)
    environment = {**ENVIRONMENT, "XDG_DATA_HOME": str(tmp_path)}
    run = CliRunner().invoke(root, ["--json", "--reader", "emulator", "status"], env=environment)
    assert run.exit_code == 12
    assert json.loads(run.stdout)["error"]["code"] == "output-not-written"


def test_the_default_virtual_card_that_another_program_made_meanwhile_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create_twice(path: Path) -> object:
        create_card(path)
        return create_card(path)

    monkeypatch.setattr("jpki.emulator.create_card", create_twice)
    environment = {**ENVIRONMENT, "XDG_DATA_HOME": str(tmp_path)}
    run = CliRunner().invoke(root, ["--reader", "emulator", "status"], env=environment)
    assert run.exit_code == 0, run.stderr
