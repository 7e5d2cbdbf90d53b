"""What the signed attributes say: RFC 5652 11, RFC 5035 (signing-certificate), RFC 6211."""

from dataclasses import dataclass
from datetime import UTC, datetime

from jpki.certificates.der import (
    OCTET_STRING,
    SEQUENCE,
    DerError,
    Element,
    children,
    read_element,
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
    except ValueError as error:  # DerError, and values that are no date
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
    element = _expect(read_element(value), OCTET_STRING)
    return value[element.contents : element.end]


def _expect(element: Element, tag: int) -> Element:
    if element.tag != tag:
        raise DerError(f"tag {element.tag:02X} where {tag:02X} belongs")
    return element


def _time(value: bytes | None) -> datetime | None:
    """Read a signing-time, RFC 5652 11.3: UTCTime until 2049, always to the second and with Z."""
    if value is None:
        return None
    element = read_element(value)
    text = value[element.contents : element.end].decode("ascii")
    if element.tag == UTC_TIME:
        century = "19" if text[:2] >= "50" else "20"
        text = century + text
    elif element.tag != GENERALIZED_TIME:
        raise DerError("no time")
    if len(text) != len("20260401000000Z") or not text[:-1].isdigit():
        raise DerError("a time in another form")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _reference(value: bytes | None, *, default: str) -> CertificateReference | None:
    """Read the first certificate of a SigningCertificate(V2): the signer's, RFC 5035 3."""
    if value is None:
        return None
    certificates = _sequence(value, read_element(value))[0]
    fields = _sequence(value, _sequence(value, certificates)[0])
    hash_name = default
    if fields[0].tag == SEQUENCE and default != SHA1:  # hashAlgorithm, left out for SHA-256
        oid = _sequence(value, fields.pop(0))[0]
        algorithm = HashAlgorithm.from_oid_der(value[oid.start : oid.end])
        if algorithm is None:
            raise DerError("an unknown hash of the certificate")
        hash_name = algorithm.value
    digest = _expect(fields[0], OCTET_STRING)
    issuer, serial_number = _issuer_serial(value, fields[1:])
    return CertificateReference(
        hash_name=hash_name,
        certificate_hash=value[digest.contents : digest.end],
        issuer=issuer,
        serial_number=serial_number,
    )


def _issuer_serial(value: bytes, rest: list[Element]) -> tuple[bytes | None, bytes | None]:
    if not rest:
        return None, None
    names, serial_number = _sequence(value, rest[0])
    (name,) = (
        children(value, directory_name)[0]
        for directory_name in _sequence(value, names)
        if directory_name.tag == DIRECTORY_NAME
    )
    return (
        value[name.start : name.end],
        value[serial_number.start : serial_number.end],
    )


def _protection(value: bytes | None) -> tuple[bytes | None, bytes | None]:
    """Read cmsAlgorithmProtection, RFC 6211 2: digestAlgorithm, [1] signatureAlgorithm."""
    if value is None:
        return None, None
    digest_algorithm, signature_algorithm = _sequence(value, read_element(value))
    digest_oid = _sequence(value, digest_algorithm)[0]
    signature_oid = children(value, _expect(signature_algorithm, PROTECTED_SIGNATURE_ALGORITHM))[0]
    return (
        value[digest_oid.start : digest_oid.end],
        value[signature_oid.start : signature_oid.end],
    )


def _sequence(value: bytes, element: Element) -> list[Element]:
    found = children(value, _expect(element, SEQUENCE))
    if not found:
        raise DerError("an empty SEQUENCE")
    return found
