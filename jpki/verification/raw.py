"""Verifying bare signatures, RSASSA-PKCS1-v1_5 of RFC 8017 8.2.2, with the certificate beside."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from jpki.certificates.profile import read_profile
from jpki.certificates.purpose import Purpose
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.validation import check_path
from jpki.certificates.verdict import Reason
from jpki.signing.digest import AnyHash, HashAlgorithm, hash_stream
from jpki.verification.report import Level, SignatureReport, VerificationReport


def verify_raw(
    signature: bytes,
    content: BinaryIO | bytes,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    algorithm: HashAlgorithm = HashAlgorithm.SHA256,
    revocation: RevocationMaterial = NOTHING_GIVEN,
) -> VerificationReport:
    """Verify a bare signature over a document.

    Args:
        signature: big-endian, exactly as long as the modulus.
        content: the document as a stream from its first byte, or its digest as bytes.
        certificate: the signer's; a bare signature carries none.
        anchors: CA certificates that the caller trusts; empty: at best indeterminate, no-anchor.
        at: the time at which certificates must be valid, with a time zone.
        algorithm: what the document was hashed with.
        revocation: CRLs and OCSP answers, and whether there must be some that count.

    Raises:
        ValueError: ``at`` has no time zone, or a digest has the wrong size (bugs of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: the content cannot be read.
    """
    digest = content if isinstance(content, bytes) else hash_stream(content, algorithm)
    algorithm.check_size(digest)
    path = check_path(certificate, anchors, at, Purpose.DOCUMENT, revocation)
    if Reason.CERTIFICATE_MALFORMED in path.reasons:
        report = SignatureReport(reasons=path.reasons, level=Level.RAW, hash_algorithm=algorithm)
        return VerificationReport(signatures=(report,))
    faults = signature_faults(certificate, signature, digest, algorithm)
    report = SignatureReport(
        reasons=tuple(dict.fromkeys([*faults, *path.reasons])),
        level=Level.RAW,
        signer=read_profile(certificate),
        hash_algorithm=algorithm,
        path=path,
    )
    return VerificationReport(signatures=(report,))


def signature_faults(
    certificate: x509.Certificate, signature: bytes, digest: bytes, algorithm: AnyHash
) -> Iterator[Reason]:
    """Check a PKCS#1 v1.5 signature over a digest with the key of a certificate that was read."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        yield Reason.UNSUPPORTED_ALGORITHM
        return
    try:
        key.verify(signature, digest, PKCS1v15(), Prehashed(algorithm.for_cryptography()))
    except (InvalidSignature, ValueError):  # ValueError: a key too short for the digest
        yield Reason.SIGNATURE_INVALID
