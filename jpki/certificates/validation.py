"""The path check of RFC 5280 6.1 for paths of length two: a leaf and the anchor that issued it.

JPKI has no intermediate CAs, so none are looked for: a certificate whose issuer is not an anchor has no path, whatever
else was sent along. The time is an argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cryptography import x509

from jpki.certificates.verdict import AnchorOrigin, Reason, Unchecked, Verdict, worst


class Purpose(Enum):
    """What a leaf certificate is used for; each wants its own key usage."""

    DOCUMENT = "document"
    """Signing a document: key usage nonRepudiation. Authentication certificates do not have it."""
    LOGIN = "login"
    """Logging in: key usage digitalSignature and extended key usage clientAuth. Signature certificates lack the latter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """What the check of a certificate found. `reasons` is empty when every check that was made succeeded."""

    reasons: tuple[Reason, ...]
    anchor: AnchorOrigin | None = None  # None: no anchor issued it
    anchor_certificate: x509.Certificate | None = None
    not_checked: tuple[Unchecked, ...] = tuple(Unchecked)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons."""
        return worst(reason.verdict for reason in self.reasons)


def check_path(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    purpose: Purpose,
) -> PathReport:
    """Check a leaf certificate against trust anchors at a time.

    Every anchor with the issuer's name is tried by signature: all generations of a JPKI CA share one name.

    Args:
        certificate: the leaf.
        anchors: CA certificates that the caller trusts; may be empty (then at best indeterminate: no-anchor).
        at: the time of the check, with a time zone.
        purpose: what the certificate was used for.

    Raises:
        ValueError: `at` has no time zone (a bug of the caller).
    """
    raise NotImplementedError
