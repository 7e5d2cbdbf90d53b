"""Faults through a real pcscd: pulls, two programs at once, signals during an exchange.

After every kind of end a bare PC/SC client gets 6982 for a signature.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from support.cards import PASSWORD, PIN
from support.fake_pcsc import OtherCard
from support.held_card import CHANGE, SIGN, VERIFY, HeldCard
from support.operations import OPERATIONS, TRIES_BEFORE, Course, Operation, with_tries
from support.process import finish, start
from support.stranger import keys_that_sign_for_anybody
from support.terminal import TerminalProcess
from support.trial import (
    NEW_PASSWORD,
    WRONG_PASSWORD,
    Run,
    Trial,
    check_failure,
    check_nothing_leaked,
    copy_of_environment,
)
from support.vpcd import READERS, Vpcd

from jpki.emulator import Faults, SignatureFault, VirtualCard
from jpki.emulator.card_file import read_card_file

pytestmark = pytest.mark.vpcd

POWER_OFF_S = 20.0
"""How long pcscd may take to cut the power of a card whose program has died: about 5 s."""

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")


def keys_for_a_stranger(trial: Trial, reader: str) -> list[str]:
    """The keys that sign for anybody; the card's witnesses do not count the question."""
    log, exchanges = list(trial.card.log), trial.card.exchange_count
    signing = keys_that_sign_for_anybody(reader)
    trial.card.log, trial.card.exchange_count = log, exchanges
    return signing


def fresh_card(issued: Path, faults: Faults | None = None) -> VirtualCard:
    return VirtualCard(with_tries(read_card_file(issued), TRIES_BEFORE), faults=faults)


# The card is pulled.


@pytest.fixture(scope="module")
def courses(issued_card_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Course]:
    """What each operation does when all goes well."""
    found = {}
    for operation in OPERATIONS:
        folder = tmp_path_factory.mktemp("course")
        trial = Trial.in_folder(folder, fresh_card(issued_card_path))
        assert operation.run(trial).exit_code == 0
        found[operation.name] = Course.of(trial.card)
    return found


