"""The path check of RFC 5280 6.1 for paths of length two: a leaf and the anchor that issued it.

JPKI has no intermediate CAs, so none are looked for: a certificate whose issuer is not an anchor
has no path, whatever else was sent along. The time is an argument.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import (
    ExtendedKeyUsageOID,
    ExtensionOID,
    NameOID,
    SignatureAlgorithmOID,
)

from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import read_through
from jpki.certificates.names import issuer_der, subject_der
from jpki.certificates.verdict import AnchorOrigin, Reason, Unchecked, Verdict, worst
from jpki.errors import CertificateMalformedError

MIN_MODULUS_BITS = 2048
MAX_MODULUS_BITS = 8192  # a longer one only serves to keep verifiers busy
PUBLIC_EXPONENT = 65537
SHA2_WITH_RSA = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
    }
)
WEAK_SIGNATURES = frozenset(
    {SignatureAlgorithmOID.RSA_WITH_MD5, SignatureAlgorithmOID.RSA_WITH_SHA1}
)
# Read here, or (policies) left to the profile check and named in ``not_checked``. A critical
# extension outside this set would be a condition that nobody looks at.
UNDERSTOOD_EXTENSIONS = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
TEST_ORGANIZATION = "JPKI-TEST"


class Purpose(Enum):
    """What a leaf certificate is used for; each wants its own key usage."""

    DOCUMENT = "document"
    """Signing a document: key usage nonRepudiation. Authentication certificates do not have it."""
    LOGIN = "login"
    """Logging in: key usage digitalSignature and extended key usage clientAuth, which signature
    certificates lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """What the check of a certificate found; no reasons: every check that was made succeeded."""

    reasons: tuple[Reason, ...]
    anchor: AnchorOrigin | None = None  # None: no anchor issued it
    anchor_certificate: x509.Certificate | None = None
    not_checked: tuple[Unchecked, ...] = tuple(Unchecked)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons."""
        return worst(reason.verdict for reason in self.reasons)


def check_path(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    purpose: Purpose,
) -> PathReport:
    """Check a leaf certificate against trust anchors at a time.

    Every anchor with the issuer's name is tried by signature: all generations of a JPKI CA share
    one name.

    Args:
        certificate: the leaf.
        anchors: CA certificates that the caller trusts; empty: at best indeterminate, no-anchor.
        at: the time of the check, with a time zone.
        purpose: what the certificate was used for.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        CertificateMalformedError: an anchor cannot be read (never so for one of
            ``load_certificates``).
    """
    check_anchors_and_time(anchors, at)
    try:
        read_through(certificate)
    except CertificateMalformedError:
        return PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))
    reasons = [
        *_leaf_date_faults(certificate, at),
        *_key_faults(certificate),
        *_signature_algorithm_faults(certificate),
        *_leaf_extension_faults(certificate),
        *_usage_faults(certificate, purpose),
    ]
    anchor_reasons, issuer = _find_issuer(certificate, anchors, at)
    return PathReport(
        reasons=tuple(dict.fromkeys([*reasons, *anchor_reasons])),
        anchor=None if issuer is None else _origin(issuer),
        anchor_certificate=issuer,
    )


def check_anchors_and_time(anchors: Sequence[x509.Certificate], at: datetime) -> None:
    """Refuse what a caller gives a check by mistake, before anything is judged with it.

    Raises:
        ValueError: ``at`` has no time zone.
        CertificateMalformedError: an anchor cannot be read.
    """
    if at.tzinfo is None:
        raise ValueError("the time of the check needs a time zone")
    for anchor in anchors:
        read_through(anchor)


def is_test_certificate(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate names a test CA as its issuer."""
    return _names_test_organization(certificate.issuer)


def _leaf_date_faults(certificate: x509.Certificate, at: datetime) -> Iterator[Reason]:
    moment = at.replace(microsecond=0)  # dates of certificates are whole seconds, both inclusive
    if moment < certificate.not_valid_before_utc:
        yield Reason.NOT_YET_VALID
    if moment > certificate.not_valid_after_utc:
        yield Reason.EXPIRED


