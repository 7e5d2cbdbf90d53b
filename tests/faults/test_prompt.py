"""Impossible PINs, Ctrl-C, Ctrl-D and signals at the prompt of a real terminal."""

import signal
from pathlib import Path

import pytest
from support.cards import PASSWORD, PIN
from support.process import finish, start
from support.terminal import TerminalProcess
from support.trial import (
    NEW_PASSWORD,
    WRONG_PASSWORD,
    Run,
    check_nothing_leaked,
    copy_of_environment,
)

from jpki.emulator import describe_card

PROMPTS = {
    "signature": "6 to 16 letters and digits; tries left: 5: ",
    "authentication": "4 digits; tries left: 3: ",
}
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)


@pytest.fixture
def desk(tmp_path: Path, card_path: Path) -> Path:
    """A folder with a document and an earlier output in it."""
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / "document.txt").write_bytes(b"a document\n")
    (desk / "old.sig").write_bytes(b"an earlier signature")
    return desk


def at_terminal(desk: Path, *arguments: str) -> TerminalProcess:
    environment = copy_of_environment(
        JPKI_READER=f"emulator:{desk.parent / 'card.json'}", TMPDIR=str(desk), TERM="dumb"
    )
    return TerminalProcess(*arguments, env=environment)


def commands(desk: Path) -> dict[str, tuple[str, ...]]:
    return {
        "sign": ("sign", str(desk / "document.txt"), "--force", "-o", str(desk / "old.sig")),
        "change": ("pin", "change", "signature"),
        "log in": LOGIN,
    }


def nothing_happened(desk: Path, terminal: TerminalProcess, *typed: str) -> None:
    """No try spent, no file touched, nothing of what was typed on the screen."""
    run = Run(arguments=(), exit_code=0, stdout=b"", stderr=terminal.seen, typed=frozenset(typed))
    check_nothing_leaked(run)
    assert "Traceback" not in terminal.seen
    assert terminal.seen.count("jpki: ") <= 1
    assert terminal.echo_is_on
    card = describe_card(desk.parent / "card.json")
    assert {(pin.name, pin.tries_left, pin.value) for pin in card.pins} == {
        ("authentication", 3, PIN),
        ("signature", 5, PASSWORD),
    }
    assert {path.name: path.read_bytes() for path in desk.iterdir()} == {
        "document.txt": b"a document\n",
        "old.sig": b"an earlier signature",
    }


def prompt_of(command: str) -> str:
    return PROMPTS["authentication" if command == "log in" else "signature"]


ENDINGS = {
    signal.SIGINT: 130,
    signal.SIGTERM: 143,
    signal.SIGHUP: 129,
    signal.SIGQUIT: -signal.SIGQUIT,
}


@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
@pytest.mark.parametrize("command", ["sign", "change", "log in"])
def test_a_signal_at_the_prompt_changes_nothing(
    desk: Path, command: str, number: signal.Signals
) -> None:
    with at_terminal(desk, *commands(desk)[command]) as terminal:
        terminal.wait_for(prompt_of(command))
        terminal.enter(PASSWORD[:4])  # half of a password is on its way
        terminal.send(number)
        assert terminal.end() == ENDINGS[number]
        nothing_happened(desk, terminal)


@pytest.mark.parametrize("command", ["sign", "change", "log in"])
def test_ctrl_c_at_the_prompt_says_one_thing(desk: Path, command: str) -> None:
    with at_terminal(desk, *commands(desk)[command]) as terminal:
        terminal.wait_for(prompt_of(command))
        terminal.enter("\x03")
        assert terminal.end() == 130
        assert terminal.seen.count("jpki: Interrupted") == 1
        nothing_happened(desk, terminal)


def test_ctrl_c_at_the_question_for_the_new_password_changes_nothing(desk: Path) -> None:
    with at_terminal(desk, *commands(desk)["change"]) as terminal:
        terminal.wait_for(prompt_of("change"))
        terminal.enter(f"{PASSWORD}\n")
        terminal.wait_for("New signature password")
        terminal.enter(f"{NEW_PASSWORD}\n")
        terminal.wait_for("once more")
        terminal.enter("\x03")
        assert terminal.end() == 130
        nothing_happened(desk, terminal, NEW_PASSWORD)


@pytest.mark.parametrize("command", ["sign", "change", "log in"])
def test_ctrl_d_at_the_prompt_is_no_pin(desk: Path, command: str) -> None:
    with at_terminal(desk, *commands(desk)[command]) as terminal:
        terminal.wait_for(prompt_of(command))
        terminal.enter("\x04")
        assert terminal.end() == 2
        nothing_happened(desk, terminal)


