"""The rules of the residents' guides about the life of a certificate."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jpki.lifecycle import Deadline, Move, day_in_japan, is_of_age, renewal_opens, validity


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
