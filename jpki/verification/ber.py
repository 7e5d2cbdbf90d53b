"""Basic encoding of ASN.1, ITU-T X.690 8, as other people's CMS comes: read where it stands.

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
SEQUENCE = 0x30
SET = 0x31
INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
END_OF_CONTENTS = b"\x00\x00"
INDEFINITE = 0x80


class BerError(ValueError):
    """The bytes are not what they should be. Verification turns it into the reason `malformed`."""


class Element(NamedTuple):
    """One TLV, as offsets into the data of its reader."""

    tag: int
    start: int
    contents: int
    contents_end: int
    end: int  # after the end-of-contents octets, if any


class BerReader:
    """Reads elements out of one document and counts them."""

    def __init__(self, data: bytes | mmap) -> None:
        self.data = data
        self._left = MAX_ELEMENTS
        self._ends: dict[int, int] = {}  # of indefinite lengths, so that each is scanned once

    def document(self) -> Element:
        """Read the one element that the data consist of."""
        element = self.element(0, len(self.data))
        if element.end != len(self.data):
            raise BerError("bytes after the end")
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
            raise BerError("a primitive element where a constructed one belongs")
        found: list[Element] = []
        offset = parent.contents
        while offset < parent.contents_end:
            element = self.element(offset, parent.contents_end)
            found.append(element)
            if len(found) > MAX_CHILDREN:
                raise BerError("too many elements in one")
            offset = element.end
        return found

    def expect(self, element: Element, tag: int) -> Element:
        """Return the element if it has the tag."""
        if element.tag != tag:
            raise BerError(f"tag {element.tag:02X} where {tag:02X} belongs")
        return element

    def sequence(self, element: Element, minimum: int) -> list[Element]:
        """Return the children of a SEQUENCE that has at least so many."""
        found = self.children(self.expect(element, SEQUENCE))
        if len(found) < minimum:
            raise BerError("a SEQUENCE that is too short")
        return found

    def encoding(self, element: Element) -> bytes:
        """Return header and contents of an element."""
        return self.data[element.start : element.end]

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
                    raise BerError("no OCTET STRING")

    def _header(self, offset: int, limit: int) -> tuple[int, int, int | None]:
        self._left -= 1
        if self._left < 0:
            raise BerError("too many elements")
        data = self.data
        if offset + 2 > limit:
            raise BerError("truncated header")
        tag, first = data[offset], data[offset + 1]
        if tag & 0x1F == 0x1F:
            raise BerError("a tag that CMS does not have")
        contents = offset + 2
        if first == INDEFINITE:
            if not tag & CONSTRUCTED:
                raise BerError("a primitive element of indefinite length")
            return tag, contents, None
        size = first
        if first & 0x80:
            octets = first & 0x7F
            if octets > 8 or contents + octets > limit:
                raise BerError("a length that cannot be")
            size = int.from_bytes(data[contents : contents + octets], "big")
            contents += octets
        if contents + size > limit:
            raise BerError("an element longer than what holds it")
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
                    raise BerError("nested too deeply")
                offset = contents
            else:
                offset = contents + size
        return offset - len(END_OF_CONTENTS)
