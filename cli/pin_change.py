"""Replacing a PIN: the old one once, the new one twice, a word if that is easily guessed."""

import hmac

from cli.context import AppContext
from cli.errors import NewPinDiffersError, NotConfirmedError
from cli.pin_entry import (
    ENTRIES,
    PinRequest,
    ask_pin,
    ask_until_possible,
    count_compared,
    read_pin,
    require_terminal,
    tries_before,
)
from cli.pin_source import PinSource
from cli.pin_words import pin_form, pin_name
from cli.translation import _
from jpki.errors import PinFormatError
from jpki.files import PinKind
from jpki.pins import Pin, Weakness, check_new_pin, weakness


def change(app: AppContext, request: PinRequest, new_source: PinSource | None) -> None:
    """Change the PIN in one transaction. The library never spends the last try on it.

    Raises:
        PinSourceError, PinFormatError, NewPinDiffersError, NotConfirmedError: nothing was sent.
        PinError, OutcomeUnknownError, CardError.
    """
    if request.source is None or new_source is None:
        require_terminal(app, "--pin-from" if request.source is None else "--new-pin-from")
    if request.source is not None:
        with (
            read_pin(app, request.kind, request.source) as old,
            _new_pin(app, request.kind, new_source) as new,
            app.card() as card,
            card.transaction() as application,
        ):
            application.change_pin(old, new)
        return
    with app.card() as card:
        shown = tries_before(card, request)
        with (
            ask_pin(app, request, shown) as old,
            _new_pin(app, request.kind, new_source) as new,
            card.transaction() as application,
        ):
            application.change_pin(old, new, on_tries=count_compared(app, shown))


def _new_pin(app: AppContext, kind: PinKind, source: PinSource | None) -> Pin:
    if source is None:
        return _ask_new_pin(app, kind)
    app.error_facts["source"] = str(source)
    new = Pin(kind, source.read())
    check_new_pin(new)
    del app.error_facts["source"]  # what the card may refuse is the old one
    if (weak := weakness(new)) is not None:
        app.output.warn(_weakness_text(weak))
    return new


def _ask_new_pin(app: AppContext, kind: PinKind) -> Pin:
    name, form = pin_name(kind), pin_form(kind)
    question = _("New {pin}, {form}: ").format(pin=name, form=form)
    again = _("New {pin}, once more: ").format(pin=name)
    for _entry in range(ENTRIES):
        new = ask_until_possible(app, kind, question, check_new_pin)
        if _is_same(app, new, again):
            _confirm_weak(app, new)
            return new
        app.prompter.show(_("The two entries differ."))
    raise NewPinDiffersError


def _is_same(app: AppContext, new: Pin, question: str) -> bool:
    try:
        with Pin(new.kind, app.prompter.secret(question)) as repeated:
            return hmac.compare_digest(new.reveal(), repeated.reveal())
    except PinFormatError:
        return False


def _confirm_weak(app: AppContext, new: Pin) -> None:
    if (weak := weakness(new)) is None:
        return
    app.prompter.show(_weakness_text(weak))
    if not app.prompter.confirm(_("Take it all the same? [y/N] ")):
        raise NotConfirmedError


def _weakness_text(weak: Weakness) -> str:
    match weak:
        case Weakness.SEQUENCE:
            return _("The new PIN is easily guessed: it is a plain sequence.")
        case Weakness.REPETITION:
            return _("The new PIN is easily guessed: it repeats the same characters.")
        case Weakness.DATE:
            return _("The new PIN is easily guessed: it looks like a date, perhaps a birthday.")
