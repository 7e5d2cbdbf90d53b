"""The clock of a site: an argument everywhere, so that a test need not wait five minutes."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the time, with a time zone."""


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def seconds(clock: Clock) -> float:
    """The clock's time as seconds since 1970 in UTC.

    Raises:
        ValueError: it has no time zone (a bug of the caller).
    """
    now = clock()
    if now.tzinfo is None:
        raise ValueError("the clock needs a time zone")
    return now.timestamp()
