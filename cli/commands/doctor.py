"""``jpki doctor``: what is missing to use a card here, and how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from cli.context import AppContext, pass_app
from cli.diagnosis import Check, CheckState, Subject, diagnose
from cli.exit_codes import ExitCode
from cli.options import Command
from cli.translation import N_, _, english


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorResult:
    """All checks, in the order in which one needs the other."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> ExitCode:
        """That of the first problem: it stands in the way of what comes behind it."""
        codes = (check.exit_code for check in self.checks if check.state is CheckState.PROBLEM)
        return next(codes, ExitCode.OK)

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        with english():
            return {
                "checks": [
                    {
                        "check": check.subject.value,
                        "state": check.state.value,
                        "detail": check.say(),
                        "exit": check.exit_code.value,
                    }
                    for check in self.checks
                ]
            }

    def as_text(self) -> Iterator[str]:
        """For people."""
        for check in self.checks:
            yield f"[{_state(check.state)}] {_subject(check.subject)}: {check.say()}"
        if self.exit_code is ExitCode.OK:
            yield _("The card can be used.")


def _state(state: CheckState) -> str:
    match state:
        case CheckState.OK:
            return _("ok")
        case CheckState.WARNING:
            return _("warning")
        case CheckState.PROBLEM:
            return _("PROBLEM")
        case CheckState.SKIPPED:
            return "-"


def _subject(subject: Subject) -> str:
    match subject:
        case Subject.PCSC:
            return _("PC/SC service")
        case Subject.READERS:
            return _("readers")
        case Subject.CARD:
            return _("card")
        case Subject.KIND:
            return _("kind of card")
        case Subject.PINS:
            return _("PINs")
        case Subject.CERTIFICATES:
            return _("certificates")


@click.command(
    cls=Command,
    help=N_(
        "Tell what is missing to use a card here, and how to mend it: PC/SC, readers, the card, its"
        " PINs and certificates. Asks for no PIN; ends with 0 if all is usable, else with the exit"
        " code of the first problem."
    ),
)
@pass_app
def doctor(app: AppContext) -> int:
    """Look at everything and show it."""
    result = DoctorResult(checks=diagnose(app))
    app.output.show(result)
    return result.exit_code
