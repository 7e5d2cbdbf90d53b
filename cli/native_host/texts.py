"""What a site and its visitor hear when the native host could not do what was asked.

The site reads it as well, so nothing of this computer is in it: no path, no name of a reader.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cli.authentication_texts import native_message_text
from cli.failure import describe
from cli.message_texts import outcome_unknown_text
from cli.pin_words import pin_name
from cli.translation import N_, _
from jpki.authentication.native_messaging import ErrorCode, error_answer

if TYPE_CHECKING:
    from jpki.errors import OutcomeUnknownError, PinError

NO_PINENTRY: Final = N_(
    "The PIN program does not work. Install a pinentry of your desktop, or name one with"
    " JPKI_PINENTRY."
)
NO_VIRTUAL_CARD: Final = N_("The virtual card cannot be opened; 'jpki status' tells why.")


def _last_try(error: "PinError") -> str:
    return _(
        "Only one try is left for the {pin}; it was not used. If you are sure of it, run"
        " 'jpki pin verify {kind} --use-last-try' at a terminal: the right one gives all tries"
        " back. If not, see 'jpki help blocked'."
    ).format(pin=pin_name(error.kind), kind=error.kind.value)


def _tries_unknown(error: "PinError") -> str:
    return _(
        "The card does not say how many tries are left for the {pin}, so nothing was sent."
        " 'jpki pin verify {kind} --use-last-try' at a terminal takes the risk."
    ).format(pin=pin_name(error.kind), kind=error.kind.value)


def _outcome_unknown(error: "OutcomeUnknownError") -> str:
    if error.step.value != "sign":
        return outcome_unknown_text(error)
    return _(
        "The answer was lost while the card signed; the site got nothing. Put the card back and"
        " try again."
    )


TEXTS: Final[dict[str, str | Callable[[Any], str]]] = {
    "no-reader": N_("No card reader was found, or none that JPKI_READER names. Plug it in."),
    "no-card": N_("There is no card on the reader. Put it on and try again."),
    "not-my-number-card": N_("The card on the reader is not a My Number Card. Put yours on it."),
    "several-cards": N_("There are several My Number Cards on the readers. Leave one there."),
    "card-in-use": N_("Another program is using the card. Close it and try again."),
    "card-file": NO_VIRTUAL_CARD,
    "output-not-written": NO_VIRTUAL_CARD,
    "output-refused": NO_VIRTUAL_CARD,
    "output-exists": NO_VIRTUAL_CARD,
    "token-invalid": native_message_text,  # the command's own names its options
    "pinentry": NO_PINENTRY,
    "pin-source": NO_PINENTRY,
    "outcome-unknown": _outcome_unknown,
    "last-try": _last_try,
    "tries-unknown": _tries_unknown,
    "certificate-expired": N_(
        "The card's certificate has expired. The city office issues a new one; 'jpki renewal'"
        " tells more."
    ),
    "certificate-not-yet-valid": N_(
        "The card's certificate is not valid yet. Check the clock of this computer."
    ),
}
"""Error code -> text, where that of the command would say too much or name what is not here."""

CODES: Final = {
    "cancelled": ErrorCode.USER_CANCELLED,
    "native-message": ErrorCode.INVALID_ARGUMENT,
    "token-invalid": ErrorCode.INVALID_ARGUMENT,
}
"""Error code -> that of Web eID; all others are fatal."""


def answer_for(error: BaseException) -> dict[str, Any]:
    """Return the answer that tells of an error, in the language of the moment."""
    failure = describe(error)
    text = TEXTS.get(failure.code, failure.text)
    message = text(error) if callable(text) else _(text) if failure.code in TEXTS else text
    return error_answer(CODES.get(failure.code, ErrorCode.FATAL), message)
