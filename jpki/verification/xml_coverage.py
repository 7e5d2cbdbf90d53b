"""How much of the document a signature covers, and exactly which bytes.

``whole`` is said only where a reference leads to the root element: anybody can move a signed part
into a document of their own (signature wrapping), and its signature stays right. What was signed is
shown as it was digested, never as it stands in the file.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import unquote

from lxml import etree
from lxml.etree import _Element as XmlElement

from jpki.signing.xml_document import SIGNATURE_TAG, XmlDocument
from jpki.signing.xml_options import DS_NAMESPACE, XADES_NAMESPACE
from jpki.verification.report import Coverage
from jpki.verification.xml_references import Resolved
from jpki.verification.xml_signature import XmlSignature, ds, elements_of

OWN_NAMESPACES = frozenset(  # of signatures, and of what they have beside what is signed
    {
        DS_NAMESPACE,
        "http://www.w3.org/2009/xmldsig11#",
        XADES_NAMESPACE,
        "http://uri.etsi.org/01903/v1.4.1#",
    }
)
OWN_ATTRIBUTES = frozenset(
    (
        "Algorithm",
        "Encoding",
        "Id",
        "MimeType",
        "Qualifier",
        "Target",
        "Type",
        "URI",
        "referencedData",
    )
)
FOREIGN_ATTRIBUTES = (  # that say nothing by themselves
    "{http://www.w3.org/XML/1998/namespace}",
    "{http://www.w3.org/2001/XMLSchema-instance}",
)
XADES_SIGNATURES = "{http://uri.etsi.org/02918/v1.2.1#}XAdESSignatures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What a signature is about."""

    covers: Coverage
    files: tuple[str, ...]
    names: str | None  # of the parts and files; None: the document and nothing else
    parts: tuple[bytes, ...]  # of the document, canonical
    has_comments: bool
    is_files_only: bool  # nothing of the document itself


def find_covered(
    signature: XmlSignature,
    resolved: Sequence[Resolved],
    document: XmlDocument,
    file_names: Iterable[str],
) -> Covered:
    """Sum up what the references of a signature led to.

    Args:
        signature: the signature.
        resolved: its references, followed.
        document: where it stands.
        file_names: the files that the caller gave beside it.
    """
    inside = [each for each in resolved if _is_content(each, signature)]
    files = [each.file_name for each in resolved if each.file_name is not None]
    roots = [each for each in inside if _is_whole(each, signature, document)]
    holds_unsigned = _holds_unsigned(signature, resolved)
    inside = roots[:1] or inside
    whole = roots[0] if roots and not holds_unsigned else None
    stands_for_files = not holds_unsigned and _is_nothing_but_signatures(signature, document.root)
    is_beside = stands_for_files and not inside and bool(files)
    covers_all = (whole is not None or is_beside) and set(file_names) <= set(files)
    names = [*([] if covers_all else map(_name, inside)), *files]
    return Covered(
        covers=Coverage.WHOLE if covers_all else Coverage.PART,
        files=tuple(dict.fromkeys(files)),
        names=", ".join(dict.fromkeys(names)) or None,
        parts=tuple(each.canonical for each in inside),
        has_comments=any(each.has_comments for each in inside),
        is_files_only=bool(files) and not inside,
    )


def writer_of(parts: Sequence[bytes]) -> Callable[[BinaryIO], None]:
    """Return what writes canonical bytes one after the other."""

    def write(output: BinaryIO) -> None:
        output.writelines(parts)

    return write


def _is_content(each: Resolved, signature: XmlSignature) -> bool:
    """Tell whether a reference is about more than the signature's certificate and properties."""
    if each.target is None:
        return False
    around = {each.target, *each.target.iterancestors()}
    if signature.element not in around:
        return True
    return not around.isdisjoint(signature.objects) and around.isdisjoint(signature.properties)


def _is_whole(each: Resolved, signature: XmlSignature, document: XmlDocument) -> bool:
    if each.target is not document.root or each.target is signature.element:
        return False
    # Such as a stylesheet: a reference by id leaves it out.
    return each.is_document or not _has_instructions_beside(document.root)


def _has_instructions_beside(root: XmlElement) -> bool:
    found = [next(root.itersiblings(etree.PI, preceding=way), None) for way in (True, False)]
    return any(each is not None for each in found)


def _is_nothing_but_signatures(signature: XmlSignature, root: XmlElement) -> bool:
    """Tell whether a document stands for the files beside it: it has nothing of its own.

    It is a signature, or what a container keeps several in (ETSI EN 319 162-1 A.3).
    """
    if signature.element is root:
        return True
    return (
        root.tag == XADES_SIGNATURES
        and signature.element.getparent() is root
        and all(child.tag == SIGNATURE_TAG for child in root)
        and not _has_text(root)
    )


def _holds_unsigned(signature: XmlSignature, resolved: Sequence[Resolved]) -> bool:
    """Tell whether the signature holds something that is neither signed nor a signature's own.

    The whole document is signed without it, and a reader might take it for signed: a ds:Object, but
    also an element of the document's own vocabulary in ds:KeyInfo or among unsigned properties.
    """
    signed = {each.target for each in resolved} - set(_around(signature))
    if _is_strange(signature.element, signed):
        return True
    for object_ in signature.objects:
        allowed = signed | set(signature.properties)
        if object_ not in signed and any(each not in allowed for each in elements_of(object_)):
            return True
    return False


def _around(signature: XmlSignature) -> Iterator[XmlElement]:
    """Yield the signature and what it stands in: their references leave it out."""
    yield signature.element
    yield from signature.element.iterancestors()


def _is_strange(element: XmlElement, signed: Collection[XmlElement | None]) -> bool:
    """Tell whether an element of a signature holds what no signature has, but for signed parts."""
    if element in signed or element.tag == ds("SignedInfo") or not isinstance(element.tag, str):
        return False
    if etree.QName(element).namespace not in OWN_NAMESPACES or not OWN_ATTRIBUTES.issuperset(
        name for name in map(str, element.attrib) if not name.startswith(FOREIGN_ATTRIBUTES)
    ):
        return True
    children = elements_of(element)
    if (children or element.tag == ds("Object")) and _has_text(element):
        return True
    return any(_is_strange(child, signed) for child in children)


def _has_text(element: XmlElement) -> bool:
    """Tell whether there is text between the children of an element."""
    texts = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in texts)


def _name(each: Resolved) -> str:
    """Such as "#a 申請書"."""
    tag = etree.QName(each.target).localname
    return f"{unquote(each.reference.uri or '')} {tag}".strip()
