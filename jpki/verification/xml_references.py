"""What the references of a signature lead to, XML Signature 1.1 4.4.3 and 3.2.1, and its digest.

A reference leads to the document, to one element of it by id, or to a file that the caller gave. It
is never fetched from anywhere, and never computed by a program inside the document: the transforms
are the enveloped signature and canonicalization, at most one of each and in this order.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import BinaryIO, Final
from urllib.parse import unquote

from lxml import etree
from lxml.etree import _Element as XmlElement

from jpki.certificates.verdict import Reason
from jpki.signing.digest import AnyHash, hash_stream_with
from jpki.signing.xml_canonical import (
    CanonicalizationError,
    canonicalize_document,
    canonicalize_element,
    contains,
    without,
)
from jpki.signing.xml_document import XmlDocument
from jpki.signing.xml_options import ENVELOPED_SIGNATURE, Canonicalization
from jpki.verification.xml_algorithms import DIGEST_METHODS, algorithm_fault
from jpki.verification.xml_signature import Reference, Transform, XmlFaultError, ds

# What all signatures of a document may cost together, in octets of canonical output: this, and as
# many times the cost of the document as honest ones need.
FREE_COST: Final = 64 << 20
TIMES: Final = 4
COST_OF_REFERENCE: Final = 4096  # beside its octets
ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]")  # a scheme, a path from the root

_COMMENTS = etree.XPath("count(descendant::comment())")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A reference that was followed."""

    reference: Reference
    reasons: tuple[Reason, ...] = ()  # why it does not hold; none: the digest is right
    target: XmlElement | None = None  # what of the document it is about; the root for ""
    canonical: bytes = b""  # of the target, as it was digested
    file_name: str | None = None  # of the file that it is about
    has_comments: bool = False  # the target has, and they are not signed

    @property
    def is_document(self) -> bool:
        """Whether it is about the document from its first to its last node."""
        return self.reference.uri == ""


@dataclass(kw_only=True)
class References:
    """Everything that the signatures of one document may refer to. Follows references, bounded."""

    document: XmlDocument
    files: Mapping[str, BinaryIO]
    id_attribute: str | None
    _left: int = field(init=False)
    _file_digests: dict[str, dict[AnyHash, bytes]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Set the bound."""
        self._left = FREE_COST + TIMES * self.document.cost

    def spend(self, canonical: bytes) -> None:
        """Take note of what was canonicalized.

        Raises:
            XmlFaultError: MALFORMED, all of it together is too much.
        """
        self._check_left()
        self._left -= COST_OF_REFERENCE + self.document.cost_of(canonical)

    def _check_left(self) -> None:
        if self._left < 0:
            raise XmlFaultError(Reason.MALFORMED)

    def follow(self, reference: Reference, signature: XmlElement) -> Resolved:
        """Follow a reference and compare the digest.

        Raises:
            OSError: a file cannot be read.
        """
        algorithm = DIGEST_METHODS.get(reference.digest_method or "")
        if algorithm is None:
            fault = algorithm_fault(reference.digest_method)
            return Resolved(reference=reference, reasons=(fault,))
        uri = reference.uri
        if uri is None:  # only the application would know
            return Resolved(reference=reference, reasons=(Reason.REFERENCE_UNRESOLVED,))
        try:
            if uri == "" or uri.startswith("#"):
                return self._follow_inside(reference, uri, signature, algorithm)
            return self._follow_to_file(reference, uri, algorithm)
        except XmlFaultError as fault:
            return Resolved(reference=reference, reasons=(fault.reason,))
        except CanonicalizationError:
            return Resolved(reference=reference, reasons=(Reason.UNSUPPORTED_TRANSFORM,))

    def _follow_inside(
        self, reference: Reference, uri: str, signature: XmlElement, algorithm: AnyHash
    ) -> Resolved:
        self._check_left()
        target = self.document.root if uri == "" else self._element(uri)
        method, prefixes, is_enveloped = _plan(reference.transforms)
        if is_enveloped and contains(signature, target):
            raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM)  # nothing would be left
        is_inside = is_enveloped and contains(target, signature)
        canonicalize = canonicalize_document if uri == "" else canonicalize_element
        canonical = without(
            signature if is_inside else None, partial(canonicalize, target, method, prefixes)
        )
        self.spend(canonical)
        is_right = algorithm.digest(canonical) == reference.digest
        return Resolved(
            reference=reference,
            reasons=() if is_right else (Reason.DIGEST_MISMATCH,),
            target=target,
            canonical=canonical,
            has_comments=_has_comments(target, signature, beside=uri == ""),
        )

    def _element(self, uri: str) -> XmlElement:
        found = self.document.with_fragment(uri, self.id_attribute)
        if not found:
            raise XmlFaultError(Reason.REFERENCE_UNRESOLVED)
        if len(found) > 1:
            raise XmlFaultError(Reason.REFERENCE_AMBIGUOUS)
        return found[0]

    def _follow_to_file(self, reference: Reference, uri: str, algorithm: AnyHash) -> Resolved:
        name = next((each for each in (unquote(uri), uri) if each in self.files), None)
        if name is None:
            is_elsewhere = ELSEWHERE.match(uri) is not None
            raise XmlFaultError(
                Reason.REFERENCE_EXTERNAL if is_elsewhere else Reason.CONTENT_MISSING
            )
        if reference.transforms:
            raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM)
        is_right = self._file_digest(name, algorithm) == reference.digest
        return Resolved(
            reference=reference,
            reasons=() if is_right else (Reason.DIGEST_MISMATCH,),
            file_name=name,
        )

    def _file_digest(self, name: str, algorithm: AnyHash) -> bytes:
        """Hash a file once, with every method that the document names."""
        if name not in self._file_digests:
            used = self._used_methods | {algorithm}
            self._file_digests[name] = hash_stream_with(self._open(name), used)
        return self._file_digests[name][algorithm]

    @cached_property
    def _used_methods(self) -> set[AnyHash]:
        methods = {each.get("Algorithm") for each in self.document.root.iter(ds("DigestMethod"))}
        return {DIGEST_METHODS[method] for method in methods if method in DIGEST_METHODS}

    def _open(self, name: str) -> BinaryIO:
        try:
            return self.files[name]
        except KeyError:  # it was there a moment ago
            raise XmlFaultError(Reason.CONTENT_MISSING) from None


def _plan(
    transforms: tuple[Transform, ...],
) -> tuple[Canonicalization, tuple[str, ...], bool]:
    """Return how to canonicalize, and whether the signature is left out."""
    rest = list(transforms)
    is_enveloped = bool(rest) and rest[0].algorithm == ENVELOPED_SIGNATURE
    if is_enveloped:
        parameters = rest.pop(0)
        if parameters.has_parameters or parameters.prefixes:
            raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM)
    if not rest:
        return Canonicalization.C14N, (), is_enveloped  # 4.4.3.2: the default for node sets
    method = rest[0].canonicalization
    if method is None or len(rest) > 1:
        raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM)
    return method, rest[0].prefixes, is_enveloped


def _has_comments(target: XmlElement, signature: XmlElement, *, beside: bool) -> bool:
    """Tell whether there are comments in the target, or beside the root, but for the signature."""
    in_signature = _COMMENTS(signature) if contains(target, signature) else 0
    if _COMMENTS(target) > in_signature:
        return True
    siblings = [target.itersiblings(etree.Comment, preceding=way) for way in (True, False)]
    return beside and any(True for each in siblings for _ in each)
