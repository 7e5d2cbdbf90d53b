"""Every error has its code, exit code and words; a mistake of jpki is said to be one."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from support.trial import ENVIRONMENT, Person, Trial

import apdu.errors
import cli.errors
import jpki.authentication.errors
import jpki.errors
from cli.context import AppContext
from cli.exit_codes import ExitCode
from cli.failure import describe
from cli.messages import TABLE
from cli.root import root


def classes(base: type[BaseException]) -> set[type[BaseException]]:
    return {base} | {found for child in base.__subclasses__() for found in classes(child)}


BASES = (
    apdu.errors.CardError,
    jpki.errors.JpkiError,
    cli.errors.CliError,
    cli.errors.TerminatedError,
)
CODES = {
    getattr(error, "code")  # noqa: B009
    for base in BASES
    for error in classes(base)
    if error.__module__.split(".")[0] in {"apdu", "jpki", "cli"} and hasattr(error, "code")
}


def test_the_table_holds_every_code_and_no_other() -> None:
    assert set(TABLE) == CODES


def test_every_code_is_documented_with_its_exit_code() -> None:
    text = (Path(cli.errors.__file__).parents[1] / "docs" / "json.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", text, re.MULTILINE))
    assert rows == {code: str(entry[0].value) for code, entry in TABLE.items()} | {"bug": "1"}


def failing(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, *options: str, **environment: str
) -> Any:
    pin = "1848"  # a value, not a text of the source, which a traceback shows

    def broken(*_arguments: object, **_more: object) -> None:
        try:
            int(f"{pin}x")
        except ValueError as error:
            raise RuntimeError(f"the PIN is {pin}") from error

    monkeypatch.setattr("cli.commands.pin.pin_states", broken)
    app = AppContext(load_emulator=lambda _path: trial.card, prompter=Person(None))
    arguments = [*options, "--json", "-r", "emulator:card", "pin", "status"]
    return CliRunner().invoke(root, arguments, obj=app, env=ENVIRONMENT | environment)


def test_a_bug_is_one_line_with_its_place_and_without_its_text(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = failing(trial, monkeypatch, JPKI_DEBUG="")
    assert result.exit_code == ExitCode.BUG
    assert json.loads(result.stdout)["error"]["code"] == "bug"
    assert len(result.stderr.splitlines()) == 1
    assert "RuntimeError at test_messages.py:" in result.stderr
    assert "1848" not in result.stderr
    assert "-vv" in result.stderr


@pytest.mark.parametrize(("option", "variable"), [("-vv", ""), ("-v", "1")])
def test_a_bug_shows_its_traceback_without_texts_when_asked(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, option: str, variable: str
) -> None:
    result = failing(trial, monkeypatch, option, JPKI_DEBUG=variable)
    assert result.stderr.count("Traceback") == 2
    assert re.search(r"^  File .*test_messages.py.*, in broken$", result.stderr, re.MULTILINE)
    places = [line for line in result.stderr.splitlines() if line.endswith("Error")]
    assert places == ["builtins.ValueError", "builtins.RuntimeError"]
    assert "1848" not in result.stderr


def test_texts_of_strangers_cannot_act_on_the_terminal() -> None:
    failure = describe(apdu.errors.CardInUseError("evil\x1b[2J\u202ereader\nname"))
    assert "evil\\x1b[2J\\u202ereader\\x0aname" in failure.text


def test_a_usage_error_of_click_is_one_message() -> None:
    failure = describe(click.NoSuchOption("--nix", ctx=click.Context(root, info_name="jpki")))
    assert failure.exit_code is ExitCode.REFUSED
    assert failure.code == "usage"
    assert "\n" not in failure.text
    assert failure.text.endswith("See 'jpki --help'.")


def test_an_interrupted_verify_tells_what_came_of_it() -> None:
    wrong = jpki.errors.PinIncorrectError(jpki.files.PinKind.SIGNATURE, 2)
    failure = describe(cli.errors.InterruptedRunError("verify", wrong))
    assert failure.exit_code is ExitCode.INTERRUPTED
    assert "tries left: 2" in failure.text


def test_sighup_has_its_own_exit_code() -> None:
    assert describe(cli.errors.TerminatedError(1)).exit_code is ExitCode.HUNG_UP
    assert describe(cli.errors.TerminatedError(15)).exit_code is ExitCode.TERMINATED
