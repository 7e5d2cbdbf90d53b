"""Sound cards that cannot do it: expired, a child's, a phone; names that would move cursors."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.cards import PASSWORD, PIN
from support.trial import Run, Trial, check_locked

from jpki.emulator import CardKeys, VirtualCard, create_card, personalise
from jpki.emulator.card_file import read_card_file

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)


@pytest.fixture(scope="session")
def keys() -> CardKeys:
    return CardKeys.generate()


@pytest.fixture
def issue(keys: CardKeys, tmp_path: Path, trial: Trial) -> Callable[..., None]:
    """Put another card on the trial's reader."""

    def issue(**attributes: object) -> None:
        path = tmp_path / "another.json"
        chosen = {"signature_password": PASSWORD, "authentication_pin": PIN, "keys": keys}
        create_card(path, **(chosen | attributes))  # type: ignore[arg-type]
        trial.card = VirtualCard(read_card_file(path))

    return issue


def sign(trial: Trial, *more: str, answers: list[str] | None = None, **context: Any) -> Run:
    arguments = trial.sign(*more, pin_from=None)
    if answers is not None:
        return trial.run(*arguments, answers=answers, **context)
    return trial.run(*arguments, *SOURCE, pin=PASSWORD, **context)


def login(trial: Trial, *more: str, answers: list[str] | None = None, **context: Any) -> Run:
    if answers is not None:
        return trial.run(*LOGIN, *more, answers=answers, **context)
    return trial.run(*LOGIN, *more, *SOURCE, pin=PIN, **context)


Use = Callable[..., Run]
USES = pytest.mark.parametrize(
    ("use", "pin"), [(sign, PASSWORD), (login, PIN)], ids=["sign", "log in"]
)
Issue = Callable[..., None]

EXPIRED = {"issued": date(2015, 5, 1), "expires": date(2020, 4, 1)}
FUTURE = {"issued": date(2040, 5, 1), "expires": date(2045, 4, 1)}


@USES
@pytest.mark.parametrize("person", [False, True], ids=["script", "terminal"])
def test_an_expired_certificate_signs_nothing(
    trial: Trial, issue: Issue, use: Use, pin: str, *, person: bool
) -> None:
    issue(**EXPIRED)
    run = use(trial, answers=[pin] if person else None)
    # The certificate for signatures is behind its password: one VERIFY, which costs no try.
    assert trial.card.verify_count <= 1
    trial.refused(run, "certificate-expired", verifies=trial.card.verify_count)
    assert trial.card.signature_count == 0
    assert run.error["not_valid_after"] == "2020-04-01T14:59:59Z"


@USES
def test_a_certificate_that_is_not_valid_yet_signs_nothing(
    trial: Trial, issue: Issue, use: Use, pin: str
) -> None:
    issue(**FUTURE)
    run = use(trial)
    trial.refused(run, "certificate-not-yet-valid", verifies=trial.card.verify_count)
    assert trial.card.signature_count == 0


