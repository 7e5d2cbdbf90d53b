"""A ds:Signature taken apart, XML Signature 1.1 section 4: plain values, judged elsewhere.

SignedInfo is read from its canonical bytes, the ones that the signature value is about, so that no
comment or namespace of the document can make it say something else here.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lxml.etree import _Element as XmlElement

from jpki.certificates.verdict import Reason
from jpki.errors import DocumentError
from jpki.signing.xml_canonical import CanonicalizationError, canonicalize_element
from jpki.signing.xml_document import parse_bounded
from jpki.signing.xml_options import DS_NAMESPACE, XADES_NAMESPACE, Canonicalization

MAX_REFERENCES: Final = 1000
MAX_OBJECTS: Final = 100
INCLUSIVE_NAMESPACES: Final = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"


class XmlFaultError(ValueError):
    """A part of the signature is not as it must be; ``reason`` goes into the report."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A ds:Transform or a ds:CanonicalizationMethod."""

    algorithm: str | None
    prefixes: tuple[str, ...]  # InclusiveNamespaces PrefixList
    has_parameters: bool  # other ones

    @property
    def canonicalization(self) -> Canonicalization | None:
        """The method, if it is one that is computed here."""
        method = Canonicalization.from_uri(self.algorithm)
        if method is None or self.has_parameters or (self.prefixes and not method.is_exclusive):
            return None
        return method


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A ds:Reference, 4.4.3."""

    uri: str | None
    type: str | None
    transforms: tuple[Transform, ...]
    digest_method: str | None
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlSignature:
    """A ds:Signature: what is in SignedInfo, and the other parts as elements."""

    element: XmlElement
    id: str | None
    signed_info: bytes  # canonical: what was signed
    signature_method: str | None  # None as well where it has parameters, such as a length
    references: tuple[Reference, ...]
    value: bytes
    key_info: XmlElement | None
    objects: tuple[XmlElement, ...]
    properties: tuple[XmlElement, ...]  # xades:QualifyingProperties in them; more than one: a fault


def ds(tag: str) -> str:
    """Return a tag of XML Signature as lxml writes it."""
    return f"{{{DS_NAMESPACE}}}{tag}"


def xades(tag: str) -> str:
    """Return a tag of XAdES as lxml writes it."""
    return f"{{{XADES_NAMESPACE}}}{tag}"


def parse_signature(element: XmlElement, spend: Callable[[bytes], None]) -> XmlSignature:
    """Take a ds:Signature of a document apart.

    Args:
        element: the signature.
        spend: told of what was canonicalized; it raises where that is too much.

    Raises:
        XmlFaultError: it has not the parts that it must have, in their order.
    """
    children = elements_of(element)
    tags = [child.tag for child in children]
    key_info = children[2] if tags[2:3] == [ds("KeyInfo")] else None
    objects = children[2 if key_info is None else 3 :]
    if tags[:2] != [ds("SignedInfo"), ds("SignatureValue")]:
        raise XmlFaultError(Reason.MALFORMED)
    if any(each.tag != ds("Object") for each in objects):
        raise XmlFaultError(Reason.MALFORMED)
    properties = [each for one in objects for each in one.iterfind(xades("QualifyingProperties"))]
    if max(len(objects), len(properties)) > MAX_OBJECTS:
        raise XmlFaultError(Reason.MALFORMED)
    signed_info = _canonical_signed_info(children[0])
    spend(signed_info)
    method, *references = _signed_info_parts(signed_info)
    return XmlSignature(
        element=element,
        id=element.get("Id"),
        signed_info=signed_info,
        signature_method=None if len(method) or method.text else method.get("Algorithm"),
        references=tuple(_reference(each) for each in references),
        value=octets_of(children[1]),
        key_info=key_info,
        objects=tuple(objects),
        properties=tuple(properties),
    )


def elements_of(parent: XmlElement) -> list[XmlElement]:
    """Return the child elements, without comments and processing instructions."""
    return [child for child in parent if isinstance(child.tag, str)]


def text_of(element: XmlElement) -> str:
    """Return the text of an element that has nothing else inside.

    Raises:
        XmlFaultError: it has: ``.text`` would end at a comment that C14N leaves out.
    """
    if len(element):
        raise XmlFaultError(Reason.MALFORMED)
    return str(element.text or "")


def octets_of(element: XmlElement) -> bytes:
    """Return the bytes that an element has in base64.

    Raises:
        XmlFaultError: it has none.
    """
    text = "".join(text_of(element).split())
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise XmlFaultError(Reason.MALFORMED) from None


def only_child(parent: XmlElement, tag: str) -> XmlElement:
    """Return the child of that tag.

    Raises:
        XmlFaultError: there is none, or more than one.
    """
    found = parent.findall(tag)
    if len(found) != 1:
        raise XmlFaultError(Reason.MALFORMED)
    return found[0]


def transform_of(element: XmlElement) -> Transform:
    """Read a ds:Transform or a ds:CanonicalizationMethod."""
    prefixes: list[str] = []
    has_parameters = bool((element.text or "").strip())
    for child in elements_of(element):
        if child.tag == INCLUSIVE_NAMESPACES:
            prefixes += child.get("PrefixList", "").split()
        else:
            has_parameters = True
    return Transform(
        algorithm=element.get("Algorithm"),
        prefixes=tuple(prefixes),
        has_parameters=has_parameters,
    )


def _canonical_signed_info(signed_info: XmlElement) -> bytes:
    transform = transform_of(only_child(signed_info, ds("CanonicalizationMethod")))
    method = transform.canonicalization
    if method is None:
        raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM)
    try:
        return canonicalize_element(signed_info, method, transform.prefixes, with_comments=True)
    except CanonicalizationError:
        raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM) from None


def _signed_info_parts(canonical: bytes) -> list[XmlElement]:
    """Return the SignatureMethod and the References."""
    try:
        parts = list(parse_bounded(canonical))
    except DocumentError:
        raise XmlFaultError(Reason.MALFORMED) from None
    tags = [part.tag for part in parts]
    expected = [ds("CanonicalizationMethod"), ds("SignatureMethod")]
    references = tags[2:]
    if tags[:2] != expected or not 1 <= len(references) <= MAX_REFERENCES:
        raise XmlFaultError(Reason.MALFORMED)
    if any(tag != ds("Reference") for tag in references):
        raise XmlFaultError(Reason.MALFORMED)
    return parts[1:]


def _reference(element: XmlElement) -> Reference:
    parts = elements_of(element)
    transforms = elements_of(parts.pop(0)) if parts and parts[0].tag == ds("Transforms") else []
    if [part.tag for part in parts] != [ds("DigestMethod"), ds("DigestValue")]:
        raise XmlFaultError(Reason.MALFORMED)
    if any(each.tag != ds("Transform") for each in transforms):
        raise XmlFaultError(Reason.MALFORMED)
    method, value = parts
    return Reference(
        uri=element.get("URI"),
        type=element.get("Type"),
        transforms=tuple(transform_of(each) for each in transforms),
        digest_method=None if len(method) else method.get("Algorithm"),
        digest=octets_of(value),
    )
