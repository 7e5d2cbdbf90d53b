"""Signals outside the prompt: how the process ends."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.trial import copy_of_environment

PREAMBLE = "import signal, sys; from cli.signals import signals_handled\n"


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + program],
        env=copy_of_environment(),
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )


def test_a_second_ctrl_c_ends_at_once_though_the_first_is_being_dealt_with() -> None:
    run = python(
        "with signals_handled(lambda: print('at once', flush=True)):\n"
        "    try:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n"
        "        print('first')\n"
        "        sys.stdout.flush()\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    finally:\n"
        "        print('never', flush=True)\n"
    )
    assert run.returncode == 130
    assert run.stdout.splitlines() == ["first", "at once"]


def test_what_was_ignored_stays_ignored() -> None:
    run = python(
        "for number in (signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)\n"
        "with signals_handled(lambda: None):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "    print('still here')\n"
    )
    assert run.stdout == "still here\n"


def test_the_old_handlers_come_back() -> None:
    run = python(
        "before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)\n"
        "with signals_handled(lambda: None): pass\n"
        "print(before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)))\n"
    )
    assert run.stdout == "True\n"


WHILE_THE_CARD_WORKS = """
import sys, signal
import cli.context
from cli.main import main
from jpki.emulator import Faults, load_card

def load(path):
    def hook(exchange, command, answer):
        if command[1:2] == bytes([{ins}]) and len(command) > 5:
            signal.raise_signal(signal.{signal})
        return answer
    return load_card(path, faults=Faults(hook=hook))

original = cli.context.AppContext.__init__
def init(self, **more):
    original(self, **(more | {{"load_emulator": load}}))
cli.context.AppContext.__init__ = init
main()
"""


@pytest.mark.parametrize(
    ("name", "exit_code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)]
)
@pytest.mark.parametrize("ins", [0x20, 0x2A])
def test_a_signal_while_the_card_works_ends_in_order_and_writes_nothing(
    card_path: Path, tmp_path: Path, name: str, exit_code: int, ins: int
) -> None:
    document = tmp_path / "document"
    document.write_text("x")
    program = WHILE_THE_CARD_WORKS.format(ins=ins, signal=name)
    run = subprocess.run(
        [sys.executable, "-c", program, "sign", str(document), "--pin-from", "env:PASSWORD"],
        env=copy_of_environment(JPKI_READER=f"emulator:{card_path}", PASSWORD="TARO2026"),
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert run.returncode == exit_code, run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert "jpki pin status" in run.stderr or "sign again" in run.stderr
    assert [path.name for path in tmp_path.glob("document*")] == ["document"]
