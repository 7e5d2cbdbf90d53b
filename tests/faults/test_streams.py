"""Streams that are closed, full, or of an encoding that has no Japanese."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from support.cards import PASSWORD
from support.process import finish, start
from support.trial import WRONG_PASSWORD, Run, check_nothing_leaked

from jpki.emulator import CardKeys, create_card, describe_card

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
RARE_NAME = (
    "髙橋　𠮷子"  # the first and the last but one character are not in every Japanese encoding
)

LOCALES: dict[str, dict[str, str]] = {
    "LANG=C": {"LC_ALL": "", "LANG": "C"},
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII streams": {"PYTHONIOENCODING": "ascii"},
    "cp932": {"PYTHONIOENCODING": "cp932", "LANGUAGE": "ja"},
    "no such locale": {"LC_ALL": "xx_YY.nonsense"},
    "dumb terminal": {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "20"},
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("status",),
    "show": ("cert", "show", "signature", "--reveal", *SOURCE),
    "unlock": ("pin", "unlock", "signature", "--lang", "ja"),
    "usage": ("sign",),
    "help": ("--lang", "ja", "--help"),
    "sign": ("sign", "文書.txt", "--format", "raw", "--force", *SOURCE),
}


@pytest.fixture(scope="session")
def keys() -> CardKeys:
    return CardKeys.generate()


@pytest.fixture
def card(tmp_path: Path, keys: CardKeys) -> Path:
    path = tmp_path / "card.json"
    create_card(path, name=RARE_NAME, signature_password=PASSWORD, keys=keys)
    return path


def decoded(run: Run, encoding: str) -> str:
    return run.stdout.decode(encoding)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_encoding_of_the_streams_ends_in_a_traceback(
    card: Path, tmp_path: Path, locale: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("文書.txt").write_bytes(b"a document\n")
    process = start(*COMMANDS[command], card=card, pin=PASSWORD, environment=LOCALES[locale])
    run = finish(process, *COMMANDS[command])
    assert run.exit_code == (2 if command == "usage" else 0), run.stderr
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr
    assert PASSWORD not in run.stdout.decode("latin-1") + run.stderr
    assert run.stdout.strip() or command == "usage"


@pytest.mark.parametrize("locale", ["ASCII", "ASCII streams", "cp932"])
def test_what_an_encoding_lacks_is_shown_as_its_number(card: Path, locale: str) -> None:
    process = start(*COMMANDS["show"], card=card, pin=PASSWORD, environment=LOCALES[locale])
    run = finish(process)
    shown = run.stdout.decode("cp932" if locale == "cp932" else "ascii")
    assert "\\U00020bb7" in shown


@pytest.mark.parametrize("locale", LOCALES)
def test_json_is_json_in_every_locale(card: Path, locale: str) -> None:
    arguments = ("--json", *COMMANDS["show"])
    process = start(*arguments, card=card, pin=PASSWORD, environment=LOCALES[locale])
    run = finish(process)
    assert run.exit_code == 0, run.stderr
    encoding = {"cp932": "cp932", "ASCII": "ascii", "ASCII streams": "ascii"}.get(locale, "utf-8")
    holder = json.loads(run.stdout.decode(encoding))["certificate"]["holder"]
    assert holder["name"] == RARE_NAME


@pytest.mark.parametrize("locale", LOCALES)
def test_a_failure_has_its_code_and_one_message_in_every_locale(card: Path, locale: str) -> None:
    arguments = ("--json", "pin", "verify", "signature", *SOURCE)
    environment = LOCALES[locale]
    run = finish(start(*arguments, card=card, pin=WRONG_PASSWORD, environment=environment))
    assert run.exit_code == 6
    assert run.stderr.count("jpki: ") == 1
    assert b'"pin-incorrect"' in run.stdout
    assert WRONG_PASSWORD not in run.stdout.decode("latin-1") + run.stderr
    assert describe_card(card).pin("signature").tries_left == 4


def ended_quietly(run: Run) -> None:
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr
    assert run.stderr.count("jpki: ") <= 1


@pytest.mark.parametrize("command", ["status", "show", "unlock", "help"])
def test_a_closed_stdout_is_output_not_written(card: Path, command: str) -> None:
    run = finish(start(*COMMANDS[command], card=card, pin=PASSWORD, closed=(1,)))
    assert run.exit_code == 12, run.stderr
    ended_quietly(run)
    assert run.stderr.count("jpki: ") == 1
    check_nothing_leaked(run)


@pytest.mark.parametrize("command", ["status", "show", "unlock", "help"])
@pytest.mark.parametrize("json_option", [(), ("--json",)], ids=["text", "json"])
def test_a_full_stdout_is_output_not_written(
    card: Path, command: str, json_option: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("wb") as full:
        arguments = (*json_option, *COMMANDS[command])
        run = finish(start(*arguments, card=card, pin=PASSWORD, stdout=full))
    assert run.exit_code == 12, run.stderr
    ended_quietly(run)
    assert run.stderr.count("jpki: ") == 1
    check_nothing_leaked(run)


@pytest.mark.parametrize("command", ["status", "show", "unlock", "help", "sign"])
@pytest.mark.parametrize("json_option", [(), ("--json",)], ids=["text", "json"])
def test_a_reader_that_has_left_the_pipe_ends_the_command_quietly(
    card: Path,
    tmp_path: Path,
    command: str,
    json_option: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("文書.txt").write_bytes(b"a document\n")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stream:
        arguments = (*json_option, *COMMANDS[command])
        process = start(*arguments, card=card, pin=PASSWORD, stdout=stream)
    run = finish(process)
    assert run.exit_code == 141, run.stderr
    ended_quietly(run)
    if command == "sign":  # what was asked for is done, and whole
        assert len(Path("文書.txt.sig").read_bytes()) == 256
    assert describe_card(card).pin("signature").tries_left == 5


def test_head_takes_its_line_and_nothing_complains(card: Path) -> None:
    arguments = ("pin", "unlock", "signature")
    with subprocess.Popen(
        ["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as head:
        assert head.stdin is not None
        run = finish(start(*arguments, card=card, stdout=head.stdin))
        head.stdin.close()
        assert head.stdout is not None
        assert head.stdout.read().count(b"\n") == 1
    assert run.exit_code in {0, 141}
    ended_quietly(run)


def test_a_signature_to_a_full_stdout_is_output_not_written(card: Path, tmp_path: Path) -> None:
    document = tmp_path / "document.txt"
    document.write_bytes(b"a document\n")
    arguments = ("sign", str(document), "-o", "-", *SOURCE)
    with Path("/dev/full").open("wb") as full:
        run = finish(start(*arguments, card=card, pin=PASSWORD, stdout=full))
    assert run.exit_code == 12, run.stderr
    ended_quietly(run)
    assert describe_card(card).pin("signature").tries_left == 5


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 2), (0, 1, 2)])
def test_closed_streams_are_no_bug(
    card: Path, tmp_path: Path, closed: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is opened may get the number of a closed stream; nothing may be written to it."""
    monkeypatch.chdir(tmp_path)
    Path("文書.txt").write_bytes(b"a document\n")
    run = finish(start(*COMMANDS["sign"], card=card, pin=PASSWORD, closed=closed))
    assert run.exit_code == (12 if 1 in closed else 0), run.stderr
    assert len(Path("文書.txt.sig").read_bytes()) == 256
    assert Path("文書.txt").read_bytes() == b"a document\n"
    assert describe_card(card).pin("signature").tries_left == 5
    wrong = finish(
        start("pin", "verify", "signature", *SOURCE, card=card, pin=WRONG_PASSWORD, closed=closed)
    )
    assert wrong.exit_code == 6
    assert describe_card(card).pin("signature").tries_left == 4


def test_a_pin_from_a_closed_stdin_is_refused(card: Path) -> None:
    arguments = ("pin", "verify", "signature", "--pin-from", "stdin")
    run = finish(start(*arguments, card=card, closed=(0,)), *arguments)
    assert run.exit_code == 2
    assert run.stderr.count("jpki: ") == 1
    assert describe_card(card).pin("signature").tries_left == 5


@pytest.mark.parametrize("form", [(), ("--attached",), ("--format", "raw")])
def test_an_error_while_a_pipe_is_still_read_ends_as_documented(
    card: Path, form: tuple[str, ...]
) -> None:
    arguments = ("sign", "-", *form, "--pin-from", "env:NOT_SET")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stdin, os.fdopen(writer, "wb") as pipe:
        pipe.write(b"a document that goes on".ljust(8192))
        pipe.flush()
        run = finish(start(*arguments, card=card, stdin=stdin))
    assert run.exit_code == 2, run.stderr
    ended_quietly(run)
    assert run.stderr.count("jpki: ") == 1
