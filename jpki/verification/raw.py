"""Verifying bare signatures, RSASSA-PKCS1-v1_5 of RFC 8017 8.2.2, with the certificate beside them."""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from cryptography import x509

from jpki.signing.digest import HashAlgorithm
from jpki.verification.report import VerificationReport


def verify_raw(
    signature: bytes,
    content: BinaryIO | bytes,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    algorithm: HashAlgorithm = HashAlgorithm.SHA256,
) -> VerificationReport:
    """Verify a bare signature over a document.

    Args:
        signature: big-endian, exactly as long as the modulus.
        content: the document as a stream from its first byte, or its digest as bytes.
        certificate: the signer's; a bare signature carries none.
        anchors: CA certificates that the caller trusts; empty: at best indeterminate, no-anchor.
        at: the time at which certificates must be valid, with a time zone.
        algorithm: what the document was hashed with.

    Raises:
        ValueError: `at` has no time zone, or a digest has the wrong size (bugs of the caller).
        OSError: the content cannot be read.
    """
    raise NotImplementedError
