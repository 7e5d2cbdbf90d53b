"""Distinguished encoding of ASN.1, ITU-T X.690 10: what is needed beside `cryptography`.

Strict: one-byte tags, definite and minimal lengths; what `cryptography` parsed as a certificate
fits.
"""

from dataclasses import dataclass

CONSTRUCTED = 0x20
SEQUENCE = 0x30
SET = 0x31
OCTET_STRING = 0x04
UTF8_STRING = 0x0C
EXPLICIT_0 = 0xA0


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One TLV: where it starts in the data, where its contents do, and where both end."""

    tag: int
    start: int
    contents: int
    end: int


class DerError(ValueError):
    """The bytes are no strict DER. Callers turn it into their own word."""


def read_element(data: bytes, offset: int = 0) -> Element:
    """Read the TLV at an offset. Raises: DerError."""
    if offset + 2 > len(data):
        raise DerError("truncated header")
    tag, first = data[offset], data[offset + 1]
    if tag & 0x1F == 0x1F:
        raise DerError("multi-byte tag")
    contents = offset + 2
    size = first
    if first & 0x80:
        octets = first & 0x7F
        contents += octets
        size = int.from_bytes(data[offset + 2 : contents], "big")
        if octets == 0 or contents > len(data) or encode_length(size)[0] != first or size < 0x80:
            raise DerError("length not definite and minimal")
    if contents + size > len(data):
        raise DerError("contents longer than the data")
    return Element(tag=tag, start=offset, contents=contents, end=contents + size)


def children(data: bytes, parent: Element) -> list[Element]:
    """Read the TLVs inside a constructed one. Raises: DerError."""
    found: list[Element] = []
    offset = parent.contents
    while offset < parent.end:
        element = read_element(data, offset)
        if element.end > parent.end:
            raise DerError("element longer than its parent")
        found.append(element)
        offset = element.end
    return found


def encode_length(size: int) -> bytes:
    """Encode a length in as few bytes as it takes, X.690 10.1."""
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def check_der(data: bytes) -> None:
    """Check that the data are one value in DER: strict lengths, every SET in order, X.690 11.6.

    Raises:
        DerError: they are not.
    """
    root = read_element(data)
    if root.end != len(data):
        raise DerError("bytes after the end")
    pending = [root]
    while pending:
        parent = pending.pop()
        found = children(data, parent)
        if parent.tag == SET:
            encodings = [data[element.start : element.end] for element in found]
            if encodings != sorted(encodings):
                raise DerError("a SET out of order")
        pending += [element for element in found if element.tag & CONSTRUCTED]
