"""A timestamp authority of the tests: OpenSSL behind HTTP, and tokens built piece by piece.

OpenSSL takes the time from the clock, so `faketime` sets it to AT.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import new
from pathlib import Path

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from support.cms import (
    HASHES,
    attribute,
    signing_certificate_v1,
    signing_certificate_v2,
    signing_time,
    to_asn1,
)
from support.pki import AT, CA_UNTIL, LEAF_FROM, key_usage, load, load_key
from support.web import Answer, Asked, Site, serving

POLICY = "1.3.6.1.4.1.99999.1"
AUTHORITY_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mihon Time")])
INTERMEDIATE_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mihon Time CA")])
TIME_STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)


@cache
def authority_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def intermediate_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def build_authority(
    *,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    issuer: x509.Certificate | None = None,
    issuer_key: rsa.RSAPrivateKey | None = None,
    extended: Sequence[ObjectIdentifier] = TIME_STAMPING,
    critical: bool = True,
    usage: x509.KeyUsage | None = None,
    is_ca: bool = False,
    not_before: datetime = LEAF_FROM,
    not_after: datetime = CA_UNTIL,
    name: x509.Name = AUTHORITY_NAME,
) -> x509.Certificate:
    """The certificate of an authority, by the signature CA unless told otherwise."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name((issuer or load("signature-ca")).subject)
        .public_key((key or authority_key()).public_key())
        .serial_number(0x7154)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(usage or key_usage("digital_signature"), critical=True)
    )
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=critical)
    if is_ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    return builder.sign(issuer_key or load_key("signature-ca"), hashes.SHA256())


def build_intermediate(
    *,
    is_ca: bool = True,
    usage: x509.KeyUsage | None = None,
    path_length: int | None = 0,
    not_after: datetime = CA_UNTIL,
) -> x509.Certificate:
    """A CA between the signature CA and an authority."""
    return (
        x509.CertificateBuilder()
        .subject_name(INTERMEDIATE_NAME)
        .issuer_name(load("signature-ca").subject)
        .public_key(intermediate_key().public_key())
        .serial_number(0x7155)
        .not_valid_before(LEAF_FROM)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(is_ca, path_length if is_ca else None), critical=True)
        .add_extension(usage or key_usage("key_cert_sign"), critical=True)
        .sign(load_key("signature-ca"), hashes.SHA256())
    )


@cache
def authority() -> x509.Certificate:
    return build_authority()


@dataclass(kw_only=True)
class Token:
    """A token built with asn1crypto. The defaults are a sound one over ``message``."""

    message: bytes
    time: datetime = AT
    hash_name: str = "sha256"
    imprint: bytes | None = None
    nonce: int | None = None
    certificate: x509.Certificate = field(default_factory=authority)
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(default_factory=authority_key)
    certificates: Sequence[x509.Certificate] | None = None
    digest_algorithm: str = "sha256"
    signature_algorithm: str = "sha256_rsa"
    attributes: Sequence[cms.CMSAttribute] | None = None  # beside content-type, message-digest
    content_type: str = "tst_info"
    attribute_type: str = "tst_info"
    version: str = "v1"
    critical_extension: bool = False
    message_digest: bytes | None = None
    signers: int = 1
    without_attributes: bool = False

    def tst_info(self) -> tsp.TSTInfo:
        imprint = new(self.hash_name, self.message).digest()
        fields: dict[str, object] = {
            "version": self.version,
            "policy": POLICY,
            "message_imprint": {
                "hash_algorithm": {"algorithm": self.hash_name},
                "hashed_message": imprint if self.imprint is None else self.imprint,
            },
            "serial_number": 7,
            "gen_time": self.time,
        }
        if self.nonce is not None:
            fields["nonce"] = self.nonce
        if self.critical_extension:
            fields["extensions"] = [
                {"extn_id": "1.2.3.4", "critical": True, "extn_value": b"\x05\x00"}
            ]
        return tsp.TSTInfo(fields)

    def der(self) -> bytes:
        signed = self.tst_info().dump()
        found = [*(self.attributes if self.attributes is not None else self._usual())]
        found.append(attribute("content_type", self.attribute_type))
        digest = new(self.digest_algorithm, signed).digest()
        found.append(attribute("message_digest", self.message_digest or digest))
        signed_attrs = cms.CMSAttributes(found)
        certificate = to_asn1(self.certificate)
        info: dict[str, object] = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber(
                    {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
                ),
            ),
            "digest_algorithm": {"algorithm": self.digest_algorithm},
            "signature_algorithm": {"algorithm": self.signature_algorithm},
            "signature": self._sign(signed if self.without_attributes else signed_attrs.dump()),
        }
        if not self.without_attributes:
            info["signed_attrs"] = signed_attrs
        bag = [self.certificate] if self.certificates is None else self.certificates
        parts: dict[str, object] = {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": self.digest_algorithm})],
            "encap_content_info": {
                "content_type": self.content_type,
                "content": core.ParsableOctetString(signed),
            },
            "signer_infos": [cms.SignerInfo(info)] * self.signers,
        }
        if bag:
            parts["certificates"] = [
                cms.CertificateChoices(
                    "certificate", asn1_x509.Certificate.load(each.public_bytes(Encoding.DER))
                )
                for each in bag
            ]
        content = cms.SignedData(parts)
        return cms.ContentInfo({"content_type": "signed_data", "content": content}).dump()

    def _usual(self) -> list[cms.CMSAttribute]:
        return [signing_time(self.time), signing_certificate_v2(self.certificate)]

    def _sign(self, signed: bytes) -> bytes:
        algorithm = HASHES[self.digest_algorithm]()
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), algorithm)
        return self.key.sign(signed, ec.ECDSA(algorithm))


