"""The life of card and certificates by the rules of the residents' guides, as pure functions.

Days are days in Japan: a certificate's last day ends at 14:59:59 UTC. A last day of validity
belongs to the validity. Where the guides leave an edge open the day that is safe for the holder is
taken, and a ``Remark`` says so. docs/rules.md lists the rules.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Final, Self

JAPAN: Final = timezone(timedelta(hours=9), "JST")

FIRST_CARD: Final = date(2016, 1, 1)
"""No My Number Card was handed out before this month."""
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
    done: date | None = None
    """The day on which what must follow was done, if it was."""

    @property
    def lapses(self) -> date:
        """The day on which the card may lapse."""
        return self.start + timedelta(days=self.move.days)

    @property
    def last_safe_day(self) -> date:
        """The day before."""
        return self.lapses - timedelta(days=1)

    def is_missed(self, today: date) -> bool:
        """Whether the last safe day went by before the thing was done."""
        return (self.done or today) > self.last_safe_day


class Edge(Enum):
    """A case that the guides leave open, or that is easily taken for a mistake; for a remark."""

    LEAP_DAY = "leap-day"
    """Born on 29 February; ``day`` is the 28th of a common year, taken for the birthday."""
    OF_AGE_NEXT_DAY = "of-age-next-day"
    """The birthday that makes an adult is the day after issue. By the law on the counting of ages
    the year would end with the day of issue, and the card hold until ``day``: an interpretation."""
    MONTH_END = "month-end"
    """``day`` is the last of the month three months before expiry, which has no such day."""
    STAY_PAST_BIRTHDAY = "stay-past-birthday"
    """The period of stay outlasts ``day``, the birthday that ends other people's cards."""
    BEFORE_FIRST_CARD = "before-first-card"
    """Issued before ``day``, the first on which cards were handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """An edge that a result depends on, with the day that explains it."""

    edge: Edge
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Until when a card and its certificates hold."""

    card_valid_until: date
    certificate_valid_until: date
    remarks: tuple[Remark, ...] = ()

    @property
    def renewal_opens(self) -> date:
        """The first day on which the certificates are renewed."""
        return renewal_opens(self.certificate_valid_until)


def validity(issued: date, birth_date: date, *, resident_until: date | None = None) -> Validity:
    """Until when a card holds, and the certificates issued with it.

    The card: until the 10th birthday after the day of issue, for a holder who was not of age on
    that day the 5th; for a foreign resident the end of the period of stay instead. The
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
    by_birthday = birthday_after(birth_date, issued, birthdays)
    card = by_birthday if resident_until is None else resident_until
    certificate = min(birthday_after(birth_date, issued, CERTIFICATE_BIRTHDAYS), card)
    remarks = [_leap_day(birth_date, (certificate, card))]
    if resident_until is None:
        remarks.append(_of_age_next_day(birth_date, issued))
    elif resident_until > by_birthday:
        remarks.append(Remark(edge=Edge.STAY_PAST_BIRTHDAY, day=by_birthday))
    remarks.append(month_end(certificate))
    if issued < FIRST_CARD:
        remarks.append(Remark(edge=Edge.BEFORE_FIRST_CARD, day=FIRST_CARD))
    return Validity(
        card_valid_until=card,
        certificate_valid_until=certificate,
        remarks=tuple(remark for remark in remarks if remark is not None),
    )


def _leap_day(birth_date: date, ends: tuple[date, ...]) -> Remark | None:
    if (birth_date.month, birth_date.day) != (2, 29):
        return None
    moved = (day for day in ends if (day.month, day.day) == (2, 28))
    return next((Remark(edge=Edge.LEAP_DAY, day=day) for day in moved), None)


def _of_age_next_day(birth_date: date, issued: date) -> Remark | None:
    majority = _majority(issued)
    if not _age(birth_date, issued) < majority <= _age(birth_date, issued + timedelta(days=1)):
        return None
    day = birthday_after(birth_date, issued, ADULT_CARD_BIRTHDAYS)
    return Remark(edge=Edge.OF_AGE_NEXT_DAY, day=day)


def is_of_age(birth_date: date, day: date) -> bool:
    """Whether a person was an adult on a day, by the law of that day.

    The day before a birthday still belongs to the younger age. The law on the counting of ages
    would end the year of age with that day; that is an interpretation, and this the cautious one.
    So who was born on 29 February comes of age on 1 March of a common year.
    """
    return _age(birth_date, day) >= _majority(day)


def _majority(day: date) -> int:
    return 18 if day >= MAJORITY_AT_18 else 20


def _age(birth_date: date, day: date) -> int:
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


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


def day_in_japan(time: datetime) -> date:
    """The day that it is in Japan at a time, which has a zone.

    Of a certificate's end (RFC 5280 4.1.2.5) it is the last day on which it is valid.
    """
    try:
        return time.astimezone(JAPAN).date()
    except OverflowError:  # the end of the year 9999, which means "no end"
        return date.max


def three_months_before(expiry: date) -> date:
    """The same day of the month three months earlier, or the last of a month that is too short."""
    year, month = divmod(expiry.year * 12 + expiry.month - 1 - RENEWAL_MONTHS, 12)
    if year < date.min.year:
        return date.min
    return date(year, month + 1, _day_of_month(year, month + 1, expiry.day))


def renewal_opens(expiry: date) -> date:
    """The first day on which the city office renews a card or certificate, free of charge.

    It is the day after the day that is three months before ``expiry``, the last day of validity
    (an older guide says: that day itself). For 31 May it is 1 March, since February has no 31st.
    """
    return three_months_before(expiry) + timedelta(days=1)


def month_end(expiry: date) -> Remark | None:
    """What is to be said where the month three months before ``expiry`` is too short."""
    before = three_months_before(expiry)
    return None if before.day == expiry.day else Remark(edge=Edge.MONTH_END, day=before)


class RenewalPhase(Enum):
    """Where a card or certificate stands in its life; the value is the word in JSON."""

    NOT_OPEN = "not-open"
    OPEN = "open"
    EXPIRED = "expired"


def renewal_phase(expiry: date, today: date) -> RenewalPhase:
    """Whether it is time to renew what is valid up to and including ``expiry``."""
    if today > expiry:
        return RenewalPhase.EXPIRED
    return RenewalPhase.OPEN if today >= renewal_opens(expiry) else RenewalPhase.NOT_OPEN


class Lockout(Enum):
    """What PINs without tries mean, as far as a card shows it; the value is the word in JSON."""

    NONE = "none"
    ENTRIES = "entries"
    """One PIN was blocked by entries."""
    NO_SIGNATURE_CERTIFICATE = "no-signature-certificate"
    """The signature PIN has nothing behind it: a child's card, or one that was not wanted."""
    PERHAPS_FACE_AUTHENTICATION = "perhaps-face-authentication"
    """Both PINs: a face-authentication card (顔認証マイナンバーカード) is issued so."""


def lockout(
    signature_tries: int | None,
    authentication_tries: int | None,
    *,
    has_signature_certificate: bool | None,
) -> Lockout:
    """Why PINs are blocked.

    A face-authentication card does not say that it is one, and so it cannot be told from a card
    both of whose PINs were blocked by entries. Nobody is told that they mistyped who perhaps did
    not: a count that is not known (None) is taken for none.
    """
    if 0 not in (signature_tries, authentication_tries):
        return Lockout.NONE
    if not signature_tries and not authentication_tries:
        return Lockout.PERHAPS_FACE_AUTHENTICATION
    if signature_tries == 0 and has_signature_certificate is False:
        return Lockout.NO_SIGNATURE_CERTIFICATE
    return Lockout.ENTRIES
