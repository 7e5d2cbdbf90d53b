"""Verifying signatures: every format gives the same report with three states."""

from jpki.verification.cms import verify_cms
from jpki.verification.raw import verify_raw
from jpki.verification.report import (
    AnchorOrigin,
    Coverage,
    Level,
    Reason,
    Revocation,
    SignatureReport,
    Unchecked,
    Verdict,
    VerificationReport,
)

__all__ = [
    "AnchorOrigin",
    "Coverage",
    "Level",
    "Reason",
    "Revocation",
    "SignatureReport",
    "Unchecked",
    "Verdict",
    "VerificationReport",
    "verify_cms",
    "verify_raw",
]
