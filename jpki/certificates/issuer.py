"""The anchor that issued a certificate, RFC 5280 6.1.3 (a) (1) and (4), and what speaks against it.

All generations of a JPKI CA share one name, so the name finds the candidates and the signature
the issuer; the key identifier is a hint that must not contradict.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtensionOID, NameOID

from jpki.certificates.conformance import PUBLIC_EXPONENT, ProfileFault, issuer_identifier_faults
from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import read_through
from jpki.certificates.names import issuer_der, subject_der
from jpki.certificates.trust import pin_of
from jpki.certificates.verdict import AnchorOrigin, Reason
from jpki.errors import AnchorNotCaError

MIN_MODULUS_BITS: Final = 2048
MAX_MODULUS_BITS: Final = 8192  # a longer one only serves to keep verifiers busy
# Read here. A critical extension outside this set is a condition that nobody looks at.
UNDERSTOOD_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
TEST_ORGANIZATION: Final = "JPKI-TEST"


def check_anchors_and_time(anchors: Sequence[x509.Certificate], at: datetime) -> None:
    """Refuse what a caller gives a check by mistake, before anything is judged with it.

    Raises:
        ValueError: ``at`` has no time zone.
        AnchorNotCaError: an anchor is no CA certificate. RFC 5280 6.1.4 (k), (n).
        CertificateMalformedError: an anchor cannot be read.
    """
    if at.tzinfo is None:
        raise ValueError("the time of the check needs a time zone")
    for anchor in anchors:
        read_through(anchor)
        constraints = find_extension(anchor, x509.BasicConstraints)
        usage = find_extension(anchor, x509.KeyUsage)
        if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
            raise AnchorNotCaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who issued a leaf, and what speaks against that CA."""

    certificate: x509.Certificate | None = None
    reasons: tuple[Reason, ...] = ()
    identifier_faults: tuple[ProfileFault, ...] = ()


def find_issuer(
    certificate: x509.Certificate, anchors: Sequence[x509.Certificate], at: datetime
) -> Issuer:
    """Find the anchor that issued a leaf which was read.

    Args:
        certificate: the leaf.
        anchors: CA certificates, checked by ``check_anchors_and_time``.
        at: the time at which the anchor must be valid.
    """
    name = issuer_der(certificate)
    namesakes = [anchor for anchor in anchors if subject_der(anchor) == name]
    found = [
        Issuer(
            certificate=anchor,
            reasons=tuple(_anchor_faults(certificate, anchor, at)),
            identifier_faults=tuple(issuer_identifier_faults(certificate, anchor)),
        )
        for anchor in namesakes
        if is_issued_by(certificate, anchor)
    ]
    if not found:
        return Issuer(reasons=(Reason.UNTRUSTED_ISSUER if namesakes else Reason.NO_ANCHOR,))
    # One key may stand in several anchors (a renewed CA certificate): take the best of them.
    return min(found, key=lambda issuer: len(issuer.reasons) + len(issuer.identifier_faults))


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a certificate names an issuer and carries its signature. RFC 5280 6.1.3 (a)."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        # ValueError: SHA-1, or another algorithm inside than outside; TypeError: a key that
        # cannot sign certificates.
        return False
    return True


def _anchor_faults(
    certificate: x509.Certificate, anchor: x509.Certificate, at: datetime
) -> Iterator[Reason]:
    moment = at.replace(microsecond=0)
    if moment < anchor.not_valid_before_utc:
        yield Reason.ANCHOR_NOT_YET_VALID
    if moment > anchor.not_valid_after_utc:
        yield Reason.ANCHOR_EXPIRED
    if (
        certificate.not_valid_before_utc < anchor.not_valid_before_utc
        or certificate.not_valid_after_utc > anchor.not_valid_after_utc
    ):
        yield Reason.OUTSIDE_ANCHOR_VALIDITY
    if has_unknown_critical_extension(anchor):
        yield Reason.UNKNOWN_CRITICAL_EXTENSION
    yield from _key_faults(anchor)


def _key_faults(anchor: x509.Certificate) -> Iterator[Reason]:
    key = anchor.public_key()
    if not isinstance(key, RSAPublicKey):
        yield Reason.UNSUPPORTED_ALGORITHM
    elif not is_ca_key(key):
        yield Reason.WEAK_KEY


def is_ca_key(key: RSAPublicKey) -> bool:
    """Tell whether a CA or a responder may sign with a key: RSA, 2048 to 8192 bits, e 65537."""
    is_sized = MIN_MODULUS_BITS <= key.key_size <= MAX_MODULUS_BITS
    return is_sized and key.public_numbers().e == PUBLIC_EXPONENT


def is_test_certificate(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate names a test CA as its issuer."""
    return _names_test_organization(certificate.issuer)


def has_unknown_critical_extension(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate has a condition that is not looked at. RFC 5280 4.2."""
    return any(
        extension.critical and extension.oid not in UNDERSTOOD_EXTENSIONS
        for extension in certificate.extensions
    )


def origin_of(anchor: x509.Certificate) -> AnchorOrigin:
    """Tell where the trust in an anchor comes from."""
    if pin_of(anchor) is not None:
        return AnchorOrigin.PINNED
    is_test = _names_test_organization(anchor.subject)
    return AnchorOrigin.TEST if is_test else AnchorOrigin.GIVEN


def _names_test_organization(name: x509.Name) -> bool:
    organizations = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(organization.value == TEST_ORGANIZATION for organization in organizations)