def _key_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        yield Reason.UNSUPPORTED_ALGORITHM
    elif (
        not MIN_MODULUS_BITS <= key.key_size <= MAX_MODULUS_BITS
        or key.public_numbers().e != PUBLIC_EXPONENT
    ):
        yield Reason.WEAK_KEY


def _signature_algorithm_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    oid = certificate.signature_algorithm_oid
    if oid in WEAK_SIGNATURES:
        yield Reason.WEAK_ALGORITHM
    elif oid not in SHA2_WITH_RSA:
        yield Reason.UNSUPPORTED_ALGORITHM


def _leaf_extension_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    if _has_unknown_critical_extension(certificate):
        yield Reason.UNKNOWN_CRITICAL_EXTENSION
    # The card signs any digest, so a card's certificate that could issue others would be a CA in
    # everybody's pocket.
    constraints = find_extension(certificate, x509.BasicConstraints)
    usage = find_extension(certificate, x509.KeyUsage)
    if (constraints is not None and constraints.ca) or (
        usage is not None and (usage.key_cert_sign or usage.crl_sign)
    ):
        yield Reason.SIGNER_IS_CA


def _usage_faults(certificate: x509.Certificate, purpose: Purpose) -> Iterator[Reason]:
    usage = find_extension(certificate, x509.KeyUsage)
    if usage is None:  # RFC 5280 would allow everything; JPKI always says what for
        yield Reason.WRONG_KEY_USAGE
        return
    fits: bool
    match purpose:
        case Purpose.DOCUMENT:
            fits = usage.content_commitment
        case Purpose.LOGIN:
            extended = find_extension(certificate, x509.ExtendedKeyUsage)
            logs_in = extended is not None and ExtendedKeyUsageOID.CLIENT_AUTH in extended
            fits = usage.digital_signature and logs_in
    if not fits:
        yield Reason.WRONG_KEY_USAGE


def _find_issuer(
    certificate: x509.Certificate, anchors: Sequence[x509.Certificate], at: datetime
) -> tuple[tuple[Reason, ...], x509.Certificate | None]:
    namesakes = [anchor for anchor in anchors if subject_der(anchor) == issuer_der(certificate)]
    issuers = [anchor for anchor in namesakes if _is_issued_by(certificate, anchor)]
    if not issuers:
        return (Reason.UNTRUSTED_ISSUER if namesakes else Reason.NO_ANCHOR,), None
    # One key may stand in several anchors (a renewed CA certificate): take the best of them.
    faults = [(tuple(_anchor_faults(issuer, at)), issuer) for issuer in issuers]
    return min(faults, key=lambda fault: len(fault[0]))


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        # ValueError: SHA-1, or another algorithm inside than outside; TypeError: a key that
        # cannot sign certificates.
        return False
    return True


def _anchor_faults(anchor: x509.Certificate, at: datetime) -> Iterator[Reason]:
    constraints = find_extension(anchor, x509.BasicConstraints)
    usage = find_extension(anchor, x509.KeyUsage)
    if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
        yield Reason.ANCHOR_NOT_CA
    moment = at.replace(microsecond=0)
    if moment < anchor.not_valid_before_utc:
        yield Reason.ANCHOR_NOT_YET_VALID
    if moment > anchor.not_valid_after_utc:
        yield Reason.ANCHOR_EXPIRED
    if _has_unknown_critical_extension(anchor):
        yield Reason.UNKNOWN_CRITICAL_EXTENSION
    yield from _key_faults(anchor)


def _has_unknown_critical_extension(certificate: x509.Certificate) -> bool:
    return any(
        extension.critical and extension.oid not in UNDERSTOOD_EXTENSIONS
        for extension in certificate.extensions
    )


def _origin(anchor: x509.Certificate) -> AnchorOrigin:
    is_test = _names_test_organization(anchor.subject)
    return AnchorOrigin.TEST if is_test else AnchorOrigin.GIVEN


def _names_test_organization(name: x509.Name) -> bool:
    organizations = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(organization.value == TEST_ORGANIZATION for organization in organizations)
