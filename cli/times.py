"""Times as people read them: in the zone of this computer, which is named."""

from datetime import datetime


def local_time(time: datetime) -> str:
    """A time to the minute, with its offset from UTC."""
    local = time.astimezone()
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} (UTC{offset[:3]}:{offset[3:]})"
