"""An error of whatever kind becomes what is shown of it: code, exit code, text, facts."""

import traceback
from dataclasses import dataclass
from pathlib import Path

import click

from cli.exit_codes import ExitCode
from cli.messages import TABLE, Text
from cli.printable import printable, printable_names
from cli.translation import N_, _, english


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error, ready to be shown."""

    code: str
    exit_code: ExitCode
    text: str
    message: str
    """The same in English."""
    facts: dict[str, object]


def describe(error: BaseException, *, more_facts: dict[str, object] | None = None) -> Failure:
    """Look an error up; one that is not in the table is a bug of jpki."""
    if isinstance(error, click.ClickException):
        return _describe_usage(error)
    code = getattr(error, "code", None)
    if not isinstance(code, str) or code not in TABLE:
        return _describe_bug(error)
    from cli.facts import facts_of

    exit_code, text = TABLE[code]
    source = (more_facts or {}).get("source")
    place = (more_facts or {}).get("input") if code == "document" else None
    named = "" if place is None else f"{printable(str(place))}: "
    with english():
        message = named + _compose(text, error, source)
    return Failure(
        code=code,
        exit_code=_exit_code(error, code, exit_code),
        text=named + _compose(text, error, source),
        message=message,
        facts=facts_of(error) | (more_facts or {}),
    )


def _exit_code(error: BaseException, code: str, exit_code: ExitCode) -> ExitCode:
    if getattr(error, "signal", None) == 1:  # SIGHUP; Windows has no name for it
        return ExitCode.HUNG_UP
    if code == "certificate-malformed" and getattr(error, "name", None) is None:
        return ExitCode.REFUSED  # it came from a file of the person's, not from the card
    return exit_code


def _compose(text: Text, error: BaseException, source: object = None) -> str:
    if isinstance(outcome := getattr(error, "outcome", None), BaseException):
        return _("Interrupted. {outcome}").format(outcome=describe(outcome).text)
    composed = text(error) if callable(text) else _(text).format_map(_Attributes(error))
    if source is not None and getattr(error, "kind", None) is not None:
        composed += " " + _("The PIN came from {source}.").format(source=printable(str(source)))
    return composed


class _Attributes(dict[str, object]):
    """An error's attributes as fields of a message, safe for a terminal."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def __missing__(self, field: str) -> str | int:
        from cli.pin_words import pin_name
        from jpki.files import PinKind

        value = getattr(self._error, field)
        if field == "detail":
            return printable(_(str(value)))
        if isinstance(value, PinKind):
            return pin_name(value)
        if isinstance(value, int):
            return value  # for {sw:04X}
        if isinstance(value, tuple):
            return printable_names(value)
        return printable(str(value))


def traceback_of(error: BaseException) -> str:
    """Frames and classes of an error and of those that led to it, oldest first.

    What they say stays out: nobody knows what is in it, and people send this to strangers.
    """
    parts: list[str] = []
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        frames = "".join(traceback.format_tb(link.__traceback__))
        name = f"{type(link).__module__}.{type(link).__qualname__}"
        parts.append(f"Traceback (most recent call last):\n{frames}{name}\n")
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n".join(reversed(parts))


def _describe_usage(error: click.ClickException) -> Failure:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "jpki"

    def text() -> str:
        hint = _("See '{command} --help'.").format(command=command)
        message = " ".join(error.format_message().split())  # click breaks some into lines
        if message[-1:].isalnum():
            message += "."
        return f"{printable(message)} {hint}"

    with english():
        message = text()
    return Failure(code="usage", exit_code=ExitCode.REFUSED, text=text(), message=message, facts={})


def _describe_bug(error: BaseException) -> Failure:
    # Neither the error's text nor any value is shown: nobody knows what is in them.
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    what = f"{type(error).__name__} at {place}"
    template = N_(
        "This is a bug in jpki: {what}. Please report it with what '-vv' prints for the same"
        " command; no PIN is in it."
    )
    return Failure(
        code="bug",
        exit_code=ExitCode.BUG,
        text=_(template).format(what=what),
        message=template.format(what=what),
        facts={},
    )
