"""How the tries of the PINs are shown, in ``status`` and in ``pin status``."""

from collections.abc import Iterator, Sequence

from cli.help_topics import HelpTopic, remedy
from cli.pin_words import pin_name, tries_left_text
from cli.translation import _
from jpki.files import PinKind
from jpki.lifecycle import Lockout
from jpki.overview import PinState


def pins_as_json(pins: Sequence[PinState]) -> list[dict[str, object]]:
    """The list ``pins`` of docs/json.md."""
    return [
        {
            "pin": state.kind.value,
            "tries_left": state.tries_left,
            "max_tries": state.kind.max_tries,
            "blocked": state.is_blocked,
        }
        for state in pins
    ]


def pins_as_text(pins: Sequence[PinState], lockout: Lockout) -> Iterator[str]:
    """One line for each PIN, and a word on what is easily misread."""
    for state in pins:
        yield f"  {pin_name(state.kind)}: {_tries(state, lockout)}"
    if lockout is Lockout.PERHAPS_FACE_AUTHENTICATION:
        yield "  " + _("Both PINs are blocked. {face_authentication}").format(
            face_authentication=remedy(HelpTopic.FACE_AUTHENTICATION)
        )
    if any(state.tries_left == 1 for state in pins):
        yield _("  One more wrong entry blocks it: make sure of it before you enter it.")


def _tries(state: PinState, lockout: Lockout) -> str:
    if state.kind is PinKind.SIGNATURE and lockout is Lockout.NO_SIGNATURE_CERTIFICATE:
        return _("blocked, since the card has no signature certificate")
    if state.is_blocked:
        return _("BLOCKED; see 'jpki pin unlock {kind}'").format(kind=state.kind.value)
    if state.tries_left is None:
        return tries_left_text(None)
    return _("{count} of {most} tries left").format(
        count=state.tries_left, most=state.kind.max_tries
    )
