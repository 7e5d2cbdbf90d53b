"""Building a ds:Signature with signxml, corrected; importing this module imports signxml.

signxml 5.2 assembles SignedInfo, KeyInfo and the properties of XAdES. What it gets wrong, or cannot
do, is overridden here; each has its test in tests/unit/test_xml_signxml.py:

- It serialises as ASCII while it copies, and no element name may hold a character reference:
  documents with Japanese names could not be signed. ``xml_canonical`` canonicalizes instead.
- It canonicalizes parts of a tree in place, where lxml gives wrong default namespaces (the same).
- With the namespace of signatures as the default one it makes elements without any; XAdES fails.
- References to SignedProperties and KeyInfo had no Transforms and were digested by the method of
  SignedInfo all the same; verifiers take C14N 1.0 there.
- It cannot refer to files, nor to several things each with transforms of its own.
- The time of signing is the clock's, and DataObjectFormat is there for the first reference only.
- Canonical documents went to the debug log.
"""
# ruff: noqa: ARG002  # the overridden methods have signxml's arguments

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from lxml.etree import _Element as XmlElement
from signxml import methods
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import SignatureReference, XMLSigner
from signxml.util import SigningSettings
from signxml.xades.xades import XAdESSigner

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.digest import HashAlgorithm
from jpki.signing.xml_canonical import CanonicalizationError, canonicalize_element
from jpki.signing.xml_options import DS_NAMESPACE, XADES_NAMESPACE, XmlForm, XmlOptions
from jpki.signing.xml_plan import SignedReference

