"""Japanese eras (元号) and the dates that a certificate writes with them."""

from datetime import date
from enum import StrEnum
from typing import Final, Self


class Era(StrEnum):
    """元号. First and last day are both of the era, so two eras share a day that changed them."""

    code: str
    first_day: date
    last_day: date

    # The default: type checkers take ``Era("showa")``, a look-up, for a call of this.
    def __new__(
        cls, word: str, code: str = "", first_day: date = date.min, last_day: date = date.max
    ) -> Self:
        """Make a member whose value is the word and which knows its digit and its days."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.code = code
        member.first_day = first_day
        member.last_day = last_day
        return member

    UNKNOWN = "unknown", "0"
    MEIJI = "meiji", "1", date(1868, 1, 25), date(1912, 7, 30)
    """明治, which began on New Year's Day of the old calendar."""
    TAISHO = "taisho", "2", date(1912, 7, 30), date(1926, 12, 25)
    """大正."""
    SHOWA = "showa", "3", date(1926, 12, 25), date(1989, 1, 7)
    """昭和."""
    HEISEI = "heisei", "4", date(1989, 1, 8), date(2019, 4, 30)
    """平成."""
    REIWA = "reiwa", "5", date(2019, 5, 1)
    """令和."""

    def holds(self, day: date) -> bool:
        """Tell whether a day may be of this era; of the unknown one every day may."""
        return self.first_day <= day <= self.last_day

    def year_of(self, day: date) -> int | None:
        """Return the year of the era, counted from 1; None where the day is not of a known era."""
        if self is Era.UNKNOWN or not self.holds(day):
            return None
        return day.year - self.first_day.year + 1


ERA_OF_CODE: Final = {era.code: era for era in Era}
"""The digits of a certificate; 6 to 9 are not given away yet."""
