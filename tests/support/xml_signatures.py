"""A ds:Signature written piece by piece, so that each piece can be wrong.

Digests and value are filled in. It shares nothing with what it tests but libxml2, and
``tests/interop/test_xmlsec1.py`` has another judge.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from support.pki import load, load_key

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
RSA_SHA256 = MORE + "rsa-sha256"
RSA_SHA1 = DS + "rsa-sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = DS + "sha1"
PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"

DIGESTS = {SHA256: "sha256", SHA1: "sha1", MORE + "sha384": "sha384"} | {
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    MORE + "md5": "md5",
}
VALUES: dict[str, type[hashes.HashAlgorithm]] = {
    RSA_SHA256: hashes.SHA256,
    RSA_SHA1: hashes.SHA1,
    MORE + "rsa-sha384": hashes.SHA384,
    MORE + "rsa-sha512": hashes.SHA512,
    MORE + "rsa-md5": hashes.MD5,
}
IDS = "//*[@Id=$value or @ID=$value or @id=$value or @xml:id=$value]"


@dataclass(frozen=True, kw_only=True)
class Ref:
    """A ds:Reference; without a digest it gets the right one."""

    uri: str | None = ""
    transforms: tuple[str, ...] = (ENVELOPED, C14N)
    transforms_markup: str | None = None  # in place of those
    digest_method: str = SHA256
    digest: str = ""  # base64, or any markup
    type: str | None = None

    def markup(self) -> str:
        inner = "".join(f'<ds:Transform Algorithm="{each}"/>' for each in self.transforms)
        if self.transforms_markup is not None:
            inner = self.transforms_markup
        uri = "" if self.uri is None else f' URI="{self.uri}"'
        kind = "" if self.type is None else f' Type="{self.type}"'
        return (
            f"<ds:Reference{uri}{kind}>"
            + (f"<ds:Transforms>{inner}</ds:Transforms>" if inner else "")
            + f'<ds:DigestMethod Algorithm="{self.digest_method}"/>'
            f"<ds:DigestValue>{self.digest}</ds:DigestValue></ds:Reference>"
        )


@dataclass(frozen=True, kw_only=True)
class Sig:
    """A ds:Signature to be put into a document."""

    references: tuple[Ref, ...] = (Ref(),)
    id: str = "sig"
    canonicalization: str = f'<ds:CanonicalizationMethod Algorithm="{C14N}"/>'
    method: str = RSA_SHA256
    method_content: str = ""
    value: str = ""  # base64; without one it gets the right one
    certificates: tuple[str, ...] = ("signature",)
    key_info: str | None = None  # in place of those; "" for none
    objects: str = ""

    def markup(self) -> str:
        key_info = x509_data(*map(load, self.certificates))
        if self.key_info is not None:
            key_info = self.key_info
        references = "".join(each.markup() for each in self.references)
        return (
            f'<ds:Signature xmlns:ds="{DS}" Id="{self.id}"><ds:SignedInfo>{self.canonicalization}'
            f'<ds:SignatureMethod Algorithm="{self.method}">{self.method_content}'
            f"</ds:SignatureMethod>{references}</ds:SignedInfo>"
            f"<ds:SignatureValue>{self.value}</ds:SignatureValue>"
            + (f"<ds:KeyInfo>{key_info}</ds:KeyInfo>" if key_info else "")
            + f"{self.objects}</ds:Signature>"
        )


def x509_data(*certificates: x509.Certificate) -> str:
    inner = "".join(
        f"<ds:X509Certificate>{base64.encodebytes(each.public_bytes(Encoding.DER)).decode()}"
        "</ds:X509Certificate>"
        for each in certificates
    )
    return f"<ds:X509Data>{inner}</ds:X509Data>"


def key_value(key: rsa.RSAPublicKey) -> str:
    numbers = key.public_numbers()
    parts = {"Modulus": numbers.n.to_bytes(256), "Exponent": numbers.e.to_bytes(3)}
    inner = "".join(
        f"<ds:{tag}>{base64.b64encode(value).decode()}</ds:{tag}>" for tag, value in parts.items()
    )
    return f"<ds:KeyValue><ds:RSAKeyValue>{inner}</ds:RSAKeyValue></ds:KeyValue>"


def qualifying_properties(
    certificate: x509.Certificate | None = None,
    *,
    time: str | None = "2026-06-01T03:00:00Z",
    target: str = "#sig",
    digest_method: str = SHA256,
    element: str = "SigningCertificateV2",
    extra: str = "",
) -> str:
    """The ds:Object of XAdES, to be signed by ``PROPERTIES``."""
    der = (load("signature") if certificate is None else certificate).public_bytes(Encoding.DER)
    digest = base64.b64encode(hashlib.new(DIGESTS[digest_method], der).digest()).decode()
    moment = "" if time is None else f"<x:SigningTime>{time}</x:SigningTime>"
    return (
        f'<ds:Object><x:QualifyingProperties xmlns:x="{XADES}" Target="{target}">'
        f'<x:SignedProperties Id="props"><x:SignedSignatureProperties>{moment}'
        f'<x:{element}><x:Cert><x:CertDigest><ds:DigestMethod Algorithm="{digest_method}"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></x:CertDigest></x:Cert></x:{element}>{extra}"
        "</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties></ds:Object>"
    )


PROPERTIES = Ref(uri="#props", transforms=(C14N,), type=PROPERTIES_TYPE)


@dataclass(kw_only=True)
class Document:
    """A text with ``{}`` where the signature goes."""

    text: str
    signature: Sig = field(default_factory=Sig)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: load_key("signature"))
    files: Mapping[str, bytes] = field(default_factory=dict)

    def sign(self) -> bytes:
        root = etree.fromstring(self.text.replace("{}", self.signature.markup()).encode())
        (signature,) = root.xpath("//*[@Id=$value]", value=self.signature.id)
        signed_info = signature[0]
        for reference in signed_info.iterfind(f"{{{DS}}}Reference"):
            value = reference[-1]
            if not value.text and len(value) == 0:
                name = DIGESTS[reference[-2].get("Algorithm")]
                octets = self._octets(root, signature, reference)
                value.text = base64.b64encode(hashlib.new(name, octets).digest()).decode()
        if not signature[1].text and self.signature.method in VALUES:
            algorithm = VALUES[self.signature.method]()
            octets = canonical(signed_info, signed_info[0])
            signature[1].text = base64.b64encode(
                self.key.sign(octets, padding.PKCS1v15(), algorithm)
            ).decode()
        return etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=True)

    def _octets(self, root, signature, reference) -> bytes:
        uri = reference.get("URI")
        if uri and not uri.startswith("#"):
            return self.files[uri]
        transforms = reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
        method = next((each for each in transforms if each.get("Algorithm") != ENVELOPED), None)
        mark = "to-be-signed"
        target = root if not uri else root.xpath(IDS, value=uri[1:])[0]
        signature.set(mark, "")
        text = etree.tostring(
            target if uri else root.getroottree(), encoding="utf-8", with_tail=False
        )
        del signature.attrib[mark]
        copy = etree.fromstring(text)
        for inner in copy.xpath(f"//*[@{mark}]"):
            del inner.attrib[mark]
            if len(transforms) and transforms[0].get("Algorithm") == ENVELOPED:
                _remove(inner)
        return canonical(copy if uri else copy.getroottree(), method)


def _remove(element) -> None:
    parent, previous, tail = element.getparent(), element.getprevious(), element.tail or ""
    if previous is None:
        parent.text = (parent.text or "") + tail
    else:
        previous.tail = (previous.tail or "") + tail
    element.tail = None
    parent.remove(element)


def canonical(tree, method=None) -> bytes:
    """Canonicalize an element on its own, or a document, without comments."""
    algorithm = C14N if method is None else method.get("Algorithm", C14N)
    prefixes = None
    if method is not None and len(method):
        prefixes = method[0].get("PrefixList").split()
    if isinstance(tree, etree._Element):
        tree = etree.fromstring(etree.tostring(tree, encoding="utf-8", with_tail=False))
    return etree.tostring(
        tree,
        method="c14n",
        exclusive=algorithm.startswith(EXCLUSIVE),
        with_comments=False,
        inclusive_ns_prefixes=prefixes,
    )
