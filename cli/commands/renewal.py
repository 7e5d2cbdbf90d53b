"""``jpki renewal``: until when card and certificates hold, and the deadlines of moving house."""

from datetime import date
from pathlib import Path

import click

from cli.context import AppContext, pass_app
from cli.errors import UsageProblemError
from cli.options import Command, day_option, option
from cli.output_file import STDOUT, OutputFile
from cli.renewal_view import RenewalResult, calendar_of
from cli.translation import N_
from jpki.files import CertificateName
from jpki.lifecycle import Deadline, Move, day_in_japan, month_end, validity


@click.command(
    cls=Command,
    help=N_(
        "Show until when card and certificates hold and when renewal opens. The dates are the"
        " card's; with --issued and --birth-date, or a day of moving house, no card is needed."
    ),
)
@day_option("--issued", help=N_("Day of issue of the card."))
@day_option("--birth-date", help=N_("The holder's birth date."))
@day_option(
    "--resident-until",
    help=N_(
        "End of the period of stay of a foreign resident; not for permanent residents and Highly"
        " Skilled Professionals (ii)."
    ),
)
@day_option("--moved-out", help=N_("The planned moving-out day."))
@day_option("--moved-in", help=N_("The day of moving in."))
@day_option("--notified", help=N_("The day of the moving-in notice."))
@option("--ics", metavar="FILE", help=N_("Write the dates to a calendar file; '-' is stdout."))
@option("--force", is_flag=True, help=N_("Replace a calendar file that exists."))
@pass_app
def renewal(
    app: AppContext,
    /,
    *,
    issued: date | None,
    birth_date: date | None,
    resident_until: date | None,
    ics: str | None,
    force: bool,
    **moves: date | None,
) -> None:
    """Find the dates, show them, and write the calendar."""
    file = None
    if ics is not None and ics != STDOUT:
        file = OutputFile(path=Path(ics), force=force, option="--ics")
    if file is not None:
        file.check()
    now = app.clock()
    deadlines = _deadlines({move: moves[move.value.replace("-", "_")] for move in Move})
    today = day_in_japan(now)
    if issued is not None or birth_date is not None or resident_until is not None:
        result = _by_rule(today, issued, birth_date, resident_until, deadlines)
    elif deadlines:
        result = RenewalResult(today=today, deadlines=deadlines)
    else:
        result = _of_card(app, today)
    if file is not None:
        with file.writing() as stream:
            stream.write(calendar_of(result, now))
    elif ics is not None:
        with app.output.content() as stdout:
            stdout.write(calendar_of(result, now))
    app.output.show(result)


def _deadlines(days: dict[Move, date | None]) -> tuple[Deadline, ...]:
    """What follows from each step; a moving-in notice that was given is not due any more."""
    notified = days[Move.NOTIFIED]
    return tuple(
        Deadline(move=move, start=start, done=None if move is Move.NOTIFIED else notified)
        for move, start in days.items()
        if start is not None
    )


def _by_rule(
    today: date,
    issued: date | None,
    birth_date: date | None,
    resident_until: date | None,
    deadlines: tuple[Deadline, ...],
) -> RenewalResult:
    if issued is None or birth_date is None:
        raise UsageProblemError(N_("--issued and --birth-date belong together."), "jpki renewal")
    try:
        found = validity(issued, birth_date, resident_until=resident_until)
    except ValueError as error:
        raise UsageProblemError(
            N_("These dates cannot be: the order is birth, issue, end of stay."), "jpki renewal"
        ) from error
    return RenewalResult(
        today=today,
        card_valid_until=found.card_valid_until,
        certificate_valid_until=found.certificate_valid_until,
        remarks=found.remarks,
        deadlines=deadlines,
    )


def _of_card(app: AppContext, today: date) -> RenewalResult:
    """Read the authentication certificate; the other one is behind its password."""
    with app.card() as card, card.transaction() as application:
        certificate = application.read_certificate(CertificateName.AUTHENTICATION)
    expiry = day_in_japan(certificate.not_valid_after_utc)
    remark = month_end(expiry)
    return RenewalResult(
        today=today,
        certificate_valid_until=expiry,
        of_card=True,
        remarks=() if remark is None else (remark,),
    )
