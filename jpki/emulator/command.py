"""Command APDUs as they arrive, ISO/IEC 7816-3:2006 12.1."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One parsed command APDU. ``ne`` is 0 where there is no Le field."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    ne: int = 0
    extended: bool = False


def parse_command(raw: bytes) -> Command | None:
    """Parse a command APDU; None when its lengths contradict each other. ISO/IEC 7816-3 12.1.3."""
    if len(raw) < 4:
        return None
    body = raw[4:]
    if len(body) <= 1 or body[0] != 0:
        lengths = _short_lengths(body)
        extended = False
    else:
        lengths = _extended_lengths(body)
        extended = True
    if lengths is None:
        return None
    data, ne = lengths
    return Command(
        cla=raw[0], ins=raw[1], p1=raw[2], p2=raw[3], data=data, ne=ne, extended=extended
    )


def _short_lengths(body: bytes) -> tuple[bytes, int] | None:
    """Cases 1, 2S, 3S and 4S -> data and Ne."""
    if not body:
        return b"", 0
    if len(body) == 1:
        return b"", body[0] or 256
    nc = body[0]
    if len(body) == 1 + nc:
        return body[1:], 0
    if len(body) == 2 + nc:
        return body[1:-1], body[-1] or 256
    return None


def _extended_lengths(body: bytes) -> tuple[bytes, int] | None:
    """Cases 2E, 3E and 4E; the body starts with a zero byte -> data and Ne."""
    if len(body) < 3:
        return None
    number = int.from_bytes(body[1:3])
    if len(body) == 3:
        return b"", number or 65536
    if number == 0:
        return None
    if len(body) == 3 + number:
        return body[3:], 0
    if len(body) == 5 + number:
        return body[3:-2], int.from_bytes(body[-2:]) or 65536
    return None
