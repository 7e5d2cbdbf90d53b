"""Where a blocked or forgotten PIN is set anew. No program can do it; it can tell the way.

After the residents' guides: any of them at the municipal counter; the signature password, and by
newer municipal pages the authentication PIN too, at the kiosk of a convenience store, if the other
one of the two is known. Shops differ.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

KIOSK_HOURS: Final = 24
"""Between the booking with the official phone app and the visit to the shop."""


class LockedSecret(Enum):
    """A secret of the card that three or five wrong entries block; the value is the word."""

    SIGNATURE = "signature"
    """署名用パスワード."""
    AUTHENTICATION = "authentication"
    """利用者証明用暗証番号."""
    TEXT = "text"
    """券面事項入力補助用暗証番号."""


class Place(Enum):
    """Where a secret is set anew."""

    CITY_OFFICE = "city-office"
    CONVENIENCE_STORE = "convenience-store"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockWay:
    """One way to a new secret."""

    place: Place
    needs: LockedSecret | None = None
    """Another secret of the card that must be known and not blocked."""
    within_hours: int | None = None
    """Of the booking with the phone app."""


def ways_to_unlock(secret: LockedSecret) -> tuple[UnlockWay, ...]:
    """The ways that lead to a new secret, the one that always works first."""
    office = UnlockWay(place=Place.CITY_OFFICE)
    match secret:
        case LockedSecret.SIGNATURE:
            return office, _kiosk(LockedSecret.AUTHENTICATION)
        case LockedSecret.AUTHENTICATION:
            return office, _kiosk(LockedSecret.SIGNATURE)
        case LockedSecret.TEXT:
            return (office,)


def _kiosk(needs: LockedSecret) -> UnlockWay:
    return UnlockWay(place=Place.CONVENIENCE_STORE, needs=needs, within_hours=KIOSK_HOURS)
