"""Verifying signatures: every format gives the same report with three states.

What needs a library that takes long to import is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from jpki.verification.asic import verify_asice
    from jpki.verification.jws import verify_jws
    from jpki.verification.pdf import verify_pdf
    from jpki.verification.pdf_touki import check_touki
    from jpki.verification.xml import verify_xml

_HOME = {
    "check_touki": "jpki.verification.pdf_touki",
    "verify_asice": "jpki.verification.asic",
    "verify_jws": "jpki.verification.jws",
    "verify_pdf": "jpki.verification.pdf",
    "verify_xml": "jpki.verification.xml",
}

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
    "check_touki",
    "verify_asice",
    "verify_cms",
    "verify_jws",
    "verify_pdf",
    "verify_raw",
    "verify_xml",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # PEP 562
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
