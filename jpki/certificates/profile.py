"""What a certificate says, for a person: RFC 5280 names and dates, the holder by JPKI's profile."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from jpki.certificates.asn1 import UTF8_STRING, Asn1Error, Asn1Reader
from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import read_through

SIGNATURE_CA_UNIT = "JPKI for digital signature"
AUTHENTICATION_CA_UNIT = "JPKI for user authentication"

# The otherName types in the subjectAltName of a signature certificate. Their order on the wire is
# 1, 4, 3, 5, 2, 6 (seen on cards), so only the OID tells what is what. 2 and 6 are the flags of
# substituted characters.
HOLDER_ARC = "1.2.392.200149.8.5.5"
NAME_OID = f"{HOLDER_ARC}.1"
SEX_OID = f"{HOLDER_ARC}.3"
BIRTH_DATE_OID = f"{HOLDER_ARC}.4"
ADDRESS_OID = f"{HOLDER_ARC}.5"

BIRTH_DATE_DIGITS = 9  # era, then the Gregorian date as YYYYMMDD
MAX_ERA = 5  # 0 unknown, 1 Meiji ... 5 Reiwa


class CertificateKind(StrEnum):
    """What a certificate is for, told from its CA flag, key usage and extended key usage."""

    SIGNATURE = "signature"
    """署名用電子証明書."""
    AUTHENTICATION = "authentication"
    """利用者証明用電子証明書."""
    SIGNATURE_CA = "signature-ca"
    AUTHENTICATION_CA = "authentication-ca"
    UNKNOWN = "unknown"


class Sex(StrEnum):
    """性別 as the certificate codes it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


SEX_CODES = {
    "1": Sex.MALE,
    "2": Sex.FEMALE,
    "3": Sex.OTHER,
    "9": Sex.OTHER,
}  # both seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The four attributes of a signature certificate; None where it says nothing plain.

    Text is as in the certificate: control and bidirectional characters are for the output to
    escape.
    """

    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """A certificate as it is shown. Holder and serial number are personal: masked unless asked."""

    kind: CertificateKind
    subject: str  # RFC 4514
    issuer: str  # RFC 4514
    fingerprint_sha256: str  # of the DER, lower-case hex
    serial_number: int = field(repr=False)
    not_valid_before: datetime  # UTC
    not_valid_after: datetime  # UTC, inclusive
    holder: Holder | None = None  # None: not a certificate that names a person


def read_profile(certificate: x509.Certificate) -> CertificateProfile:
    """Describe a certificate; what the holder's attributes don't say plainly is None, not guessed.

    Raises:
        CertificateMalformedError: a part of it cannot be read (never so after
            ``load_certificates``).
    """
    read_through(certificate)
    return CertificateProfile(
        kind=_kind(certificate),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        serial_number=certificate.serial_number,
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
        holder=_holder(certificate),
    )


def _kind(certificate: x509.Certificate) -> CertificateKind:
    constraints = find_extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        units = {
            str(unit.value)
            for unit in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        }
        # The two CAs of JPKI have the same extensions; only the name tells them apart.
        if SIGNATURE_CA_UNIT in units:
            return CertificateKind.SIGNATURE_CA
        if AUTHENTICATION_CA_UNIT in units:
            return CertificateKind.AUTHENTICATION_CA
        return CertificateKind.UNKNOWN
    usage = find_extension(certificate, x509.KeyUsage)
    if usage is None:
        return CertificateKind.UNKNOWN
    if usage.content_commitment:
        return CertificateKind.SIGNATURE
    extended = find_extension(certificate, x509.ExtendedKeyUsage)
    logs_in = extended is not None and ExtendedKeyUsageOID.CLIENT_AUTH in extended
    if usage.digital_signature and logs_in:
        return CertificateKind.AUTHENTICATION
    return CertificateKind.UNKNOWN


def _holder(certificate: x509.Certificate) -> Holder | None:
    names = find_extension(certificate, x509.SubjectAlternativeName)
    if names is None:
        return None
    values: dict[str, list[bytes]] = {}
    for name in names:
        if isinstance(name, x509.OtherName):
            values.setdefault(name.type_id.dotted_string, []).append(name.value)
    if not any(oid.startswith(f"{HOLDER_ARC}.") for oid in values):
        return None
    sex, birth_date = _text(values, SEX_OID), _text(values, BIRTH_DATE_OID)
    return Holder(
        name=_text(values, NAME_OID),
        birth_date=None if birth_date is None else _birth_date(birth_date),
        sex=None if sex is None else SEX_CODES.get(sex),
        address=_text(values, ADDRESS_OID),
    )


def _text(values: dict[str, list[bytes]], oid: str) -> str | None:
    found = values.get(oid, [])
    if len(found) != 1:  # two of a kind: which one is true is not ours to guess
        return None
    reader = Asn1Reader(found[0], strict=True)
    try:
        return reader.contents(reader.expect(reader.document(), UTF8_STRING)).decode("utf-8")
    except (Asn1Error, UnicodeDecodeError):
        return None


def _birth_date(text: str) -> date | None:
    if len(text) != BIRTH_DATE_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    if int(text[0]) > MAX_ERA:
        return None
    try:
        return date(int(text[1:5]), int(text[5:7]), int(text[7:9]))
    except ValueError:  # unknown parts are zeros
        return None
