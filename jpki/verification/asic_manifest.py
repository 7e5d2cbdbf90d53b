"""ASiCManifest, ETSI EN 319 162-1 Annex A.4: which files a signature of a container is over."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from jpki.certificates.verdict import Reason
from jpki.errors import DocumentError, DocumentFault
from jpki.signing.digest import AnyHash, HashAlgorithm, WeakHash
from jpki.signing.xml_document import XmlDocument

ASIC: Final = "{http://uri.etsi.org/02918/v1.2.1#}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
DIGEST_METHODS: Final[dict[str, AnyHash]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": HashAlgorithm.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": HashAlgorithm.SHA384,
    "http://www.w3.org/2001/04/xmlenc#sha512": HashAlgorithm.SHA512,
    "http://www.w3.org/2000/09/xmldsig#sha1": WeakHash.SHA1,
}
MAX_REFERENCES: Final = 10_000
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/|.*[?#]")
WHITE_SPACE: Final = re.compile(r"[ \t\r\n]+")


class ManifestError(ValueError):
    """The manifest is none that could be relied on; ``reason`` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """A file that is signed by its digest."""

    name: str
    algorithm: AnyHash
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What one signature is over."""

    signature: str  # the name of the file with the signature
    references: tuple[FileReference, ...]


def parse_manifest(data: bytes) -> Manifest:
    """Parse a manifest.

    Raises:
        ManifestError: it is none, has a DTD, uses another hash, leads out of the container, names
            a file twice, or demands what is not known here.
    """
    try:
        root = XmlDocument(data).root
    except DocumentError as error:
        has_dtd = error.fault is DocumentFault.XML_HAS_DTD
        raise ManifestError(Reason.DTD_PRESENT if has_dtd else Reason.MALFORMED) from None
    if root.tag != ASIC + "ASiCManifest":
        raise ManifestError(Reason.MALFORMED)
    children = [child for child in root if isinstance(child.tag, str)]
    if any(_is_critical(element) for element in root.iter() if isinstance(element.tag, str)):
        raise ManifestError(Reason.UNKNOWN_CRITICAL_HEADER)
    signatures = [child for child in children if child.tag == ASIC + "SigReference"]
    files = [child for child in children if child.tag == ASIC + "DataObjectReference"]
    if len(signatures) != 1 or not 0 < len(files) <= MAX_REFERENCES:
        raise ManifestError(Reason.MALFORMED)
    references = tuple(_reference(element) for element in files)
    if len({reference.name for reference in references}) != len(references):
        raise ManifestError(Reason.REFERENCE_AMBIGUOUS)
    return Manifest(signature=_target(signatures[0]), references=references)


def _is_critical(element: Any) -> bool:  # noqa: ANN401  # lxml has no types
    return element.get("Critical", "false") not in ("false", "0")


def _reference(element: Any) -> FileReference:  # noqa: ANN401
    methods, values = element.findall(DS + "DigestMethod"), element.findall(DS + "DigestValue")
    if len(methods) != 1 or len(values) != 1 or len(values[0]):
        raise ManifestError(Reason.MALFORMED)
    algorithm = DIGEST_METHODS.get(methods[0].get("Algorithm", ""))
    if algorithm is None:
        raise ManifestError(Reason.UNSUPPORTED_ALGORITHM)
    try:
        digest = base64.b64decode(WHITE_SPACE.sub("", values[0].text or ""), validate=True)
    except (binascii.Error, ValueError):
        raise ManifestError(Reason.MALFORMED) from None
    return FileReference(name=_target(element), algorithm=algorithm, digest=digest)


def _target(element: Any) -> str:  # noqa: ANN401
    """Return the name of the file that an element refers to, relative to the container's root."""
    uri = element.get("URI", "")
    if not uri:
        raise ManifestError(Reason.MALFORMED)
    if SCHEME.match(uri):
        raise ManifestError(Reason.REFERENCE_EXTERNAL)
    try:
        return unquote(uri, errors="strict")
    except UnicodeDecodeError:
        raise ManifestError(Reason.MALFORMED) from None
