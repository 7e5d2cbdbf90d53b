"""What the city office calls the card's PINs, and what may be typed for each."""

from cli.translation import _
from jpki.errors import PinFault
from jpki.files import PinKind


def pin_name(kind: PinKind) -> str:
    """Name a PIN as it stands on the paper that the office gave out."""
    match kind:
        case PinKind.SIGNATURE:
            return _("signature password (署名用パスワード)")
        case PinKind.AUTHENTICATION:
            return _("authentication PIN (利用者証明用暗証番号)")


def pin_form(kind: PinKind) -> str:
    """Say what such a PIN looks like."""
    match kind:
        case PinKind.SIGNATURE:
            return _("6 to 16 letters and digits")
        case PinKind.AUTHENTICATION:
            return _("4 digits")


def pin_fault(fault: PinFault) -> str:
    """Say what is wrong with the form of a PIN."""
    match fault:
        case PinFault.EMPTY:
            return _("nothing was entered")
        case PinFault.NOT_ASCII:
            return _("it has other characters than half-width letters and digits")
        case PinFault.NOT_FOUR_DIGITS:
            return _("it must be exactly 4 half-width digits")
        case PinFault.LENGTH:
            return _("it must have 6 to 16 characters")
        case PinFault.CHARACTERS:
            return _("it may have half-width letters and digits only, no space and no second line")
        case PinFault.NEEDS_LETTER_AND_DIGIT:
            return _("a new signature password needs at least one letter and one digit")


def tries_left_text(tries_left: int | None) -> str:
    """Say how many wrong entries the card still allows."""
    if tries_left is None:
        return _("tries left: unknown")
    return _("tries left: {count}").format(count=tries_left)
