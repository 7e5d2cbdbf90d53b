"""``jpki auth native-host``: let browsers find the card, by way of the Web eID extension."""

import sys
from contextlib import suppress
from pathlib import Path

import click

from cli.context import AppContext, pass_app
from cli.errors import (
    InputError,
    ManifestTakenError,
    OutputNotWrittenError,
    UsageProblemError,
)
from cli.native_host.manifest import (
    PROGRAM,
    Browser,
    Manifest,
    ManifestState,
    Scope,
    host_program,
    is_out_of_reach,
    manifest_at,
)
from cli.native_host.manifest_view import ManifestReport, ManifestsResult
from cli.options import Group, option
from cli.output_file import OutputFile
from cli.printable import printable
from cli.translation import N_

BROWSERS = {browser.word: browser for browser in Browser}
SCOPE_HELP = N_("For your own browsers (the default), or for everybody's.")
READABLE_BY_ALL = 0o644


@click.group(
    cls=Group,
    help=N_("Let browsers find the card: sites with Web eID log you in and have you sign."),
)
def native_host() -> None:
    """The manifests of the native host."""
    if not sys.platform.startswith("linux"):
        raise UsageProblemError(N_("Only Linux is known so far."))


@native_host.command(help=N_("Tell a browser where the program for cards is."))
@option(
    "--browser", "words", type=click.Choice(tuple(BROWSERS)), multiple=True, required=True,
    help=N_("Which browser; may be repeated."),
)  # fmt: skip
@option("--user/--system", "for_user", default=True, help=SCOPE_HELP)
@option(
    "--allow-extension", "extensions", metavar="ID", multiple=True,
    help=N_("An extension that may ask too, beside Web eID's own; may be repeated."),
)  # fmt: skip
@option("--force", is_flag=True, help=N_("Keep the file of another program aside."))
@pass_app
def install(
    app: AppContext,
    *,
    words: tuple[str, ...],
    for_user: bool,
    extensions: tuple[str, ...],
    force: bool,
) -> None:
    """Check every place first, then write."""
    program = host_program()
    if program is None:
        raise InputError(PROGRAM, N_("it is not installed beside jpki"))
    scope = Scope.USER if for_user else Scope.SYSTEM
    if scope is Scope.SYSTEM and not is_out_of_reach(program):
        raise UsageProblemError(
            N_(
                "Others than root can change {program}, and would do so for everybody's browser."
                " Install jpki for all users first, or use --user."
            ),
            "jpki auth native-host install",
            program=printable(str(program)),
        )
    places = [manifest_at(browser, scope) for browser in _browsers(words)]
    wanted = [(place, place.text(program, _listed(place.browser, extensions))) for place in places]
    for place in places:
        if place.state is ManifestState.OTHER and not force:
            raise ManifestTakenError(str(place.path))
    outcomes = [_write(place, text) for place, text in wanted]
    _show(app, places, outcomes)


@native_host.command(help=N_("Take it back; what was kept aside returns to its place."))
@option(
    "--browser", "words", type=click.Choice(tuple(BROWSERS)), multiple=True,
    help=N_("Which browser; all of them if none is named."),
)  # fmt: skip
@option("--user/--system", "for_user", default=True, help=SCOPE_HELP)
@pass_app
def uninstall(app: AppContext, *, words: tuple[str, ...], for_user: bool) -> None:
    """Remove what is ours, and nothing else."""
    scope = Scope.USER if for_user else Scope.SYSTEM
    places = [manifest_at(browser, scope) for browser in _browsers(words)]
    _show(app, places, [_remove(place) for place in places])


@native_host.command(help=N_("Tell what each browser finds."))
@pass_app
def status(app: AppContext) -> None:
    """Look at every place."""
    places = [manifest_at(browser, scope) for browser in Browser for scope in Scope]
    _show(app, places, [place.state.value for place in places])


def _browsers(words: tuple[str, ...]) -> list[Browser]:
    return [BROWSERS[word] for word in dict.fromkeys(words or tuple(BROWSERS))]


def _listed(browser: Browser, extensions: tuple[str, ...]) -> tuple[str, ...]:
    listed = []
    for extension in extensions:
        entry = browser.listed(extension)
        if entry is None:
            detail = N_("'{extension}' cannot be an extension of {browser}.")
            raise UsageProblemError(
                detail, "jpki auth native-host install", extension=extension, browser=browser.word
            )
        listed.append(entry)
    return tuple(listed)


def _show(app: AppContext, places: list[Manifest], outcomes: list[str]) -> None:
    reports = tuple(
        ManifestReport(manifest=manifest_at(place.browser, place.scope), outcome=outcome)
        for place, outcome in zip(places, outcomes, strict=True)
    )
    app.output.show(ManifestsResult(reports=reports))


def _write(place: Manifest, text: str) -> str:
    with suppress(OSError):
        if place.state is ManifestState.OURS and place.path.read_text("utf-8") == text:
            return "unchanged"
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
        if place.state is ManifestState.OTHER:
            place.path.replace(place.aside)
    except OSError as error:
        raise OutputNotWrittenError(str(place.path), error) from error
    try:
        with OutputFile(path=place.path, force=True).writing() as stream:
            stream.write(text.encode("utf-8"))
    except OutputNotWrittenError:
        if place.state is ManifestState.OTHER:
            _put_back(place)
        raise
    if place.scope is Scope.SYSTEM:
        _make_readable(place.path)
    return "installed"


def _make_readable(path: Path) -> None:
    try:
        path.chmod(READABLE_BY_ALL)
    except OSError as error:
        raise OutputNotWrittenError(str(path), error) from error


def _remove(place: Manifest) -> str:
    if place.state is ManifestState.OTHER:
        return "other"
    had_other = place.aside.exists()
    try:
        if had_other:
            place.aside.replace(place.path)
        elif place.state is not ManifestState.MISSING:
            place.path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputNotWrittenError(str(place.path), error) from error
    if had_other:
        return "restored"
    return "missing" if place.state is ManifestState.MISSING else "removed"


def _put_back(place: Manifest) -> None:
    with suppress(OSError):  # the first failure is the one to tell
        place.aside.replace(place.path)
