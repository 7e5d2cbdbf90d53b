"""Verifying CMS and CAdES signatures, RFC 5652 5.4 and 5.6, by the steps of ETSI EN 319 102-1."""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from cryptography import x509

from jpki.verification.report import VerificationReport


def verify_cms(
    signature: bytes,
    content: BinaryIO | None,
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> VerificationReport:
    """Verify every signature of a SignedData. Malformed input gives a report, never an exception.

    Args:
        signature: ContentInfo in DER, BER or PEM.
        content: the document of a detached signature, from its first byte, read once and in chunks; None for an attached
            one. Given for an attached one it must be equal to what is inside (else: content-conflict).
        anchors: CA certificates that the caller trusts; empty: at best indeterminate, no-anchor.
        at: the time at which certificates must be valid, with a time zone.

    Raises:
        ValueError: `at` has no time zone (a bug of the caller).
        OSError: the content cannot be read.
    """
    raise NotImplementedError
