"""Verifying CMS and CAdES signatures, RFC 5652 5.4 and 5.6, by the steps of ETSI EN 319 102-1."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from mmap import mmap
from typing import BinaryIO

from cryptography import x509

from jpki.certificates.asn1 import Asn1Error
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.verdict import Reason
from jpki.signing.digest import AnyHash, HashAlgorithm, hash_stream_with, read_hash
from jpki.verification.circumstances import Circumstances
from jpki.verification.report import VerificationReport
from jpki.verification.signed_data import SignedData, SignerInfo, parse_signed_data
from jpki.verification.signer import ReportChange, verify_signer
from jpki.verification.signer_certificate import CertificateBag
from jpki.verification.timestamped_signature import signature_timestamp, with_timestamp


def verify_cms(
    signature: bytes | mmap,
    content: BinaryIO | None,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
    *,
    now: datetime | None = None,
    allow_sha1: bool = False,
) -> VerificationReport:
    """Verify every signature of a SignedData. Malformed input gives a report, not an exception.

    Args:
        signature: ContentInfo in DER, BER or PEM; a mapped file costs no memory for the content
            attached to it.
        content: the document of a detached signature, from its first byte, read once and in
            chunks; None for an attached one. Given for an attached one it must equal what is
            inside (else: content-conflict).
        anchors: CA certificates that the caller trusts; those of J-LIS that are pinned are
            anchors as well where the signature carries them. None at all: at best indeterminate,
            no-anchor.
        at: the time at which certificates must be valid, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count.
        now: the time of day, where ``at`` is a time in the past; a signature from the future
            is not believed.
        allow_sha1: a signature that rests on SHA-1 may pass; a note then says so.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: the content cannot be read.
    """
    circumstances = Circumstances(
        anchors=anchors, at=at, now=now or at, revocation=revocation, allow_sha1=allow_sha1
    )
    try:
        signed_data = parse_signed_data(signature)
        report = _verify(signed_data, content, circumstances)
        return report if signed_data.content is None else _with_content(report, signature)
    except Asn1Error:
        return VerificationReport(reasons=(Reason.MALFORMED,))


def _verify(
    signed_data: SignedData, content: BinaryIO | None, circumstances: Circumstances
) -> VerificationReport:
    if not signed_data.signer_infos:
        return VerificationReport(reasons=(Reason.NO_SIGNATURE,))
    if signed_data.content is None and content is None:
        return VerificationReport(reasons=(Reason.CONTENT_MISSING,))
    reasons, digests = _digests(signed_data, content)
    bag = CertificateBag(signed_data.certificates)
    trusting = circumstances.trusting(bag.pinned_anchors())

    def add_timestamp(signer_info: SignerInfo) -> ReportChange:
        timestamp = signature_timestamp(signer_info, signed_data.certificates, circumstances)
        return lambda report: with_timestamp(report, timestamp, circumstances.revocation.mode)

    return VerificationReport(
        reasons=reasons,
        signatures=tuple(
            verify_signer(
                signer_info, signed_data, bag, digests, trusting, add_timestamp(signer_info)
            )
            for signer_info in signed_data.signer_infos
        ),
    )


def _with_content(report: VerificationReport, signature: bytes | mmap) -> VerificationReport:
    """Let each signature of an attached content write it; the content is read anew for that."""

    def write(output: BinaryIO) -> None:
        output.writelines(parse_signed_data(signature).content or ())

    signatures = tuple(replace(each, write_covered=write) for each in report.signatures)
    return replace(report, signatures=signatures)


def _digests(
    signed_data: SignedData, content: BinaryIO | None
) -> tuple[tuple[Reason, ...], dict[AnyHash, bytes]]:
    """Hash the content once with every algorithm that a signer used."""
    used = [read_hash(signer_info.digest_algorithm) for signer_info in signed_data.signer_infos]
    # At least one, so that attached content can be compared with what was given.
    algorithms: set[AnyHash] = {algorithm for algorithm in used if algorithm}
    algorithms = algorithms or {HashAlgorithm.SHA256}
    given = None if content is None else hash_stream_with(content, algorithms)
    if signed_data.content is None:
        return (), given or {}
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    for piece in signed_data.content:
        for hasher in hashers.values():
            hasher.update(piece)
    inside = {algorithm: hasher.digest() for algorithm, hasher in hashers.items()}
    reasons = () if given in (None, inside) else (Reason.CONTENT_CONFLICT,)
    return reasons, inside
