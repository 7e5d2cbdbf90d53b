"""Tries: the last one, none, a count that is none, wrong entries, and several commands in a row."""

from pathlib import Path

import pytest
from support.cards import PASSWORD, PIN
from support.operations import with_tries
from support.trial import (
    NEW_PASSWORD,
    NEW_PIN,
    WRONG_PASSWORD,
    WRONG_PIN,
    Run,
    Trial,
    check_locked,
    check_nothing_leaked,
)

from jpki.emulator import Faults, TriesQuery, VirtualCard
from jpki.emulator.card_file import read_card_file

KINDS = ("signature", "authentication")
FULL = {"signature": 5, "authentication": 3}
RIGHT = {"signature": PASSWORD, "authentication": PIN}
WRONG = {"signature": WRONG_PASSWORD, "authentication": WRONG_PIN}
NEW = {"signature": NEW_PASSWORD, "authentication": NEW_PIN}
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)


@pytest.fixture
def issued(issued_card_path: Path) -> Path:
    return issued_card_path


def leave(
    trial: Trial, issued: Path, tries: dict[str, int] | None = None, *, faults: Faults | None = None
) -> None:
    """Take a card with so many tries left."""
    trial.card = VirtualCard(with_tries(read_card_file(issued), tries or {}), faults=faults)


def commands(trial: Trial, kind: str) -> list[tuple[str, ...]]:
    """Every command that uses this PIN, without its source."""
    using = trial.sign(pin_from=None) if kind == "signature" else LOGIN
    return [using, ("pin", "verify", kind), ("pin", "change", kind)]


def script(trial: Trial, command: tuple[str, ...], pin: str, *more: str) -> Run:
    sources: tuple[str, ...] = ("--pin-from", "env:JPKI_TEST_PIN")
    if "change" in command:
        sources += ("--new-pin-from", "env:JPKI_TEST_NEW_PIN")
    new = NEW["signature" if "signature" in command else "authentication"]
    return trial.run(*command, *sources, *more, pin=pin, new_pin=new)


