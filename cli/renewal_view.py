"""How the dates of card and certificates are shown, and put into a calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from cli.translation import _
from jpki.lifecycle import Deadline, Move, renewal_opens


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalResult:
    """Dates as far as they are known, with the day on which they were asked for."""

    today: date
    card_valid_until: date | None = None
    certificate_valid_until: date | None = None
    born_on_29_february: bool = False
    deadlines: tuple[Deadline, ...] = ()

    @property
    def renewal_opens(self) -> date | None:
        """The first day on which the certificates are renewed."""
        if self.certificate_valid_until is None:
            return None
        return renewal_opens(self.certificate_valid_until)

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        expiry = self.certificate_valid_until
        return {
            "card_valid_until": _iso(self.card_valid_until),
            "certificate_valid_until": _iso(expiry),
            "renewal_opens": _iso(self.renewal_opens),
            "days_left": None if expiry is None else (expiry - self.today).days,
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
            yield _("The card is valid until {day}.").format(day=self.card_valid_until)
        yield from self._certificates()
        if self.born_on_29_february:
            yield _("Born on 29 February: in a common year the 28th is taken, the safe one.")
        for deadline in self.deadlines:
            yield _deadline_text(deadline)

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
        yield _(
            "Without valid certificates the card works at no doctor's or pharmacy, and for no"
            " login or signature."
        )


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


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
