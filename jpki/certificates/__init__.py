"""X.509 certificates of JPKI: loading, describing, and the check of a path to an anchor."""

from jpki.certificates.describe import CertificateKind, CertificateSummary, Holder, Sex, summarize
from jpki.certificates.loading import load_certificates
from jpki.certificates.validation import PathReport, Purpose, check_path, is_test_certificate
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict

__all__ = [
    "AnchorOrigin",
    "CertificateKind",
    "CertificateSummary",
    "Holder",
    "PathReport",
    "Purpose",
    "Reason",
    "Revocation",
    "Sex",
    "Unchecked",
    "Verdict",
    "check_path",
    "is_test_certificate",
    "load_certificates",
    "summarize",
]