def test_a_terminal_that_goes_away_at_the_prompt_ends_the_command(
    desk: Path, card_path: Path
) -> None:
    """The window is closed: SIGHUP, and a terminal that answers nothing any more."""
    with at_terminal(desk, *commands(desk)["sign"]) as terminal:
        terminal.wait_for(prompt_of("sign"))
        terminal.hang_up()
        assert terminal.process.wait(30) == 129
    assert describe_card(card_path).pin("signature").tries_left == 5
    assert (desk / "old.sig").read_bytes() == b"an earlier signature"


FORMS = {
    "signature": [
        ("１２３４", "1848", "TARO 2026"),
        ("³²¹", "TARO2", "TARO2026TARO20267"),
        ("TARO-2026", "TAROß2026", "ＴＡＲＯ２０２６"),
        (" TARO2026", "TARO2026 ", "TARO\t2026"),
    ],
    "authentication": [
        ("１２３４", "³²¹", "١٢٣٤"),
        ("123", "18480", "18AB"),
        (" 1848", "1848 ", "+184"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "forms"), [(kind, forms) for kind, many in FORMS.items() for forms in many]
)
def test_three_impossible_entries_end_the_command_without_a_try(
    desk: Path, kind: str, forms: tuple[str, str, str]
) -> None:
    with at_terminal(desk, "pin", "verify", kind) as terminal:
        for number, form in enumerate(forms, 1):
            terminal.wait_for(PROMPTS[kind], number)
            terminal.enter(f"{form}\n")
        assert terminal.end() == 2
        assert terminal.seen.count("Not sent to the card") == 2
        assert "no try was spent" in terminal.seen
        nothing_happened(desk, terminal, *(form.strip() for form in forms))


def test_what_was_typed_before_the_question_is_not_its_answer(desk: Path) -> None:
    with at_terminal(desk, "pin", "verify", "signature") as terminal:
        terminal.enter(f"{WRONG_PASSWORD}\n")
        terminal.wait_for(PROMPTS["signature"])
        terminal.enter(f"{PASSWORD}\n")
        assert terminal.end() == 0
        assert describe_card(desk.parent / "card.json").pin("signature").tries_left == 5


def test_a_wrong_entry_is_not_asked_for_again(desk: Path) -> None:
    with at_terminal(desk, *commands(desk)["sign"]) as terminal:
        terminal.wait_for(PROMPTS["signature"])
        terminal.enter(f"{WRONG_PASSWORD}\n")
        assert terminal.end() == 6
        assert WRONG_PASSWORD not in terminal.seen
        assert terminal.seen.count("tries left") == 2  # the question, and the result
    card = describe_card(desk.parent / "card.json")
    assert card.pin("signature").tries_left == 4
    assert (desk / "old.sig").read_bytes() == b"an earlier signature"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_the_caller_ignores_stays_ignored(
    desk: Path, card_path: Path, number: signal.Signals
) -> None:
    """As under nohup, and behind `&` in a script: the run goes on to its end."""
    program = (
        "import os, signal; from jpki.emulator import card as c; right = c.VirtualCard.execute\n"
        "def execute(self, command):\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    return right(self, command)\n"
        "c.VirtualCard.execute = execute\n"
        "from cli.main import main; main()"
    )
    process = start(
        "pin",
        "verify",
        "signature",
        "--pin-from",
        "env:JPKI_TEST_PIN",
        card=card_path,
        pin=PASSWORD,
        program=program,
        ignored=(number,),
    )
    run = finish(process)
    assert run.exit_code == 0, run.stderr


@pytest.mark.parametrize("exchange", [1, 3, 4, 5, 8, 12, 13])
def test_killed_at_an_exchange_the_next_run_works(
    desk: Path, card_path: Path, exchange: int
) -> None:
    """Nothing is left behind that is in the way: no lock, no half a card, no half an output."""
    program = (
        "import os, signal; from jpki.emulator import card as c; right = c.VirtualCard.execute\n"
        "def execute(self, command):\n"
        "    answer = right(self, command)\n"
        f"    if self.exchange_count == {exchange}:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return answer\n"
        "c.VirtualCard.execute = execute\n"
        "from cli.main import main; main()"
    )
    arguments = (*commands(desk)["sign"], "--format", "raw", "--pin-from", "env:JPKI_TEST_PIN")
    run = finish(start(*arguments, card=card_path, pin=PASSWORD, program=program))
    if run.exit_code != 0:
        assert run.exit_code == -signal.SIGKILL
        assert (desk / "old.sig").read_bytes() == b"an earlier signature"
    run = finish(start(*arguments, card=card_path, pin=PASSWORD))
    assert run.exit_code == 0, run.stderr
    assert len((desk / "old.sig").read_bytes()) == 256
    assert describe_card(card_path).pin("signature").tries_left == 5
    assert sorted(path.name for path in desk.iterdir()) == ["document.txt", "old.sig"]
