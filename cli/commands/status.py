"""``jpki status``: what the card is, how its PINs stand, and until when its certificates hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import click

from cli.certificate_state_view import (
    CertificateWarning,
    certificate_warnings,
    certificates_as_json,
    certificates_as_text,
)
from cli.context import AppContext, pass_app
from cli.help_topics import HelpTopic, remedy, title
from cli.options import Command
from cli.pin_state_view import pins_as_json, pins_as_text
from cli.printable import printable
from cli.translation import N_, _
from jpki.files import CardKind, CertificateName
from jpki.lifecycle import Lockout, day_in_japan
from jpki.overview import CardOverview, look_over


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """The card in a reader."""

    reader: str
    overview: CardOverview
    today: date

    @property
    def warnings(self) -> tuple[CertificateWarning, ...]:
        """What is to be done about the certificates."""
        return certificate_warnings(self.overview.certificates, self.today)

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "card": {
                "kind": self.overview.kind.value,
                "reader": self.reader,
                "test": self.overview.is_test,
            },
            "pins": pins_as_json(self.overview.pins),
            "lockout": self.overview.lockout.value,
            "certificates": certificates_as_json(self.overview.certificates),
            "warnings": [warning.as_json() for warning in self.warnings],
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("Reader: {reader}").format(reader=printable(self.reader))
        yield _("Card:   {kind}").format(kind=_kind(self.overview.kind))
        if self.overview.lockout is Lockout.PERHAPS_FACE_AUTHENTICATION:
            yield "        " + _("perhaps a face-authentication card (顔認証マイナンバーカード)")
        if self.overview.is_test:
            yield _("        TEST: a card of nobody, its signatures mean nothing")
        if _lacks_signature(self.overview):
            yield f"        {title(HelpTopic.CHILD)}. {remedy(HelpTopic.CHILD)}"
        yield _("PINs:")
        yield from pins_as_text(self.overview.pins, self.overview.lockout)
        yield _("Certificates:")
        yield from certificates_as_text(self.overview.certificates, self.today)


def _kind(kind: CardKind) -> str:
    match kind:
        case CardKind.MY_NUMBER:
            return _("My Number Card (マイナンバーカード)")
        case CardKind.JUKI:
            return _("Basic Resident Registration Card (住基カード), expired")
        case CardKind.ANDROID | CardKind.IPHONE:
            return _("a phone with a My Number Card function; see 'jpki help phone'")
        case CardKind.UNKNOWN:
            return _("a card with the JPKI application, of a kind that jpki does not know")


def _lacks_signature(overview: CardOverview) -> bool:
    """Whether it is a child's card; of a face-authentication card more is to be said."""
    missing = {state.name for state in overview.certificates if state.present is False}
    face_authentication = overview.lockout is Lockout.PERHAPS_FACE_AUTHENTICATION
    return CertificateName.SIGNATURE in missing and not face_authentication


@click.command(cls=Command, help=N_("Show the card, the tries of its PINs and its certificates."))
@pass_app
def status(app: AppContext) -> None:
    """Ask the card for all that it tells without a PIN."""
    with app.card() as card, card.transaction() as application:
        result = StatusResult(
            reader=card.reader_name,
            overview=look_over(application),
            today=day_in_japan(app.clock()),
        )
    app.output.show(result)
    for warning in result.warnings:
        app.output.warn(warning.as_text())
