"""Command APDUs, ISO/IEC 7816-4:2020 5.2."""

from dataclasses import dataclass, field
from typing import Self

MAX_SHORT_DATA = 255
MAX_SHORT_NE = 256
MAX_EXTENDED_DATA = 65535
MAX_EXTENDED_NE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandApdu:
    """One command, in any of the four cases, short or extended.

    The extended form is chosen where the short one cannot say it: more than 255 bytes of data, or
    more than 256 bytes wanted.

    Raises:
        ValueError: a field is out of range. A programmer's error: nothing here comes from a card.
    """

    cla: int = 0x00
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    """The command data field, 0 to 65535 bytes; empty means that there is no Lc field either."""
    ne: int = 0
    """The most bytes wanted back: 0 none (no Le field), 256 all short, 65536 all extended."""
    sensitive: bool = False
    """Whether ``data`` is a secret, never to be traced. The data of PIN commands always are."""

    def __post_init__(self) -> None:
        for name, value in (("cla", self.cla), ("ins", self.ins), ("p1", self.p1), ("p2", self.p2)):
            if not 0 <= value <= 0xFF:
                raise ValueError(f"{name} does not fit in a byte: {value}")
        if len(self.data) > MAX_EXTENDED_DATA:
            raise ValueError(
                f"{len(self.data)} bytes of command data, the most are {MAX_EXTENDED_DATA}"
            )
        if not 0 <= self.ne <= MAX_EXTENDED_NE:
            raise ValueError(f"ne is {self.ne}, must be 0 to {MAX_EXTENDED_NE}")

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2: four bytes that hold no secret."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def is_extended(self) -> bool:
        """Whether Lc and Le are written in the extended form."""
        return len(self.data) > MAX_SHORT_DATA or self.ne > MAX_SHORT_NE

    def encode(self) -> bytes:
        """Return the bytes for the card; Ne 256 is coded 00, 65536 0000. ISO/IEC 7816-4 5.2."""
        nc = len(self.data)
        if not self.is_extended:
            lc = bytes((nc,)) if nc else b""
            le = bytes((self.ne % 256,)) if self.ne else b""
            return self.header + lc + self.data + le
        # The first length field of an extended APDU starts with 00; if it was Lc, Le goes without.
        lc = b"\x00" + nc.to_bytes(2) if nc else b""
        le = (self.ne % 65536).to_bytes(2) if self.ne else b""
        return self.header + lc + self.data + (le if nc else b"\x00" + le)

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Parse what ``encode`` made: for traces, recordings and tests.

        Raises:
            ValueError: the lengths do not add up. It shows no byte of ``raw`` beyond the count.
        """
        if len(raw) < 4:
            raise ValueError(f"a command has at least 4 bytes, this one {len(raw)}")
        data, ne = _split_body(raw[4:])
        return cls(cla=raw[0], ins=raw[1], p1=raw[2], p2=raw[3], data=data, ne=ne)


def _split_body(body: bytes) -> tuple[bytes, int]:
    """Return the data field and Ne of everything after the header."""
    if not body:
        return b"", 0
    if len(body) == 1:
        return b"", body[0] or MAX_SHORT_NE
    if body[0]:
        return _split_fields(body[1:], nc=body[0], le_size=1)
    if len(body) == 3:
        return b"", int.from_bytes(body[1:]) or MAX_EXTENDED_NE
    return _split_fields(body[3:], nc=int.from_bytes(body[1:3]), le_size=2)


def _split_fields(rest: bytes, *, nc: int, le_size: int) -> tuple[bytes, int]:
    data, le = rest[:nc], rest[nc:]
    if nc == 0 or len(data) < nc or len(le) not in {0, le_size}:
        raise ValueError(f"Lc is {nc}, but {len(rest)} bytes follow it")
    return data, (int.from_bytes(le) or 1 << (8 * le_size)) if le else 0