def version_1_attributes(certificate: x509.Certificate) -> list[cms.CMSAttribute]:
    """As authorities before RFC 5816 have them."""
    return [signing_time(), signing_certificate_v1(certificate)]


def timestamp_attribute(*tokens: bytes) -> cms.CMSAttribute:
    """The unsigned attribute of a signature, with the tokens in this order."""
    oid = cms.CMSAttributeType("signature_time_stamp_token").dump()
    values = core.Asn1Value(contents=b"".join(tokens), class_=0, method=1, tag=17).dump()
    return cms.CMSAttribute.load(core.Sequence(contents=oid + values).dump())


def response(token: bytes | None, status: str = "granted", **more: object) -> bytes:
    """A TimeStampResp; by hand, since asn1crypto knows none without a token."""
    body = tsp.PKIStatusInfo({"status": status, **more}).dump() + (token or b"")
    return core.Sequence(contents=body).dump()


def answer_request(asked: Asked, **changes: object) -> bytes:
    """Answer a request as an authority would, save for the changes to the token."""
    request = tsp.TimeStampReq.load(asked.body, strict=True)
    imprint = request["message_imprint"]
    wanted: dict[str, object] = {
        "message": b"",
        "imprint": imprint["hashed_message"].native,
        "hash_name": imprint["hash_algorithm"]["algorithm"].native,
        "nonce": request["nonce"].native,
    }
    return Token(**{**wanted, **changes}).der()  # type: ignore[arg-type]


class OpensslAuthority:
    """`openssl ts` with a certificate of its own; `at` may be changed between requests."""

    def __init__(self, folder: Path, *chain: x509.Certificate, at: datetime = AT) -> None:
        self.folder = folder
        self.at = at
        certificates = [authority(), *chain]
        self._write("tsa.pem", certificates[0].public_bytes(Encoding.PEM))
        self._write("chain.pem", b"".join(each.public_bytes(Encoding.PEM) for each in chain))
        key = authority_key()
        self._write(
            "tsa.key",
            key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        )
        self._write("serial", b"01\n")
        lines = [
            "[tsa]",
            "default_tsa = here",
            "[here]",
            f"serial = {folder}/serial",
            "crypto_device = builtin",
            f"signer_cert = {folder}/tsa.pem",
            f"signer_key = {folder}/tsa.key",
            *([f"certs = {folder}/chain.pem"] if chain else []),
            "signer_digest = sha256",
            f"default_policy = {POLICY}",
            "digests = sha256, sha384, sha512",
            "accuracy = secs:1",
            "ordering = no",
            "tsa_name = yes",
            "ess_cert_id_chain = no",
            "ess_cert_id_alg = sha256",
        ]
        self._write("ts.cnf", "\n".join(lines).encode() + b"\n")

    def _write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def reply(self, request: bytes) -> bytes:
        """TimeStampReq -> TimeStampResp."""
        self._write("request.tsq", request)
        answer = self.folder / "answer.tsr"
        subprocess.run(
            [
                *("env", "TZ=UTC", "faketime", "-f", f"{self.at:%Y-%m-%d %H:%M:%S}", "openssl"),
                *("ts", "-reply", "-config", str(self.folder / "ts.cnf")),
                *("-queryfile", str(self.folder / "request.tsq"), "-out", str(answer)),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return answer.read_bytes()


@contextmanager
def running_tsa(
    folder: Path,
    *chain: x509.Certificate,
    at: datetime = AT,
    credentials: str | None = None,
) -> Iterator[Site]:
    """Serve timestamps by OpenSSL, as at a time; with credentials only to who has them.

    Args:
        folder: an empty one.
        chain: certificates that the token carries beside the authority's.
        at: the time that it certifies.
        credentials: what an Authorization header must be.
    """
    folder.mkdir(exist_ok=True)
    signer = OpensslAuthority(folder, *chain, at=at)

    def answer(asked: Asked) -> Answer:
        if credentials is not None and asked.headers.get("Authorization") != credentials:
            return Answer(status=401)
        if asked.headers.get("Content-Type") != "application/timestamp-query":
            return Answer(status=415)
        body = signer.reply(asked.body)
        return Answer(body=body, headers={"Content-Type": "application/timestamp-reply"})

    with serving(answer) as site:
        yield site
