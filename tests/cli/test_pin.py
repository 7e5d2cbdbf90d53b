"""`jpki pin`, and the one way in which every command comes to a PIN."""

import json

import pytest
from support.cards import PASSWORD, PIN
from support.trial import NEW_PASSWORD, NEW_PIN, WRONG_PIN, Trial

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
NEW_SOURCE = ("--new-pin-from", "env:JPKI_TEST_NEW_PIN")


def test_status_has_the_documented_shape(trial: Trial) -> None:
    run = trial.run("pin", "status")
    assert json.loads(run.stdout)["pins"] == [
        {"pin": "signature", "tries_left": 5, "max_tries": 5, "blocked": False},
        {"pin": "authentication", "tries_left": 3, "max_tries": 3, "blocked": False},
    ]


@pytest.mark.parametrize("kind", ["authentication", "auth"])
def test_a_right_pin_verifies_once_and_restores_the_count(trial: Trial, kind: str) -> None:
    wrong = trial.run("pin", "verify", kind, *SOURCE, pin=WRONG_PIN)
    trial.refused(wrong, "pin-incorrect", verifies=1, tries={"authentication": 2})
    assert wrong.error["tries_left"] == 2
    assert wrong.error["pin"] == "authentication"
    assert wrong.error["source"] == "env:JPKI_TEST_PIN"
    run = trial.run("pin", "verify", kind, *SOURCE, pin=PIN)
    assert json.loads(run.stdout) == {
        "schema": 1,
        "pin": "authentication",
        "verified": True,
        "tries_left": 3,
    }
    assert trial.card.verify_count == 2
    trial.counts()


def test_lower_case_is_the_same_password(trial: Trial) -> None:
    assert trial.run("pin", "verify", "sign", *SOURCE, pin=PASSWORD.lower()).exit_code == 0


def test_after_a_wrong_entry_nobody_is_asked_again(trial: Trial) -> None:
    run = trial.run("pin", "verify", "auth", answers=[WRONG_PIN, PIN])
    trial.refused(run, "pin-incorrect", verifies=1, tries={"authentication": 2})
    assert len(trial.person.questions) == 1


def test_the_question_names_the_pin_its_form_and_its_tries(trial: Trial) -> None:
    trial.run("pin", "verify", "auth", answers=[PIN])
    assert trial.person.questions == [
        "authentication PIN (利用者証明用暗証番号), 4 digits; tries left: 3: "
    ]


def test_a_mistyped_form_is_asked_three_times_and_reaches_no_card(trial: Trial) -> None:
    run = trial.run("pin", "verify", "auth", answers=["12345", "12 4", "１２３４"])
    trial.refused(run, "pin-format")
    assert len(trial.person.questions) == 3
    assert len(trial.person.heard) == 2


@pytest.mark.parametrize("entry", [""])
def test_an_empty_entry_ends_the_command(trial: Trial, entry: str) -> None:
    run = trial.run("pin", "verify", "auth", answers=[entry, PIN])
    trial.refused(run, "pin-format")
    assert run.error["fault"] == "empty"


def spend(trial: Trial, count: int) -> None:
    for number in range(count):
        trial.run("pin", "verify", "auth", *SOURCE, pin=f"000{number}")


def test_the_last_try_is_kept_and_no_question_is_asked(trial: Trial) -> None:
    spend(trial, 2)
    run = trial.run("pin", "verify", "auth", answers=[PIN])
    trial.refused(run, "last-try", verifies=2, tries={"authentication": 1})
    assert trial.person.questions == []


def test_the_last_try_is_used_when_a_person_says_so_and_is_told(trial: Trial) -> None:
    spend(trial, 2)
    run = trial.run("pin", "verify", "auth", "--use-last-try", answers=[PIN])
    assert run.exit_code == 0
    assert "LAST TRY" in trial.person.questions[0]
    trial.counts()


def test_a_script_never_uses_the_last_try_whatever_it_says(trial: Trial) -> None:
    spend(trial, 2)
    run = trial.run("pin", "verify", "auth", "--use-last-try", *SOURCE, pin=PIN)
    trial.refused(run, "last-try", verifies=2, tries={"authentication": 1})


@pytest.mark.parametrize(("entry", "exit_code"), [("1111", 6), (PIN, 0)])
def test_a_count_that_changed_while_the_person_typed_is_told(
    trial: Trial, entry: str, exit_code: int
) -> None:
    from click.testing import CliRunner
    from support.trial import ENVIRONMENT, READER, Person

    from cli.context import AppContext
    from cli.root import root

    class Slow(Person):
        def secret(self, prompt: str) -> str:
            select = bytes.fromhex("00A4040C0AD392F000260100000001")
            for command in (select, bytes.fromhex("00A4020C020018")):
                trial.card.execute(command)
            trial.card.execute(bytes.fromhex("0020008004") + b"0000")  # another program's
            return super().secret(prompt)

    app = AppContext(load_emulator=lambda _path: trial.card, prompter=Slow([entry]))
    arguments = [*READER, "pin", "verify", "auth"]
    result = CliRunner().invoke(root, arguments, obj=app, env=ENVIRONMENT)
    assert result.exit_code == exit_code
    assert "counted 2 tries left when it was asked again, not 3" in result.stderr
    assert ("tries left: 1" in result.stderr) == (exit_code == 6)


