"""BER-TLV data objects, ISO/IEC 7816-4:2020 6.3.

Parsing is total: any bytes give a value or ``MalformedResponseError``, and in bounded time, because
a length is believed only as far as there are bytes.
"""

from dataclasses import dataclass, field
from typing import Self

from apdu.errors import MalformedResponseError

_MORE_TAG_BYTES = 0x1F  # the low bits of a first byte that does not hold the tag number
_CONSTRUCTED = 0x20
_MAX_TAG_BYTES = 3  # longer ones are reserved for future use. ISO/IEC 7816-4 6.3
_MAX_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tlv:
    """One data object.

    Raises:
        ValueError: no such tag can be encoded. A programmer's error.
    """

    tag: int
    """The tag's bytes as one number, as the standards print it: 0x7F21, 0x5F37, 0xFF10, 0x86."""
    value: bytes = field(repr=False)
    """The value field. Not in the repr: it may be a person's name."""

    def __post_init__(self) -> None:
        if self.tag < 1:
            raise ValueError(f"{self.tag} is no tag")
        encoded = _tag_bytes(self.tag)
        try:
            tag, end = _parse_tag(encoded, 0)
        except MalformedResponseError as error:
            raise ValueError(f"{self.tag:X} is no tag: {error.what}") from None
        if tag != self.tag or end != len(encoded):
            raise ValueError(f"{self.tag:X} is no tag")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse exactly one data object.

        Raises:
            MalformedResponseError: it is not one, or something follows it.
        """
        parsed, end = cls._parse_at(data, 0)
        if end != len(data):
            raise MalformedResponseError("bytes after the data object", end)
        return parsed

    @classmethod
    def parse_prefix(cls, data: bytes) -> tuple[Self, bytes]:
        """Parse the first data object; return it and what follows it: a file's padding, say.

        Raises:
            MalformedResponseError: there is no whole data object at the start.
        """
        parsed, end = cls._parse_at(data, 0)
        return parsed, data[end:]

    @classmethod
    def parse_all(cls, data: bytes) -> tuple[Self, ...]:
        """Parse data objects, none or many, to the last byte.

        Raises:
            MalformedResponseError: they do not end with the bytes.
        """
        parsed: list[Self] = []
        offset = 0
        while offset < len(data):
            one, offset = cls._parse_at(data, offset)
            parsed.append(one)
        return tuple(parsed)

    @property
    def is_constructed(self) -> bool:
        """Whether the tag says that the value is made of data objects."""
        return bool(_tag_bytes(self.tag)[0] & _CONSTRUCTED)

    def children(self) -> tuple[Self, ...]:
        """Parse the value as data objects. Offsets in errors count from the start of the value."""
        return self.parse_all(self.value)

    def encode(self) -> bytes:
        """Return tag, length in as few bytes as can be, and value."""
        count = len(self.value)
        if count < 0x80:
            length = bytes((count,))
        else:
            size = (count.bit_length() + 7) // 8
            length = bytes((0x80 | size,)) + count.to_bytes(size)
        return _tag_bytes(self.tag) + length + self.value

    @classmethod
    def _parse_at(cls, data: bytes, offset: int) -> tuple[Self, int]:
        tag, length_at = _parse_tag(data, offset)
        count, value_at = _parse_length(data, length_at)
        end = value_at + count
        if end > len(data):
            what = f"a data object of {count} bytes, {len(data) - value_at} are there"
            raise MalformedResponseError(what, value_at)
        return cls(tag=tag, value=data[value_at:end]), end


def encoded_size(head: bytes) -> int:
    """Return the size of the whole data object that starts with ``head``, header included.

    Two to seven bytes are enough: so a file that is padded beyond its one object can be read in as
    few commands as it takes. The size is the card's word; bound it before believing it.

    Raises:
        MalformedResponseError: the header is not sound, or longer than ``head``.
    """
    _, length_at = _parse_tag(head, 0)
    count, value_at = _parse_length(head, length_at)
    return value_at + count


def _tag_bytes(tag: int) -> bytes:
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8))


def _parse_tag(data: bytes, offset: int) -> tuple[int, int]:
    """Return the tag and the offset behind it.

    A second byte below 1F is accepted although DER would say it in one byte.
    # seen on card: FF10, FF20 in the card's text application.
    """
    first = _byte(data, offset, "tag")
    if first == 0x00:
        raise MalformedResponseError("tag 00", offset)
    end = offset + 1
    if first & _MORE_TAG_BYTES == _MORE_TAG_BYTES:
        while _byte(data, end, "tag") & 0x80:
            end += 1
            if end - offset >= _MAX_TAG_BYTES:
                raise MalformedResponseError("a tag of more than three bytes", offset)
        end += 1
    return int.from_bytes(data[offset:end]), end


def _parse_length(data: bytes, offset: int) -> tuple[int, int]:
    """Return the length and the offset behind it. More bytes than needed are no error in BER."""
    first = _byte(data, offset, "length")
    if first < 0x80:
        return first, offset + 1
    size = first & 0x7F
    if not 1 <= size <= _MAX_LENGTH_BYTES:  # 80 is the indefinite form, which cards do not use
        raise MalformedResponseError(f"a length that starts with {first:02X}", offset)
    end = offset + 1 + size
    if end > len(data):
        raise MalformedResponseError("the length is cut off", len(data))
    return int.from_bytes(data[offset + 1 : end]), end


def _byte(data: bytes, offset: int, what: str) -> int:
    if offset >= len(data):
        raise MalformedResponseError(f"the {what} is cut off", len(data))
    return data[offset]
