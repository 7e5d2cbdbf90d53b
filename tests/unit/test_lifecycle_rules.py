"""The lifecycle rules against a second implementation: slow, literal, counting days one by one.

It is written from the guides' sentences and shares nothing with ``jpki.lifecycle``.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from jpki.lifecycle import (
    Deadline,
    Edge,
    Move,
    RenewalPhase,
    month_end,
    renewal_opens,
    renewal_phase,
    validity,
)

ONE_DAY = timedelta(days=1)

births = st.one_of(
    st.dates(min_value=date(1915, 1, 1), max_value=date(2035, 1, 1)),
    st.sampled_from([date(year, 2, 29) for year in range(1920, 2033, 4)]),
)
ages = st.one_of(
    st.integers(min_value=0, max_value=365 * 100),
    # The days around the 18th and the 20th birthday, and around a 29 February.
    st.integers(min_value=6569, max_value=6580),
    st.integers(min_value=7299, max_value=7310),
)


def days_after(day: date) -> Iterator[date]:
    while True:
        day += ONE_DAY
        yield day


def is_leap(year: int) -> bool:
    return (date(year, 3, 1) - ONE_DAY).day == 29


def is_birthday(day: date, born: date) -> bool:
    """Of one born on 29 February: the 28th, in a common year."""
    if (born.month, born.day) == (2, 29) and not is_leap(day.year):
        return (day.month, day.day) == (2, 28)
    return (day.month, day.day) == (born.month, born.day)


def nth_birthday_after(issued: date, born: date, n: int) -> date:
    for day in days_after(issued):
        n -= is_birthday(day, born)
        if n == 0:
            return day
    raise AssertionError


def years_of_age(born: date, on: date) -> int:
    """Years that are full on this day: those whose same day of the month has come.

    29 February comes, in a common year, with 1 March.
    """
    day, years = born, 0
    while day < on:
        day += ONE_DAY
        same = (day.month, day.day) == (born.month, born.day)
        leapt = (born.month, born.day) == (2, 29) and not is_leap(day.year)
        years += same or (leapt and (day.month, day.day) == (3, 1))
    return years


def adult(born: date, issued: date) -> bool:
    return years_of_age(born, issued) >= (20 if issued <= date(2022, 3, 31) else 18)


def first_day_of_renewal(expiry: date) -> date:
    """Walk back to the month three months before, and in it to the day of the same number."""
    months_back, day = 0, expiry
    while months_back < 3 or day.day > expiry.day:
        before = day - ONE_DAY
        months_back += before.month != day.month
        day = before
    return day + ONE_DAY


@settings(max_examples=150, deadline=None)
@given(born=births, age=ages)
def test_r5_r6_a_card_and_its_certificates_end_on_birthdays_counted_one_by_one(
    born: date, age: int
) -> None:
    issued = born + timedelta(days=age)
    found = validity(issued, born)
    card = nth_birthday_after(issued, born, 10 if adult(born, issued) else 5)
    assert found.card_valid_until == card
    assert found.certificate_valid_until == min(card, nth_birthday_after(issued, born, 5))


@settings(max_examples=100, deadline=None)
@given(born=births, age=ages, stay=st.integers(min_value=0, max_value=365 * 12))
def test_r8_a_foreign_resident_s_card_ends_with_the_stay_and_its_certificates_not_after_it(
    born: date, age: int, stay: int
) -> None:
    issued = born + timedelta(days=age)
    until = issued + timedelta(days=stay)
    found = validity(issued, born, resident_until=until)
    assert found.card_valid_until == until
    assert found.certificate_valid_until == min(until, nth_birthday_after(issued, born, 5))
    by_birthday = nth_birthday_after(issued, born, 10 if adult(born, issued) else 5)
    outlasts = Edge.STAY_PAST_BIRTHDAY in {remark.edge for remark in found.remarks}
    assert outlasts == (until > by_birthday)


@given(born=births, age=ages)
@settings(max_examples=150, deadline=None)
def test_the_interpretation_is_marked_exactly_where_one_day_more_would_have_made_an_adult(
    born: date, age: int
) -> None:
    issued = born + timedelta(days=age)
    marked = {remark.edge: remark.day for remark in validity(issued, born).remarks}
    majority = 20 if issued <= date(2022, 3, 31) else 18
    turns = years_of_age(born, issued) == majority - 1
    turns = turns and years_of_age(born, issued + ONE_DAY) == majority
    assert (Edge.OF_AGE_NEXT_DAY in marked) == turns
    if turns:
        assert marked[Edge.OF_AGE_NEXT_DAY] == nth_birthday_after(issued, born, 10)


@given(expiry=st.dates(min_value=date(2016, 1, 1), max_value=date(2200, 1, 1)))
@settings(max_examples=400, deadline=None)
def test_r7_renewal_opens_where_walking_back_three_months_leads(expiry: date) -> None:
    opens = first_day_of_renewal(expiry)
    assert renewal_opens(expiry) == opens
    assert renewal_phase(expiry, opens - ONE_DAY) is RenewalPhase.NOT_OPEN
    assert renewal_phase(expiry, opens) is RenewalPhase.OPEN
    assert renewal_phase(expiry, expiry) is RenewalPhase.OPEN
    assert renewal_phase(expiry, expiry + ONE_DAY) is RenewalPhase.EXPIRED
    assert (month_end(expiry) is not None) == ((opens - ONE_DAY).day != expiry.day)


@given(
    start=st.dates(min_value=date(2016, 1, 1), max_value=date(2200, 1, 1)),
    move=st.sampled_from(Move),
)
def test_r10_r11_r12_the_days_are_counted_from_the_step_as_day_0(start: date, move: Move) -> None:
    lapses_on_day = {Move.NOTIFIED: 90, Move.MOVED_OUT: 30, Move.MOVED_IN: 14}[move]
    days = days_after(start)
    counted = {number: next(days) for number in range(1, lapses_on_day + 1)}
    deadline = Deadline(move=move, start=start)
    assert deadline.lapses == counted[lapses_on_day]
    assert deadline.last_safe_day == counted[lapses_on_day - 1]
    assert not deadline.is_missed(counted[lapses_on_day - 1])
    assert deadline.is_missed(counted[lapses_on_day])
