"""``jpki pin``: tries, verify, change, and the way to unlock."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from cli.context import AppContext, pass_app
from cli.options import Group
from cli.pin_change import change as change_pin
from cli.pin_entry import PinRequest, unlocked
from cli.pin_options import (
    PinKindType,
    SecretType,
    kind_argument,
    new_pin_from,
    pin_from,
    use_last_try,
)
from cli.pin_source import PinSource, refuse_shared_stdin
from cli.pin_state_view import pins_as_json, pins_as_text
from cli.pin_words import pin_name
from cli.printable import printable
from cli.translation import N_, _
from cli.unlock_view import UnlockResult
from jpki.files import PinKind
from jpki.lifecycle import Lockout
from jpki.overview import PinState, lockout_of, pin_states
from jpki.unlocking import LockedSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class PinStatusResult:
    """The tries of both PINs."""

    reader: str
    is_test: bool
    pins: tuple[PinState, ...]
    lockout: Lockout

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "reader": self.reader,
            "pins": pins_as_json(self.pins),
            "lockout": self.lockout.value,
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        test = _(" (TEST card)") if self.is_test else ""
        yield _("PINs of the card in {reader}{test}:").format(
            reader=printable(self.reader), test=test
        )
        yield from pins_as_text(self.pins, self.lockout)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinVerifiedResult:
    """The PIN was right, so the card counts its tries from the start again."""

    kind: PinKind

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"pin": self.kind.value, "verified": True, "tries_left": self.kind.max_tries}

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("The {pin} is right. The card allows {count} wrong entries again.").format(
            pin=pin_name(self.kind), count=self.kind.max_tries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PinChangedResult:
    """The new PIN holds."""

    kind: PinKind

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"pin": self.kind.value, "changed": True}

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("The {pin} was changed.").format(pin=pin_name(self.kind))


@click.group(cls=Group, help=N_("Tries left, verify, change, and the way to unlock a PIN."))
def pin() -> None:
    """The card's PINs."""


@pin.command(help=N_("Show how many tries each PIN has left; costs none."))
@pass_app
def status(app: AppContext) -> None:
    """Ask the card, five exchanges; why a PIN is blocked takes two more."""
    with app.card() as card, card.transaction() as application:
        pins = pin_states(application)
        result = PinStatusResult(
            reader=card.reader_name,
            is_test=app.is_emulator,
            pins=pins,
            lockout=lockout_of(application, pins),
        )
    app.output.show(result)


@pin.command(help=N_("Check a PIN against the card; a wrong one costs a try."))
@kind_argument(PinKindType())
@pin_from()
@use_last_try()
@pass_app
def verify(
    app: AppContext, *, kind: PinKind, pin_from: PinSource | None, use_last_try: bool
) -> None:
    """Send one VERIFY."""
    request = PinRequest(kind=kind, source=pin_from, use_last_try=use_last_try)
    with unlocked(app, request):
        pass  # to be right is all that was asked
    app.output.show(PinVerifiedResult(kind=kind))


@pin.command(help=N_("Replace a PIN: the old one is asked once, the new one twice."))
@kind_argument(PinKindType())
@pin_from()
@new_pin_from()
@pass_app
def change(
    app: AppContext, kind: PinKind, pin_from: PinSource | None, new_pin_from: PinSource | None
) -> None:
    """Verify the old one and set the new one."""
    refuse_shared_stdin(new_pin_from, stdin_is_taken=pin_from is not None and pin_from.is_stdin)
    change_pin(app, PinRequest(kind=kind, source=pin_from), new_pin_from)
    app.output.show(PinChangedResult(kind=kind))


@pin.command(help=N_("Tell how a blocked or forgotten PIN is set anew; needs no card."))
@kind_argument(SecretType())
@pass_app
def unlock(app: AppContext, kind: LockedSecret) -> None:
    """Tell the way; nothing is sent to a card."""
    app.output.show(UnlockResult.of(kind))
