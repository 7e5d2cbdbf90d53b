"""X.509 certificates of JPKI: loading, describing, and the check of a path to an anchor."""

from jpki.certificates.era import Era
from jpki.certificates.holder import (
    Holder,
    HolderAttribute,
    HolderFault,
    HolderFaultKind,
    OtherAttribute,
    Sex,
)
from jpki.certificates.issuer import TrustAnchors, is_test_certificate
from jpki.certificates.kind import CertificateKind, Medium
from jpki.certificates.loading import load_certificates
from jpki.certificates.profile import CertificateProfile, read_profile
from jpki.certificates.purpose import Purpose
from jpki.certificates.validation import PathReport, check_path
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict

__all__ = [
    "AnchorOrigin",
    "CertificateKind",
    "CertificateProfile",
    "Era",
    "Holder",
    "HolderAttribute",
    "HolderFault",
    "HolderFaultKind",
    "Medium",
    "OtherAttribute",
    "PathReport",
    "Purpose",
    "Reason",
    "Revocation",
    "Sex",
    "TrustAnchors",
    "Unchecked",
    "Verdict",
    "check_path",
    "is_test_certificate",
    "load_certificates",
    "read_profile",
]
