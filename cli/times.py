"""Times as people read them, with their zone."""

from datetime import UTC, datetime

from jpki.lifecycle import JAPAN


def local_time(time: datetime) -> str:
    """A time to the minute in the zone of this computer, with its offset from UTC."""
    try:
        local = time.astimezone()
    except OverflowError:  # the end of the year 9999, which means "no end"
        local = time.astimezone(UTC)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} (UTC{offset[:3]}:{offset[3:]})"


def japan_time(time: datetime) -> str:
    """A time to the second in Japan, where a certificate of JPKI ends with a day."""
    try:
        return f"{time.astimezone(JAPAN):%Y-%m-%d %H:%M:%S} JST"
    except OverflowError:
        return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
