"""X.509 certificates of JPKI: loading, describing, and the check of a path to an anchor."""

from jpki.certificates.issuer import is_test_certificate
from jpki.certificates.loading import load_certificates
from jpki.certificates.profile import CertificateKind, CertificateProfile, Holder, Sex, read_profile
from jpki.certificates.validation import PathReport, Purpose, check_path
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict

__all__ = [
    "AnchorOrigin",
    "CertificateKind",
    "CertificateProfile",
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
    "read_profile",
]
