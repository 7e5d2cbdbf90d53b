"""SignedData built piece by piece with asn1crypto, so that each piece can be wrong.

asn1crypto is not what the verifier reads with, so the two cannot share a mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import new

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from support.pki import AT, load, load_key

DOCUMENT = b"a document\n"
HASHES: dict[str, type] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def attribute(name: str, *values: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": list(values)})


def signing_time(moment: datetime = AT) -> cms.CMSAttribute:
    return attribute("signing_time", cms.Time({"utc_time": core.UTCTime(moment)}))


def signing_certificate_v2(
    certificate: x509.Certificate, *, hash_name: str = "sha256", serial_number: int | None = None
) -> cms.CMSAttribute:
    der = certificate.public_bytes(Encoding.DER)
    reference: dict[str, object] = {
        "hash_algorithm": {"algorithm": hash_name},
        "cert_hash": new(hash_name, der).digest(),
    }
    if serial_number is not None:
        issuer = asn1_x509.GeneralName({"directory_name": to_asn1(certificate).issuer})
        reference["issuer_serial"] = {"issuer": [issuer], "serial_number": serial_number}
    value = tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2(reference)]})
    return attribute("signing_certificate_v2", value)


def signing_certificate_v1(certificate: x509.Certificate) -> cms.CMSAttribute:
    digest = new("sha1", certificate.public_bytes(Encoding.DER)).digest()  # noqa: S324
    value = tsp.SigningCertificate({"certs": [tsp.ESSCertID({"cert_hash": digest})]})
    return attribute("signing_certificate", value)


@dataclass(kw_only=True)
class Forgery:
    """One signer's part. The defaults are a sound CAdES B-B signature over DOCUMENT."""

    document: bytes = DOCUMENT
    certificate: x509.Certificate = field(default_factory=lambda: load("signature"))
    key: rsa.RSAPrivateKey = field(default_factory=lambda: load_key("signature"))
    digest_algorithm: str = "sha256"
    signature_algorithm: str = "sha256_rsa"
    content_type: str | None = "data"
    message_digest: bytes | None = None
    attributes: Sequence[cms.CMSAttribute] | None = None  # beside the two above
    unsigned: Sequence[cms.CMSAttribute] = ()
    by_key_identifier: bool = False
    signed_attrs_der: bytes | None = None  # in place of all attributes
    without_attributes: bool = False
    pss: bool = False

    def signer_info(self) -> cms.SignerInfo:
        signed_attrs = self._signed_attrs()
        signed = self.document if signed_attrs is None else signed_attrs.untag().dump()
        algorithm = HASHES[self.digest_algorithm]()
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if self.pss:
            scheme = padding.PSS(padding.MGF1(algorithm), 32)
        info: dict[str, object] = {
            "version": "v3" if self.by_key_identifier else "v1",
            "sid": self._sid(),
            "digest_algorithm": {"algorithm": self.digest_algorithm},
            "signature_algorithm": {"algorithm": self.signature_algorithm},
            "signature": self.key.sign(signed, scheme, algorithm),
        }
        if signed_attrs is not None:
            info["signed_attrs"] = signed_attrs
        if self.unsigned:
            info["unsigned_attrs"] = cms.CMSAttributes(list(self.unsigned))
        return cms.SignerInfo(info)

    def _sid(self) -> cms.SignerIdentifier:
        certificate = to_asn1(self.certificate)
        if self.by_key_identifier:
            identifier = core.OctetString(certificate.key_identifier)
            return cms.SignerIdentifier("subject_key_identifier", identifier)
        return cms.SignerIdentifier(
            "issuer_and_serial_number",
            cms.IssuerAndSerialNumber(
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
            ),
        )

    def _signed_attrs(self) -> cms.CMSAttributes | None:
        if self.without_attributes:
            return None
        if self.signed_attrs_der is not None:
            return cms.CMSAttributes.load(self.signed_attrs_der)
        found = (
            list(self.attributes)
            if self.attributes is not None
            else [
                signing_time(),
                signing_certificate_v2(self.certificate),
            ]
        )
        if self.content_type is not None:
            found.append(attribute("content_type", self.content_type))
        digest = self.message_digest
        if digest is None:
            digest = new(self.digest_algorithm, self.document).digest()
        if digest != b"":
            found.append(attribute("message_digest", digest))
        return cms.CMSAttributes(found)


def signed_data(
    *signers: Forgery,
    certificates: Sequence[x509.Certificate | bytes] | None = None,
    content: bytes | None = None,
    content_type: str = "data",
    digest_algorithms: Sequence[str] | None = None,
) -> bytes:
    """Put signers together -> DER ContentInfo."""
    if certificates is None:
        certificates = [signer.certificate for signer in signers]
    if digest_algorithms is None:
        digest_algorithms = sorted({signer.digest_algorithm for signer in signers})
    ders = [
        certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)
        for certificate in certificates
    ]
    encapsulated: dict[str, object] = {"content_type": content_type}
    if content is not None:
        encapsulated["content"] = content
    parts: dict[str, object] = {
        "version": "v1",
        "digest_algorithms": [
            algos.DigestAlgorithm({"algorithm": name}) for name in digest_algorithms
        ],
        "encap_content_info": encapsulated,
        "signer_infos": [signer.signer_info() for signer in signers],
    }
    if ders:
        parts["certificates"] = [
            cms.CertificateChoices("certificate", asn1_x509.Certificate.load(der)) for der in ders
        ]
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(parts)}).dump()
