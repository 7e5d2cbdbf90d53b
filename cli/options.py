"""Options, commands and groups: translated when they are shown, and never quoting secrets."""

import math
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from importlib import import_module
from typing import Any, Final, NoReturn

import click
from click.core import ParameterSource

from cli.context import AppContext
from cli.errors import PinOnCommandLineError, UsageProblemError
from cli.exit_codes import ExitCode
from cli.help_layout import HelpContext
from cli.printable import is_text
from cli.translation import LANGUAGES, N_, _, use_language
from jpki._version import __version__

ENVIRONMENT_LANGUAGES: Final = "cli.languages"
YEARS: Final = range(1868, 2200)
"""Of dates in options: Meiji, the first era that a certificate can name, to beyond any card."""


class TranslatedHelp:
    """The help is translated when it is shown, not when the module is imported."""

    def _get_help(self) -> str | None:
        return _(self._help) if self._help else None

    def _set_help(self, text: str | None) -> None:
        self._help = text

    help = property(_get_help, _set_help)


class Option(TranslatedHelp, click.Option):
    """An option with translated help, which may stand in a section of its own."""

    def __init__(self, *args: Any, section: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401  # click's own
        super().__init__(*args, **kwargs)
        self.section = section


class TranslatedCommand(TranslatedHelp, click.Command):
    """A command with translated help."""

    context_class = HelpContext

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """--help; click keeps it, in the language of its first use."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = _("Show this message and exit.")
            found.callback = _show_help
        return found


class Command(TranslatedCommand):
    """A command with translated help that also takes the options of ``jpki`` itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # click's own
        super().__init__(*args, **kwargs)
        self.params.extend(global_options(hidden=True))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own
        """Run it, in the language of the person: with --json, parsing was done in English."""
        app = ctx.ensure_object(AppContext)
        if app.output.as_json:
            app.speak(ctx.meta.get(ENVIRONMENT_LANGUAGES, "C"))
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options, those of a section after all others."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                title = getattr(parameter, "section", None) or "Options"
                sections.setdefault(title, []).append(record)
        for title in sorted(sections, key=lambda title: title != "Options"):
            with formatter.section(_(title)):
                formatter.write_dl(sections[title])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; arguments too many are refused without being shown: one may be a PIN."""
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            detail = N_("There are arguments too many. No PIN is ever given as an argument.")
            raise UsageProblemError(detail, ctx.command_path)
        return rest


class Group(TranslatedCommand, click.Group):
    """A noun with its verbs."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; a noun alone shows its help, as the root does."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            end_without_command(ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that is not known is not shown: it may be a PIN."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            known = ", ".join(self.list_commands(ctx))
            detail = N_("There is no such command. '{path}' has: {commands}.")
            path = ctx.command_path
            raise UsageProblemError(detail, path, path=path, commands=known)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with all of its first sentence."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section(_("Commands")):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(sys.maxsize))
                    for name, command in found
                    if command
                ]
            )


def end_without_command(ctx: click.Context) -> NoReturn:
    """Show the help on stderr and end; with --json, say what is missing."""
    app = ctx.ensure_object(AppContext)
    if app.output.as_json:
        ctx.fail(_("A command is missing."))
    app.output.notice(ctx.get_help())
    ctx.exit(ExitCode.REFUSED)


