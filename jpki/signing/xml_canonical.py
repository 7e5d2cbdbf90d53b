"""Canonical XML 1.0, 1.1 and exclusive, of a document or of one element with all that is in it.

libxml2 does the work through lxml, which offers neither node sets nor version 1.1. Both come down
to what it offers, because what is canonicalized here is always a whole subtree:

- An element is parsed again on its own first, with the namespaces that it inherits written on it.
  Canonicalized in place, lxml gives some elements a wrong ``xmlns=""``.
- Attributes ``xml:*`` that an element inherits are copied to it, as C14N 1.0 (2.4) and 1.1 (2.4)
  want each; the exclusive method wants none.
- The enveloped signature is cut out of the octets of what it stands in.
"""

import re
import secrets
from collections.abc import Callable, Sequence

from lxml import etree
from lxml.etree import _Element as XmlElement

from jpki.signing.xml_options import Canonicalization

XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"
XML_BASE = XML_NAMESPACE + "base"
INHERITED_IN_11 = (XML_NAMESPACE + "lang", XML_NAMESPACE + "space")
# libxml2 writes an "&" in a namespace as it is, and no other program would compute the same octets.
UNESCAPED = re.compile(
    rb' xmlns(?::[^=<>" :]{1,200})?="[^"<>]{0,2000}?&(?!(?:amp|lt|gt|quot|#x[9AD]);)'
)


class CanonicalizationError(ValueError):
    """The document has no canonical form, or one that is not computed here."""


def canonicalize_document(
    root: XmlElement, method: Canonicalization, prefixes: Sequence[str] = ()
) -> bytes:
    """Canonicalize the whole document without its comments: what a reference "" means.

    Raises:
        CanonicalizationError: a namespace is a relative URI.
    """
    return _canonical(root.getroottree(), method, prefixes, with_comments=False)


def canonicalize_element(
    element: XmlElement,
    method: Canonicalization,
    prefixes: Sequence[str] = (),
    *,
    with_comments: bool = False,
) -> bytes:
    """Canonicalize an element with all that is in it.

    Args:
        element: an element of a document.
        method: version and kind.
        prefixes: whose declarations the exclusive method keeps (InclusiveNamespaces PrefixList).
        with_comments: comments stay, if the method keeps them.

    Raises:
        CanonicalizationError: a namespace is a relative URI, or C14N 1.1 would have to join
            ``xml:base``.
    """
    copy = element if _stands_alone(element) else _on_its_own(element)
    _inherit_xml_attributes(element, copy, method)
    return _canonical(copy, method, prefixes, with_comments=with_comments and method.with_comments)


def without(signature: XmlElement | None, canonicalize: Callable[[], bytes]) -> bytes:
    """Canonicalize without an element that is not the root: the enveloped signature transform.

    The element is marked on both sides and cut out of the octets. Nothing in them depends on it;
    and taken out of the tree and put back, lxml may give it another prefix.

    Args:
        signature: the element; None: nothing is left out.
        canonicalize: makes the octets, of something that the element stands in.
    """
    if signature is None:
        return canonicalize()
    marker = f"cut-{secrets.token_hex(16)}"  # no document can have it
    before, after = (etree.ProcessingInstruction(marker) for _ in range(2))
    tail, signature.tail = signature.tail, None  # the text behind an element goes where it goes
    signature.addprevious(before)
    signature.addnext(after)
    after.tail = tail
    try:
        start, _, end = canonicalize().split(f"<?{marker}?>".encode())
    finally:
        after.tail = None
        signature.getparent().remove(after)
        signature.getparent().remove(before)
        signature.tail = tail
    return start + end


def contains(outer: XmlElement, inner: XmlElement) -> bool:
    """Tell whether an element is another one or stands in it."""
    return outer is inner or any(outer is ancestor for ancestor in inner.iterancestors())


def _stands_alone(element: XmlElement) -> bool:
    """Tell whether an element is a document's root with nothing beside it."""
    beside = (element.getparent(), element.getprevious(), element.getnext())
    return all(each is None for each in beside)


def _on_its_own(element: XmlElement) -> XmlElement:
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
    return etree.fromstring(etree.tostring(element, encoding="utf-8", with_tail=False), parser)


def _inherit_xml_attributes(
    element: XmlElement, copy: XmlElement, method: Canonicalization
) -> None:
    if method.is_exclusive:
        return
    is_11 = method in (Canonicalization.C14N11, Canonicalization.C14N11_WITH_COMMENTS)
    for ancestor in element.iterancestors():
        for name, value in ancestor.items():
            if not name.startswith(XML_NAMESPACE):
                continue
            if is_11 and name == XML_BASE:
                raise CanonicalizationError("xml:base would have to be joined")
            if name not in copy.attrib and (not is_11 or name in INHERITED_IN_11):
                copy.set(name, value)


def _canonical(
    tree: XmlElement, method: Canonicalization, prefixes: Sequence[str], *, with_comments: bool
) -> bytes:
    try:
        octets = bytes(
            etree.tostring(
                tree,
                method="c14n",
                exclusive=method.is_exclusive,
                with_comments=with_comments,
                inclusive_ns_prefixes=list(prefixes) if method.is_exclusive else None,
            )
        )
    except (etree.C14NError, ValueError) as error:
        raise CanonicalizationError("no canonical form") from error
    if UNESCAPED.search(octets):
        raise CanonicalizationError("a namespace that libxml2 does not escape")
    return octets
