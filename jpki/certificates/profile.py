"""What a certificate says, for a person: RFC 5280 names and dates, kind and holder by JPKI's ways.

Whoever signs a certificate writes into it what he likes: whether it is true is for the path check.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from jpki.certificates.holder import Holder
from jpki.certificates.issuer import is_test_certificate
from jpki.certificates.kind import CertificateKind, Medium, kind_of, medium_of
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.policies import TEST_SIGNATURE_POLICY
from jpki.certificates.trust import PinnedCa

DISTRIBUTION_POINTS_UNIT: Final = "CRL Distribution Points"
DISTRIBUTION_POINT_SUFFIX: Final = " CRLDP"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """A certificate as it is shown.

    Holder, serial number and common name are personal: masked unless asked for.
    """

    kind: CertificateKind
    subject: str = field(repr=False)  # RFC 4514
    issuer: str  # RFC 4514
    fingerprint_sha256: str  # of the DER, lower-case hex
    serial_number: int = field(repr=False)  # 発行番号
    not_valid_before: datetime  # UTC
    not_valid_after: datetime  # UTC, inclusive: the last second of a day in Japan
    policies: tuple[str, ...] = ()  # OIDs
    medium: Medium | None = None  # None: the policy does not tell
    is_test: bool = False  # of a test CA, such as a virtual card's: nobody's
    pin: PinnedCa | None = None  # which CA of J-LIS it is, if it is one
    prefecture: str | None = field(default=None, repr=False)  # of issue, such as Kanagawa-ken
    municipality: str | None = field(default=None, repr=False)  # Yokohama-shi-Naka-ku
    holder: Holder | None = None  # None: not a certificate that names a person


def read_profile(certificate: x509.Certificate | ParsedCertificate) -> CertificateProfile:
    """Describe a certificate; what it does not say plainly is None, not guessed.

    Raises:
        CertificateMalformedError: a part of it cannot be read (never so after
            ``load_certificates``).
    """
    parsed = ParsedCertificate.of(certificate)
    certificate = parsed.certificate
    prefecture, municipality = _place_of_issue(parsed)
    return CertificateProfile(
        kind=kind_of(parsed),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint_sha256=parsed.fingerprint_sha256,
        serial_number=parsed.parts.serial,
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
        policies=parsed.policies,
        medium=medium_of(parsed),
        is_test=is_test_certificate(certificate) or TEST_SIGNATURE_POLICY in parsed.policies,
        pin=parsed.pin,
        prefecture=prefecture,
        municipality=municipality,
        holder=parsed.holder,
    )


def _place_of_issue(certificate: ParsedCertificate) -> tuple[str | None, str | None]:
    """Prefecture and municipality: JPKI has one CRL for each, and the certificate names it.

    The name is ..., OU=CRL Distribution Points, OU=Kanagawa-ken, CN=Yokohama-shi-Naka-ku CRLDP.
    """
    points = certificate.find(x509.CRLDistributionPoints)
    names = [name for point in points or () for name in point.full_name or ()]
    if len(names) != 1 or not isinstance(names[0], x509.DirectoryName):
        return None, None
    parts = [(part.oid, str(part.value)) for part in names[0].value]
    oids = [oid for oid, _ in parts[-3:]]
    values = [value for _, value in parts[-3:]]
    unit, common = NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME
    if oids != [unit, unit, common] or values[0] != DISTRIBUTION_POINTS_UNIT:
        return None, None
    if not values[2].endswith(DISTRIBUTION_POINT_SUFFIX):
        return None, None
    return values[1] or None, values[2].removesuffix(DISTRIBUTION_POINT_SUFFIX) or None
