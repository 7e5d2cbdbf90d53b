"""The prompt at a real terminal: nothing is echoed, and the echo comes back whatever happens."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.cards import PASSWORD, PIN
from support.terminal import JPKI, TerminalProcess
from support.trial import copy_of_environment

from jpki.emulator import describe_card

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pty is needed")

PROMPT = "authentication PIN (利用者証明用暗証番号), 4 digits; tries left: 3: "


def verifying(card_path: Path, *options: str) -> TerminalProcess:
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    return TerminalProcess("pin", "verify", "authentication", *options, env=environment)


def tries(card_path: Path, name: str = "authentication") -> int:
    return describe_card(card_path).pin(name).tries_left


def test_the_prompt_names_the_pin_and_its_tries_and_shows_nothing_that_is_typed(
    card_path: Path,
) -> None:
    with verifying(card_path) as run:
        run.wait_for(PROMPT)
        assert not run.echo_is_on
        run.enter(f"{PIN}\n")
        assert run.end() == 0
        assert PIN not in run.seen
        assert run.echo_is_on


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGQUIT, -signal.SIGQUIT),
    ],
)
def test_a_signal_at_the_prompt_brings_the_echo_back_and_costs_no_try(
    card_path: Path, number: signal.Signals, ending: int
) -> None:
    with verifying(card_path) as run:
        run.wait_for(PROMPT)
        assert not run.echo_is_on
        run.send(number)
        assert run.end() == ending
        assert run.echo_is_on
        assert "Traceback" not in run.seen
        assert tries(card_path) == 3


def test_ctrl_c_typed_at_the_prompt_ends_with_130_and_one_message(card_path: Path) -> None:
    with verifying(card_path) as run:
        run.wait_for(PROMPT)
        run.enter("12\x03")
        assert run.end() == 130
        assert run.seen.count("jpki: ") == 1
        assert "Interrupted" in run.seen


def test_ctrl_d_at_the_prompt_refuses_without_a_try(card_path: Path) -> None:
    with verifying(card_path) as run:
        run.wait_for(PROMPT)
        run.enter("\x04")
        assert run.end() == 2
        assert tries(card_path) == 3


def test_a_stopped_prompt_gives_the_echo_back_and_takes_it_again_when_continued(
    card_path: Path,
) -> None:
    # A shell with job control: without one there is nobody to continue it, so it cannot be stopped.
    shell = ("sh", "-i")
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}", PS1="$ ")
    with TerminalProcess(env=environment, program=shell) as run:
        run.enter(f"{shlex.join(JPKI)} pin verify authentication\n")
        run.wait_for(PROMPT)
        run.wait_until_echo(on=False)
        run.enter("12\x1a")
        run.wait_for("Stopped")
        run.wait_until_echo(on=True)
        run.enter("fg\n")
        run.wait_for(PROMPT, times=2)
        run.wait_until_echo(on=False)
        run.enter(f"{PIN}\n")
        run.wait_for("is right")
        run.enter("exit\n")
        assert run.end() == 0


def test_a_mistyped_form_is_asked_again_and_the_right_entry_then_verifies_once(
    card_path: Path,
) -> None:
    with verifying(card_path) as run:
        run.wait_for(PROMPT)
        run.enter("１２３４\n")
        run.wait_for("half-width")
        run.wait_for(PROMPT, times=2)
        run.enter(f"{PIN}\n")
        assert run.end() == 0


def test_the_prompt_is_read_from_the_terminal_though_the_document_comes_on_stdin(
    card_path: Path, tmp_path: Path
) -> None:
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    program = (
        "import os, sys; from cli.main import main;"
        "r, w = os.pipe(); os.write(w, b'text'); os.close(w); os.dup2(r, 0); main()"
    )
    output = tmp_path / "text.p7s"
    with TerminalProcess(
        "sign", "-", "-o", str(output), env=environment, program=(sys.executable, "-c", program)
    ) as run:
        run.wait_for("5: ")
        assert "shows your name, address, birth date and sex" in run.seen
        run.enter(f"{PASSWORD.lower()}\n")
        assert run.end() == 0, run.seen
    assert output.read_bytes()[:1] == b"\x30"


def test_without_a_terminal_nothing_is_read_from_stdin_instead(card_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", "pin", "verify", "auth"],
        env=copy_of_environment(JPKI_READER=f"emulator:{card_path}"),
        input=f"{PIN}\n".encode(),
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    assert run.returncode == 2
    assert b"--pin-from" in run.stderr
    assert tries(card_path) == 3


TELLING_THE_LIMIT = (
    "import atexit, resource; from cli.main import main;"
    "atexit.register(lambda: print('limit', resource.getrlimit(resource.RLIMIT_CORE)));"
    "main()"
)


def test_no_core_can_be_dumped_once_a_pin_was_read_for_a_script(card_path: Path) -> None:
    command = ("pin", "verify", "auth", "--pin-from", "env:PIN")
    run = subprocess.run(
        [sys.executable, "-c", TELLING_THE_LIMIT, *command],
        env=copy_of_environment(JPKI_READER=f"emulator:{card_path}", PIN=PIN),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert b"limit (0, 0)" in run.stdout


def test_no_core_can_be_dumped_once_a_pin_was_asked_for(card_path: Path) -> None:
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    with TerminalProcess(
        "pin", "verify", "auth", env=environment, program=(sys.executable, "-c", TELLING_THE_LIMIT)
    ) as run:
        run.wait_for(PROMPT)
        run.enter(f"{PIN}\n")
        run.end()
        assert "limit (0, 0)" in run.seen


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")
def test_no_other_program_of_the_person_can_read_the_memory_that_a_pin_was_in(
    card_path: Path,
) -> None:
    get_dumpable = 3
    code = TELLING_THE_LIMIT.replace(
        "resource.getrlimit(resource.RLIMIT_CORE)",
        f"__import__('ctypes').CDLL(None).prctl({get_dumpable}, 0, 0, 0, 0)",
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "pin", "verify", "auth", "--pin-from", "env:PIN"],
        env=copy_of_environment(JPKI_READER=f"emulator:{card_path}", PIN=PIN),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert b"limit 0" in run.stdout


def test_what_was_typed_before_the_question_is_no_consent() -> None:
    code = (
        "import select; from cli.prompt import TerminalPrompter\n"
        "print('ready', flush=True)\n"
        "select.select([0], [], [])\n"
        "print('consent', TerminalPrompter().confirm('Sign it? '))\n"
    )
    with TerminalProcess(env=dict(os.environ), program=(sys.executable, "-c", code)) as run:
        run.wait_for("ready")
        run.enter("y\n")
        run.wait_for("Sign it? ")
        run.enter("\n")
        assert run.end() == 0
        assert "consent False" in run.seen


def test_the_old_handlers_are_back_after_the_prompt() -> None:
    code = (
        "import signal, threading, os; from cli import terminal\n"
        "before = [signal.getsignal(n) for n in terminal.SIGNALS]\n"
        "print('answer', terminal.ask('say: ', echo=True))\n"
        "print(before == [signal.getsignal(n) for n in terminal.SIGNALS])\n"
    )
    with TerminalProcess(env=dict(os.environ), program=(sys.executable, "-c", code)) as run:
        run.wait_for("say: ")
        run.enter("it\n")
        assert run.end() == 0
        assert "answer it" in run.seen
        assert "True" in run.seen
