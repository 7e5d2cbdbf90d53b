"""Answer To Reset, ISO/IEC 7816-3:2006 8.2.

A contactless reader makes one up (PC/SC part 3, 3.1.3.2.3), so an ATR tells what a reader says, and
never which card it is.
"""

from dataclasses import dataclass, field
from typing import Self

from apdu.errors import MalformedResponseError

_CONVENTIONS = frozenset({0x3B, 0x3F})  # TS: direct, inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Atr:
    """The parts of an ATR that say something to a program."""

    raw: bytes
    """All of it, 2 to 33 bytes."""
    protocols: tuple[int, ...]
    """Transmission protocols in the order of the card, without global parameters (T=15): (0, 1)."""
    historical_bytes: bytes = field(repr=False)
    """Up to 15 bytes, coded by ISO/IEC 7816-4 12.1.1."""

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Parse an ATR; any bytes give a value or the error below.

        Raises:
            MalformedResponseError: cut off, too long, or its check byte is wrong.
        """
        if not 2 <= len(raw) <= 33:
            raise MalformedResponseError(f"an ATR of {len(raw)} bytes", len(raw))
        if raw[0] not in _CONVENTIONS:
            raise MalformedResponseError(f"an ATR that starts with {raw[0]:02X}", 0)
        protocols, start = _parse_interface_bytes(raw)
        end = start + (raw[1] & 0x0F)
        # TCK follows unless T=0 is the only protocol; it makes the XOR of all after TS zero.
        has_check = protocols != [0]
        if len(raw) != end + has_check:
            raise MalformedResponseError(f"an ATR of {len(raw)}, not {end + has_check} bytes", end)
        if has_check and _xor(raw[1:]):
            raise MalformedResponseError("the check byte of the ATR is wrong", end)
        transmission = tuple(dict.fromkeys(p for p in protocols if p != 15))
        return cls(raw=raw, protocols=transmission, historical_bytes=raw[start:end])


def _parse_interface_bytes(raw: bytes) -> tuple[list[int], int]:
    """Return the protocols of all TDi (T=0 if there is none) and where the historical bytes are."""
    protocols: list[int] = []
    presence, offset = raw[1] >> 4, 2
    while True:
        offset += (presence & 0x7).bit_count()  # TAi, TBi, TCi
        if not presence & 0x8:  # no TDi
            return protocols or [0], offset
        if offset >= len(raw):
            raise MalformedResponseError("the ATR is cut off", len(raw))
        presence, protocol = raw[offset] >> 4, raw[offset] & 0x0F
        protocols.append(protocol)
        offset += 1


def _xor(data: bytes) -> int:
    check = 0
    for byte in data:
        check ^= byte
    return check
