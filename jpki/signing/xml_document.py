"""Reading XML documents, XML 1.0, within bounds; and putting markup into one as it is.

No document with a DTD is read: that is where entities, external files and defaults come from.
The first parser stops where a DTD would begin, before anything of it is looked at; the second one
builds the tree, without network, entities and ``huge_tree``, so that libxml2's own bounds hold (256
levels, 10 MB for one text).
"""

import contextlib
import itertools
import re
from functools import cached_property
from urllib.parse import unquote
from xml.parsers import expat

from lxml import etree
from lxml.etree import _Element as XmlElement

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.xml_bounds import check_markup, check_size, weigh
from jpki.signing.xml_encoding import decode_xml
from jpki.signing.xml_options import DS_NAMESPACE, ID_ATTRIBUTES

MAX_DEPTH = 256  # libxml2's

SIGNATURE_TAG = f"{{{DS_NAMESPACE}}}Signature"

_TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_END_OF_DOCUMENT = re.compile(rb"</[^<>]*>[ \t\r\n]*")
_ELEMENTS_BEFORE = etree.XPath("count(preceding::*) + count(ancestor::*)")
_IDS = etree.XPath(
    "//@*[local-name()='Id' or local-name()='ID' or local-name()='id' or local-name()=$name]"
)


class _Stopped(Exception):  # noqa: N818  # no error
    """The parser has seen enough."""


class XmlDocument:
    """A document as a tree and as the bytes that it came from."""

    def __init__(self, data: bytes) -> None:
        """Read a document.

        Raises:
            DocumentError: it is empty, too large, too deep, has a DTD, an encoding that is not
                read here, or is no XML.
        """
        check_size(data)
        self._decoded = decode_xml(data)
        self._utf8 = self._decoded.utf8
        check_markup(self._utf8)
        _refuse_dtd(self._utf8)
        self.root = parse_bounded(self._utf8)
        self._cost_of_element = weigh(self.root, self._utf8)
        self._by_id: dict[
            str | None, dict[str, list[XmlElement]]
        ] = {}  # one index for each extra name

    def with_id(self, value: str, extra_name: str | None = None) -> list[XmlElement]:
        """Return every element that has this id; more than one is a fault of somebody.

        Args:
            value: the id.
            extra_name: a name of ids beside the usual ones, {namespace}name or name.
        """
        if extra_name not in self._by_id:
            self._by_id[extra_name] = _index(self.root, extra_name)
        return list(dict.fromkeys(self._by_id[extra_name].get(value, [])))

    def with_fragment(self, uri: str, extra_name: str | None = None) -> list[XmlElement]:
        """Return every element that "#id" may mean: ids stand there as they are, or with %XX."""
        fragment = uri.removeprefix("#")
        found = [*self.with_id(fragment, extra_name), *self.with_id(unquote(fragment), extra_name)]
        return list(dict.fromkeys(found))

    @cached_property
    def signatures(self) -> list[XmlElement]:
        """Every ds:Signature, in document order."""
        return list(self.root.iter(SIGNATURE_TAG))

    @property
    def cost(self) -> int:
        """What canonicalizing the whole costs, in octets of output."""
        return self.cost_of(self._utf8)

    def cost_of(self, canonical: bytes) -> int:
        """What octets have cost that a part of the document was canonicalized to."""
        return len(canonical) + canonical.count(b"<") * self._cost_of_element

    def with_markup_inside(self, element: XmlElement, markup: bytes) -> bytes:
        """Return the document with markup (UTF-8) as an element's last child."""
        start, end = self._end_of(element)
        utf8 = self._utf8
        if utf8.startswith(b"</", start):
            return self._decoded.encode(utf8[:start] + markup + utf8[start:])
        # <name .../> becomes <name ...>markup</name>
        name = utf8[start + 1 : end - 2].split(maxsplit=1)[0]
        tag = utf8[start : end - 2].rstrip() + b">"
        whole = utf8[:start] + tag + markup + b"</" + name + b">" + utf8[end:]
        return self._decoded.encode(whole)

    def with_markup_after(self, element: XmlElement, markup: bytes) -> bytes:
        """Return the document with markup right after an element."""
        _, end = self._end_of(element)
        return self._decoded.encode(self._utf8[:end] + markup + self._utf8[end:])

    def _end_of(self, element: XmlElement) -> tuple[int, int]:
        """Return where an element's end tag begins and ends; an empty tag is its own end tag."""
        utf8 = self._utf8
        if element is self.root and element.getnext() is None:
            start = utf8.rfind(b"</")
            if start >= 0 and _END_OF_DOCUMENT.fullmatch(utf8, start):
                return start, utf8.index(b">", start) + 1
        number = int(_ELEMENTS_BEFORE(element))
        return _find_end(utf8, number)


