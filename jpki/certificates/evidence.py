"""What a CRL or an OCSP answer says of one certificate, or why it says nothing that counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509.oid import ObjectIdentifier, SignatureAlgorithmOID

from jpki.certificates.issuer import is_ca_key
from jpki.certificates.verdict import Revocation

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
SHA2_WITH_RSA: Final[dict[ObjectIdentifier, type[HashAlgorithm]]] = {
    SignatureAlgorithmOID.RSA_WITH_SHA256: SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384: SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512: SHA512,
}


class RevocationSource(StrEnum):
    """Where an answer comes from."""

    CRL = "crl"
    OCSP = "ocsp"


class EvidenceFault(StrEnum):
    """Why a CRL or an OCSP answer does not count for a certificate."""

    MALFORMED = "malformed"
    OTHER_ISSUER = "other-issuer"
    """It is not about certificates of this CA (this name, this key)."""
    OTHER_SCOPE = "other-scope"
    """A CRL of another municipality, or not about people's certificates."""
    OTHER_CERTIFICATE = "other-certificate"
    """An OCSP answer about another certificate."""
    SIGNATURE_INVALID = "signature-invalid"
    WEAK_ALGORITHM = "weak-algorithm"
    RESPONDER_NOT_AUTHORIZED = "responder-not-authorized"
    """Signed by somebody whom the CA did not charge with it."""
    NOT_YET_VALID = "not-yet-valid"
    STALE = "stale"
    PARTIAL = "partial"
    """Only some reasons, or only what changed: it does not tell the whole."""
    INDIRECT = "indirect"
    """It lists certificates of other CAs too."""
    UNKNOWN_CRITICAL_EXTENSION = "unknown-critical-extension"
    NONCE_MISMATCH = "nonce-mismatch"
    """The answer to somebody else's question."""
    NO_ANSWER = "no-answer"
    """The responder declined: try later, unauthorized, internal error."""


class EvidenceFaultError(Exception):
    """Says why something does not count; never leaves this package."""

    def __init__(self, fault: EvidenceFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedEvidence:
    """A CRL or an OCSP answer that does not count."""

    source: RevocationSource
    fault: EvidenceFault


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFinding:
    """What is known about the revocation of a certificate."""

    status: Revocation = Revocation.NOT_CHECKED
    reason: str | None = None  # CRLReason as cryptography spells it, RFC 5280 5.3.1
    since: datetime | None = None  # UTC
    source: RevocationSource | None = None
    this_update: datetime | None = None  # UTC
    next_update: datetime | None = None  # UTC
    rejected: tuple[RejectedEvidence, ...] = ()


NOT_LOOKED_AT: Final = RevocationFinding()


def decisive(findings: Sequence[RevocationFinding]) -> RevocationFinding:
    """Return the one that counts: a revocation is final, else the newest; of two, the worse."""
    return max(findings, key=_weight, default=NOT_LOOKED_AT)


def _weight(finding: RevocationFinding) -> tuple[bool, datetime, bool]:
    is_revoked = finding.status is Revocation.REVOKED
    is_not_good = finding.status is not Revocation.GOOD
    return is_revoked, finding.this_update or LONG_AGO, is_not_good


def status_of(reason: x509.ReasonFlags | None) -> Revocation:
    """Return what an entry with this reason means: a hold can be lifted again, all else is final.

    Raises:
        EvidenceFaultError: removeFromCRL, which has no meaning outside a delta CRL.
    """
    match reason:
        case x509.ReasonFlags.certificate_hold:
            return Revocation.SUSPENDED
        case x509.ReasonFlags.remove_from_crl:
            raise EvidenceFaultError(EvidenceFault.MALFORMED)
        case _:
            return Revocation.REVOKED


def unless_stale(finding: RevocationFinding, *, is_stale: bool) -> RevocationFinding:
    """Return a finding out of something that may be out of date: then only a revocation counts.

    That one is final (RFC 5280 5.3.1: only a hold can be lifted), so to pass it over because
    nothing newer is at hand would let a certificate pass that is known to be revoked.

    Raises:
        EvidenceFaultError: STALE.
    """
    if is_stale and finding.status is not Revocation.REVOKED:
        raise EvidenceFaultError(EvidenceFault.STALE)
    return finding


def check_signature(
    issuer: x509.Certificate,
    algorithm: ObjectIdentifier | None,
    signature: bytes,
    signed: bytes,
) -> None:
    """Check an RSA signature with SHA-2 by the key of a certificate, no weaker than a CA's.

    Raises:
        EvidenceFaultError: it is not one, or of another kind.
    """
    key = issuer.public_key()
    hash_algorithm = None if algorithm is None else SHA2_WITH_RSA.get(algorithm)
    if hash_algorithm is None or not isinstance(key, RSAPublicKey) or not is_ca_key(key):
        raise EvidenceFaultError(EvidenceFault.WEAK_ALGORITHM)
    try:
        key.verify(signature, signed, PKCS1v15(), hash_algorithm())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise EvidenceFaultError(EvidenceFault.SIGNATURE_INVALID) from None
