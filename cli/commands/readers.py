"""``jpki readers``: which readers there are, and what is in each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli.context import AppContext, pass_app
from cli.options import Command
from cli.printable import printable
from cli.translation import N_, _

if TYPE_CHECKING:
    from jpki.readers import ReaderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersResult:
    """The readers, in the order of PC/SC."""

    reports: "tuple[ReaderReport, ...]"

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "readers": [
                {"number": number, "name": report.name, "card": report.content.value}
                for number, report in enumerate(self.reports)
            ]
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        words = {
            "empty": _("no card"),
            "in-use": _("in use by another program"),
            "my-number": _("My Number Card"),
            "other": _("another card"),
            "unreadable": _("a card that does not answer"),
        }
        for number, report in enumerate(self.reports):
            yield f"{number}  {printable(report.name)}: {words[report.content.value]}"


@click.command(
    cls=Command, help=N_("List the readers and what is in each; every card stays as is.")
)
@pass_app
def readers(app: AppContext) -> None:
    """Look into each reader."""
    from cli.notices import Notices
    from jpki.readers import survey_readers

    reports = survey_readers(notify=Notices(app.output.notice))
    app.output.show(ReadersResult(reports=reports))
