"""What of an XML document is signed and where the signature goes: settled before a key is used."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from lxml import etree
from lxml.etree import _Element as XmlElement

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.xml_canonical import (
    CanonicalizationError,
    canonicalize_document,
    canonicalize_element,
    contains,
)
from jpki.signing.xml_document import MAX_DEPTH, SIGNATURE_TAG, XmlDocument
from jpki.signing.xml_egov import SIGNATURE_PLACE, reference_to_structure, with_place
from jpki.signing.xml_options import (
    DS_NAMESPACE,
    ENVELOPED_SIGNATURE,
    Canonicalization,
    XmlForm,
    XmlOptions,
)

SIGNATURE_DEPTH: Final = 12  # levels of a XAdES signature, and some in reserve
KNOWN_TRANSFORMS: Final = {method.uri for method in Canonicalization} | {ENVELOPED_SIGNATURE}
DS: Final = {"ds": DS_NAMESPACE}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReference:
    """One ds:Reference, XML Signature 4.4.3, with its digest."""

    uri: str
    digest: bytes
    transforms: tuple[str, ...] = ()  # identifiers
    mime_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlPlan:
    """A document that can be signed as the options say."""

    document: XmlDocument
    target: XmlElement  # the element that is signed; the root for the whole document
    uri: str  # of the reference to it
    parent: XmlElement  # gets the signature

    def reference(self, options: XmlOptions) -> SignedReference:
        """Canonicalize and hash what is signed.

        Raises:
            DocumentError: it has no canonical form.
        """
        method = options.canonicalization
        try:
            if self.uri == "":
                canonical = canonicalize_document(self.target, method)
            else:
                canonical = canonicalize_element(self.target, method)
        except CanonicalizationError:
            raise DocumentError(DocumentFault.XML_NOT_CANONICAL) from None
        enveloped = (ENVELOPED_SIGNATURE,) if contains(self.target, self.parent) else ()
        return SignedReference(
            uri=self.uri,
            digest=options.digest.digest(canonical),
            transforms=(*enveloped, method.uri),
            mime_type="text/xml",
        )

    def check_place(self, options: XmlOptions) -> None:
        """Find out whether a signature at its place has a canonical form.

        Raises:
            DocumentError: it has none.
        """
        probe = etree.SubElement(self.parent, SIGNATURE_TAG)
        try:
            canonicalize_element(probe, options.canonicalization)
        except CanonicalizationError:
            raise DocumentError(DocumentFault.XML_NOT_CANONICAL) from None
        finally:
            self.parent.remove(probe)


def plan_document(data: bytes, options: XmlOptions) -> XmlPlan:
    """Find what is signed and where the signature goes.

    Raises:
        DocumentError: the document cannot be signed like this; ``fault`` says why.
    """
    document = XmlDocument(data)
    if options.form is XmlForm.EGOV:
        document = with_place(document)
        uri, target = reference_to_structure(document)
        parent = document.root.find(SIGNATURE_PLACE)
    else:
        uri, target = options.reference, _find_target(document, options)
        parent = _find_parent(document, options.parent)
    if sum(1 for _ in parent.iterancestors()) + SIGNATURE_DEPTH > MAX_DEPTH:
        raise DocumentError(DocumentFault.XML_TOO_DEEP)
    if any(_would_break(document, signature, parent) for signature in document.signatures):
        raise DocumentError(DocumentFault.SIGNATURE_WOULD_BREAK)
    return XmlPlan(document=document, target=target, uri=uri, parent=parent)


def new_signature_id(
    references: Sequence[SignedReference], signing_time: datetime, document: XmlDocument | None
) -> str:
    """Return an id that follows from what is signed and when, and that the document has not yet."""
    digests = b"".join(reference.digest for reference in references)
    moment = signing_time.astimezone(UTC).isoformat().encode()
    names = (
        f"signature-{sha256(b'%d %s %s' % (number, moment, digests)).hexdigest()[:16]}"
        for number in itertools.count()
    )
    return next(name for name in names if document is None or not document.with_id(name))


def _find_target(document: XmlDocument, options: XmlOptions) -> XmlElement:
    if options.reference == "":
        return document.root
    found = document.with_fragment(options.reference, options.id_attribute)
    if not found:
        raise DocumentError(DocumentFault.REFERENCE_MISSING)
    if len(found) > 1:
        raise DocumentError(DocumentFault.DUPLICATE_ID, str(len(found)))
    return found[0]


def _find_parent(document: XmlDocument, path: str | None) -> XmlElement:
    if path is None:
        return document.root
    prefixes = {prefix: uri for prefix, uri in document.root.nsmap.items() if prefix}
    try:
        found = document.root.getroottree().xpath(path, namespaces=prefixes)
    except etree.XPathError:
        raise DocumentError(DocumentFault.PARENT_MISSING, "0") from None
    elements = [each for each in found if _is_element(each)] if isinstance(found, list) else []
    if len(elements) != 1:
        raise DocumentError(DocumentFault.PARENT_MISSING, str(len(elements)))
    return elements[0]


def _is_element(found: object) -> bool:
    return isinstance(found, XmlElement) and isinstance(found.tag, str)


def _would_break(document: XmlDocument, signature: XmlElement, parent: XmlElement) -> bool:
    """Tell whether a signature in the document covers the place of the new one."""
    return any(
        contains(target, parent)
        for reference in signature.iterfind("ds:SignedInfo/ds:Reference", DS)
        if _transforms(reference) <= KNOWN_TRANSFORMS  # XPath filters may leave signatures out
        for target in _targets(document, reference.get("URI"))
    )


def _transforms(reference: XmlElement) -> set[str | None]:
    return {each.get("Algorithm") for each in reference.iterfind("ds:Transforms/ds:Transform", DS)}


def _targets(document: XmlDocument, uri: str | None) -> Iterator[XmlElement]:
    if uri == "":
        yield document.root
    elif uri is not None and uri.startswith("#"):
        yield from document.with_fragment(uri)
