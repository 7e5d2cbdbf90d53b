"""Verifying signatures: every format gives the same report with three states."""

from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict
from jpki.verification.cms import verify_cms
from jpki.verification.raw import verify_raw
from jpki.verification.report import (
    Coverage,
    Level,
    Note,
    SignatureReport,
    TimestampReport,
    VerificationReport,
)

__all__ = [
    "AnchorOrigin",
    "Coverage",
    "Level",
    "Note",
    "Reason",
    "Revocation",
    "SignatureReport",
    "TimestampReport",
    "Unchecked",
    "Verdict",
    "VerificationReport",
    "verify_cms",
    "verify_raw",
]