def _index(root: XmlElement, extra_name: str | None) -> dict[str, list[XmlElement]]:
    names = {*ID_ATTRIBUTES, *([] if extra_name is None else [extra_name])}
    index: dict[str, list[XmlElement]] = {}
    for value in _IDS(root, name=(extra_name or "id").rpartition("}")[2]):
        if value.attrname in names:
            index.setdefault(str(value), []).append(value.getparent())
    return index


def _refuse_dtd(utf8: bytes) -> None:
    """Stop where a DTD begins, or where the first element shows that there is none."""
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _on_doctype
    parser.StartElementHandler = _on_first_element
    try:
        parser.Parse(utf8, True)  # noqa: FBT003  # isfinal: expat takes no keywords
    except (_Stopped, expat.ExpatError):  # what is no XML is said by the other parser
        return


def _on_doctype(*_: object) -> None:
    raise DocumentError(DocumentFault.XML_HAS_DTD)


def _on_first_element(*_: object) -> None:
    raise _Stopped


def parse_bounded(utf8: bytes) -> XmlElement:
    """Parse UTF-8 without entities, network and ``huge_tree`` -> the root.

    Raises:
        DocumentError: no XML, too deep, too large, or with a DTD.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(utf8, parser)
    except etree.XMLSyntaxError as error:  # its text quotes the document
        raise DocumentError(_syntax_fault(error), str(error.lineno)) from None
    information = root.getroottree().docinfo
    if information.internalDTD is not None or information.externalDTD is not None:
        raise DocumentError(DocumentFault.XML_HAS_DTD)
    return root


def _syntax_fault(error: etree.XMLSyntaxError) -> DocumentFault:
    message = error.msg or ""
    if "depth" in message and error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return DocumentFault.XML_TOO_DEEP
    if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT or "too big" in message:
        return DocumentFault.XML_TOO_LARGE
    return DocumentFault.XML_MALFORMED


def _find_end(utf8: bytes, number: int) -> tuple[int, int]:
    """Find the end tag of an element by its number in document order, from 0."""
    parser = expat.ParserCreate("utf-8")
    numbers = itertools.count()
    depth = 0  # of open elements, counted from the one that is looked for
    ends: list[int] = []

    def on_start(_name: str, _attributes: object) -> None:
        nonlocal depth
        if depth or next(numbers) == number:
            depth += 1
            if depth == 1:
                ends.append(parser.CurrentByteIndex)

    def on_end(_name: str) -> None:
        nonlocal depth
        depth -= bool(depth)
        if ends and not depth:
            ends.append(parser.CurrentByteIndex)
            raise _Stopped

    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    with contextlib.suppress(_Stopped):
        parser.Parse(utf8, True)  # noqa: FBT003
    start, end = ends
    first_tag = _tag_at(utf8, start)
    if first_tag.endswith(b"/>"):  # expat reports its end, not its beginning
        return start, start + len(first_tag)
    return end, end + len(_tag_at(utf8, end))


def _tag_at(utf8: bytes, start: int) -> bytes:
    match = _TAG.match(utf8, start)
    if match is None:
        raise AssertionError("no tag where the parser saw one")
    return match[0]
