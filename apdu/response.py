"""Response APDUs, ISO/IEC 7816-4:2020 5.2 and 5.6."""

from dataclasses import dataclass, field
from typing import Self

from apdu.errors import MalformedResponseError

MAX_RESPONSE = 65536 + 2
"""The longest answer there can be: the data of the greatest extended Ne, and the status word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseApdu:
    """One answer: the data field and the status word."""

    data: bytes = field(repr=False)
    """The data field, 0 to 65536 bytes. Not in the repr: a certificate names its holder."""
    sw: int
    """SW1-SW2 as a 16-bit number."""

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Split an answer into data and status word; any bytes give a value or the error below.

        Raises:
            MalformedResponseError: fewer than two bytes, more than an extended answer can have, or
                the last two are no status word (SW1 is 61 to 6F or 90 to 9F. ISO/IEC 7816-4 5.6):
                this is what an answer looks like that was cut off.
        """
        if len(raw) < 2:
            raise MalformedResponseError(
                f"{len(raw)} bytes are too few for a status word", len(raw)
            )
        if len(raw) > MAX_RESPONSE:
            raise MalformedResponseError(
                f"{len(raw)} bytes are more than an answer can have", MAX_RESPONSE
            )
        if raw[-2] >> 4 not in {0x6, 0x9} or raw[-2] == 0x60:
            raise MalformedResponseError(
                f"{raw[-2]:02X} does not start a status word", len(raw) - 2
            )
        return cls(data=raw[:-2], sw=int.from_bytes(raw[-2:]))

    def encode(self) -> bytes:
        """Return the bytes as they came from the card."""
        return self.data + self.sw.to_bytes(2)
