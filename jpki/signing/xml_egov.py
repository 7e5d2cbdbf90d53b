"""構成管理 (kousei.xml) of e-Gov's applications. Experimental: not proven against the service.

Made after public samples (github.com/kufu/kiji, MIT): ``DataRoot`` holds ``構成情報`` with an
``ID``; after it stands ``署名情報`` with the signature, whose namespace is the default one and
whose ``Id`` is the time of signing, yyyymmddHHMMSS. It refers to 構成情報 by its percent-encoded
id, canonicalized by C14N 1.0, and to each file of the application by its percent-encoded name, as
it is. An ``Id`` that begins with a digit is no XML name; that is what the samples have.
"""

from datetime import datetime, timedelta, timezone
from typing import Final
from urllib.parse import quote

from lxml.etree import _Element as XmlElement

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.xml_document import XmlDocument

STRUCTURE: Final = "構成情報"
SIGNATURE_PLACE: Final = "署名情報"
ID: Final = "ID"
JAPAN: Final = timezone(timedelta(hours=9))


def signature_id(signing_time: datetime) -> str:
    """Return the Id of the signature: the time in Japan, to the second."""
    return signing_time.astimezone(JAPAN).strftime("%Y%m%d%H%M%S")


def with_place(document: XmlDocument) -> XmlDocument:
    """Return the document with an element for the signature, after what is signed.

    Raises:
        DocumentError: NOT_EGOV.
    """
    structure = _only(document.root, STRUCTURE)
    if document.root.find(SIGNATURE_PLACE) is not None:
        _only(document.root, SIGNATURE_PLACE)
        return document
    markup = f"<{SIGNATURE_PLACE}></{SIGNATURE_PLACE}>".encode()
    return XmlDocument(document.with_markup_after(structure, markup))


def reference_to_structure(document: XmlDocument) -> tuple[str, XmlElement]:
    """Return the URI of what is signed, and the element.

    Raises:
        DocumentError: NOT_EGOV, or its id is not its own.
    """
    structure = _only(document.root, STRUCTURE)
    name = structure.get(ID)
    if not name:
        raise DocumentError(DocumentFault.NOT_EGOV, ID)
    found = document.with_id(name)
    if len(found) != 1:
        raise DocumentError(DocumentFault.DUPLICATE_ID, str(len(found)))
    return f"#{quote(name, safe='')}", structure


def _only(root: XmlElement, tag: str) -> XmlElement:
    found = root.findall(tag)
    if len(found) != 1:
        raise DocumentError(DocumentFault.NOT_EGOV, tag)
    return found[0]