def test_a_blocked_pin_is_said_before_anybody_types(trial: Trial) -> None:
    spend(trial, 2)
    trial.run("pin", "verify", "auth", "--use-last-try", answers=[WRONG_PIN])
    verifies = trial.card.verify_count
    run = trial.run("pin", "verify", "auth", answers=[PIN])
    trial.refused(run, "pin-blocked", verifies=verifies, tries={"authentication": 0})
    assert trial.person.questions == []
    assert json.loads(trial.run("pin", "status").stdout)["pins"][1]["blocked"] is True


def test_change_asks_the_old_one_once_and_the_new_one_twice(trial: Trial) -> None:
    run = trial.run("pin", "change", "auth", answers=[PIN, NEW_PIN, NEW_PIN])
    assert json.loads(run.stdout) == {"schema": 1, "pin": "authentication", "changed": True}
    assert len(trial.person.questions) == 3
    assert trial.run("pin", "verify", "auth", *SOURCE, pin=NEW_PIN).exit_code == 0


def test_change_works_in_a_script(trial: Trial) -> None:
    run = trial.run(
        "pin", "change", "sign", *SOURCE, *NEW_SOURCE, pin=PASSWORD, new_pin=NEW_PASSWORD
    )
    assert run.exit_code == 0, run.stderr
    assert trial.run("pin", "verify", "sign", *SOURCE, pin=NEW_PASSWORD).exit_code == 0


def test_two_different_new_entries_are_asked_again_and_then_refused(trial: Trial) -> None:
    answers = [PIN, NEW_PIN, "7392", NEW_PIN, "7393", NEW_PIN, "739"]
    run = trial.run("pin", "change", "auth", answers=answers)
    trial.refused(run, "new-pin-differs")


def test_a_new_password_without_a_digit_is_refused_before_the_card_sees_the_old_one(
    trial: Trial,
) -> None:
    run = trial.run("pin", "change", "sign", *SOURCE, *NEW_SOURCE, pin=PASSWORD, new_pin="ABCDEFG")
    trial.refused(run, "pin-format")
    assert run.error["fault"] == "needs-letter-and-digit"
    assert trial.card.exchange_count == 0 or trial.card.verify_count == 0


def test_a_weak_new_pin_is_taken_only_if_the_person_insists(trial: Trial) -> None:
    run = trial.run("pin", "change", "auth", answers=[PIN, "1234", "1234", "n"])
    assert run.exit_code == 2
    assert run.error["code"] == "not-confirmed"
    assert trial.card.verify_count == 0
    run = trial.run("pin", "change", "auth", answers=[PIN, "1234", "1234", "y"])
    assert run.exit_code == 0


def test_a_script_is_warned_of_a_weak_new_pin(trial: Trial) -> None:
    run = trial.run("pin", "change", "auth", *SOURCE, *NEW_SOURCE, pin=PIN, new_pin="0000")
    assert run.exit_code == 0
    assert "easily guessed" in run.stderr


def test_old_and_new_pin_do_not_both_come_from_stdin(trial: Trial) -> None:
    run = trial.run("pin", "change", "auth", "--pin-from", "stdin", "--new-pin-from", "fd:0")
    trial.refused(run, "pin-source")


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("signature", ["city-office", "convenience-store"]),
        ("auth", ["city-office", "convenience-store"]),
        ("text", ["city-office"]),
    ],
)
def test_unlock_tells_the_way_and_touches_no_card(
    trial: Trial, kind: str, places: list[str]
) -> None:
    run = trial.run("pin", "unlock", kind)
    answer = json.loads(run.stdout)
    assert [way["place"] for way in answer["ways"]] == places
    assert trial.card.exchange_count == 0
    words = trial.run("pin", "unlock", kind, as_json=False).stdout.decode()
    assert "city office" in words
    assert "face-authentication card" in words
    assert ("24 hours" in words) is (len(places) == 2)


def test_the_kiosk_wants_the_other_secret(trial: Trial) -> None:
    for kind, other in (("signature", "authentication"), ("authentication", "signature")):
        ways = json.loads(trial.run("pin", "unlock", kind).stdout)["ways"]
        assert ways[1] == {"place": "convenience-store", "needs": other, "within_hours": 24}


@pytest.mark.parametrize(
    "arguments",
    [
        ("pin", "verify", "1848"),
        ("pin", "verify", "auth", "1848"),
        ("pin", "1848"),
        ("1848",),
        ("pin", "verify", "auth", "--pin-from", "1848"),
        ("pin", "verify", "auth", "--pin-from", "pass:1848"),
        ("pin", "verify", "auth", "--pin-from", "stdin:1848"),
        ("pin", "verify", "auth", "--pin", "1848"),
        ("pin", "verify", "auth", "--pin=1848"),
        ("--pin", "1848", "pin", "verify", "auth"),
        ("sign", "document.txt", "--password", "1848"),
    ],
)
def test_a_pin_on_the_command_line_is_refused_and_not_repeated(
    trial: Trial, arguments: tuple[str, ...]
) -> None:
    assert PIN == "1848"
    run = trial.run(*arguments)
    assert run.exit_code == 2
    assert PIN not in run.stderr
    assert PIN.encode() not in run.stdout
    assert trial.card.exchange_count == 0


def test_a_pin_as_an_options_value_is_said_to_be_visible_to_others(trial: Trial) -> None:
    run = trial.run("pin", "verify", "auth", "--pin", PIN)
    assert run.error["code"] == "pin-on-command-line"
    assert "would be visible to other users" in run.stderr
