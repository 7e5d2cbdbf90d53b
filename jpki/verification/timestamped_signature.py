"""A timestamp over a signature, and what it proves: ETSI EN 319 122-1 5.3, EN 319 102-1 5.5.4.

It is an unsigned attribute, so anybody may add one: a bad one takes nothing from the signature,
and is reported as what it is.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from jpki.certificates.evidence import (
    EvidenceFault,
    RejectedEvidence,
    RevocationFinding,
)
from jpki.certificates.revocation import RevocationMode
from jpki.certificates.verdict import Reason, Revocation, Verdict
from jpki.verification.circumstances import Circumstances
from jpki.verification.report import Level, Note, SignatureReport, TimestampReport
from jpki.verification.signed_data import SignerInfo
from jpki.verification.timestamp import BEST_FIRST, judge_timestamp

SIGNATURE_TIMESTAMP_OID: Final = bytes.fromhex("060B2A864886F70D010910020E")
MAX_TIMESTAMPS: Final = 4  # on one signature; each costs RSA operations and a path
LEVEL_WITH_TIMESTAMP: Final = {
    Level.CADES_B_B: Level.CADES_B_T,
    Level.PADES_B_B: Level.PADES_B_T,
    Level.XADES_B_B: Level.XADES_B_T,
}
EXPIRY: Final = frozenset({Reason.EXPIRED, Reason.ANCHOR_EXPIRED})


def signature_timestamp(
    signer_info: SignerInfo, certificates: Sequence[bytes], circumstances: Circumstances
) -> TimestampReport | None:
    """Verify the timestamps over a signature -> the best, of several good ones the earliest.

    Args:
        signer_info: the signature.
        certificates: DER, those beside it.
        circumstances: with what and as at which time.
    """
    tokens = [
        value
        for attribute in signer_info.unsigned_attributes
        if attribute.type == SIGNATURE_TIMESTAMP_OID
        for value in attribute.values
    ]
    return best_timestamp(
        [
            judge_token(token, signer_info.signature, certificates, circumstances)
            for token in tokens[:MAX_TIMESTAMPS]
        ]
    )


def judge_token(
    token: bytes, message: bytes, certificates: Sequence[bytes], circumstances: Circumstances
) -> TimestampReport:
    """Verify one timestamp over a message held in memory."""
    return judge_timestamp(token, lambda used: used.digest(message), certificates, circumstances)


def best_timestamp(reports: Sequence[TimestampReport]) -> TimestampReport | None:
    """Return the best of several, of equally good ones the earliest; None: there are none."""

    def rank(report: TimestampReport) -> tuple[int, float]:
        time = 0.0 if report.time is None else report.time.timestamp()
        return BEST_FIRST.index(report.verdict), time

    return min(reports, key=rank, default=None)


def with_timestamp(
    report: SignatureReport, timestamp: TimestampReport | None, mode: RevocationMode
) -> SignatureReport:
    """Add what a timestamp over a signature says to its report; for signatures of every format.

    A certificate that expired only after a timestamp that passed was good for this signature: the
    reason is dropped, and a note says so. So it is where all that is not known of the authority is
    whether it was revoked, though it was to be known; then that stays the reason.

    Args:
        report: of the signature without the timestamp.
        timestamp: None: there is none.
        mode: whether revocation data must be there.
    """
    if timestamp is None:
        return report
    level = report.level
    if timestamp.verdict is not Verdict.FAILED:  # else it is none over this signature
        level = LEVEL_WITH_TIMESTAMP.get(level, level)
    report = replace(report, timestamp=timestamp, level=level)
    left = tuple(reason for reason in report.reasons if reason not in EXPIRY)
    if (
        left == report.reasons
        or any(reason.verdict is Verdict.FAILED for reason in left)
        or not _was_valid_then(report, timestamp)
    ):
        return report
    # It was good then if the authority was: who wants to know that of all gets no better answer.
    left = tuple(dict.fromkeys((*left, *timestamp.reasons)))
    path = report.path
    if path is not None and _is_too_late(report, path.revocation):
        path = replace(path, revocation=_discounted(path.revocation))
        if mode is RevocationMode.REQUIRE:
            left = tuple(dict.fromkeys((*left, Reason.REVOCATION_UNKNOWN)))
    return replace(
        report, reasons=left, path=path, notes=(*report.notes, Note.EXPIRED_AFTER_TIMESTAMP)
    )


def _was_valid_then(report: SignatureReport, timestamp: TimestampReport) -> bool:
    moment, signer = timestamp.time, report.signer
    is_known = timestamp.reasons in ((), (Reason.REVOCATION_UNKNOWN,))
    if not is_known or moment is None or signer is None:
        return False
    anchor = None if report.path is None else report.path.anchor_certificate
    return signer.not_valid_before <= moment <= signer.not_valid_after and (
        anchor is None or anchor.not_valid_before_utc <= moment <= anchor.not_valid_after_utc
    )


def _is_too_late(report: SignatureReport, finding: RevocationFinding) -> bool:
    # A CRL need not list a certificate that has expired, RFC 5280 3.3: it says nothing good of it.
    return (
        finding.status is Revocation.GOOD
        and finding.this_update is not None
        and report.signer is not None
        and finding.this_update > report.signer.not_valid_after
    )


def _discounted(finding: RevocationFinding) -> RevocationFinding:
    if finding.source is None:
        return finding
    rejected = RejectedEvidence(source=finding.source, fault=EvidenceFault.PARTIAL)
    return RevocationFinding(rejected=(*finding.rejected, rejected))