@USES
@pytest.mark.parametrize("dates", [EXPIRED, FUTURE], ids=["expired", "not yet valid"])
def test_outside_its_validity_it_signs_when_told_to(
    trial: Trial, issue: Issue, use: Use, pin: str, dates: dict[str, date]
) -> None:
    issue(**dates)
    run = use(trial, "--allow-expired")
    assert run.exit_code == 0, run.stderr
    check_locked(trial.card)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (datetime(2030, 4, 1, 14, 59, 59, tzinfo=UTC), None),
        (datetime(2030, 4, 1, 15, 0, 0, tzinfo=UTC), "certificate-expired"),
        (datetime(2025, 5, 1, 3, 0, 0, tzinfo=UTC), None),
        (datetime(2025, 5, 1, 2, 59, 59, tzinfo=UTC), "certificate-not-yet-valid"),
        (datetime(1970, 1, 1, tzinfo=UTC), "certificate-not-yet-valid"),
        (datetime(2100, 1, 1, tzinfo=UTC), "certificate-expired"),
    ],
)
@USES
def test_validity_ends_to_the_second_whatever_the_zone(
    trial: Trial,
    issue: Issue,
    use: Use,
    pin: str,
    now: datetime,
    code: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    issue(issued=date(2025, 5, 1), expires=date(2030, 4, 1))
    run = use(trial, clock=lambda: now)
    if code is None:
        assert run.exit_code == 0, run.stderr
    else:
        trial.refused(run, code, verifies=trial.card.verify_count)


@pytest.mark.parametrize("person", [False, True], ids=["script", "terminal"])
def test_a_child_s_card_says_so_before_the_password_is_asked(
    trial: Trial, issue: Issue, *, person: bool
) -> None:
    issue(with_signature_certificate=False)
    run = sign(trial, answers=[PASSWORD] if person else None)
    trial.refused(run, "no-certificate", tries={"signature": 0})
    assert trial.person.questions == []


def test_a_child_s_card_logs_in(trial: Trial, issue: Issue) -> None:
    issue(with_signature_certificate=False)
    assert login(trial).exit_code == 0
    check_locked(trial.card)


@USES
@pytest.mark.parametrize("person", [False, True], ids=["script", "terminal"])
def test_a_face_authentication_card_has_no_pin_to_ask_for(
    trial: Trial, issue: Issue, use: Use, pin: str, *, person: bool
) -> None:
    issue(face_authentication=True)
    run = use(trial, answers=[pin] if person else None)
    trial.refused(run, "pin-blocked", "no-certificate", tries={"signature": 0, "authentication": 0})
    assert trial.person.questions == []
    assert "face-authentication" in run.stderr


def test_a_face_authentication_card_without_signature_certificate(
    trial: Trial, issue: Issue
) -> None:
    issue(face_authentication=True, with_signature_certificate=False)
    trial.refused(sign(trial), "no-certificate", tries={"signature": 0, "authentication": 0})


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("JPKIAPICCTOKEN", "住基カード"),
        ("JPKIAPGPSETOKEN", "phone"),
        ("JPKIAPIOSTOKEN", "phone"),
    ],
)
def test_an_old_card_and_a_phone_are_named_by_status(
    trial: Trial, issue: Issue, label: str, word: str
) -> None:
    issue(label=label)
    run = trial.run("status", as_json=False)
    assert "Traceback" not in run.stderr
    assert word in run.stdout.decode() + run.stderr
    assert trial.card.verify_count == 0


@pytest.mark.parametrize("label", ["JPKIAPICCTOKEN", "JPKIAPGPSETOKEN", "JPKIAPIOSTOKEN"])
def test_an_old_card_whose_certificates_have_expired_signs_nothing(
    trial: Trial, issue: Issue, label: str
) -> None:
    issue(label=label, **EXPIRED)
    run = sign(trial)
    trial.refused(run, "certificate-expired", "unsupported-card", verifies=trial.card.verify_count)
    assert trial.card.signature_count == 0


STRANGE = [
    "見本\x1b[2J太郎",
    "見本\x1b]0;title\x07太郎",
    "見本\u202e郎太",
    "見本\u2066太郎\u2069",
    "見本\r\n偽 jpki: all is well",
    "見本\x00太郎",
    "見本\x9b2J太郎",
    "見本\u200b太郎\ufeff",
]
CURSOR_MOVERS = {
    "\x1b",
    "\x07",
    "\u202e",
    "\u2066",
    "\u2069",
    "\r",
    "\x00",
    "\x9b",
    "\u200b",
    "\ufeff",
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_on_the_card_moves_no_cursor(
    trial: Trial, issue: Issue, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personalise, "check_holder", lambda _holder: None)
    issue(name=name)
    arguments = ("cert", "show", "signature", "--reveal", *SOURCE)
    run = trial.run(*arguments, pin=PASSWORD, as_json=False)
    assert run.exit_code == 0, run.stderr
    shown = run.stdout.decode()
    assert not CURSOR_MOVERS & set(shown), repr(shown)
    assert not any(line.startswith("偽") for line in shown.splitlines())
    assert "見本" in shown
    text = ("cert", "export", "signature", "--text", *SOURCE)
    run = trial.run(*text, pin=PASSWORD, as_json=False)
    assert not CURSOR_MOVERS & set(run.stdout.decode())
    check_locked(trial.card)


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_in_a_signature_moves_no_cursor(
    trial: Trial, issue: Issue, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personalise, "check_holder", lambda _holder: None)
    issue(name=name)
    signature = f"{trial.document}.p7s"
    made = trial.run("sign", trial.document, *SOURCE, pin=PASSWORD)
    assert made.exit_code == 0, made.stderr
    run = trial.run("verify", signature, as_json=False)
    assert run.exit_code in {10, 11}, run.stderr
    assert not CURSOR_MOVERS & set(run.stdout.decode() + run.stderr)


def test_the_holder_is_masked_unless_asked_for(trial: Trial) -> None:
    for as_json in (True, False):
        run = trial.run("cert", "show", "signature", *SOURCE, pin=PASSWORD, as_json=as_json)
        assert run.exit_code == 0, run.stderr
        for personal in ("見本", "太郎", "千代田区見本町", "1985"):
            assert personal not in run.stdout.decode() + run.stderr
