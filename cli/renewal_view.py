"""How the dates of card and certificates are shown, and put into a calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cli.help_topics import WITHOUT_CERTIFICATES
from cli.translation import _
from jpki.lifecycle import Deadline, Edge, Move, Remark, renewal_opens


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalResult:
    """Dates as far as they are known, with the day on which they were asked for."""

    today: date
    card_valid_until: date | None = None
    certificate_valid_until: date | None = None
    of_card: bool = False
    """The date is that of the card's authentication certificate."""
    remarks: tuple[Remark, ...] = ()
    deadlines: tuple[Deadline, ...] = ()

    @property
    def renewal_opens(self) -> date | None:
        """The first day on which the certificates are renewed."""
        return _opens(self.certificate_valid_until)

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        expiry = self.certificate_valid_until
        return {
            "card_valid_until": _iso(self.card_valid_until),
            "certificate_valid_until": _iso(expiry),
            "renewal_opens": _iso(self.renewal_opens),
            "card_renewal_opens": _iso(_opens(self.card_valid_until)),
            "days_left": None if expiry is None else (expiry - self.today).days,
            "remarks": [remark.edge.value for remark in self.remarks],
            "deadlines": [
                {
                    "move": deadline.move.value,
                    "start": _iso(deadline.start),
                    "last_safe_day": _iso(deadline.last_safe_day),
                    "lapses": _iso(deadline.lapses),
                }
                for deadline in self.deadlines
            ],
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        if self.card_valid_until is not None:
            yield self._card(self.card_valid_until)
        yield from self._certificates()
        for remark in self.remarks:
            yield _remark_text(remark)
        for deadline in self.deadlines:
            yield _deadline_text(deadline)
            yield from _news(deadline, self.today)

    def _card(self, expiry: date) -> str:
        if self.today > expiry:
            return _(
                "The card expired on {day}. Ask the city office (市区町村の窓口) for a new one."
            ).format(day=expiry)
        return _(
            "The card is valid until {day}; the city office renews it from {opens} on."
        ).format(day=expiry, opens=renewal_opens(expiry))

    def _certificates(self) -> Iterator[str]:
        expiry, opens = self.certificate_valid_until, self.renewal_opens
        if expiry is None or opens is None:
            return
        if self.today > expiry:
            yield _("The certificates expired on {day}.").format(day=expiry)
        else:
            yield _("The certificates are valid until {day}; days left: {count}.").format(
                day=expiry, count=(expiry - self.today).days
            )
        if self.today < opens:
            yield _(
                "The city office (市区町村の窓口) renews them from {day} on, free of charge."
            ).format(day=opens)
        else:
            yield _("The city office (市区町村の窓口) renews them now, free of charge.")
        yield _(WITHOUT_CERTIFICATES)
        if self.of_card:
            yield _(
                "These are the days of the authentication certificate. A signature certificate that"
                " was issued anew after a move may end later: 'jpki cert show signature'."
            )


def _remark_text(remark: Remark) -> str:
    text: str
    match remark.edge:
        case Edge.LEAP_DAY:
            text = _("Born on 29 February: in a common year the 28th is taken, the safe one.")
        case Edge.OF_AGE_NEXT_DAY:
            text = _(
                "The 18th birthday (until March 2022: the 20th) is the day after the day of issue,"
                " on which the holder is taken to be 17 (19), a minor. That is an interpretation:"
                " by the law on the counting of ages (年齢計算ニ関スル法律) the card may hold until"
                " {day}. What is printed on it decides."
            )
        case Edge.MONTH_END:
            text = _(
                "The month three months before the end has no such day, so its last, {day}, is"
                " taken, and renewal opens on the day after, {next_day}."
            )
        case Edge.STAY_PAST_BIRTHDAY:
            text = _(
                "By the birthdays the card would end on {day}; by the guides that of a foreign"
                " resident ends with the period of stay. What is printed on the card decides."
            )
        case Edge.BEFORE_FIRST_CARD:
            text = _(
                "No My Number Card was handed out before {day}: check the day of issue. Older cards"
                " (住基カード) follow other rules."
            )
    return text.format(day=remark.day, next_day=remark.day + timedelta(days=1))


def calendar_of(result: RenewalResult, now: datetime) -> bytes:
    """The same dates as an iCalendar file with whole-day events. RFC 5545."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//jpki//renewal//EN")
    calendar.add("version", "2.0")
    for identifier, day, summary in _events(result):
        event = Event()
        event.add("uid", f"{identifier}-{day:%Y%m%d}@jpki.invalid")
        event.add("dtstamp", now)
        event.add("dtstart", day)
        event.add("summary", summary)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _events(result: RenewalResult) -> Iterator[tuple[str, date, str]]:
    if result.renewal_opens is not None:
        yield "renewal-opens", result.renewal_opens, _("My Number Card: renewal opens")
    if result.certificate_valid_until is not None:
        summary = _("My Number Card: last day of the certificates")
        yield "certificate-expiry", result.certificate_valid_until, summary
    if result.card_valid_until is not None:
        yield "card-expiry", result.card_valid_until, _("My Number Card: last day of the card")
    for deadline in result.deadlines:
        summary = _("My Number Card: last safe day after moving house")
        yield deadline.move.value, deadline.last_safe_day, summary


def _deadline_text(deadline: Deadline) -> str:
    text: str
    match deadline.move:
        case Move.MOVED_OUT:
            text = _(
                "Planned moving-out day {start}: give the moving-in notice by {safe}. From {lapses}"
                " on the card may lapse."
            )
        case Move.MOVED_IN:
            text = _(
                "Moved in on {start}: give the moving-in notice by {safe}. From {lapses} on the"
                " card may lapse."
            )
        case Move.NOTIFIED:
            text = _(
                "Moving-in notice given on {start}: have the card updated by {safe}. From {lapses}"
                " on it may lapse."
            )
    return text.format(start=deadline.start, safe=deadline.last_safe_day, lapses=deadline.lapses)


def _news(deadline: Deadline, today: date) -> Iterator[str]:
    """Whether a deadline was kept, as far as that is known."""
    if deadline.is_missed(today):
        yield _("  That was missed: the card may have lapsed. Ask your city office at once.")
    elif deadline.done is not None:
        yield _("  The moving-in notice of {day} was in time.").format(day=deadline.done)


def _opens(expiry: date | None) -> date | None:
    return None if expiry is None else renewal_opens(expiry)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
