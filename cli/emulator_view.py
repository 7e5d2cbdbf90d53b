"""How a virtual card is shown. It is nobody's, so its PINs are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.facts import utc_text
from cli.pin_words import pin_name
from cli.printable import printable
from cli.times import local_time
from cli.translation import _
from jpki.emulator import CardDescription
from jpki.files import CardKind, PinKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CardResult:
    """A card file."""

    card: CardDescription

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        holder = self.card.holder
        return {
            "path": str(self.card.path),
            "kind": CardKind.from_label(self.card.label).value,
            "pins": {pin.name: pin.value for pin in self.card.pins},
            "tries_left": {pin.name: pin.tries_left for pin in self.card.pins},
            "holder": {
                "name": holder.name,
                "birth_date": holder.birth_date.isoformat(),
                "sex": holder.sex,
                "address": holder.address,
            },
            "issued": utc_text(self.card.issued),
            "expires": utc_text(self.card.expires),
            "signature_certificate": self.card.has_signature_certificate,
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("Virtual TEST card: {path}").format(path=printable(str(self.card.path)))
        yield _("  holder: {name} (nobody)").format(name=printable(self.card.holder.name))
        yield _("  valid until {time}").format(time=local_time(self.card.expires))
        for pin in self.card.pins:
            yield _("  {pin}: {value} ({count} of {most} tries left)").format(
                pin=_pin(pin.name), value=pin.value, count=pin.tries_left, most=pin.max_tries
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedResult:
    """A card file that was just made."""

    card: CardDescription
    authorities: tuple[Path, ...]

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return CardResult(card=self.card).as_json() | {
            "ca": [str(path) for path in self.authorities]
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield from CardResult(card=self.card).as_text()
        for path in self.authorities:
            yield _("  CA certificate: {path}").format(path=printable(str(path)))
        yield _("Try: jpki --reader emulator:{path} status").format(
            path=printable(str(self.card.path))
        )


def _pin(name: str) -> str:
    kinds = {kind.value: kind for kind in PinKind}
    return pin_name(kinds[name]) if name in kinds else name
