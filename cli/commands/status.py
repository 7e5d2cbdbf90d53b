"""``jpki status``: what the card is, how its PINs stand, and until when its certificates hold."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from cli.certificate_state_view import certificates_as_json, certificates_as_text
from cli.context import AppContext, pass_app
from cli.options import Command
from cli.pin_state_view import pins_as_json, pins_as_text
from cli.printable import printable
from cli.translation import N_, _
from jpki.files import CardKind, CertificateName
from jpki.lifecycle import Lockout
from jpki.overview import CardOverview, look_over


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """The card in a reader."""

    reader: str
    overview: CardOverview

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "card": {
                "kind": self.overview.kind.value,
                "reader": self.reader,
                "test": self.overview.is_test,
            },
            "pins": pins_as_json(self.overview.pins),
            "certificates": certificates_as_json(self.overview.certificates),
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("Reader: {reader}").format(reader=printable(self.reader))
        yield _("Card:   {kind}").format(kind=_kind(self.overview.kind))
        if self.overview.is_test:
            yield _("        TEST: a card of nobody, its signatures mean nothing")
        yield from _advice(self.overview)
        yield _("PINs:")
        yield from pins_as_text(self.overview.pins)
        yield _("Certificates:")
        yield from certificates_as_text(self.overview.certificates)


def _kind(kind: CardKind) -> str:
    match kind:
        case CardKind.MY_NUMBER:
            return _("My Number Card (マイナンバーカード)")
        case CardKind.JUKI:
            return _("Basic Resident Registration Card (住基カード), expired")
        case CardKind.ANDROID | CardKind.IPHONE:
            return _("a phone with a My Number Card function: jpki cannot sign with it yet")
        case CardKind.UNKNOWN:
            return _("a card with the JPKI application, of a kind that jpki does not know")


def _advice(overview: CardOverview) -> Iterator[str]:
    """What the state as a whole means, where it is easily misread."""
    if overview.lockout is Lockout.PERHAPS_FACE_AUTHENTICATION:
        yield _(
            "        Both PINs are blocked. A face-authentication card (顔認証マイナンバーカード)"
            " is issued so; the city office can turn it back."
        )
        return
    missing = {state.name for state in overview.certificates if state.present is False}
    if CertificateName.SIGNATURE in missing:
        yield _(
            "        No signature certificate: a child's card, or it was not wanted. Its PIN is"
            " blocked for that reason."
        )


@click.command(cls=Command, help=N_("Show the card, the tries of its PINs and its certificates."))
@pass_app
def status(app: AppContext) -> None:
    """Ask the card for all that it tells without a PIN."""
    with app.card() as card, card.transaction() as application:
        result = StatusResult(reader=card.reader_name, overview=look_over(application))
    app.output.show(result)
