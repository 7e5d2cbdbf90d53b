"""What the signed attributes say: RFC 5652 11, RFC 5035 (signing-certificate), RFC 6211."""

from dataclasses import dataclass
from datetime import UTC, datetime

from jpki.certificates.asn1 import (
    OCTET_STRING,
    SEQUENCE,
    Asn1Error,
    Asn1Reader,
    Element,
)
from jpki.signing.digest import HashAlgorithm
from jpki.verification.signed_data import Attribute, SignerInfo

CONTENT_TYPE_OID = bytes.fromhex("06092A864886F70D010903")
MESSAGE_DIGEST_OID = bytes.fromhex("06092A864886F70D010904")
SIGNING_TIME_OID = bytes.fromhex("06092A864886F70D010905")
SIGNING_CERTIFICATE_OID = bytes.fromhex("060B2A864886F70D010910020C")
SIGNING_CERTIFICATE_V2_OID = bytes.fromhex("060B2A864886F70D010910022F")
ALGORITHM_PROTECTION_OID = bytes.fromhex("06092A864886F70D010934")
# RFC 5652 11 and RFC 5035 3 forbid these outside the signature, where anybody could write them.
SIGNED_ONLY = frozenset(
    {
        CONTENT_TYPE_OID,
        MESSAGE_DIGEST_OID,
        SIGNING_TIME_OID,
        SIGNING_CERTIFICATE_OID,
        SIGNING_CERTIFICATE_V2_OID,
        ALGORITHM_PROTECTION_OID,
    }
)
SHA1 = "sha1"
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
DIRECTORY_NAME = 0xA4
PROTECTED_SIGNATURE_ALGORITHM = 0xA1


class AttributeFaultError(ValueError):
    """The signed attributes are not as the standard wants them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReference:
    """The signer's certificate as the signature names it, ESSCertID or ESSCertIDv2."""

    hash_name: str  # of hashlib; sha1 in version 1
    certificate_hash: bytes
    issuer: bytes | None  # Name, DER
    serial_number: bytes | None  # INTEGER, DER


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAttributes:
    """The attributes that are looked at; absent ones are None."""

    content_type: bytes  # OBJECT IDENTIFIER, DER
    message_digest: bytes
    signing_time: datetime | None
    certificate: CertificateReference | None  # from version 2
    certificate_v1: CertificateReference | None
    digest_algorithm: bytes | None  # of cmsAlgorithmProtection; OBJECT IDENTIFIER, DER
    signature_algorithm: bytes | None


def read_signed_attributes(signer_info: SignerInfo) -> SignedAttributes:
    """Read the signed attributes of a signer that has some.

    Raises:
        AttributeFaultError: a mandatory one is missing, one is there twice or outside the
            signature, or one is not encoded as it should be.
    """
    if not signer_info.is_der:
        raise AttributeFaultError("not in DER")
    if any(attribute.type in SIGNED_ONLY for attribute in signer_info.unsigned_attributes):
        raise AttributeFaultError("an attribute that must be signed is among the unsigned ones")
    values = _single_values(signer_info.attributes)
    try:
        digest_algorithm, signature_algorithm = _protection(values.get(ALGORITHM_PROTECTION_OID))
        return SignedAttributes(
            content_type=values[CONTENT_TYPE_OID],
            message_digest=_octets(values[MESSAGE_DIGEST_OID]),
            signing_time=_time(values.get(SIGNING_TIME_OID)),
            certificate=_reference(values.get(SIGNING_CERTIFICATE_V2_OID), default="sha256"),
            certificate_v1=_reference(values.get(SIGNING_CERTIFICATE_OID), default=SHA1),
            digest_algorithm=digest_algorithm,
            signature_algorithm=signature_algorithm,
        )
    except KeyError as error:
        raise AttributeFaultError("content-type or message-digest is missing") from error
    except ValueError as error:  # Asn1Error, and values that are no date
        raise AttributeFaultError("an attribute with a wrong value") from error


def _single_values(attributes: tuple[Attribute, ...]) -> dict[bytes, bytes]:
    """Return the value of each attribute; each type once, and those we read with one value."""
    values: dict[bytes, bytes] = {}
    for attribute in attributes:
        if attribute.type in values:
            raise AttributeFaultError("an attribute twice")
        if attribute.type in SIGNED_ONLY and len(attribute.values) != 1:
            raise AttributeFaultError("an attribute without exactly one value")
        values[attribute.type] = b"".join(attribute.values)
    return values


def _octets(value: bytes) -> bytes:
    reader = Asn1Reader(value, strict=True)
    return reader.contents(reader.expect(reader.document(), OCTET_STRING))


def _time(value: bytes | None) -> datetime | None:
    """Read a signing-time, RFC 5652 11.3: UTCTime until 2049, always to the second and with Z."""
    if value is None:
        return None
    reader = Asn1Reader(value, strict=True)
    element = reader.document()
    text = reader.contents(element).decode("ascii")
    if element.tag == UTC_TIME:
        century = "19" if text[:2] >= "50" else "20"
        text = century + text
    elif element.tag != GENERALIZED_TIME:
        raise Asn1Error("no time")
    digits = text.removesuffix("Z")
    if (len(text), len(digits)) != (15, 14) or not digits.isdigit():
        raise Asn1Error("a time in another form")
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)


def _reference(value: bytes | None, *, default: str) -> CertificateReference | None:
    """Read the first certificate of a SigningCertificate(V2): the signer's, RFC 5035 3."""
    if value is None:
        return None
    reader = Asn1Reader(value, strict=True)
    certificates = reader.sequence(reader.document(), 1)[0]
    fields = reader.sequence(reader.sequence(certificates, 1)[0], 1)
    hash_name = default
    if fields[0].tag == SEQUENCE and default != SHA1:  # hashAlgorithm, left out for SHA-256
        oid = reader.sequence(fields.pop(0), 1)[0]
        algorithm = HashAlgorithm.from_oid_der(reader.encoding(oid))
        if algorithm is None:
            raise Asn1Error("an unknown hash of the certificate")
        hash_name = algorithm.value
    digest, *issuer_serial = fields
    issuer, serial_number = _issuer_serial(reader, issuer_serial)
    return CertificateReference(
        hash_name=hash_name,
        certificate_hash=reader.contents(reader.expect(digest, OCTET_STRING)),
        issuer=issuer,
        serial_number=serial_number,
    )


def _issuer_serial(
    reader: Asn1Reader, optional: list[Element]
) -> tuple[bytes | None, bytes | None]:
    if not optional:
        return None, None
    names, serial_number = reader.sequence(optional[0], 2)
    (directory_name,) = (name for name in reader.sequence(names, 1) if name.tag == DIRECTORY_NAME)
    (name,) = reader.children(directory_name)
    return reader.encoding(name), reader.encoding(serial_number)


def _protection(value: bytes | None) -> tuple[bytes | None, bytes | None]:
    """Read cmsAlgorithmProtection, RFC 6211 2: digestAlgorithm, [1] signatureAlgorithm."""
    if value is None:
        return None, None
    reader = Asn1Reader(value, strict=True)
    digest_algorithm, signature_algorithm = reader.sequence(reader.document(), 2)
    digest_oid, *_ = reader.sequence(digest_algorithm, 1)
    reader.expect(signature_algorithm, PROTECTED_SIGNATURE_ALGORITHM)
    signature_oid, *_ = reader.children(signature_algorithm)
    return reader.encoding(digest_oid), reader.encoding(signature_oid)