@pytest.mark.parametrize("number", range(3), ids=["use", "verify", "change"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_script_never_spends_the_last_try_even_with_the_right_pin(
    trial: Trial, issued: Path, kind: str, number: int
) -> None:
    leave(trial, issued, {kind: 1})
    command = commands(trial, kind)[number]
    trial.refused(script(trial, command, RIGHT[kind]), "last-try", tries={kind: 1})


@pytest.mark.parametrize("number", range(2), ids=["use", "verify"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_script_never_spends_the_last_try_whatever_options_it_gives(
    trial: Trial, issued: Path, kind: str, number: int
) -> None:
    leave(trial, issued, {kind: 1})
    command = commands(trial, kind)[number]
    run = script(trial, command, RIGHT[kind], "--use-last-try")
    trial.refused(run, "last-try", "usage", tries={kind: 1})


@pytest.mark.parametrize("number", range(3), ids=["use", "verify", "change"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_person_is_not_asked_for_a_pin_with_one_try_left(
    trial: Trial, issued: Path, kind: str, number: int
) -> None:
    leave(trial, issued, {kind: 1})
    run = trial.run(*commands(trial, kind)[number], answers=[RIGHT[kind]])
    trial.refused(run, "last-try", tries={kind: 1})
    assert trial.person.questions == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_person_who_gives_the_last_try_away_is_told_that_it_is_the_last(
    trial: Trial, issued: Path, kind: str
) -> None:
    leave(trial, issued, {kind: 1})
    run = trial.run("pin", "verify", kind, "--use-last-try", answers=[RIGHT[kind]])
    assert run.exit_code == 0, run.stderr
    assert "LAST TRY" in trial.person.questions[0]
    assert trial.card.verify_count == 1
    trial.counts()


@pytest.mark.parametrize("blocked_sw", [0x6984, 0x6983, 0x63C0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_last_try_blocks_and_says_so(
    trial: Trial, issued: Path, kind: str, blocked_sw: int
) -> None:
    leave(trial, issued, {kind: 1}, faults=Faults(blocked_sw=blocked_sw))
    run = trial.run("pin", "verify", kind, "--use-last-try", answers=[WRONG[kind]])
    trial.refused(run, "pin-blocked", verifies=1, tries={kind: 0})
    again = trial.run("pin", "verify", kind, "--use-last-try", answers=[RIGHT[kind]])
    trial.refused(again, "pin-blocked", verifies=1, tries={kind: 0})
    assert trial.person.questions == []


@pytest.mark.parametrize("blocked_sw", [0x6984, 0x6983, 0x63C0])
@pytest.mark.parametrize("number", range(3), ids=["use", "verify", "change"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sent_to_a_blocked_pin(
    trial: Trial, issued: Path, kind: str, number: int, blocked_sw: int
) -> None:
    leave(trial, issued, {kind: 0}, faults=Faults(blocked_sw=blocked_sw))
    command = commands(trial, kind)[number]
    trial.refused(script(trial, command, RIGHT[kind]), "pin-blocked", tries={kind: 0})
    person = trial.run(*command, answers=[RIGHT[kind]])
    trial.refused(person, "pin-blocked", tries={kind: 0})
    assert trial.person.questions == []


@pytest.mark.parametrize("blocked_sw", [0x6984, 0x6983, 0x63C0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_that_is_blocked_behind_a_stale_count_is_blocked(
    trial: Trial, issued: Path, kind: str, blocked_sw: int
) -> None:
    """The query says that all tries are there; the answer to VERIFY is the last word."""
    faults = Faults(blocked_sw=blocked_sw, tries_query=TriesQuery.STALE)
    leave(trial, issued, {kind: 0}, faults=faults)
    run = script(trial, ("pin", "verify", kind), RIGHT[kind])
    trial.refused(run, "pin-blocked", verifies=1, tries={kind: 0})


@pytest.mark.parametrize(
    "answer", [b"\x63\x00", b"\x90\x00", b"\x6a\x88", b"\x63\xcf", b"\x69\x82"]
)
@pytest.mark.parametrize("number", range(3), ids=["use", "verify", "change"])
@pytest.mark.parametrize("kind", KINDS)
def test_without_a_count_nothing_is_sent(
    trial: Trial, issued: Path, kind: str, number: int, answer: bytes
) -> None:
    def no_count(_exchange: int, command: bytes, right: bytes) -> bytes:
        return answer if command[1] == 0x20 and len(command) == 4 else right

    leave(trial, issued, faults=Faults(hook=no_count))
    command = commands(trial, kind)[number]
    trial.refused(script(trial, command, RIGHT[kind]), "tries-unknown")
    trial.refused(trial.run(*command, answers=[RIGHT[kind]]), "tries-unknown")
    assert trial.person.questions == []


def test_a_person_may_risk_a_try_of_an_unknown_count(trial: Trial, issued: Path) -> None:
    def no_count(_exchange: int, command: bytes, right: bytes) -> bytes:
        return b"\x63\x00" if command[1] == 0x20 and len(command) == 4 else right

    leave(trial, issued, faults=Faults(hook=no_count))
    run = trial.run("pin", "verify", "signature", "--use-last-try", answers=[PASSWORD])
    assert run.exit_code == 0, run.stderr
    assert "unknown" in trial.person.questions[0]
    assert trial.card.verify_count == 1


@pytest.mark.parametrize("number", range(3), ids=["use", "verify", "change"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_pin_costs_one_try_and_says_how_many_are_left(
    trial: Trial, issued: Path, kind: str, number: int
) -> None:
    leave(trial, issued)
    command = commands(trial, kind)[number]
    run = script(trial, command, WRONG[kind])
    left = FULL[kind] - 1
    trial.refused(run, "pin-incorrect", verifies=1, tries={kind: left})
    assert run.error["tries_left"] == left
    assert f"tries left: {left}" in run.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_person_who_was_wrong_is_not_asked_again(trial: Trial, issued: Path, kind: str) -> None:
    leave(trial, issued)
    run = trial.run("pin", "verify", kind, answers=[WRONG[kind]])
    trial.refused(run, "pin-incorrect", verifies=1, tries={kind: FULL[kind] - 1})
    assert len(trial.person.questions) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_scripts_stop_at_the_last_try_however_often_they_run(
    trial: Trial, issued: Path, kind: str
) -> None:
    leave(trial, issued)
    codes = [script(trial, ("pin", "verify", kind), WRONG[kind]).error["code"] for _ in range(8)]
    spent = FULL[kind] - 1
    assert codes == ["pin-incorrect"] * spent + ["last-try"] * (8 - spent)
    assert trial.card.verify_count == spent
    trial.counts({kind: 1})


def test_the_right_pin_after_a_wrong_one_gives_all_tries_back(trial: Trial, issued: Path) -> None:
    leave(trial, issued)
    assert script(trial, ("pin", "verify", "signature"), WRONG_PASSWORD).exit_code == 6
    run = script(trial, ("pin", "verify", "signature"), PASSWORD)
    assert run.exit_code == 0
    trial.counts()


def test_a_batch_with_a_wrong_password_costs_one_try(trial: Trial, issued: Path) -> None:
    leave(trial, issued)
    documents = [trial.folder / f"{number}.txt" for number in range(10)]
    for document in documents:
        document.write_bytes(b"a document\n")
    run = script(trial, ("sign", *map(str, documents)), WRONG_PASSWORD)
    trial.refused(run, "pin-incorrect", verifies=1, tries={"signature": 4})


def test_a_pin_that_someone_left_verified_is_not_taken_for_ours(trial: Trial, issued: Path) -> None:
    """Another program left the card unlocked. Ours asks all the same, and locks it."""
    leave(trial, issued)
    for command in (
        bytes.fromhex("00A4040C0AD392F000260100000001"),
        bytes.fromhex("00A4020C02001B"),
        b"\x00\x20\x00\x80\x08" + PASSWORD.encode(),
    ):
        assert trial.card.execute(command) == b"\x90\x00"
    run = script(trial, trial.sign(pin_from=None), WRONG_PASSWORD)
    trial.refused(run, "pin-incorrect", verifies=2, tries={"signature": 4})


def test_the_pin_is_asked_before_anything_of_the_certificate_is_read(
    trial: Trial, issued: Path
) -> None:
    """A wrong password reads nothing: the certificate holds the holder's name and address."""
    leave(trial, issued)
    script(trial, trial.sign(pin_from=None), WRONG_PASSWORD)
    assert all(header[1] != 0xB0 for header in trial.card.log)


@pytest.mark.parametrize(
    ("options", "count", "code"),
    [
        ((), b"\x63\xc1", "last-try"),
        (("--use-last-try",), b"\x63\xc1", "last-try"),
        (("--use-last-try",), b"\x63\x00", "tries-unknown"),
    ],
)
def test_a_try_that_became_the_last_behind_the_prompt_is_not_used(
    trial: Trial, issued: Path, options: tuple[str, ...], count: bytes, code: str
) -> None:
    leave(trial, issued)
    queries = 0

    def another_program(_exchange: int, command: bytes, right: bytes) -> bytes:
        nonlocal queries
        if command[1] == 0x20 and len(command) == 4:
            queries += 1
            return b"\x63\xc5" if queries == 1 else count
        return right

    trial.card.faults = Faults(hook=another_program)
    run = trial.run("pin", "verify", "signature", *options, answers=[PASSWORD])
    trial.refused(run, code, notices=1 if code == "last-try" else 0)
    assert ("another program" in run.stderr) == (code == "last-try")
    assert trial.card.verify_count == 0


@pytest.mark.parametrize(
    ("answers", "codes"),
    [
        ([PASSWORD, NEW_PASSWORD, "HANAKO78"] + [NEW_PASSWORD, "HANAKO78"] * 2, "new-pin-differs"),
        ([PASSWORD, "", ""], "pin-format"),
        ([PASSWORD, "ABCDEFGH", "97531864", "１２３４"], "pin-format"),
    ],
)
def test_a_change_without_a_possible_new_password_sends_nothing(
    trial: Trial, issued: Path, answers: list[str], codes: str
) -> None:
    leave(trial, issued)
    run = trial.run("pin", "change", "signature", answers=answers)
    trial.refused(run, codes)
    assert trial.card.pin_value("signature") == PASSWORD


@pytest.mark.parametrize("query", list(TriesQuery))
def test_the_tries_are_told_without_spending_one(
    trial: Trial, issued: Path, query: TriesQuery
) -> None:
    leave(
        trial,
        issued,
        {"signature": 2, "authentication": 1},
        faults=Faults(tries_query=query),
    )
    for command in (("pin", "status"), ("status",)):
        run = trial.run(*command)
        assert run.exit_code == 0, run.stderr
        check_nothing_leaked(run)
    assert trial.card.verify_count == 0
    trial.counts({"signature": 2, "authentication": 1})
    check_locked(trial.card)
