"""The rules of the residents' guides about the life of a certificate."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jpki.lifecycle import (
    Deadline,
    Edge,
    Lockout,
    Move,
    Remark,
    RenewalPhase,
    day_in_japan,
    is_of_age,
    lockout,
    month_end,
    renewal_opens,
    renewal_phase,
    validity,
)


@pytest.mark.parametrize(
    ("expiry", "opens"),
    [
        (date(2031, 5, 10), date(2031, 2, 11)),
        (date(2031, 4, 1), date(2031, 1, 2)),
        (date(2031, 1, 31), date(2030, 11, 1)),
        (date(2031, 5, 31), date(2031, 3, 1)),
        (date(2032, 5, 31), date(2032, 3, 1)),  # a leap year: 29 February and a day
        (date(2032, 5, 29), date(2032, 3, 1)),
        (date(2031, 3, 30), date(2030, 12, 31)),
        (date(2031, 3, 31), date(2031, 1, 1)),
    ],
)
def test_renewal_opens_on_the_day_after_the_day_three_months_before_expiry(
    expiry: date, opens: date
) -> None:
    assert renewal_opens(expiry) == opens


@given(expiry=st.dates(min_value=date(2016, 1, 1), max_value=date(2100, 1, 1)))
def test_renewal_is_open_for_about_three_months_and_never_opens_earlier_for_a_later_expiry(
    expiry: date,
) -> None:
    assert timedelta(days=88) <= expiry - renewal_opens(expiry) <= timedelta(days=92)
    assert renewal_opens(expiry) <= renewal_opens(expiry + timedelta(days=1))


def test_the_last_day_is_the_one_in_japan() -> None:
    assert day_in_japan(datetime(2031, 4, 1, 14, 59, 59, tzinfo=UTC)) == date(2031, 4, 1)
    assert day_in_japan(datetime(2031, 4, 1, 15, 0, 0, tzinfo=UTC)) == date(2031, 4, 2)


def valid(issued: date, birth_date: date, resident_until: date | None = None) -> tuple[date, date]:
    found = validity(issued, birth_date, resident_until=resident_until)
    return found.card_valid_until, found.certificate_valid_until


def test_r5_an_adult_s_card_holds_until_the_tenth_birthday_after_issue() -> None:
    assert valid(date(2026, 11, 23), date(1985, 5, 10))[0] == date(2036, 5, 10)


def test_r5_a_birthday_on_the_day_of_issue_is_not_counted() -> None:
    assert valid(date(2026, 5, 10), date(1985, 5, 10))[0] == date(2036, 5, 10)
    assert valid(date(2026, 5, 9), date(1985, 5, 10))[0] == date(2035, 5, 10)


def test_r5_a_minor_s_card_holds_until_the_fifth_birthday_after_issue() -> None:
    assert valid(date(2026, 11, 23), date(2015, 5, 10)) == (date(2031, 5, 10), date(2031, 5, 10))


@pytest.mark.parametrize(
    ("issued", "birth_date", "of_age"),
    [
        (date(2022, 3, 31), date(2003, 3, 31), False),  # 19: a minor by the older law
        (date(2022, 4, 1), date(2003, 3, 31), True),
        (date(2022, 3, 31), date(2002, 3, 31), True),
        (date(2026, 5, 9), date(2008, 5, 10), False),  # the day before the 18th birthday
        (date(2026, 5, 10), date(2008, 5, 10), True),
        (date(2026, 2, 28), date(2008, 2, 29), False),
        (date(2026, 3, 1), date(2008, 2, 29), True),
    ],
)
def test_r5_the_age_of_majority_is_that_of_the_day_of_issue(
    issued: date, birth_date: date, of_age: bool
) -> None:
    assert is_of_age(birth_date, issued) == of_age


def test_r5_who_was_born_on_29_february_has_the_28th_in_a_common_year() -> None:
    assert valid(date(2026, 11, 23), date(1988, 2, 29)) == (date(2036, 2, 29), date(2031, 2, 28))


def test_r6_certificates_hold_until_the_fifth_birthday_after_issue() -> None:
    assert valid(date(2026, 11, 23), date(1985, 5, 10))[1] == date(2031, 5, 10)


def test_r6_certificates_do_not_outlive_the_card() -> None:
    assert valid(date(2026, 11, 23), date(1985, 5, 10), date(2028, 1, 31)) == (
        date(2028, 1, 31),
        date(2028, 1, 31),
    )


def test_r8_a_foreign_resident_s_card_holds_until_the_end_of_the_stay_whenever_that_is() -> None:
    assert valid(date(2026, 11, 23), date(1985, 5, 10), date(2050, 1, 1))[0] == date(2050, 1, 1)


def test_r7_the_renewal_of_the_certificates_opens_before_they_end() -> None:
    found = validity(date(2026, 11, 23), date(1985, 5, 10))
    assert found.renewal_opens == date(2031, 2, 11)


@pytest.mark.parametrize(
    ("issued", "birth_date", "resident_until"),
    [
        (date(2020, 1, 1), date(2020, 1, 2), None),
        (date(2026, 1, 2), date(1985, 5, 10), date(2026, 1, 1)),
    ],
)
def test_dates_in_an_order_that_cannot_be_are_refused(
    issued: date, birth_date: date, resident_until: date | None
) -> None:
    with pytest.raises(ValueError, match="before"):
        validity(issued, birth_date, resident_until=resident_until)


@pytest.mark.parametrize(
    ("move", "last_safe_day", "lapses"),
    [
        (Move.NOTIFIED, date(2026, 6, 29), date(2026, 6, 30)),  # R10: days 89 and 90
        (Move.MOVED_OUT, date(2026, 4, 30), date(2026, 5, 1)),  # R11: days 29 and 30
        (Move.MOVED_IN, date(2026, 4, 14), date(2026, 4, 15)),  # R12: days 13 and 14
    ],
)
def test_r10_r11_r12_a_move_has_a_last_safe_day_and_one_on_which_the_card_may_lapse(
    move: Move, last_safe_day: date, lapses: date
) -> None:
    deadline = Deadline(move=move, start=date(2026, 4, 1))
    assert (deadline.last_safe_day, deadline.lapses) == (last_safe_day, lapses)


@given(
    birth_date=st.dates(min_value=date(1900, 1, 1), max_value=date(2020, 1, 1)),
    issued=st.dates(min_value=date(2020, 1, 1), max_value=date(2080, 1, 1)),
)
def test_whoever_the_holder_is_certificates_hold_for_four_to_five_years(
    birth_date: date, issued: date
) -> None:
    found = validity(issued, birth_date)
    assert timedelta(days=4 * 365) <= found.certificate_valid_until - issued
    assert found.certificate_valid_until - issued <= timedelta(days=5 * 366)
    assert found.certificate_valid_until <= found.card_valid_until


def remarks(issued: date, birth_date: date, resident_until: date | None = None) -> dict[Edge, date]:
    found = validity(issued, birth_date, resident_until=resident_until).remarks
    return {remark.edge: remark.day for remark in found}


@pytest.mark.parametrize(
    ("issued", "birth_date", "edges"),
    [
        (date(2026, 11, 23), date(1985, 5, 10), {}),
        # 29 February: the 5th birthday after is in a common year, the 10th, or neither.
        (date(2026, 11, 23), date(1988, 2, 29), {Edge.LEAP_DAY: date(2031, 2, 28)}),
        (date(2023, 6, 1), date(1988, 2, 29), {Edge.LEAP_DAY: date(2033, 2, 28)}),
        (date(2023, 6, 1), date(2016, 2, 29), {}),
        # 18 on the day after issue; 18 on the day of issue; 20 by the older law.
        (date(2026, 5, 9), date(2008, 5, 10), {Edge.OF_AGE_NEXT_DAY: date(2035, 5, 10)}),
        (date(2026, 5, 10), date(2008, 5, 10), {}),
        (date(2026, 5, 8), date(2008, 5, 10), {}),
        (date(2021, 5, 9), date(2001, 5, 10), {Edge.OF_AGE_NEXT_DAY: date(2030, 5, 10)}),
        (date(2021, 5, 9), date(2003, 5, 10), {}),
        # The law changed over night: nobody's birthday.
        (date(2022, 3, 31), date(2003, 5, 10), {}),
        (date(2022, 3, 31), date(2004, 4, 1), {}),
        # Three months before 31 May.
        (date(2026, 11, 23), date(1985, 5, 31), {Edge.MONTH_END: date(2031, 2, 28)}),
        (date(2027, 6, 1), date(1985, 5, 30), {Edge.MONTH_END: date(2032, 2, 29)}),
        (date(2027, 6, 1), date(1985, 5, 29), {}),
        (date(2015, 12, 31), date(1985, 5, 10), {Edge.BEFORE_FIRST_CARD: date(2016, 1, 1)}),
        (date(2016, 1, 1), date(1985, 5, 10), {}),
    ],
)
def test_an_edge_is_remarked_where_a_date_depends_on_it_and_nowhere_else(
    issued: date, birth_date: date, edges: dict[Edge, date]
) -> None:
    assert remarks(issued, birth_date) == edges


def test_the_end_of_a_stay_is_no_birthday_and_so_has_none_of_its_edges() -> None:
    stay = date(2029, 3, 20)
    assert remarks(date(2026, 11, 23), date(1988, 2, 29), stay) == {}
    assert remarks(date(2026, 5, 9), date(2008, 5, 10), stay) == {}


def test_r8_a_stay_that_outlasts_the_birthdays_is_remarked() -> None:
    found = remarks(date(2026, 6, 1), date(2015, 5, 10), date(2031, 5, 30))
    assert found == {Edge.STAY_PAST_BIRTHDAY: date(2031, 5, 10)}


def test_r7_the_end_of_february_is_named_for_31_may() -> None:
    assert month_end(date(2031, 5, 31)) == Remark(edge=Edge.MONTH_END, day=date(2031, 2, 28))
    assert month_end(date(2032, 5, 31)) == Remark(edge=Edge.MONTH_END, day=date(2032, 2, 29))
    assert month_end(date(2031, 5, 28)) is None


@pytest.mark.parametrize(
    ("today", "phase"),
    [
        (date(2031, 2, 28), RenewalPhase.NOT_OPEN),
        (date(2031, 3, 1), RenewalPhase.OPEN),
        (date(2031, 5, 31), RenewalPhase.OPEN),
        (date(2031, 6, 1), RenewalPhase.EXPIRED),
    ],
)
def test_r7_the_renewal_window_begins_on_1_march_and_ends_with_the_last_day(
    today: date, phase: RenewalPhase
) -> None:
    assert renewal_phase(date(2031, 5, 31), today) is phase


@pytest.mark.parametrize(
    ("time", "day"),
    [
        (datetime.max.replace(tzinfo=UTC), date.max),
        (datetime.min.replace(tzinfo=UTC), date.min),
    ],
)
def test_the_ends_of_the_calendar_are_days_too(time: datetime, day: date) -> None:
    assert day_in_japan(time) == day
    assert renewal_opens(day) <= day or day == date.min


def test_r11_r12_a_notice_that_was_given_in_time_stops_the_clock() -> None:
    start = date(2026, 4, 1)
    for move, last in ((Move.MOVED_OUT, date(2026, 4, 30)), (Move.MOVED_IN, date(2026, 4, 14))):
        later = date(2027, 1, 1)
        assert Deadline(move=move, start=start).is_missed(later)
        assert not Deadline(move=move, start=start, done=last).is_missed(later)
        assert Deadline(move=move, start=start, done=last + timedelta(days=1)).is_missed(later)


@pytest.mark.parametrize(
    ("signature", "authentication", "certificate", "meaning"),
    [
        (5, 3, True, Lockout.NONE),
        (1, 1, None, Lockout.NONE),
        (None, None, None, Lockout.NONE),
        (0, 3, True, Lockout.ENTRIES),
        (0, 3, None, Lockout.ENTRIES),
        (0, 1, False, Lockout.NO_SIGNATURE_CERTIFICATE),
        (5, 0, True, Lockout.ENTRIES),
        (5, 0, False, Lockout.ENTRIES),
        (0, 0, True, Lockout.PERHAPS_FACE_AUTHENTICATION),
        (0, 0, False, Lockout.PERHAPS_FACE_AUTHENTICATION),
        (0, 0, None, Lockout.PERHAPS_FACE_AUTHENTICATION),
        (0, None, True, Lockout.PERHAPS_FACE_AUTHENTICATION),
        (None, 0, True, Lockout.PERHAPS_FACE_AUTHENTICATION),
    ],
)
def test_r17_both_pins_blocked_may_be_a_face_authentication_card_and_one_alone_is_none(
    signature: int | None, authentication: int | None, certificate: bool | None, meaning: Lockout
) -> None:
    found = lockout(signature, authentication, has_signature_certificate=certificate)
    assert found is meaning
