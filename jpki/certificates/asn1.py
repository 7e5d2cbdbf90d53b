"""ASN.1 read where it stands, ITU-T X.690: BER as other people's CMS comes, or strictly DER.

No recursion, no copy, one error, and bounds: elements are looked at one level at a time, and only
indefinite lengths make the reader look deeper, to find their end.
"""

from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

MAX_DEPTH = 64  # of nested indefinite lengths; a CMS signature by OpenSSL has 4
MAX_ELEMENTS = 1_000_000  # looked at in one document; OpenSSL streams 1.5 GiB as 400,000
MAX_CHILDREN = 20_000  # of one element: certificates of a bag, attributes of a signer

CONSTRUCTED = 0x20
HIGH_TAG = 0x1F  # all ones: the number of the tag follows, X.690 8.1.2.4
SEQUENCE = 0x30
SET = 0x31
BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
EXPLICIT_0 = 0xA0
END_OF_CONTENTS = b"\x00\x00"
INDEFINITE = 0x80
LONG_FORM = 0x80  # of a length: the other bits say how many octets follow


class Asn1Error(ValueError):
    """The bytes are not what they should be. Callers turn it into a word of their own."""


class Element(NamedTuple):
    """One TLV, as offsets into the data of its reader."""

    tag: int
    start: int
    contents: int
    contents_end: int
    end: int  # after the end-of-contents octets, if any


class Asn1Reader:
    """Reads elements out of one document and counts them. Its methods raise ``Asn1Error``.

    Args:
        data: the document, or many elements in a row.
        strict: take definite lengths only, in as few bytes as can be. X.690 10.1.
    """

    def __init__(self, data: bytes | mmap, *, strict: bool = False) -> None:
        self.data = data
        self._strict = strict
        self._left = MAX_ELEMENTS
        self._ends: dict[int, int] = {}  # of indefinite lengths, so that each is scanned once

    def document(self) -> Element:
        """Read the one element that the data consist of."""
        element = self.element(0, len(self.data))
        if element.end != len(self.data):
            raise Asn1Error("bytes after the end")
        return element

    def element(self, offset: int, limit: int) -> Element:
        """Read the element at an offset that must end before a limit."""
        tag, contents, size = self._header(offset, limit)
        if size is None:
            contents_end = self._end_of_contents(contents, limit)
            return Element(tag, offset, contents, contents_end, contents_end + 2)
        return Element(tag, offset, contents, contents + size, contents + size)

    def children(self, parent: Element) -> list[Element]:
        """Read the elements inside a constructed one."""
        if not parent.tag & CONSTRUCTED:
            raise Asn1Error("a primitive element where a constructed one belongs")
        found: list[Element] = []
        data, offset, limit = self.data, parent.contents, parent.contents_end
        while offset < limit:
            contents = offset + 2
            size = data[contents - 1] if contents <= limit else LONG_FORM
            tag, end = data[offset], contents + size
            # Most are short: a call for each would take as long as all else.
            if size < LONG_FORM and end <= limit and tag & HIGH_TAG != HIGH_TAG and self._left > 0:
                self._left -= 1
                found.append(tuple.__new__(Element, (tag, offset, contents, end, end)))
            else:
                found.append(self.element(offset, limit))
            if len(found) > MAX_CHILDREN:
                raise Asn1Error("too many elements in one")
            offset = found[-1].end
        return found

    def expect(self, element: Element, tag: int) -> Element:
        """Return the element if it has the tag."""
        if element.tag != tag:
            raise Asn1Error(f"tag {element.tag:02X} where {tag:02X} belongs")
        return element

    def sequence(self, element: Element, minimum: int) -> list[Element]:
        """Return the children of a SEQUENCE that has at least so many."""
        found = self.children(self.expect(element, SEQUENCE))
        if len(found) < minimum:
            raise Asn1Error("a SEQUENCE that is too short")
        return found

    def encoding(self, element: Element) -> bytes:
        """Return header and contents of an element."""
        return self.data[element.start : element.end]

    def contents(self, element: Element) -> bytes:
        """Return the contents of an element, without its header."""
        return self.data[element.contents : element.contents_end]

    def octets(self, element: Element) -> Iterator[memoryview]:
        """Yield the value of an OCTET STRING in pieces, primitive or constructed, uncopied."""
        view = memoryview(self.data)
        pending = [(element.start, element.end)]
        while pending:
            offset, limit = pending.pop()
            while offset < limit:
                part = self.element(offset, limit)
                offset = part.end
                if part.tag == OCTET_STRING:
                    yield view[part.contents : part.contents_end]
                elif part.tag == OCTET_STRING | CONSTRUCTED:
                    pending.append((offset, limit))
                    offset, limit = part.contents, part.contents_end
                else:
                    raise Asn1Error("no OCTET STRING")

    def _header(self, offset: int, limit: int) -> tuple[int, int, int | None]:
        self._left -= 1
        if self._left < 0:
            raise Asn1Error("too many elements")
        data = self.data
        if offset + 2 > limit:
            raise Asn1Error("truncated header")
        tag, first = data[offset], data[offset + 1]
        if tag & HIGH_TAG == HIGH_TAG:
            raise Asn1Error("a tag that CMS does not have")
        contents = offset + 2
        if first == INDEFINITE:
            if not tag & CONSTRUCTED or self._strict:
                raise Asn1Error("an indefinite length where there is none")
            return tag, contents, None
        size = first
        if first & LONG_FORM:
            octets = first & 0x7F
            if octets > 8 or contents + octets > limit:
                raise Asn1Error("a length that cannot be")
            size = int.from_bytes(data[contents : contents + octets], "big")
            contents += octets
            if self._strict and (size < LONG_FORM or not size >> 8 * (octets - 1)):
                raise Asn1Error("a length in more bytes than it takes")
        if contents + size > limit:
            raise Asn1Error("an element longer than what holds it")
        return tag, contents, size

    def _end_of_contents(self, offset: int, limit: int) -> int:
        """Find where an element of indefinite length ends, and all inside it on the way."""
        known = self._ends.get(offset)
        if known is not None:
            return known
        open_elements = [offset]
        while open_elements:
            if self.data[offset : offset + 2] == END_OF_CONTENTS and offset + 2 <= limit:
                self._ends[open_elements.pop()] = offset
                offset += 2
                continue
            _, contents, size = self._header(offset, limit)
            if size is None:
                open_elements.append(contents)
                if len(open_elements) > MAX_DEPTH:
                    raise Asn1Error("nested too deeply")
                offset = contents
            else:
                offset = contents + size
        return offset - len(END_OF_CONTENTS)


def encode_length(size: int) -> bytes:
    """Encode a length in as few bytes as it takes, X.690 10.1."""
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(octets)]) + octets


def is_der(data: bytes) -> bool:
    """Tell whether the data are one value in DER, every SET in order. X.690 10.1, 11.6."""
    reader = Asn1Reader(data, strict=True)
    try:
        pending = [reader.document()]
        while pending:
            parent = pending.pop()
            found = reader.children(parent)
            if parent.tag == SET:
                encodings = [reader.encoding(element) for element in found]
                if encodings != sorted(encodings):
                    return False
            pending += [element for element in found if element.tag & CONSTRUCTED]
    except Asn1Error:
        return False
    return True
