"""Verifying signatures: every format gives the same report with three states."""

from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict
from jpki.verification.cms import verify_cms
from jpki.verification.raw import verify_raw
from jpki.verification.report import Coverage, Level, SignatureReport, VerificationReport

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
