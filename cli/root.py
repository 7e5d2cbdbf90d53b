"""The root of the command, and the one place where errors become messages and exit codes."""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import click

from cli.context import AppContext
from cli.errors import InterruptedRunError, TerminatedError
from cli.exit_codes import ExitCode
from cli.options import (
    ENVIRONMENT_LANGUAGES,
    LazyGroup,
    end_without_command,
    global_options,
    version_option,
)
from cli.output import Output, make_streams_lossless, render_json
from cli.signals import signals_handled
from cli.translation import (
    N_,
    _,
    english,
    install,
    language_kept,
    languages_of_environment,
    use_language,
)

PROGRAM: Final = "jpki"
COMPLETION_VARIABLE: Final = "_JPKI_COMPLETE"
DEBUG_VARIABLE: Final = "JPKI_DEBUG"

COMMANDS: Final = {
    "readers": ("cli.commands.readers:readers", N_("Readers, and what is in each.")),
    "status": ("cli.commands.status:status", N_("Card, tries of its PINs, certificates; no PIN.")),
    "doctor": (
        "cli.commands.doctor:doctor",
        N_("What is missing to use a card here, and how to mend it; no PIN."),
    ),
    "pin": ("cli.commands.pin:pin", N_("Tries, verify, change, and the way to unlock.")),
    "cert": ("cli.commands.cert:cert", N_("The card's certificates.")),
    "sign": ("cli.commands.sign:sign", N_("Sign files with the signature certificate.")),
    "verify": ("cli.commands.verify:verify", N_("Verify signatures.")),
    "trust": ("cli.commands.trust:trust", N_("The CAs of J-LIS that jpki trusts.")),
    "renewal": (
        "cli.commands.renewal:renewal",
        N_("Until when card and certificates hold, and the deadlines of moving house."),
    ),
    "auth": ("cli.commands.auth:auth", N_("Log in with the authentication certificate.")),
    "emulator": ("cli.commands.emulator:emulator", N_("The virtual card: make, serve, show.")),
    "help": (
        "cli.commands.help:help_command",
        N_("What to do when a card is lost, blocked, expired and the like."),
    ),
}


class Root(LazyGroup):
    """``jpki`` itself. Its ``main`` ends every run with an exit code and at most one message."""

    def main(  # type: ignore[override]  # standalone_mode: it always stands alone
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002  # it is always called jpki
        **extra: Any,  # noqa: ANN401  # click's own
    ) -> NoReturn:
        """Run the command line and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        if instruction := os.environ.get(COMPLETION_VARIABLE):
            from click.shell_completion import shell_complete

            sys.exit(shell_complete(self, extra, PROGRAM, COMPLETION_VARIABLE, instruction))
        install()
        make_streams_lossless()
        with language_kept():
            sys.exit(_run(self, arguments, extra))


def _run(root: Root, arguments: list[str], extra: dict[str, Any]) -> int:
    app = extra.setdefault("obj", None) or AppContext()
    extra["obj"] = app
    # Before any parsing: a usage error must come as JSON too.
    app.output.as_json = app.settings.json or wants_json(arguments)
    languages = languages_of_environment()
    # click composes its errors at once, and JSON is English.
    use_language("en" if app.output.as_json else languages)
    try:
        return _invoke(root, arguments, extra, languages)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort) as interrupt:
        return _fail(app, _interrupted(interrupt))
    except (Exception, TerminatedError) as error:  # noqa: BLE001  # the last line of defence
        return _fail(app, error)
    finally:
        if "cli.verbosity" in sys.modules:
            from cli.verbosity import silence

            silence()


def _invoke(root: Root, arguments: list[str], extra: dict[str, Any], languages: str) -> int:
    with root.make_context(PROGRAM, arguments, **extra) as context:
        context.meta[ENVIRONMENT_LANGUAGES] = languages
        result = root.invoke(context)
    return result if isinstance(result, int) else ExitCode.OK


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether --json is among the options."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _interrupted(interrupt: BaseException) -> InterruptedRunError:
    step = getattr(interrupt, "step", None)  # jpki.errors.Interrupted
    if step is None:
        return InterruptedRunError()
    return InterruptedRunError(step.value, getattr(interrupt, "outcome", None))


def _fail(app: AppContext, error: BaseException) -> int:
    from cli.failure import describe, traceback_of

    failure = describe(error, more_facts=app.error_facts)
    if failure.exit_code is ExitCode.BUG and _wants_traceback():
        app.output.notice(traceback_of(error))
    app.output.failure(failure)
    return failure.exit_code


def _wants_traceback() -> bool:
    if os.environ.get(DEBUG_VARIABLE):
        return True
    from cli.verbosity import is_debugging

    return is_debugging()


@click.command(
    cls=Root,
    lazy=COMMANDS,
    invoke_without_command=True,
    help=N_(
        "Sign, verify and log in with a My Number Card (マイナンバーカード).\n\n"
        "Secrets are asked for at the terminal, or read by --pin-from; they are never an option's"
        " value. Without a card, try: jpki --reader emulator status"
    ),
)
@click.pass_context
def root(context: click.Context) -> None:
    """Show the help if no command was given."""
    if context.invoked_subcommand is None:
        end_without_command(context)


root.params.extend([version_option(), *global_options(hidden=False)])


def run_process() -> NoReturn:
    """Run the command line of this process, with its signals."""
    try:
        with signals_handled(_say_ended_at_once):
            root.main()
    except KeyboardInterrupt:
        # Between the handlers, or while the streams were being closed.
        sys.exit(ExitCode.INTERRUPTED)
    except TerminatedError as end:
        sys.exit(128 + end.signal)


def _say_ended_at_once() -> None:
    text = N_(
        "Interrupted twice: ended at once. If the card was at work, what it did is not known, and"
        " it may still be unlocked: take it off the reader, then run 'jpki pin status'."
    )
    output = Output(as_json=wants_json(sys.argv[1:]))
    output.notice(f"{PROGRAM}: {_(text)}")
    if output.as_json:
        with english():
            output.write(render_json({"error": {"code": "interrupted", "message": _(text)}}))
