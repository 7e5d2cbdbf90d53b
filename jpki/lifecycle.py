"""The life of card and certificates by the rules of the residents' guides, as functions of dates.

Days are days in Japan: a certificate's last day ends at 14:59:59 UTC.
"""

import calendar
from datetime import date, datetime, timedelta, timezone
from typing import Final

JAPAN: Final = timezone(timedelta(hours=9), "JST")
RENEWAL_MONTHS: Final = 3


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
    month_index = expiry.year * 12 + expiry.month - 1 - RENEWAL_MONTHS
    year, month = divmod(month_index, 12)
    day = min(expiry.day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day) + timedelta(days=1)
