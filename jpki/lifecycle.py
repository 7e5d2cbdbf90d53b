"""The life of card and certificates by the rules of the residents' guides, as functions of dates.

Days are days in Japan: a certificate's last day ends at 14:59:59 UTC. A last day of validity
belongs to the validity.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Final, Self

JAPAN: Final = timezone(timedelta(hours=9), "JST")

MAJORITY_AT_18: Final = date(2022, 4, 1)
"""From this day on the age of majority is 18; it was 20."""

ADULT_CARD_BIRTHDAYS: Final = 10
MINOR_CARD_BIRTHDAYS: Final = 5
CERTIFICATE_BIRTHDAYS: Final = 5
RENEWAL_MONTHS: Final = 3


class Move(Enum):
    """A step of moving house that the card must follow in time, or it lapses.

    The value is the word in commands and JSON; ``days`` is the day, counted from the step's own
    as 0, on which the wording of the guide lets the card lapse.
    """

    MOVED_OUT = "moved-out", 30
    """The planned moving-out day; the moving-in notice must follow."""
    MOVED_IN = "moved-in", 14
    """The day of moving in; the moving-in notice must follow (「転入日から14日以上経過して」)."""
    NOTIFIED = "notified", 90
    """The day of the moving-in notice; the card must be updated."""

    days: int

    def __new__(cls, word: str, days: int) -> Self:
        """Make the word the value, and the days an attribute."""
        member = object.__new__(cls)
        member._value_ = word
        member.days = days
        return member


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """What follows from a step of moving house.

    The guides leave the edge day open, so the last day that is safe by any reading stands beside
    the one on which the card may lapse.
    """

    move: Move
    start: date

    @property
    def lapses(self) -> date:
        """The day on which the card may lapse."""
        return self.start + timedelta(days=self.move.days)

    @property
    def last_safe_day(self) -> date:
        """The day before."""
        return self.lapses - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Until when a card and its certificates hold."""

    card_valid_until: date
    certificate_valid_until: date

    @property
    def renewal_opens(self) -> date:
        """The first day on which the certificates are renewed."""
        return renewal_opens(self.certificate_valid_until)


def validity(issued: date, birth_date: date, *, resident_until: date | None = None) -> Validity:
    """Until when a card holds, and the certificates issued with it.

    The card: until the 10th birthday after the day of issue, for a holder who was not of age on
    that day the 5th; for a foreign resident the end of the period of stay, if that is sooner. The
    certificates: until the 5th birthday, or as long as the card.

    Args:
        issued: the day of issue.
        birth_date: the holder's.
        resident_until: the end of the period of stay. None for Japanese nationals, permanent
            residents, special permanent residents and Highly Skilled Professionals (ii).

    Raises:
        ValueError: an order of dates that cannot be.
    """
    if issued < birth_date:
        raise ValueError("the card was issued before its holder was born")
    if resident_until is not None and resident_until < issued:
        raise ValueError("the period of stay ended before the card was issued")
    birthdays = ADULT_CARD_BIRTHDAYS if is_of_age(birth_date, issued) else MINOR_CARD_BIRTHDAYS
    card = birthday_after(birth_date, issued, birthdays)
    if resident_until is not None:
        card = min(card, resident_until)
    certificate = birthday_after(birth_date, issued, CERTIFICATE_BIRTHDAYS)
    return Validity(card_valid_until=card, certificate_valid_until=min(certificate, card))


def is_of_age(birth_date: date, day: date) -> bool:
    """Whether a person was an adult on a day, by the law of that day.

    The day before a birthday still belongs to the younger age. The law on the counting of ages
    would end the year of age with that day; that is an interpretation, and this the cautious one.
    """
    majority = 18 if day >= MAJORITY_AT_18 else 20
    age = day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
    return age >= majority


def birthday_after(birth_date: date, day: date, count: int) -> date:
    """The ``count``-th birthday after ``day``, which is none of them itself.

    Who was born on 29 February has the 28th in a common year: the safe one.
    """
    first = day.year if _birthday(birth_date, day.year) > day else day.year + 1
    return _birthday(birth_date, first + count - 1)


def _birthday(birth_date: date, year: int) -> date:
    return date(year, birth_date.month, _day_of_month(year, birth_date.month, birth_date.day))


def _day_of_month(year: int, month: int, day: int) -> int:
    """The day, or the last one of a month that is too short."""
    return min(day, calendar.monthrange(year, month)[1])


def last_day(not_valid_after: datetime) -> date:
    """The last day, in Japan, on which a certificate is valid.

    Args:
        not_valid_after: the certificate's, with a time zone. RFC 5280 4.1.2.5.
    """
    return not_valid_after.astimezone(JAPAN).date()


def renewal_opens(expiry: date) -> date:
    """The first day on which the city office renews a card or certificate, free of charge.

    It is the day after the day that is three months before ``expiry``, the last day of validity
    (an older guide says: that day itself). Where that month is too short the day is its last one,
    so for 31 May renewal opens on 1 March.
    """
    year, month = divmod(expiry.year * 12 + expiry.month - 1 - RENEWAL_MONTHS, 12)
    day = _day_of_month(year, month + 1, expiry.day)
    return date(year, month + 1, day) + timedelta(days=1)
