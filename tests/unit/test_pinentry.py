"""Asking by a PIN program: what it is told, what it may answer, and that it never stays behind."""

import os
import threading
import tty
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pinentry import CANCELLED, TIMED_OUT, ScriptedPinentry
from support.waiting import is_running, wait_until

from cli.errors import PinentryCancelledError, PinentryError
from cli.pinentry import PROGRAMS, PinentryPrompter, pinentry_program
from cli.pinentry_dialog import MAX_LINE, MAX_LINES, Dialog, started


@pytest.fixture
def pinentry(tmp_path: Path) -> ScriptedPinentry:
    return ScriptedPinentry.in_folder(tmp_path / "pinentry")


@pytest.fixture
def prompter(pinentry: ScriptedPinentry) -> PinentryPrompter:
    return PinentryPrompter(title="a title", program=str(pinentry.program))


# which program


def executable(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_the_program_that_the_variable_names_comes_first(tmp_path: Path) -> None:
    mine = executable(tmp_path / "mine", "my-pinentry")
    desktop = executable(tmp_path / "desktop", PROGRAMS[0])
    path = {"PATH": str(desktop.parent)}
    assert pinentry_program(path) == str(desktop)
    assert pinentry_program({**path, "JPKI_PINENTRY": str(mine)}) == str(mine)


@pytest.mark.parametrize("environment", [{}, {"JPKI_PINENTRY": "/nonexistent/pinentry"}])
def test_without_a_program_nobody_is_there(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JPKI_PINENTRY", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    prompter = PinentryPrompter(title="t")
    assert not prompter.is_there()
    with pytest.raises(PinentryError):
        prompter.secret("PIN")


@pytest.mark.parametrize("content", ["not a program", "#!/nonexistent/interpreter\n"])
def test_what_cannot_be_run_is_an_error(tmp_path: Path, content: str) -> None:
    program = executable(tmp_path, "broken")
    program.write_text(content)
    with pytest.raises(PinentryError):
        PinentryPrompter(title="t", program=str(program)).secret("PIN")


# what it is told


def test_title_description_and_prompt_are_told_in_full(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.will_enter("1848")
    prompter.show("https://example.jp asks: 100 % sure?")
    assert prompter.secret("署名用パスワード, 6 to 16\nletters: ") == "1848"
    assert pinentry.told("SETTITLE") == "a title"
    assert pinentry.told("SETDESC") == (
        "https://example.jp asks: 100 % sure?\n\n署名用パスワード, 6 to 16\nletters"
    )
    assert pinentry.told("SETPROMPT") == "PIN:"
    assert pinentry.told("SETTIMEOUT") == "0"
    assert pinentry.is_gone()


def test_no_keyring_is_asked_to_keep_a_pin(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.will_enter("1848")
    prompter.secret("PIN")
    assert not any("cache" in line for line in pinentry.lines)


def test_the_terminal_of_a_text_pinentry_is_told(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = os.openpty()
    terminal = os.ttyname(ends[1])
    monkeypatch.setenv("GPG_TTY", terminal)
    monkeypatch.setenv("TERM", "xterm\nGETPIN")  # a line end would be a command of its own
    pinentry.will_enter("1848")
    prompter.secret("PIN")
    assert f"OPTION ttyname={terminal}" in pinentry.lines
    assert not any(line.startswith("OPTION ttytype") for line in pinentry.lines)
    for end in ends:
        os.close(end)


def test_a_terminal_that_a_session_reads_is_not_told_nor_what_is_none(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = os.openpty()
    tty.setraw(ends[1])
    for name in (os.ttyname(ends[1]), "/dev/null", "/nonexistent"):
        monkeypatch.setenv("GPG_TTY", name)
        pinentry.will_enter("1848")
        assert prompter.secret("PIN") == "1848"
    assert not any(line.startswith("OPTION ttyname") for line in pinentry.lines)
    for end in ends:
        os.close(end)


def test_options_that_it_refuses_do_no_harm(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.behave(OPTION="ERR 83886254 Unknown option <Pinentry>\n")
    pinentry.will_enter("1848")
    assert prompter.secret("PIN") == "1848"


def test_news_stand_as_the_error_of_the_next_question_only(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.will_enter("1", "2", "3")
    prompter.secret("PIN")
    assert not any(line.startswith("SETERROR") for line in pinentry.lines)
    prompter.show("it must be 4 digits")
    prompter.secret("PIN")
    assert pinentry.told("SETERROR") == "it must be 4 digits"
    prompter.secret("PIN")
    assert sum(line.startswith("SETERROR") for line in pinentry.lines) == 1


def test_a_text_that_it_would_cut_is_not_sent(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.will_enter("1848")
    with pytest.raises(PinentryError, match="too long"):
        prompter.secret("署" * 400)
    assert "GETPIN" not in pinentry.lines


# what it may answer


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("D 1848\nOK\n", "1848"),
        ("D 1848\r\nOK closing\r\n", "1848"),
        ("S PASSWORD_FROM_NOTHING\n# a comment\n\nD 18\nD 48\nOK\n", "1848"),
        ("D 100%25%0A%\nOK\n", "100%\n%"),
        ("D \nOK\n", ""),
        ("OK\n", ""),
        ("D %FF\nOK\n", "\ufffd"),
        ("D " + "x" * (MAX_LINE - 2) + "\nOK\n", "x" * (MAX_LINE - 2)),
    ],
)
def test_what_was_entered_comes_back_as_it_is(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter, said: str, secret: str
) -> None:
    pinentry.will_say(said)
    assert prompter.secret("PIN") == secret


@pytest.mark.parametrize(
    "said",
    [
        "ERR 83886179 Operation cancelled <Pinentry>\n",
        "ERR 99\n",
        "ERR 83886194 not confirmed\n",
        "ERR 83886278 fully cancelled\n",
    ],
)
def test_no_is_no_in_every_form(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter, said: str
) -> None:
    pinentry.will_say(said, said)
    with pytest.raises(PinentryCancelledError) as cancelled:
        prompter.secret("PIN")
    assert not cancelled.value.timed_out
    assert prompter.confirm("sure?") is False


def test_yes_is_yes_and_time_up_is_no(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.will_say("OK\n", TIMED_OUT, TIMED_OUT)
    assert prompter.confirm("sure?") is True
    assert prompter.confirm("sure?") is False
    with pytest.raises(PinentryCancelledError) as cancelled:
        prompter.secret("PIN")
    assert cancelled.value.timed_out


@pytest.mark.parametrize(
    "said",
    [
        "WHAT\n",
        "INQUIRE QUALITY 18\n",
        "ok\n",
        "OKAY\n",
        "ERR\n",
        "ERR x\n",
        "ERR -99\n",
        "ERR 83886254 no display\n",
        "x" * 5000 + "\n",
        "D " + "x" * 5000 + "\nOK\n",
        "D 1111\n" * MAX_LINES,
        "# 1\n" * (MAX_LINES + 1) + "OK\n",
        "\x00\xff\xfe\n",
    ],
)
@pytest.mark.parametrize("place", ["greeting", "answer"])
def test_nonsense_is_an_error_and_the_program_is_gone(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter, said: str, place: str
) -> None:
    if place == "greeting":
        pinentry.behave(greeting=said)
    pinentry.will_say(said)
    with pytest.raises(PinentryError):
        prompter.secret("PIN")
    assert pinentry.is_gone()


def test_a_pin_that_nobody_entered_now_is_refused(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.will_say("S PASSWORD_FROM_CACHE\nD 2468\nOK\n", "S PIN_REPEATED\nD 2468\nOK\n")
    with pytest.raises(PinentryError, match="remembered"):
        prompter.secret("PIN")
    assert prompter.secret("PIN") == "2468"


@settings(max_examples=30, deadline=None)  # each one starts two programs
@given(said=st.text(st.characters(max_codepoint=0xFF), max_size=40))
def test_any_answer_is_a_secret_a_no_or_an_error(
    said: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    answered(said, tmp_path_factory.mktemp("fuzz"))


def answered(said: str, folder: Path) -> None:
    (folder / "said").write_bytes(said.encode("latin-1"))
    program = folder / "pinentry"
    program.write_text(f'#!/bin/sh\nread -r _line\nexec cat "{folder}/said"\n')
    program.chmod(0o755)
    try:
        with started(str(program)) as process:
            assert isinstance(Dialog(process, "pinentry").ask("GETPIN"), bytes)
    except (PinentryError, PinentryCancelledError):
        return


# how it ends


def test_a_program_that_dies_is_an_error(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    def kill() -> None:
        os.kill(pinentry.wait_until_asked(), 9)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(PinentryError, match="ended early"):
        prompter.secret("PIN")
    killer.join()


def test_close_ends_the_window_that_stands_and_opens_no_other(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    def close() -> None:
        pinentry.wait_until_asked()
        prompter.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(PinentryError):
        prompter.secret("PIN")
    closer.join()
    assert pinentry.is_gone()
    with pytest.raises(PinentryCancelledError):
        prompter.secret("PIN")
    assert len(pinentry.starts) == 1


def test_a_window_that_stands_is_gone_when_the_block_ends(pinentry: ScriptedPinentry) -> None:
    with started(str(pinentry.program)) as process:
        assert process.stdin is not None
        process.stdin.write(b"GETPIN\n")
        process.stdin.flush()
        pid = pinentry.wait_until_asked()
        assert is_running(pid)
    assert not is_running(pid)


@pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux ties the two together")
def test_a_program_dies_with_its_parent_were_it_by_sigkill(pinentry: ScriptedPinentry) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # the parent of the pinentry
        try:
            PinentryPrompter(title="t", program=str(pinentry.program)).secret("PIN")
        finally:
            os._exit(0)
    os.close(writer)
    os.close(reader)
    pid = pinentry.wait_until_asked()
    assert is_running(pid)
    os.kill(child, 9)
    os.waitpid(child, 0)
    wait_until(lambda: not is_running(pid), "the end of the orphan")


def test_cancelled_is_not_taken_for_an_option_refused(
    pinentry: ScriptedPinentry, prompter: PinentryPrompter
) -> None:
    pinentry.behave(SETDESC=CANCELLED)
    pinentry.will_enter("1848")
    with pytest.raises(PinentryCancelledError):
        prompter.secret("PIN")
    assert "GETPIN" not in pinentry.lines
