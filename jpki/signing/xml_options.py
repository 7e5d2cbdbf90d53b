"""How an XML document is signed: form, reference, canonicalization, place of the signature."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from jpki.signing.digest import HashAlgorithm

DS_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
XADES_NAMESPACE = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
ENVELOPED_SIGNATURE = DS_NAMESPACE + "enveloped-signature"

ID_ATTRIBUTES = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
"""What names an element where no schema says so: the spellings in use, and xml:id."""
PREFIX = re.compile("(?!xml)[a-z_][a-z0-9._-]{0,63}", re.IGNORECASE)


class XmlForm(StrEnum):
    """What kind of signature is made; the value is the word of ``--profile``."""

    XADES = "xades"
    """XAdES baseline B-B, ETSI EN 319 132-1 6.3."""
    XMLDSIG = "xmldsig"
    """XML Signature alone: neither time nor certificate is signed."""
    EGOV = "egov"
    """構成管理 of e-Gov: XML Signature over 構成情報 and files beside it. Experimental: made after
    public samples, not proven against the service."""


class Canonicalization(StrEnum):
    """Canonical XML; each without and with comments."""

    C14N = "c14n", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    C14N_WITH_COMMENTS = (
        "c14n-with-comments",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    )
    C14N11 = "c14n11", "http://www.w3.org/2006/12/xml-c14n11"
    C14N11_WITH_COMMENTS = (
        "c14n11-with-comments",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    )
    EXCLUSIVE = "exclusive", "http://www.w3.org/2001/10/xml-exc-c14n#"
    EXCLUSIVE_WITH_COMMENTS = (
        "exclusive-with-comments",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    )

    uri: str

    # The default: type checkers take ``Canonicalization("c14n")``, a look-up, for a call of this.
    def __new__(cls, word: str, uri: str = "") -> Self:
        """Make a member whose value is the word and which knows its identifier."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.uri = uri
        return member

    @classmethod
    def from_uri(cls, uri: str | None) -> Self | None:
        """Return the method with this identifier, None for any other."""
        return next((method for method in cls if method.uri == uri), None)

    @property
    def is_exclusive(self) -> bool:
        """Whether namespaces that are declared outside and not used inside are left out."""
        return self.value.startswith("exclusive")

    @property
    def with_comments(self) -> bool:
        """Whether comments stay where the input has any."""
        return self.value.endswith("with-comments")


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlOptions:
    """What ``sign_xml`` is asked for; the default signs the whole document."""

    form: XmlForm = XmlForm.XADES
    reference: str = ""
    """What is signed: "" the whole document, "#id" the element with this id."""
    id_attribute: str | None = None
    """A name of ids beside Id, ID, id and xml:id."""
    parent: str | None = None
    """XPath of the element that gets the signature as its last child; None: the root element.
    Prefixes are those that the root element declares."""
    canonicalization: Canonicalization = Canonicalization.C14N
    """Of SignedInfo and of what is signed. Comments of the document are never signed: XML Signature
    4.4.3.3 leaves them out of references to parts of the same document."""
    prefix: str = "ds"
    """Of the signature's elements; "" makes its namespace the default one."""
    digest: HashAlgorithm = HashAlgorithm.SHA256
    """Of references and signature alike."""

    def __post_init__(self) -> None:
        """Refuse what could not become XML.

        Raises:
            ValueError: a reference that is none, or a prefix that is no name (callers check).
        """
        if self.reference and (len(self.reference) < 2 or not self.reference.startswith("#")):
            raise ValueError('a reference is "" or "#id"')
        if not is_prefix(self.prefix):
            raise ValueError("a prefix is an ASCII name")


def is_prefix(text: str) -> bool:
    """Tell whether a text can be the prefix of the signature: a short ASCII name, or nothing."""
    return text == "" or (text != "xades" and PREFIX.fullmatch(text) is not None)
