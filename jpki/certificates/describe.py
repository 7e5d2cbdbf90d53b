"""What a certificate says, for a person: RFC 5280 names and dates, and the holder by the JPKI profile."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from cryptography import x509


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The four attributes of a signature certificate; None where it does not say, or says it in an unknown way.

    Text is as in the certificate: control and bidirectional characters are for the output to escape.
    """

    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSummary:
    """A certificate as it is shown. `holder` and `serial_number` are personal: masked unless asked for."""

    kind: CertificateKind
    subject: str  # RFC 4514
    issuer: str  # RFC 4514
    fingerprint_sha256: str  # of the DER, lower-case hex
    serial_number: int = field(repr=False)
    not_valid_before: datetime  # UTC
    not_valid_after: datetime  # UTC, inclusive
    holder: Holder | None = None  # None: not a certificate that names a person


def summarize(certificate: x509.Certificate) -> CertificateSummary:
    """Describe a certificate; nothing in it makes this fail, what cannot be read is None."""
    raise NotImplementedError