PULLED = (OPERATIONS[0], OPERATIONS[2], OPERATIONS[4])
MOMENTS: dict[str, Callable[[Course], Faults]] = {
    "before the first exchange": lambda _course: Faults(pull_before=1),
    "before VERIFY": lambda course: Faults(pull_before=course.verify),
    "after VERIFY": lambda course: Faults(pull_after=course.verify),
    "between VERIFY and the end": lambda course: Faults(pull_before=course.verify + 1),
    "after the last exchange": lambda course: Faults(pull_after=len(course)),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("operation", PULLED, ids=str)
def test_a_card_pulled_out_of_a_real_reader(
    vpcd: Vpcd,
    trial: Trial,
    issued_card_path: Path,
    courses: dict[str, Course],
    operation: Operation,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("support.trial.READER", ("--reader", READERS[0]))
    course = courses[operation.name]
    faults = MOMENTS[moment](course)
    step = faults.pull_before or faults.pull_after or 0
    trial.card = fresh_card(issued_card_path, faults)
    with vpcd.insert(trial.card):
        run = operation.run(trial)
    verified = step > course.verify or (step == course.verify and faults.pull_after is not None)
    full = {"signature": 5, "authentication": 3}[operation.pin]
    trial.refused(
        run,
        "outcome-unknown" if step in course.once else "card-removed",
        verifies=int(verified),
        tries=TRIES_BEFORE | ({operation.pin: full} if verified else {}),
    )


def test_a_pulled_card_that_comes_back_signs_at_the_next_run(
    vpcd: Vpcd, trial: Trial, issued_card_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.trial.READER", ("--reader", READERS[0]))
    trial.card = fresh_card(issued_card_path, Faults(pull_after=4))
    with vpcd.insert(trial.card):
        assert OPERATIONS[0].run(trial).exit_code == 8
    with vpcd.insert(trial.card) as reader:
        assert OPERATIONS[0].run(trial).exit_code == 0
        assert keys_for_a_stranger(trial, reader) == []


def test_an_answer_that_is_cut_off_is_no_answer(
    vpcd: Vpcd, trial: Trial, issued_card_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.trial.READER", ("--reader", READERS[0]))
    for faults, code, verifies in (
        (Faults(one_byte_at=1), "malformed-response", 0),
        (Faults(one_byte_at=4), "outcome-unknown", 1),
        (Faults(oversized_at=6), "malformed-response", 1),
    ):
        trial.card = fresh_card(issued_card_path, faults)
        with vpcd.insert(trial.card) as reader:
            run = OPERATIONS[0].run(trial)
            assert keys_for_a_stranger(trial, reader) == []
        tries = TRIES_BEFORE | ({"signature": 5} if verifies else {})
        trial.refused(run, code, verifies=verifies, tries=tries)


# What is in the readers.


@pytest.mark.parametrize("command", [("status",), ("pin", "verify", "signature", *SOURCE)])
def test_an_empty_reader(vpcd: Vpcd, trial: Trial, command: tuple[str, ...]) -> None:
    trial.refused(trial.run("--reader", "", *command, pin=PASSWORD), "no-card")


@pytest.mark.parametrize("command", [("status",), ("pin", "verify", "signature", *SOURCE)])
def test_a_card_without_the_application(vpcd: Vpcd, trial: Trial, command: tuple[str, ...]) -> None:
    other = OtherCard()
    with vpcd.insert(other):
        other.powered_off = 0  # what came before is the reader's own doing
        trial.refused(trial.run("--reader", "", *command, pin=PASSWORD), "not-my-number-card")
        assert len(other.log) == 1
        assert other.powered_off == 0


@pytest.mark.parametrize("command", [("status",), ("pin", "verify", "signature", *SOURCE)])
def test_two_cards(
    vpcd: Vpcd, trial: Trial, issued_card_path: Path, command: tuple[str, ...]
) -> None:
    second = fresh_card(issued_card_path)
    with vpcd.insert(trial.card), vpcd.insert(second, slot=1):
        run = trial.run("--reader", "", *command, pin=PASSWORD)
        chosen = trial.run("--reader", "1", *command, pin=PASSWORD)
    assert second.verify_count == command.count("verify")
    trial.refused(run, "several-cards")
    assert run.error["readers"] == list(READERS)
    assert chosen.exit_code == 0, chosen.stderr


# Several programs at once. Each is a process of its own.


def sign_at_once(desk: Path, reader: str, pins: list[str]) -> list[Run]:
    """One `jpki sign` for each password, all started before the first can end."""
    started = []
    for number, pin in enumerate(pins):
        document = desk / f"document{number}.txt"
        document.write_bytes(b"a document\n")
        arguments = ("--json", "--reader", reader, "sign", str(document), "--format", "raw")
        started.append((start(*arguments, *SOURCE, pin=pin), arguments, pin))
    return [finish(process, *arguments, typed=pin) for process, arguments, pin in started]


def test_two_signatures_at_once_with_the_right_password(
    vpcd: Vpcd, trial: Trial, tmp_path: Path
) -> None:
    trial.card.faults = Faults(latency_s=0.01)
    with vpcd.insert(trial.card) as reader:
        runs = sign_at_once(trial.folder, reader, [PASSWORD, PASSWORD])
        assert keys_for_a_stranger(trial, reader) == []
    for run in runs:
        assert run.exit_code in {0, 5}, run.stderr
        check_nothing_leaked(run)
    done = sum(run.exit_code == 0 for run in runs)
    assert done >= 1
    assert trial.card.verify_count == done
    assert len(list(trial.folder.glob("*.sig"))) == done + 1  # and the old one
    trial.counts()


def test_two_signatures_at_once_with_a_wrong_password_cost_two_tries(
    vpcd: Vpcd, trial: Trial
) -> None:
    trial.card.faults = Faults(latency_s=0.01)
    with vpcd.insert(trial.card) as reader:
        runs = sign_at_once(trial.folder, reader, [WRONG_PASSWORD, WRONG_PASSWORD])
        assert keys_for_a_stranger(trial, reader) == []
    for run in runs:
        check_failure(run, "pin-incorrect", "card-in-use")
        check_nothing_leaked(run)
    spent = sum(run.exit_code == 6 for run in runs)
    assert sorted(run.error["tries_left"] for run in runs if run.exit_code == 6) == [3, 4][-spent:]
    assert trial.card.verify_count == spent
    trial.counts({"signature": 5 - spent})


def test_four_wrong_passwords_at_once_leave_the_last_try(
    vpcd: Vpcd, trial: Trial, issued_card_path: Path
) -> None:
    """Between the query and the VERIFY nobody else gets in: the last try is never spent."""
    trial.card = VirtualCard(with_tries(read_card_file(issued_card_path), {"signature": 3}))
    with vpcd.insert(trial.card) as reader:
        runs = sign_at_once(trial.folder, reader, [WRONG_PASSWORD] * 4)
    codes = sorted(str(run.error["code"]) for run in runs)
    assert codes == ["last-try", "last-try", "pin-incorrect", "pin-incorrect"]
    assert trial.card.verify_count == 2
    trial.counts({"signature": 1})


def test_twenty_queries_at_once_are_all_right_and_free(vpcd: Vpcd, trial: Trial) -> None:
    with vpcd.insert(trial.card) as reader:
        arguments = ("--json", "--reader", reader, "pin", "status")
        processes = [start(*arguments) for _ in range(20)]
        runs = [finish(process, *arguments) for process in processes]
    for run in runs:
        assert run.exit_code == 0, run.stderr
        assert run.stdout == runs[0].stdout
    assert trial.card.verify_count == 0
    trial.counts()


def test_another_program_s_verified_pin_is_not_taken_for_ours(vpcd: Vpcd, trial: Trial) -> None:
    with vpcd.insert(trial.card) as reader:
        verify = bytes.fromhex("0020008008") + PASSWORD.encode()
        for command in (
            bytes.fromhex("00A4040C0AD392F000260100000001"),
            bytes.fromhex("00A4020C02001B"),
            verify,
        ):
            assert trial.card.execute(command) == b"\x90\x00"
        run = trial.run("--reader", reader, *trial.sign(), pin=WRONG_PASSWORD)
        assert keys_for_a_stranger(trial, reader) == []
    trial.refused(run, "pin-incorrect", verifies=2, tries={"signature": 4})


# After every kind of end the card signs for nobody.


ENDS: dict[str, tuple[Faults, tuple[str, ...], str, int]] = {
    "a signature": (Faults(), ("--format", "raw"), PASSWORD, 0),
    "a wrong password": (Faults(), (), WRONG_PASSWORD, 6),
    "a wrong signature": (Faults(signature=SignatureFault.WRONG), (), PASSWORD, 9),
    "a short signature": (Faults(signature=SignatureFault.SHORT), (), PASSWORD, 9),
    "a garbled certificate": (Faults(certificate_garbage=True), (), PASSWORD, 9),
    "a status word in the middle": (Faults(replaced={7: b"\x6f\x00"}), (), PASSWORD, 9),
    "a full disk": (Faults(), ("-o", "/dev/full"), PASSWORD, 12),
}


def test_after_every_end_a_stranger_gets_no_signature(
    vpcd: Vpcd, trial: Trial, subtests: pytest.Subtests
) -> None:
    with vpcd.insert(trial.card) as reader:
        for end, (faults, options, pin, exit_code) in ENDS.items():
            with subtests.test(end=end):
                start_of_run = trial.card.exchange_count
                moved = {start_of_run + step: answer for step, answer in faults.replaced.items()}
                trial.card.faults = replace(faults, replaced=moved)
                verified = trial.card.verify_count
                run = trial.run("--reader", reader, *trial.sign(*options), pin=pin)
                trial.card.faults = Faults()
                assert keys_for_a_stranger(trial, reader) == []
                assert run.exit_code == exit_code, run.stderr
                assert trial.card.verify_count == verified + 1


COMMANDS = [
    (("pin", "verify", "signature"), PASSWORD),
    (("pin", "verify", "authentication"), PIN),
    (("cert", "show", "signature"), PASSWORD),
    (("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44), PIN),
    (("pin", "change", "signature", "--new-pin-from", "env:JPKI_TEST_NEW_PIN"), PASSWORD),
]


def test_after_every_command_a_stranger_gets_no_signature(
    vpcd: Vpcd, trial: Trial, subtests: pytest.Subtests
) -> None:
    with vpcd.insert(trial.card) as reader:
        for command, pin in COMMANDS:
            with subtests.test(command=command[:2]):
                arguments = ("--reader", reader, *command, *SOURCE)
                run = trial.run(*arguments, pin=pin, new_pin=NEW_PASSWORD)
                assert run.exit_code == 0, run.stderr
                assert keys_for_a_stranger(trial, reader) == []


@pytest.mark.parametrize(
    ("number", "ending"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda value: getattr(value, "name", None),
)
def test_after_a_signal_at_the_prompt_a_stranger_gets_no_signature(
    vpcd: Vpcd, trial: Trial, number: signal.Signals, ending: int
) -> None:
    environment = copy_of_environment(TERM="dumb")
    with (
        vpcd.insert(trial.card) as reader,
        TerminalProcess("--reader", reader, *trial.sign(pin_from=None), env=environment) as run,
    ):
        run.wait_for("tries left: 5: ")
        # The prompt stands outside any transaction: others may use the card meanwhile.
        assert keys_for_a_stranger(trial, reader) == []
        run.send(number)
        assert run.end() == ending
        assert run.echo_is_on
        assert keys_for_a_stranger(trial, reader) == []
    assert trial.card.verify_count == 0
    trial.counts()


# Signals while the card is at work. The card stops in the middle until the test lets it go on.


class Screen:
    """What a process writes on stderr, read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self._stream = process.stderr
        self._text = b""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while block := os.read(self._stream.fileno(), 4096):
            with self._changed:
                self._text += block
                self._changed.notify_all()

    def wait_for(self, text: str, *, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: text.encode() in self._text, timeout_s)

    def whole(self) -> str:
        self._thread.join(30)
        return self._text.decode()


@contextmanager
def held(
    vpcd: Vpcd, trial: Trial, ins: int, *arguments: str, pin: str
) -> Iterator[tuple[HeldCard, subprocess.Popen[bytes], Screen, str]]:
    """A command whose card has just carried out `ins` and does not answer yet."""
    card = HeldCard(trial.card, ins)
    with vpcd.insert(card) as reader:
        process = start(
            "--json",
            "--reader",
            reader,
            *arguments,
            *SOURCE,
            pin=pin,
            environment={"JPKI_TEST_NEW_PIN": NEW_PASSWORD},
        )
        screen = Screen(process)
        try:
            assert card.reached.wait(30), "the command never came so far"
            yield card, process, screen, reader
        finally:
            card.released.set()
            process.kill()
            process.wait(30)
            screen.whole()
            for stream in (process.stdout, process.stderr):
                assert stream is not None
                stream.close()


def ended(process: subprocess.Popen[bytes], screen: Screen, pin: str) -> Run:
    process.wait(30)
    assert process.stdout is not None
    return Run(
        arguments=("--json",),
        exit_code=process.returncode,
        stdout=process.stdout.read(),
        stderr=screen.whole(),
        typed=frozenset({pin, NEW_PASSWORD}),
    )


def interrupted(process: subprocess.Popen[bytes], screen: Screen) -> None:
    """Ctrl-C, and the message that must come within a second."""
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert screen.wait_for("Interrupted; waiting", timeout_s=5)
    assert time.monotonic() - sent < 1.0


CHANGE_COMMAND = ("pin", "change", "signature", "--new-pin-from", "env:JPKI_TEST_NEW_PIN")
WORK = {
    # what the card is at: (INS, arguments, PIN, what the message tells)
    "the right password": (VERIFY, None, PASSWORD, "the card had done 'verify'"),
    "a wrong password": (VERIFY, None, WRONG_PASSWORD, "tries left: 4"),
    "a change": (CHANGE, CHANGE_COMMAND, PASSWORD, "the card had done 'change'"),
    "a signature": (SIGN, None, PASSWORD, "the card had done 'sign'"),
}


@pytest.mark.parametrize("work", WORK)
def test_ctrl_c_while_the_card_works_waits_for_its_answer_and_tells_it(
    vpcd: Vpcd, trial: Trial, work: str
) -> None:
    ins, arguments, pin, told = WORK[work]
    with held(vpcd, trial, ins, *(arguments or trial.sign(pin_from=None)), pin=pin) as (
        card,
        process,
        screen,
        reader,
    ):
        trial.expected_files = trial.files()
        interrupted(process, screen)
        card.released.set()
        run = ended(process, screen, pin)
        assert keys_for_a_stranger(trial, reader) == []
    assert told in run.stderr
    trial.refused(
        run,
        "interrupted",
        verifies=1,
        tries={"signature": 4} if pin == WRONG_PASSWORD else None,
        notices=1,
    )
    assert trial.card.pin_value("signature") == (NEW_PASSWORD if work == "a change" else PASSWORD)


@pytest.mark.parametrize("ins", [VERIFY, SIGN], ids=["VERIFY", "signature"])
def test_after_ctrl_c_a_card_that_stays_silent_is_waited_for_three_seconds(
    vpcd: Vpcd, trial: Trial, ins: int
) -> None:
    command = trial.sign(pin_from=None)
    with held(vpcd, trial, ins, *command, pin=PASSWORD) as (card, process, screen, reader):
        trial.expected_files = trial.files()
        sent = time.monotonic()
        interrupted(process, screen)
        run = ended(process, screen, PASSWORD)
        assert 2.5 < time.monotonic() - sent < 8
        card.released.set()
        assert card.lost_power.wait(POWER_OFF_S)
        assert keys_for_a_stranger(trial, reader) == []
    trial.refused(run, "interrupted", verifies=1, notices=1)
    words = "jpki pin status" if ins == VERIFY else "may have made a signature"
    assert words in run.stderr


@pytest.mark.parametrize("ins", [VERIFY, SIGN], ids=["VERIFY", "signature"])
def test_a_second_ctrl_c_ends_at_once_and_says_that_the_outcome_is_not_known(
    vpcd: Vpcd, trial: Trial, ins: int
) -> None:
    command = trial.sign(pin_from=None)
    with held(vpcd, trial, ins, *command, pin=PASSWORD) as (card, process, screen, reader):
        trial.expected_files = trial.files()
        interrupted(process, screen)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert time.monotonic() - sent < 1.0
        run = ended(process, screen, PASSWORD)
        card.released.set()
        assert card.lost_power.wait(POWER_OFF_S)
        assert keys_for_a_stranger(trial, reader) == []
    trial.refused(run, "interrupted", verifies=1, notices=1)
    # With another program at the card pcscd would have left it the power, and unlocked.
    assert "take it off the reader" in run.stderr
    assert "jpki pin status" in run.stderr


@pytest.mark.parametrize(
    ("ins", "number"),
    [(VERIFY, signal.SIGTERM), (SIGN, signal.SIGHUP)],
    ids=["VERIFY-SIGTERM", "signature-SIGHUP"],
)
def test_sigterm_while_the_card_works_ends_in_order(
    vpcd: Vpcd, trial: Trial, ins: int, number: signal.Signals
) -> None:
    command = trial.sign(pin_from=None)
    with held(vpcd, trial, ins, *command, pin=PASSWORD) as (card, process, screen, reader):
        trial.expected_files = trial.files()
        process.send_signal(number)
        card.released.set()
        run = ended(process, screen, PASSWORD)
        assert keys_for_a_stranger(trial, reader) == []
    trial.refused(run, "terminated", exit_code=128 + number, verifies=1, notices=1)


def test_sigterm_while_the_card_is_stuck_ends_soon(vpcd: Vpcd, trial: Trial) -> None:
    command = trial.sign(pin_from=None)
    with held(vpcd, trial, SIGN, *command, pin=PASSWORD) as (card, process, screen, reader):
        trial.expected_files = trial.files()
        sent = time.monotonic()
        process.send_signal(signal.SIGTERM)
        run = ended(process, screen, PASSWORD)
        assert time.monotonic() - sent < 9
        card.released.set()
        assert card.lost_power.wait(POWER_OFF_S)
        assert keys_for_a_stranger(trial, reader) == []
    trial.refused(run, "terminated", verifies=1, notices=1)


def test_a_slow_card_is_announced_and_then_signs(vpcd: Vpcd, trial: Trial) -> None:
    command = trial.sign("--format", "raw", pin_from=None)
    with held(vpcd, trial, SIGN, *command, pin=PASSWORD) as (card, process, screen, reader):
        assert screen.wait_for("The card is slow", timeout_s=10)
        card.released.set()
        run = ended(process, screen, PASSWORD)
        assert keys_for_a_stranger(trial, reader) == []
    assert run.exit_code == 0, run.stderr
    assert len(Path(trial.output).read_bytes()) == 256
    assert trial.card.verify_count == 1


def test_signals_without_meaning_for_us_do_no_harm(vpcd: Vpcd, trial: Trial) -> None:
    command = trial.sign("--format", "raw", pin_from=None)
    with held(vpcd, trial, SIGN, *command, pin=PASSWORD) as (card, process, screen, reader):
        for number in (signal.SIGPIPE, signal.SIGWINCH, signal.SIGCHLD):
            process.send_signal(number)
        card.released.set()
        run = ended(process, screen, PASSWORD)
        assert keys_for_a_stranger(trial, reader) == []
    assert run.exit_code == 0, run.stderr


def test_after_kill_the_card_loses_its_power_as_soon_as_pcscd_sees_it_idle(
    vpcd: Vpcd, trial: Trial
) -> None:
    """Documented, not promised: nobody can cut the power after a SIGKILL but pcscd."""
    command = trial.sign(pin_from=None)
    with held(vpcd, trial, SIGN, *command, pin=PASSWORD) as (card, process, _screen, reader):
        process.kill()
        process.wait(30)
        card.released.set()
        assert card.lost_power.wait(POWER_OFF_S)
        assert keys_for_a_stranger(trial, reader) == []
    with vpcd.insert(trial.card) as reader:
        run = trial.run("--reader", reader, *trial.sign("--format", "raw"), pin=PASSWORD)
    assert run.exit_code == 0, run.stderr
    trial.counts()


def test_a_stopped_program_goes_on_where_it_was(vpcd: Vpcd, trial: Trial) -> None:
    command = trial.sign("--format", "raw", pin_from=None)
    with held(vpcd, trial, SIGN, *command, pin=PASSWORD) as (card, process, screen, reader):
        process.send_signal(signal.SIGSTOP)
        _pid, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        card.released.set()
        process.send_signal(signal.SIGCONT)
        run = ended(process, screen, PASSWORD)
        assert keys_for_a_stranger(trial, reader) == []
    assert run.exit_code == 0, run.stderr
    assert trial.card.verify_count == 1