DIGEST_METHODS = {
    HashAlgorithm.SHA256: DigestAlgorithm.SHA256,
    HashAlgorithm.SHA384: DigestAlgorithm.SHA384,
    HashAlgorithm.SHA512: DigestAlgorithm.SHA512,
}
SIGNATURE_METHODS = {
    HashAlgorithm.SHA256: SignatureMethod.RSA_SHA256,
    HashAlgorithm.SHA384: SignatureMethod.RSA_SHA384,
    HashAlgorithm.SHA512: SignatureMethod.RSA_SHA512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureTask:
    """What one signature is made of."""

    references: Sequence[SignedReference]  # each with a URI of its own
    signature_id: str | None
    signing_time: datetime
    parent: XmlElement | None = (
        None  # in whose namespaces the signature stands; None: it is the root
    )


@dataclass(frozen=True, slots=True)
class _Digested:
    """Stands for content that was canonicalized and hashed already."""

    digest: bytes


class CorrectedSigner(XMLSigner):
    """XML Signature over references whose digests are known."""

    def __init__(self, task: SignatureTask, options: XmlOptions) -> None:
        super().__init__(
            method=methods.detached,  # it returns the signature, wherever that stands
            signature_algorithm=SIGNATURE_METHODS[options.digest],
            digest_algorithm=DIGEST_METHODS[options.digest],
            c14n_algorithm=CanonicalizationMethod(options.canonicalization.uri),
        )
        names: dict[Any, str] = {**self.namespaces, options.prefix or None: DS_NAMESPACE}
        if options.prefix != "ds":
            del names["ds"]
        self.namespaces = names
        self._task = task
        self._canonicalization = options.canonicalization
        self._digest = options.digest
        self._references = {reference.uri: reference for reference in task.references}

    def _ds_tag(self, tag: str) -> str:
        return f"{{{DS_NAMESPACE}}}{tag}"

    def _unpack(
        self, data: object, references: list[SignatureReference]
    ) -> tuple[XmlElement, XmlElement, list[_Digested], list[SignatureReference]]:
        """Begin the signature at its place."""
        tag, parent = self._ds_tag("Signature"), self._task.parent
        if parent is None:
            signature = etree.Element(tag, nsmap=self.namespaces)
        else:  # made there: what is moved there may lose its prefix for one that it inherits
            signature = etree.SubElement(parent, tag, nsmap=self.namespaces)
        if self._task.signature_id is not None:
            signature.set("Id", self._task.signature_id)
        digested = [_Digested(self._references[each.URI].digest) for each in references]
        return signature, signature, digested, references

    def _c14n(
        self,
        nodes: XmlElement | _Digested,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: object = None,
    ) -> bytes | _Digested:
        if isinstance(nodes, _Digested):
            return nodes
        return canonicalize_element(nodes, self._canonicalization)

    def _get_digest(self, data: bytes | _Digested, algorithm: DigestAlgorithm) -> bytes:
        return data.digest if isinstance(data, _Digested) else self._digest.digest(data)

    def _build_transforms_for_reference(
        self,
        *,
        transforms_node: XmlElement,
        reference: SignatureReference,
        exclude_c14n_transform_element: bool = True,
    ) -> None:
        transforms = self._references[reference.URI].transforms
        for identifier in transforms:
            etree.SubElement(transforms_node, self._ds_tag("Transform"), Algorithm=identifier)
        if not transforms:  # the schema wants one at least
            transforms_node.getparent().remove(transforms_node)

    def _add_key_info(self, sig_root: XmlElement, signing_settings: SigningSettings) -> None:
        key_info = etree.SubElement(sig_root, self._ds_tag("KeyInfo"))
        x509_data = etree.SubElement(key_info, self._ds_tag("X509Data"))
        for certificate in signing_settings.cert_chain or ():
            node = etree.SubElement(x509_data, self._ds_tag("X509Certificate"))
            node.text = b64encode(certificate.public_bytes(Encoding.DER)).decode()


class CorrectedXadesSigner(CorrectedSigner, XAdESSigner):
    """XAdES over the same."""

    def _xades_tag(self, tag: str) -> str:
        return f"{{{XADES_NAMESPACE}}}{tag}"

    def _get_token(self, length: int = 4) -> str:
        return ""  # ids derive from that of the signature, and nothing is random

    def _add_key_info(self, sig_root: XmlElement, signing_settings: SigningSettings) -> None:
        super()._add_key_info(sig_root, signing_settings)
        sig_root[-1].set("Id", f"{self._task.signature_id}-KeyInfo")

    def _add_reference_to_signed_info(
        self, sig_root: XmlElement, node_to_reference: XmlElement, **attrs: str
    ) -> None:
        super()._add_reference_to_signed_info(  # type: ignore[no-untyped-call]  # signxml's
            sig_root, node_to_reference, **attrs
        )
        reference = sig_root.find(self._ds_tag("SignedInfo"))[-1]
        transforms = etree.Element(self._ds_tag("Transforms"), nsmap=self.namespaces)
        etree.SubElement(transforms, self._ds_tag("Transform"), Algorithm=self.c14n_alg.value)
        reference.insert(0, transforms)

    def add_signing_time(
        self,
        signed_signature_properties: XmlElement,
        sig_root: XmlElement,
        signing_settings: SigningSettings,
    ) -> None:
        """Add the time that the caller gave, UTC, to the second."""
        node = etree.SubElement(signed_signature_properties, self._xades_tag("SigningTime"))
        node.text = self._task.signing_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def add_data_object_format(
        self,
        signed_data_object_properties: XmlElement,
        sig_root: XmlElement,
        signing_settings: SigningSettings,
    ) -> None:
        """Say of every signed object what it is: ETSI EN 319 132-1 6.3 (n)."""
        nodes = sig_root.find(self._ds_tag("SignedInfo")).findall(self._ds_tag("Reference"))
        for number, (node, reference) in enumerate(zip(nodes, self._task.references, strict=True)):
            node.set("Id", f"{self._task.signature_id}-Reference{number}")
            data_object_format = etree.SubElement(
                signed_data_object_properties,
                self._xades_tag("DataObjectFormat"),
                ObjectReference=f"#{node.get('Id')}",
            )
            mime_type = etree.SubElement(data_object_format, self._xades_tag("MimeType"))
            mime_type.text = reference.mime_type


def build_signature(
    task: SignatureTask, options: XmlOptions, key: RSAPrivateKey, certificate: x509.Certificate
) -> bytes:
    """Sign -> the ds:Signature as ASCII, to stand in ``task.parent``.

    Exactly one operation of the key, called in this thread.

    Raises:
        DocumentError: the parent's namespaces have no canonical form.
    """
    signer = _SIGNERS[options.form](task, options)
    references = [SignatureReference(URI=reference.uri) for reference in task.references]
    try:
        signature = signer.sign(
            None, key=key, cert=[certificate], reference_uri=references, always_add_key_value=False
        )
    except CanonicalizationError:
        raise DocumentError(DocumentFault.XML_NOT_CANONICAL) from None
    return _markup(signature)


_SIGNERS: dict[XmlForm, type[CorrectedSigner]] = {
    XmlForm.XADES: CorrectedXadesSigner,
    XmlForm.XMLDSIG: CorrectedSigner,
    XmlForm.EGOV: CorrectedSigner,
}


def _markup(signature: XmlElement) -> bytes:
    """Serialise a signature without the declarations that it inherits at its place anyway."""
    text = bytes(etree.tostring(signature, encoding="us-ascii", with_tail=False))
    parent = signature.getparent()
    if parent is None:
        return text
    end = text.index(b">")
    head, rest = text[:end], text[end:]
    for prefix, uri in parent.nsmap.items():
        name = f"xmlns:{prefix}" if prefix else "xmlns"
        declaration = f" {name}={quoteattr(uri)}".encode("ascii", "xmlcharrefreplace")
        head = head.replace(declaration, b"", 1)
    return head + rest
