"""Certificates put together field by field, so that each field can be what no library writes.

The fields of a sound certificate come from asn1crypto, which shares no code with the reader; what
takes their place is plain bytes, and `cryptography` signs whatever came about. With no change at
all the result is the sound certificate, byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.odd_certificates import tlv
from support.pki import HOLDER, load, load_key

INTEGER, BIT_STRING, OCTET_STRING, NULL, UTF8_STRING = 0x02, 0x03, 0x04, 0x05, 0x0C
PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

TRUE, FALSE = tlv(0x01, b"\xff"), tlv(0x01, b"\x00")
JUNK = tlv(NULL, b"junk")

KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
ISSUER_ALT_NAME = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
POLICIES = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"

Signer = Callable[[bytes], bytes]
"""TBSCertificate -> signature."""


def seq(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, b"".join(parts))


def oid(dotted: str) -> bytes:
    return bytes(core.ObjectIdentifier(dotted).dump())


def integer(value: int) -> bytes:
    return bytes(core.Integer(value).dump())


def bits(octets: bytes, unused: int = 0) -> bytes:
    return tlv(BIT_STRING, bytes([unused]) + octets)


def algorithm(dotted: str, parameters: bytes = b"\x05\x00") -> bytes:
    return seq(oid(dotted), parameters)


SHA256_WITH_RSA = algorithm("1.2.840.113549.1.1.11")


# --- times, names, extensions -------------------------------------------------------------------


def utc_time(text: str) -> bytes:
    return tlv(UTC_TIME, text.encode())


def generalized_time(text: str) -> bytes:
    return tlv(GENERALIZED_TIME, text.encode())


def time_of(moment: datetime) -> bytes:
    return utc_time(moment.strftime("%y%m%d%H%M%SZ"))


def attribute(dotted: str, text: str, tag: int = UTF8_STRING) -> bytes:
    return seq(oid(dotted), tlv(tag, text.encode()))


def name(*rdns: tuple[bytes, ...]) -> bytes:
    """A Name; each RDN is a tuple of attributes."""
    return seq(*(tlv(SET, b"".join(rdn)) for rdn in rdns))


def extension(dotted: str, value: bytes, critical: bytes = b"") -> bytes:
    """An Extension; ``critical`` is the BOOLEAN as it shall stand, or nothing."""
    return seq(oid(dotted), critical, tlv(OCTET_STRING, value))


def policies(*dotted: str) -> bytes:
    return seq(*(seq(oid(policy)) for policy in dotted))


def holder_name(number: int, value: bytes) -> bytes:
    """An otherName of JPKI whose value is any encoding."""
    kind = oid(f"1.2.392.200149.8.5.5.{number}")
    return tlv(0xA0, kind + tlv(0xA0, value))


def holder(
    changes: dict[int, bytes] | None = None, *, more: bytes = b"", without: int | None = None
) -> bytes:
    """The usual subjectAltName; some attributes changed, one missing, or more names at its end."""
    values = {number: tlv(UTF8_STRING, text.encode()) for number, text in HOLDER.items()}
    values.update(changes or {})
    values.pop(without or 0, None)
    return seq(*(holder_name(*item) for item in values.items()), more)


# --- keys ---------------------------------------------------------------------------------------


def rsa_key(
    modulus: bytes | int, exponent: bytes | int = 65537, *, kind: bytes | None = None
) -> bytes:
    """A SubjectPublicKeyInfo with an RSAPublicKey of any numbers, given as such or as DER."""
    numbers = [part if isinstance(part, bytes) else integer(part) for part in (modulus, exponent)]
    return seq(kind or algorithm("1.2.840.113549.1.1.1"), bits(seq(*numbers)))


def spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def rsa_private_key(size: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, size)


@cache
def ec_private_key(curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def ed25519_private_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def usual_modulus() -> int:
    return load_key("signature").public_key().public_numbers().n


def by_rsa(
    key: str | rsa.RSAPrivateKey = "signature-ca", hash_: type[hashes.HashAlgorithm] = hashes.SHA256
) -> Signer:
    private = load_key(key) if isinstance(key, str) else key
    return lambda tbs: private.sign(tbs, padding.PKCS1v15(), hash_())


def by_pss(key: str = "signature-ca") -> Signer:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return lambda tbs: load_key(key).sign(tbs, scheme, hashes.SHA256())


def by_ec(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Signer:
    return lambda tbs: ec_private_key(curve).sign(tbs, ec.ECDSA(hashes.SHA256()))


def by_ed25519() -> Signer:
    return lambda tbs: ed25519_private_key().sign(tbs)


# --- the certificate ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fields:
    """What a certificate consists of, each part as it shall be encoded; `replace` forges."""

    version: bytes
    serial_number: bytes
    inner: bytes
    """TBSCertificate.signature, which `outer` repeats outside what is signed."""
    issuer: bytes
    validity: bytes
    subject: bytes
    public_key: bytes
    unique_ids: bytes = b""
    extensions: tuple[bytes, ...] = ()
    after: bytes = b""  # more bytes at the end of the TBSCertificate
    outer: bytes = SHA256_WITH_RSA

    def tbs(self) -> bytes:
        extensions = tlv(0xA3, seq(*self.extensions)) if self.extensions else b""
        return seq(
            self.version, self.serial_number, self.inner, self.issuer, self.validity, self.subject,
            self.public_key, self.unique_ids, extensions, self.after,
        )  # fmt: skip

    def signed(self, sign: Signer, encode: Callable[[bytes], bytes] = bytes) -> bytes:
        """The certificate; ``encode`` writes the TBSCertificate otherwise before it is signed."""
        tbs = encode(self.tbs())
        return seq(tbs, self.outer, bits(sign(tbs)))

    def with_extension(self, dotted: str, value: bytes | None, critical: bytes = b"") -> "Fields":
        """Put an extension in place of the one with its OID, or at the end; None: leave it out."""
        new = () if value is None else (extension(dotted, value, critical),)
        places = [part for part in self.extensions if oid(dotted) in part[:16]]
        if not places:
            return replace(self, extensions=(*self.extensions, *new))
        (place,) = (self.extensions.index(part) for part in places)
        changed = (*self.extensions[:place], *new, *self.extensions[place + 1 :])
        return replace(self, extensions=changed)

    def value_of(self, dotted: str) -> bytes:
        """The value of an extension."""
        (part,) = (part for part in self.extensions if oid(dotted) in part[:16])
        return bytes(asn1.Extension.load(part)["extn_value"].contents)


@cache
def fields_of(certificate: str = "signature") -> Fields:
    """The fields of a fixture, as they are."""
    found = asn1.Certificate.load(load(certificate).public_bytes(Encoding.DER))
    tbs = found["tbs_certificate"]
    return Fields(
        version=tbs["version"].dump(),
        serial_number=tbs["serial_number"].dump(),
        inner=tbs["signature"].dump(),
        issuer=tbs["issuer"].dump(),
        validity=tbs["validity"].dump(),
        subject=tbs["subject"].dump(),
        public_key=tbs["subject_public_key_info"].dump(),
        extensions=tuple(part.dump() for part in tbs["extensions"]),
        outer=found["signature_algorithm"].dump(),
    )


def forge(
    base: str = "signature",
    *,
    sign: Signer | None = None,
    encode: Callable[[bytes], bytes] = bytes,
    **changes: object,
) -> bytes:
    """A fixture with some fields changed, signed by the CA of the fixture unless told."""
    changed = replace(fields_of(base), **changes)  # type: ignore[arg-type]
    return changed.signed(sign or by_rsa(ca_of(base)), encode)


def forge_extension(
    dotted: str, value: bytes | None, critical: bytes = b"", *, base: str = "signature"
) -> bytes:
    """A fixture with one extension changed, added, or left out."""
    changed = fields_of(base).with_extension(dotted, value, critical)
    return changed.signed(by_rsa(ca_of(base)))


def forge_algorithm(identifier: bytes, sign: Signer, base: str = "signature") -> bytes:
    """A fixture that names an algorithm inside and outside."""
    return forge(base, sign=sign, inner=identifier, outer=identifier)


def forge_validity(not_before: bytes, not_after: bytes, base: str = "signature") -> bytes:
    return forge(base, validity=seq(not_before, not_after))


def ca_of(base: str) -> str:
    return "authentication-ca" if base.startswith("authentication") else "signature-ca"
