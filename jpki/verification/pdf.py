"""Verifying PDF signatures, ISO 32000-1 12.8 and ETSI EN 319 142-1.

pyHanko reads the structure and compares revisions; where a signature stands in the file is looked
at here, byte for byte, and the CMS in it is verified like any other.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from jpki.certificates.loading import load_certificate
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.verdict import Reason, Verdict
from jpki.errors import CertificateMalformedError, DocumentError, DocumentFault
from jpki.signing.digest import CHUNK_SIZE, AnyHash, WeakHash, hash_stream
from jpki.signing.pdf_reader import PARSE_ERRORS, entry
from jpki.verification.circumstances import Circumstances
from jpki.verification.cms import verify_cms
from jpki.verification.pdf_changes import Changes, judge_changes
from jpki.verification.pdf_contents import (
    SHA1_SUBFILTER,
    Contents,
    claimed_time,
    format_faults,
    level_of,
    read_contents,
)
from jpki.verification.pdf_dictionary import RangeReader
from jpki.verification.pdf_document import PdfDocument, PdfSignature
from jpki.verification.pdf_history import Budget
from jpki.verification.pdf_store import SecurityStore, read_store
from jpki.verification.report import (
    Coverage,
    Level,
    Note,
    SignatureReport,
    TimestampReport,
    VerificationReport,
)
from jpki.verification.signer import signing_time_faults
from jpki.verification.timestamp import judge_timestamp
from jpki.verification.timestamped_signature import best_timestamp, with_timestamp

LOCKED: Final = (DocumentFault.PDF_ENCRYPTED, DocumentFault.PDF_PASSWORD_WRONG)
TAMPERED: Final = frozenset(
    # What a document timestamp does not fit for; that its authority is not trusted, or its
    # certificate over, says nothing against the document.
    {
        Reason.BYTE_RANGE_INVALID,
        Reason.CHANGED_AFTER_SIGNING,
        Reason.DIGEST_MISMATCH,
        Reason.MALFORMED,
        Reason.SIGNATURE_INVALID,
        Reason.SIGNED_ATTRIBUTES_INVALID,
        Reason.SIGNED_ATTRIBUTES_MISSING,
        Reason.SIGNER_CERTIFICATE_MISMATCH,
        Reason.UNSIGNED_BYTES,
    }
)


def verify_pdf(
    document: BinaryIO,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
    *,
    now: datetime | None = None,
    password: str | None = None,
    allow_sha1: bool = False,
) -> VerificationReport:
    """Verify every signature of a PDF. Malformed input gives a report, not an exception.

    Args:
        document: seekable, from its first byte. The reports read it when ``write_covered`` is
            called, so it must be open then.
        anchors: CA certificates that the caller trusts; those of J-LIS that are pinned are
            anchors as well where the PDF carries them.
        at: the time at which certificates must be valid, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count; what the
            PDF carries (/DSS) is looked at beside them.
        now: the time of day, where ``at`` is a time in the past.
        password: of an encrypted PDF. None: one that needs it is indeterminate, encrypted.
        allow_sha1: a signature that rests on SHA-1 may pass; a note then says so.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: the document cannot be read.
    """
    circumstances = Circumstances(
        anchors=anchors, at=at, now=now or at, revocation=revocation, allow_sha1=allow_sha1
    )
    try:
        opened = PdfDocument(document, password)
    except DocumentError as error:
        reason = Reason.ENCRYPTED if error.fault in LOCKED else Reason.MALFORMED
        return VerificationReport(reasons=(reason,))
    try:
        store = read_store(opened.reader.root)
    except PARSE_ERRORS:
        store = SecurityStore()
    verification = _Verification(
        document=opened,
        store=store,
        circumstances=replace(circumstances, revocation=store.added_to(revocation)),
        budget=Budget(),
    )
    try:
        return verification.report()
    except PARSE_ERRORS:
        return VerificationReport(reasons=(Reason.MALFORMED,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timestamp:
    """A document timestamp and what was found."""

    signature: PdfSignature
    report: TimestampReport
    revision: int | None = None  # that it covers, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verification:
    """All that the signatures of one document have in common."""

    document: PdfDocument
    store: SecurityStore
    circumstances: Circumstances
    budget: Budget

    def report(self) -> VerificationReport:
        found = self.document.signatures
        timestamps = [self._timestamp(each) for each in found if each.is_timestamp]
        reasons = [Reason.PHANTOM_SIGNATURE] if self.document.has_phantom else []
        if any(TAMPERED.intersection(each.report.reasons) for each in timestamps):
            reasons.append(Reason.DOCUMENT_TIMESTAMP_INVALID)
        signatures = tuple(
            report
            for each in found
            if not each.is_timestamp
            for report in self._reports(each, timestamps)
        )
        if not signatures:
            reasons.append(Reason.NO_SIGNATURE)
        return VerificationReport(
            signatures=signatures,
            reasons=tuple(reasons),
            document_timestamps=tuple(each.report for each in timestamps),
        )

    def _timestamp(self, signature: PdfSignature) -> _Timestamp:
        faults = [*signature.faults, *format_faults(signature)]
        contents = read_contents(signature)
        if contents is None or signature.covered is None:
            reasons = tuple(dict.fromkeys((*faults, Reason.MALFORMED)))
            return _Timestamp(signature=signature, report=TimestampReport(reasons=reasons))
        report = judge_timestamp(
            contents.der, self._digest(signature), self.store.certificates, self.circumstances
        )
        changes = judge_changes(self.document, signature, self.budget)
        reasons = tuple(dict.fromkeys((*faults, *report.reasons, *changes.reasons)))
        return _Timestamp(
            signature=signature,
            report=replace(report, reasons=reasons),
            revision=changes.revision,
        )

    def _digest(self, signature: PdfSignature) -> Callable[[AnyHash], bytes]:
        def digest(algorithm: AnyHash) -> bytes:
            return hash_stream(self._covered(signature), algorithm)

        return digest

    def _covered(self, signature: PdfSignature) -> BinaryIO:
        assert signature.covered is not None  # noqa: S101  # looked at before
        return RangeReader(self.document.stream, signature.covered)  # type: ignore[return-value]

    def _reports(
        self, signature: PdfSignature, timestamps: Sequence[_Timestamp]
    ) -> list[SignatureReport]:
        """Report a signature; by malice it has several signers."""
        faults = (*signature.faults, *format_faults(signature))
        contents = read_contents(signature)
        if signature.covered is None:
            return [_failed(faults)]
        changes = judge_changes(self.document, signature, self.budget)
        faults = (*faults, *changes.reasons)
        if contents is None or Reason.UNSUPPORTED_FORMAT in faults:
            is_known = Reason.UNSUPPORTED_FORMAT not in faults
            malformed = (Reason.MALFORMED,) if is_known else ()
            return [self._placed(_failed((*faults, *malformed)), signature, changes)]
        report = self._verify_contents(signature, contents)
        faults = (*faults, *report.reasons)
        if not report.signatures:
            return [self._placed(_failed(faults), signature, changes)]
        own = [
            self._with_form(each, signature, contents, index)
            for index, each in enumerate(report.signatures)
        ]
        return [
            self._with_timestamps(
                self._placed(_with_faults(each, faults), signature, changes), signature, timestamps
            )
            for each in own
        ]

    def _verify_contents(self, signature: PdfSignature, contents: Contents) -> VerificationReport:
        """Verify the CMS over what the signature covers, or, in the old form, over its SHA-1."""
        if entry(signature.dictionary, "/SubFilter") != SHA1_SUBFILTER:
            report = self._verify_cms(contents, self._covered(signature))
            if contents.signed_data.content is None:
                return report
            # It is in the file, and nowhere else.
            return replace(report, reasons=(Reason.CONTENT_CONFLICT, *report.reasons))
        digest = hash_stream(self._covered(signature), WeakHash.SHA1)
        inside = b"".join(contents.signed_data.content or ())
        report = self._verify_cms(contents, io.BytesIO(inside))
        faults = report.reasons if inside == digest else (Reason.DIGEST_MISMATCH, *report.reasons)
        if not self.circumstances.allow_sha1:
            return replace(report, reasons=(Reason.WEAK_ALGORITHM, *faults))
        said = tuple(_with_sha1_said(each) for each in report.signatures)
        return VerificationReport(reasons=faults, signatures=said)

    def _verify_cms(self, contents: Contents, content: BinaryIO) -> VerificationReport:
        circumstances = self.circumstances
        return verify_cms(
            contents.der,
            content,
            circumstances.trusting(self.store.pinned_anchors()).anchors,
            circumstances.at,
            circumstances.revocation,
            now=circumstances.now,
            allow_sha1=circumstances.allow_sha1,
        )

    def _with_form(
        self, report: SignatureReport, signature: PdfSignature, contents: Contents, index: int
    ) -> SignatureReport:
        """Say the form of the signature, and the time where the CMS does not."""
        level = level_of(signature, contents.signed_data.signer_infos[index])
        if level is Level.PADES_B_B and _is_believed(report.timestamp):
            level = Level.PADES_B_T
        report = replace(report, level=level)
        claimed = claimed_time(signature)
        if report.signing_time is not None or claimed is None:
            return report
        certificate = _certificate_of(report, contents)
        found = (
            ()
            if certificate is None
            else signing_time_faults(claimed, certificate, self.circumstances.now)
        )
        return _with_faults(replace(report, signing_time=claimed.astimezone(UTC)), tuple(found))

    def _placed(
        self, report: SignatureReport, signature: PdfSignature, changes: Changes
    ) -> SignatureReport:
        """Say what of the document the signature covers."""
        notes = (*report.notes, *changes.notes)
        if self.document.is_hybrid_after(-1):
            notes = (*notes, Note.HYBRID_REFERENCES)
        is_whole = signature.end == self.document.size
        covered = None
        if changes.revision is not None and not is_whole:
            covered = "revision {} of {}".format(*self.document.number_of(changes.revision))
        return replace(
            report,
            covers=Coverage.WHOLE if is_whole else Coverage.PART,
            covered=covered,
            notes=notes,
            write_covered=lambda output: self._write(signature, output),
        )

    def _write(self, signature: PdfSignature, output: BinaryIO) -> None:
        """Write the document as it was when it was signed."""
        stream, left = self.document.stream, signature.end
        stream.seek(0)
        while left > 0 and (data := stream.read(min(left, CHUNK_SIZE))):
            output.write(data)
            left -= len(data)

    def _with_timestamps(
        self,
        report: SignatureReport,
        signature: PdfSignature,
        timestamps: Sequence[_Timestamp],
    ) -> SignatureReport:
        """Add what document timestamps over the signature prove."""
        later = [each for each in timestamps if each.signature.end > signature.end]
        candidates = [each.report for each in later]
        if report.timestamp is not None:
            candidates.append(report.timestamp)
        best = best_timestamp(candidates)
        if best is not report.timestamp:
            report = with_timestamp(report, best, self.circumstances.revocation.mode)
        if report.level is not Level.PADES_B_T or not self.store.is_complete:
            return report
        archived = any(_is_believed(each.report) and self._covers_store(each) for each in later)
        return replace(report, level=Level.PADES_B_LTA if archived else Level.PADES_B_LT)

    def _covers_store(self, timestamp: _Timestamp) -> bool:
        if timestamp.revision is None:
            return False
        return "/DSS" in self.document.reader.get_historical_root(timestamp.revision)


def _is_believed(timestamp: TimestampReport | None) -> bool:
    """Whether a timestamp is one over this signature; its authority may be unknown."""
    return timestamp is not None and timestamp.verdict is not Verdict.FAILED


def _with_sha1_said(report: SignatureReport) -> SignatureReport:
    notes = dict.fromkeys((*report.notes, Note.SHA1_ALLOWED))
    return replace(report, notes=tuple(notes))


def _failed(reasons: Sequence[Reason]) -> SignatureReport:
    """Report a signature of which nothing else can be said."""
    return SignatureReport(
        reasons=tuple(dict.fromkeys(reasons)), level=Level.PDF, covers=Coverage.PART
    )


def _with_faults(report: SignatureReport, faults: Sequence[Reason]) -> SignatureReport:
    return replace(report, reasons=tuple(dict.fromkeys((*faults, *report.reasons))))


def _certificate_of(report: SignatureReport, contents: Contents) -> x509.Certificate | None:
    """Find the signer's certificate of which the report has the profile."""
    for der in contents.signed_data.certificates:
        if report.signer is None:
            return None
        try:
            certificate = load_certificate(der)
        except CertificateMalformedError:
            continue
        if certificate.fingerprint(SHA256()).hex() == report.signer.fingerprint_sha256:
            return certificate
    return None
