"""How much an XML document may cost: its tree, and its canonicalization by libxml2.

Measured with libxml2 2.14: each element costs the square of the namespaces in scope, some 5 ns each
(200 of them and 20,000 elements: 4 s), and the square of its attributes (64,000: 16 s).
"""

from typing import Final

from lxml import etree
from lxml.etree import _Element as XmlElement

from jpki.errors import DocumentError, DocumentFault

MAX_XML_SIZE: Final = 128 << 20
"""Bytes of a document. A tree of lxml takes a multiple of it."""
MAX_MARKUP: Final = 8_000_000  # "<" and "=": each may cost an element or an attribute, 200 bytes
MAX_ATTRIBUTES: Final = 256  # of one element
MAX_NAMESPACES: Final = 1000  # in scope at one place
MAX_WORK: Final = 500_000_000  # elements times the square of that: some 3 s
WORK_PER_OCTET: Final = 4  # of canonical output: what costs about as much time

_HAS_MANY_ATTRIBUTES = etree.XPath(f"boolean(//*/@*[{MAX_ATTRIBUTES + 1}])")


def check_size(document: bytes) -> None:
    """Refuse a document by its bytes.

    Raises:
        DocumentError: EMPTY or XML_TOO_LARGE.
    """
    if not document:
        raise DocumentError(DocumentFault.EMPTY)
    if len(document) > MAX_XML_SIZE:
        raise DocumentError(DocumentFault.XML_TOO_LARGE)


def check_markup(utf8: bytes) -> None:
    """Refuse a document by its number of elements and attributes, before there is a tree.

    Raises:
        DocumentError: XML_TOO_LARGE.
    """
    if utf8.count(b"<") + utf8.count(b"=") > MAX_MARKUP:
        raise DocumentError(DocumentFault.XML_TOO_LARGE)


def weigh(root: XmlElement, utf8: bytes) -> int:
    """Return what canonicalizing one element costs at most, in octets of output.

    Raises:
        DocumentError: XML_TOO_LARGE, the whole would cost too much.
    """
    if _HAS_MANY_ATTRIBUTES(root):
        raise DocumentError(DocumentFault.XML_TOO_LARGE)
    namespaces = _most_namespaces(root, utf8)
    work = namespaces * namespaces
    if namespaces > MAX_NAMESPACES or utf8.count(b"<") * work > MAX_WORK:
        raise DocumentError(DocumentFault.XML_TOO_LARGE)
    return work // WORK_PER_OCTET


def _most_namespaces(root: XmlElement, utf8: bytes) -> int:
    """Return how many declarations are in scope where most are; never too few."""
    declared = utf8.count(b"xmlns")
    if declared <= 2:
        return declared
    now = most = 0
    for event, _ in etree.iterwalk(root, events=("start-ns", "end-ns")):
        now += 1 if event == "start-ns" else -1
        most = max(most, now)
    return most
