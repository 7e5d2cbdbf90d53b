"""The rules of the residents' guides about the life of a certificate."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jpki.lifecycle import last_day, renewal_opens


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
    assert last_day(datetime(2031, 4, 1, 14, 59, 59, tzinfo=UTC)) == date(2031, 4, 1)
    assert last_day(datetime(2031, 4, 1, 15, 0, 0, tzinfo=UTC)) == date(2031, 4, 2)
