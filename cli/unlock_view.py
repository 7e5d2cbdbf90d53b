"""The way to unlock a PIN, in the words of the residents' guides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from cli.help_topics import SHOPS_DIFFER, HelpTopic, remedy
from cli.translation import _
from jpki.unlocking import LockedSecret, Place, UnlockWay, ways_to_unlock


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockResult:
    """What ``jpki pin unlock`` tells."""

    secret: LockedSecret
    ways: tuple[UnlockWay, ...]

    @classmethod
    def of(cls, secret: LockedSecret) -> Self:
        """All there is to tell about one secret."""
        return cls(secret=secret, ways=ways_to_unlock(secret))

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "pin": self.secret.value,
            "ways": [
                {
                    "place": way.place.value,
                    "needs": None if way.needs is None else way.needs.value,
                    "within_hours": way.within_hours,
                }
                for way in self.ways
            ],
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("To have the {secret} unlocked or set anew:").format(secret=_name(self.secret))
        for way in self.ways:
            yield f"  - {_way(way)}"
        if len(self.ways) > 1:
            yield _(SHOPS_DIFFER)
        yield remedy(HelpTopic.FACE_AUTHENTICATION)
        yield _("No program can unlock a PIN, and nothing was sent to the card.")


def _name(secret: LockedSecret) -> str:
    match secret:
        case LockedSecret.SIGNATURE:
            return _("signature password (署名用パスワード)")
        case LockedSecret.AUTHENTICATION:
            return _("authentication PIN (利用者証明用暗証番号)")
        case LockedSecret.TEXT:
            return _("PIN for entering card data (券面事項入力補助用暗証番号)")


def _way(way: UnlockWay) -> str:
    match way.place:
        case Place.CITY_OFFICE:
            return _(
                "at the counter of your city office (市区町村の窓口), with the card; the office"
                " checks who you are"
            )
        case Place.CONVENIENCE_STORE:
            needed = "" if way.needs is None else _name(way.needs)
            return _(
                "at the kiosk of a convenience store: book it with the official phone app, then go"
                " within {hours} hours; it asks for the {secret}"
            ).format(hours=way.within_hours, secret=needed)
