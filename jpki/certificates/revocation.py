"""Whether a certificate was revoked, by CRLs (RFC 5280 6.3) and OCSP answers (RFC 6960)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509 import ocsp

from jpki.certificates.verdict import Revocation


class RevocationMode(StrEnum):
    """How much depends on data about revocation."""

    REQUIRE = "require"
    """Without data that count nothing passes."""
    IF_AVAILABLE = "if-available"
    """What is at hand is looked at, and what is not known is said."""
    NONE = "none"
    """Nothing is looked at."""


class RevocationSource(StrEnum):
    """Where an answer comes from."""

    CRL = "crl"
    OCSP = "ocsp"


class EvidenceFault(StrEnum):
    """Why a CRL or an OCSP answer does not count."""

    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationMaterial:
    """What a caller has to look at."""

    mode: RevocationMode = RevocationMode.IF_AVAILABLE
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    ocsp_responses: tuple[ocsp.OCSPResponse, ...] = ()
    responder: Callable[[bytes], bytes] | None = None
    """DER OCSPRequest -> DER OCSPResponse: a server that the user named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedEvidence:
    """A CRL or an OCSP answer that does not count."""

    source: RevocationSource
    fault: EvidenceFault


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFinding:
    """What is known."""

    status: Revocation = Revocation.NOT_CHECKED
    reason: str | None = None  # CRLReason, RFC 5280 5.3.1
    since: datetime | None = None  # UTC
    source: RevocationSource | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    rejected: tuple[RejectedEvidence, ...] = ()


NOTHING_GIVEN: Final = RevocationMaterial()
NOT_LOOKED_AT: Final = RevocationFinding()


def check_revocation(
    certificate: x509.Certificate,  # noqa: ARG001
    issuer: x509.Certificate,  # noqa: ARG001
    at: datetime,  # noqa: ARG001
    material: RevocationMaterial,  # noqa: ARG001
) -> RevocationFinding:
    """Look a certificate up."""
    return NOT_LOOKED_AT
