"""Sound cards that cannot do it: expired, a child's, a phone; names that would move cursors."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.cards import PASSWORD, PIN
from support.operations import with_tries
from support.trial import Run, Trial, check_locked

from jpki.emulator import CardKeys, Faults, VirtualCard, create_card, personalise
from jpki.emulator.card_file import read_card_file

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)


@pytest.fixture(scope="session")
def keys() -> CardKeys:
    return CardKeys.generate()


@pytest.fixture
def issue(keys: CardKeys, tmp_path: Path, trial: Trial) -> Callable[..., None]:
    """Put another card on the trial's reader."""

    def issue(*, tries: dict[str, int] | None = None, **attributes: object) -> None:
        path = tmp_path / "another.json"
        chosen = {"signature_password": PASSWORD, "authentication_pin": PIN, "keys": keys}
        create_card(path, **(chosen | attributes))  # type: ignore[arg-type]
        trial.card = VirtualCard(with_tries(read_card_file(path), tries or {}))

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


def verify_pin(trial: Trial, *, answers: list[str] | None = None) -> Run:
    source = () if answers is not None else SOURCE
    return trial.run("pin", "verify", "auth", *source, answers=answers, pin=PIN)


def change_password(trial: Trial, *, answers: list[str] | None = None) -> Run:
    more = () if answers is not None else (*SOURCE, "--new-pin-from", "env:JPKI_TEST_NEW_PIN")
    arguments = ("pin", "change", "signature", *more)
    return trial.run(*arguments, answers=answers, pin=PASSWORD, new_pin="HANAKO77")


EVERY_USE = pytest.mark.parametrize(
    "use", [sign, login, verify_pin, change_password], ids=["sign", "log in", "verify", "change"]
)
PERSON = pytest.mark.parametrize("person", [False, True], ids=["script", "terminal"])
BLOCKED = {"signature": 0, "authentication": 0}


@EVERY_USE
@PERSON
def test_r17_a_face_authentication_card_says_what_it_is_before_a_pin_is_asked(
    trial: Trial, issue: Issue, use: Use, *, person: bool
) -> None:
    issue(face_authentication=True)
    run = use(trial, answers=["a PIN"] if person else None)
    trial.refused(run, "pin-blocked", tries=BLOCKED)
    assert run.error["both_blocked"] is True
    assert trial.person.questions == []
    assert "face-authentication card" in run.stderr
    assert "at a doctor's or pharmacy" in run.stderr
    assert "can turn it back" in run.stderr
    assert "wrong" not in run.stderr.lower()


@PERSON
def test_r17_a_face_authentication_card_without_signature_certificate_says_so_too(
    trial: Trial, issue: Issue, *, person: bool
) -> None:
    issue(face_authentication=True, with_signature_certificate=False)
    run = sign(trial, answers=["a PIN"] if person else None)
    trial.refused(run, "no-certificate", tries=BLOCKED)
    assert trial.person.questions == []
    assert "face-authentication card" in run.stderr
    assert "can turn it back" in run.stderr
    assert "child" not in run.stderr


@EVERY_USE
def test_r17_one_blocked_pin_alone_is_no_face_authentication_card(
    trial: Trial, issue: Issue, use: Use
) -> None:
    pin = "signature" if use in {sign, change_password} else "authentication"
    issue(tries={pin: 0})
    run = use(trial)
    trial.refused(run, "pin-blocked", tries={pin: 0})
    assert run.error["both_blocked"] is False
    assert "face-authentication" not in run.stderr
    assert "counter of your city office" in run.stderr
    words = trial.run("status", as_json=False).stdout.decode()
    assert "face-authentication" not in words
    assert f"BLOCKED; see 'jpki pin unlock {pin}'" in words


@EVERY_USE
@pytest.mark.parametrize("told", [b"\x63\x00", b"\x63"], ids=["no count", "nonsense"])
def test_r17_a_pin_of_unknown_count_beside_a_blocked_one_is_no_proof_of_mistakes(
    trial: Trial, issue: Issue, use: Use, told: bytes
) -> None:
    blocked, other = "001b", "0018"
    if use in {login, verify_pin}:
        blocked, other = other, blocked
    current = ""

    def half_told(_exchange: int, command: bytes, answer: bytes) -> bytes:
        nonlocal current
        if command[1] == 0xA4:
            current = command[5:7].hex()
        if command[1] == 0x20 and current in {blocked, other}:
            return b"\x69\x84" if current == blocked else told
        return answer

    trial.card.faults = Faults(hook=half_told)
    run = use(trial)
    assert run.error["code"] == "pin-blocked"
    assert run.error["both_blocked"] is True
    assert "face-authentication" in run.stderr
    assert trial.card.verify_count == 0


def test_the_entry_that_blocks_is_said_to_have_done_it(trial: Trial, issue: Issue) -> None:
    issue(tries={"authentication": 1, "signature": 0})
    run = trial.run("pin", "verify", "auth", "--use-last-try", answers=["9999"])
    trial.refused(run, "pin-blocked", verifies=1, tries=BLOCKED)
    assert run.error["by_this_entry"] is True
    assert "that was the last try" in run.stderr
    assert "face-authentication" not in run.stderr


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


# --- a phone's authentication certificate is behind its PIN ---------------------------------------

CERT_COMMANDS = pytest.mark.parametrize("command", ["show", "export", "verify"])
PHONE = {"label": "JPKIAPGPSETOKEN"}


@CERT_COMMANDS
def test_r18_a_phone_gives_its_authentication_certificate_for_the_pin(
    trial: Trial, issue: Issue, command: str
) -> None:
    issue(**PHONE)
    run = trial.run("cert", command, "auth", *SOURCE, pin=PIN)
    assert run.exit_code == (11 if command == "verify" else 0), run.stderr
    assert trial.card.verify_count == 1
    check_locked(trial.card)


def test_r18_a_person_is_asked_for_a_phone_s_pin(trial: Trial, issue: Issue) -> None:
    issue(**PHONE)
    run = trial.run("cert", "show", "authentication", answers=[PIN], as_json=False)
    assert run.exit_code == 0, run.stderr
    assert "authentication certificate" in run.stdout.decode()
    assert len(trial.person.questions) == 1
    assert "address" not in run.stderr  # that is said of the other certificate


@CERT_COMMANDS
def test_r18_without_a_pin_a_phone_gives_no_authentication_certificate(
    trial: Trial, issue: Issue, command: str
) -> None:
    issue(**PHONE)
    run = trial.run("cert", command, "auth")
    assert (run.exit_code, run.error["code"]) == (2, "pin-source")
    assert trial.card.verify_count == 0


def test_r18_a_wrong_pin_of_a_phone_is_told_as_everywhere(trial: Trial, issue: Issue) -> None:
    issue(**PHONE)
    run = trial.run("cert", "show", "auth", *SOURCE, pin="0000")
    trial.refused(run, "pin-incorrect", verifies=1, tries={"authentication": 2})


def test_the_pin_of_a_card_is_not_asked_for_its_authentication_certificate(
    trial: Trial,
) -> None:
    assert trial.run("cert", "show", "auth", *SOURCE, pin=PIN).exit_code == 0
    assert trial.card.verify_count == 0
