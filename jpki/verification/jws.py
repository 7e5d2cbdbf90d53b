"""Verifying a JWS, RFC 7515 5.2, signed with RS256, RS384 or RS512 of RFC 7518 3.3.

The key is that of the first certificate in ``x5c``, and nothing else: no ``jwk``, no ``kid``, and
nothing is fetched from ``jku`` or ``x5u``. Which algorithms there are is decided here, never by the
header alone.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final

from cryptography import x509

from jpki.certificates.loading import load_certificate
from jpki.certificates.profile import read_profile
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.trust import pinned_among
from jpki.certificates.verdict import Reason
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import HashAlgorithm
from jpki.signing.jws import base64url
from jpki.verification.circumstances import Circumstances
from jpki.verification.jws_parts import (
    CompactJws,
    CriticalHeaderError,
    JwsError,
    JwsHeader,
    parse_compact,
)
from jpki.verification.raw import signature_faults
from jpki.verification.report import Level, SignatureReport, VerificationReport
from jpki.verification.signer import signing_time_faults

ALGORITHMS: Final = {
    "RS256": HashAlgorithm.SHA256,
    "RS384": HashAlgorithm.SHA384,
    "RS512": HashAlgorithm.SHA512,
}
WEAK: Final = frozenset({"RS1"})  # RFC 8812: SHA-1
CHUNK_SIZE: Final = 3 << 18  # a multiple of three, so that base64 has no padding inside


def verify_jws(
    signature: bytes,
    content: BinaryIO | None,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
    *,
    now: datetime | None = None,
) -> VerificationReport:
    """Verify a compact JWS. Malformed input gives a report, not an exception.

    Args:
        signature: the JWS.
        content: the document of a detached one, from its first byte, read once and in chunks. Given
            for an attached one it must equal what is inside (else: content-conflict).
        anchors: CA certificates that the caller trusts; those of J-LIS that are pinned are anchors
            as well where ``x5c`` holds them. None at all: at best indeterminate, no-anchor.
        at: the time at which certificates must be valid, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count.
        now: the time of day, where ``at`` is a time in the past.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: the content cannot be read.
    """
    circumstances = Circumstances(anchors=anchors, at=at, now=now or at, revocation=revocation)
    try:
        jws = parse_compact(signature)
        inside = jws.content
    except CriticalHeaderError:
        return VerificationReport(reasons=(Reason.UNKNOWN_CRITICAL_HEADER,))
    except JwsError:
        return VerificationReport(reasons=(Reason.MALFORMED,))
    algorithm = ALGORITHMS.get(jws.header.algorithm)
    if algorithm is None:
        weak = jws.header.algorithm in WEAK
        reason = Reason.WEAK_ALGORITHM if weak else Reason.UNSUPPORTED_ALGORITHM
        return VerificationReport(signatures=(SignatureReport(reasons=(reason,), level=Level.JWS),))
    digest, conflict = _signed_digest(jws, inside, content, algorithm)
    report = _verify(jws.header, jws.signature, digest, algorithm, circumstances)
    if inside is None and content is None:
        # An empty document inside looks like none at all: the signature tells them apart.
        if Reason.SIGNATURE_INVALID in report.reasons:
            return VerificationReport(reasons=(Reason.CONTENT_MISSING,))
        inside = b""
    if inside is not None:
        report = replace(report, write_covered=partial(_write, inside))
    return VerificationReport(
        reasons=(Reason.CONTENT_CONFLICT,) if conflict else (), signatures=(report,)
    )


def _write(content: bytes, output: BinaryIO) -> None:
    output.write(content)


def _signed_digest(
    jws: CompactJws, inside: bytes | None, content: BinaryIO | None, algorithm: HashAlgorithm
) -> tuple[bytes, bool]:
    """Hash what was signed -> the digest, and whether the content given is another one.

    RFC 7515 5.1 (8) and Appendix F; RFC 7797 3.
    """
    hasher = algorithm.new()
    hasher.update(jws.protected + b".")
    if inside is not None:
        hasher.update(jws.payload or b"")
        return hasher.digest(), content is not None and not _is_same(content, inside)
    for chunk in () if content is None else _chunks(content):
        hasher.update(base64url(chunk).encode("ascii") if jws.header.is_base64 else chunk)
    return hasher.digest(), False


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    """Yield chunks of a size that base64 encodes without padding, save for the last."""
    kept = b""
    while read := content.read(CHUNK_SIZE):
        kept += read
        whole = len(kept) - len(kept) % 3
        yield kept[:whole]
        kept = kept[whole:]
    yield kept


def _is_same(content: BinaryIO, inside: bytes) -> bool:
    place = 0
    while chunk := content.read(CHUNK_SIZE):
        if inside[place : place + len(chunk)] != chunk:
            return False
        place += len(chunk)
    return place == len(inside)


def _verify(
    header: JwsHeader,
    signature: bytes,
    digest: bytes,
    algorithm: HashAlgorithm,
    circumstances: Circumstances,
) -> SignatureReport:
    unknown = SignatureReport(
        reasons=(Reason.SIGNER_CERTIFICATE_MISSING,),
        level=Level.JWS,
        signing_time=header.signing_time,
        hash_algorithm=algorithm,
    )
    if not header.certificates:
        return unknown
    der, *others = header.certificates
    try:
        certificate = load_certificate(der)
    except CertificateMalformedError:
        return replace(unknown, reasons=(Reason.CERTIFICATE_MALFORMED,))
    reasons = [
        *_reference_faults(header, der),
        *signature_faults(certificate, signature, digest, algorithm),
    ]
    if header.signing_time is not None:
        reasons += signing_time_faults(header.signing_time, certificate, circumstances.now)
    pinned = pinned_among(_readable(others))
    path = circumstances.trusting(pinned).check_signer(certificate)
    return replace(
        unknown,
        reasons=tuple(dict.fromkeys((*reasons, *path.reasons))),
        signer=read_profile(certificate),
        path=path,
    )


def _reference_faults(header: JwsHeader, der: bytes) -> Iterator[Reason]:
    sha1 = hashlib.sha1(der, usedforsecurity=False).digest()
    if (
        header.sha256_thumbprint not in (None, hashlib.sha256(der).digest())
        or header.sha1_thumbprint not in (None, sha1)
    ):  # fmt: skip
        yield Reason.SIGNER_CERTIFICATE_MISMATCH


def _readable(ders: Sequence[bytes]) -> Iterator[x509.Certificate]:
    for der in ders:
        with suppress(CertificateMalformedError):
            yield load_certificate(der)