class LazyGroup(Group):
    """Imports the module of a command when that command is used, not for its own help."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  # click's own
        lazy: dict[str, tuple[str, str]] | None = None,
        **kwargs: Any,  # noqa: ANN401  # click's own
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own
        """The names, in the order of the table."""
        return list(self._lazy)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's own
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command of this name."""
        if cmd_name not in self._lazy:
            return None
        module, _separator, attribute = self._lazy[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's own
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands with the words of the table."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(text)) for name, (_place, text) in self._lazy.items()])


Decorator = Callable[[Any], Any]


def text(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The callback of an option that takes text, and not what were bytes of no encoding."""
    if value is not None and not is_text(value):
        detail = _("{option} takes text in UTF-8.").format(option=parameter.opts[0])
        raise UsageProblemError(detail, ctx.command_path)
    return value


def option(*names: str, **attributes: Any) -> Decorator:  # noqa: ANN401  # click's own are untyped
    """``click.option`` with translated help."""
    return click.option(*names, cls=Option, **attributes)


class Seconds(click.FloatRange):
    """A time to wait, up to a day. NaN is no number, and yet passes any comparison with a bound."""

    def __init__(self) -> None:
        super().__init__(min=0, max=86400)

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse it."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(_("'{value}' is no number of seconds.").format(value=value), param, ctx)
        return seconds


SECONDS: Final = Seconds()


def day_option(*names: str, **attributes: Any) -> Decorator:  # noqa: ANN401  # click's own
    """An option whose value is a day, YYYY-MM-DD."""

    def day_of(
        _context: click.Context, _parameter: click.Parameter, value: datetime | None
    ) -> date | None:
        if value is None:
            return None
        if value.year not in YEARS:
            raise click.BadParameter(
                _("a year from {first} to {last} is wanted.").format(first=YEARS[0], last=YEARS[-1])
            )
        return value.date()

    kind = click.DateTime(formats=["%Y-%m-%d"])
    return option(*names, type=kind, metavar="DATE", callback=day_of, **attributes)


def _show_help(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's own
    if value and not ctx.resilient_parsing:
        ctx.ensure_object(AppContext).output.write(ctx.get_help() + "\n")
        ctx.exit()


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's own
    if value and not ctx.resilient_parsing:
        ctx.ensure_object(AppContext).output.write(f"jpki {__version__}\n")
        ctx.exit()


def version_option() -> Option:
    """--version."""
    return Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_show_version,
        help=N_("Show the version and exit."),
    )


def _store(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    """Put an option of ``jpki`` into the settings, wherever it stood."""
    name = parameter.name or ""
    source = ctx.get_parameter_source(name)
    if source in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}:
        app = ctx.ensure_object(AppContext)
        setattr(app.settings, name, value)
        app.output.as_json = app.settings.json


def _set_language(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    app = ctx.ensure_object(AppContext)
    app.settings.language = value
    if not app.output.as_json:  # the errors of parsing are then English; see Command.invoke
        use_language(value)


def _set_verbosity(_ctx: click.Context, _parameter: click.Parameter, value: int) -> None:
    if value:
        from cli.verbosity import log_to_stderr

        log_to_stderr(value)


def _refuse_pin(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value is not None and not ctx.resilient_parsing:
        raise PinOnCommandLineError


_GLOBAL: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (
        ("-r", "--reader"),
        {
            "metavar": "NAME",
            "envvar": "JPKI_READER",
            "show_envvar": True,
            "callback": _store,
            "help": N_(
                "Part of a reader's name, or its number; 'emulator' or 'emulator:PATH' is the"
                " virtual card."
            ),
        },
    ),
    (
        ("--wait",),
        {
            "metavar": "SECONDS",
            "type": SECONDS,
            "callback": _store,
            "help": N_("How long a card may take to appear (10 at a terminal, 0 in a script)."),
        },
    ),
    (
        ("--json",),
        {"is_flag": True, "callback": _store, "help": N_("Print one JSON object on stdout.")},
    ),
    (
        ("--lang",),
        {
            "type": click.Choice(LANGUAGES),
            "is_eager": True,
            "callback": _set_language,
            "help": N_("The language of the texts; else that of the environment."),
        },
    ),
    (
        ("--apdu-log",),
        {
            "metavar": "FILE|-",
            "callback": _store,
            "help": N_("Write the exchanges with the card, without PINs and personal data."),
        },
    ),
    (
        ("--apdu-log-data",),
        {
            "is_flag": True,
            "callback": _store,
            "help": N_("With --apdu-log: personal data too. PINs not even then."),
        },
    ),
    (
        ("-v", "--verbose"),
        {
            "count": True,
            "callback": _set_verbosity,
            "help": N_("Say more on stderr; -vv also every exchange, without its data."),
        },
    ),
    # Only there to be refused with a better word than "no such option".
    (("--pin", "--password", "pin_value"), {"hidden": True, "callback": _refuse_pin}),
)


def global_options(*, hidden: bool) -> Sequence[click.Option]:
    """The options of ``jpki``; hidden where they are repeated behind a command."""
    options = []
    for names, attributes in _GLOBAL:
        changed = attributes | ({"hidden": True, "envvar": None} if hidden else {})
        options.append(Option(names, expose_value=False, **changed))
    return options
