"""How the verification of files is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.certificate_view import (
    certificate_as_json,
    holder_as_text,
    remarks_as_text,
    subject_text,
)
from cli.exit_codes import ExitCode
from cli.facts import json_value
from cli.failure import describe
from cli.path_view import NO_PATH, path_as_json, path_as_text, reasons_as_text
from cli.printable import printable
from cli.times import japan_time, local_time
from cli.touki_view import touki_as_json, touki_as_text
from cli.translation import _
from cli.verdict_words import exit_code_of, note_text, reason_text, verdict_text
from jpki.certificates import AnchorOrigin, CertificateKind, CertificateProfile, Revocation
from jpki.verification import (
    Coverage,
    Level,
    Reason,
    SignatureReport,
    TimestampReport,
    Verdict,
    VerificationReport,
)

if TYPE_CHECKING:
    from jpki.verification.pdf_touki import ToukiFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """One file as it is shown: plain data, which another process may have made."""

    file: str
    verdict: Verdict | None
    """None: it could not be verified at all."""
    headline: str
    """The verdict in words, or the error."""
    json: dict[str, object]
    lines: tuple[str, ...] = ()
    error_exit_code: ExitCode | None = None
    """That of the error."""


def shown_error(file: str, error: Exception) -> ShownFile:
    """A file that could not be verified."""
    failure = describe(error)
    return ShownFile(
        file=file,
        verdict=None,
        headline=_("NOT VERIFIED: {error}").format(error=failure.text),
        json={
            "file": file,
            "verdict": None,
            "error": {"code": failure.code, "message": failure.message, **failure.facts},
        },
        error_exit_code=failure.exit_code,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """What ``jpki verify`` found."""

    files: tuple[ShownFile, ...]

    @property
    def exit_code(self) -> ExitCode:
        """That of the worst file: one that failed, then an error, then one that is undecided."""
        code = exit_code_of(file.verdict for file in self.files if file.verdict is not None)
        if code is ExitCode.VERIFICATION_FAILED:
            return code
        errors = [file.error_exit_code for file in self.files if file.error_exit_code is not None]
        return errors[0] if errors else code

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"files": [file.json for file in self.files]}

    def as_text(self) -> Iterator[str]:
        """For people."""
        for file in self.files:
            yield f"{printable(file.file)}: {file.headline}"
            yield from file.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFile:
    """One signature file and what its verification found."""

    file: str
    format: str
    content: str | None
    """The document beside it; None when it is inside."""
    report: VerificationReport
    touki: "tuple[ToukiFinding, ...] | None" = None
    """How a PDF stands with the rules of the Legal Affairs Bureau; None: nobody asked."""
    reveal: bool = False

    @property
    def verdict(self) -> Verdict:
        """The report's; a form that would be refused is a failure as well."""
        if self.touki is not None and not all(finding.passed for finding in self.touki):
            return Verdict.FAILED
        return self.report.verdict

    def shown(self) -> ShownFile:
        """The same in JSON and in words."""
        return ShownFile(
            file=self.file,
            verdict=self.verdict,
            headline=verdict_text(self.verdict, self._anchor),
            json=self._as_json(),
            lines=tuple(self._as_text()),
        )

    @property
    def _anchor(self) -> AnchorOrigin | None:
        """What is to be said of the trust in all signatures: that one of them is by nobody."""
        is_test = any(item.anchor is AnchorOrigin.TEST for item in self.report.signatures)
        return AnchorOrigin.TEST if is_test else None

    def _as_json(self) -> dict[str, object]:
        touki = {} if self.touki is None else {"touki": touki_as_json(self.touki)}
        return {
            "file": self.file,
            "format": self.format,
            "content": self.content,
            "verdict": self.verdict.value,
            **touki,
            "reasons": [reason.value for reason in self.report.reasons],
            "signatures": [
                self._signature_as_json(signature) for signature in self.report.signatures
            ],
            "document_timestamps": [
                _timestamp(timestamp) for timestamp in self.report.document_timestamps
            ],
        }

    def _signature_as_json(self, report: SignatureReport) -> dict[str, object]:
        return {
            "verdict": report.verdict.value,
            "reasons": [reason.value for reason in report.reasons],
            "level": report.level.value,
            "covers": report.covers.value,
            "covered": report.covered,
            "timestamp": None if report.timestamp is None else _timestamp(report.timestamp),
            "notes": json_value(report.notes),
            **path_as_json(report.path or NO_PATH),
            "signing_time": json_value(report.signing_time),
            "hash": json_value(report.hash_algorithm),
            "signer": None if report.signer is None else self._signer_as_json(report.signer),
        }

    def _signer_as_json(self, signer: CertificateProfile) -> dict[str, object]:
        shown = certificate_as_json(signer, reveal=self.reveal)
        holder = shown["holder"]
        # Who signed is what was asked.
        if signer.holder is not None and isinstance(holder, dict):
            holder["name"] = signer.holder.name
        shown["subject"] = _subject(signer, reveal=self.reveal)
        return shown

    def _as_text(self) -> Iterator[str]:
        report = self.report
        if self.touki is not None:
            yield from touki_as_text(self.touki)
        if self.content is not None:
            yield _("  document:     {path}").format(path=printable(self.content))
        yield from reasons_as_text(report.reasons, NO_PATH)
        for number, signature in enumerate(report.signatures, start=1):
            if len(report.signatures) > 1:
                yield _("  signature {number} of {count}: {verdict}").format(
                    number=number,
                    count=len(report.signatures),
                    verdict=verdict_text(signature.verdict, signature.anchor),
                )
            yield from self._signature_as_text(signature)
        for timestamp in report.document_timestamps:
            yield from _timestamp_as_text(timestamp)

    def _signature_as_text(self, report: SignatureReport) -> Iterator[str]:
        path = report.path or NO_PATH
        yield from reasons_as_text(report.reasons, path)
        if report.level is Level.RAW and Reason.SIGNATURE_INVALID in report.reasons:
            yield _("  perhaps:      it was made over another document, or with another --hash")
        if report.signer is not None:
            yield _("  signed by:    {name}").format(
                name=_signer(report.signer, reveal=self.reveal)
            )
            holder = report.signer.holder if self.reveal else None
            more = (
                remarks_as_text(report.signer)
                if holder is None
                else holder_as_text(holder, reveal=True)
            )
            yield from (f"    {line}" for line in more)
        if report.covers is Coverage.PART:
            yield _("  form:         {level}, over a PART of the document only: {part}").format(
                level=report.level.value, part=printable(report.covered or "?")
            )
        else:
            yield _("  form:         {level}, over the whole document").format(
                level=report.level.value
            )
            if report.covered is not None:
                yield _("  files:        {names}, beside the signature").format(
                    names=printable(report.covered)
                )
        if report.timestamp is not None:
            yield from _timestamp_as_text(report.timestamp)
        if report.signing_time is not None:
            yield _("  signed at:    {time}, by the signer's own clock").format(
                time=local_time(report.signing_time)
            )
        for note in report.notes:
            yield _("  note:         {note}").format(note=note_text(note))
        yield from path_as_text(path)


def _timestamp(timestamp: TimestampReport) -> dict[str, object]:
    return {
        "time": json_value(timestamp.time),
        "verdict": timestamp.verdict.value,
        "reasons": json_value(timestamp.reasons),
        "authority": timestamp.authority,
        "revocation": timestamp.revocation.value,
        "notes": json_value(timestamp.notes),
    }


def _timestamp_as_text(timestamp: TimestampReport) -> Iterator[str]:
    text: str
    match timestamp.verdict:
        case Verdict.PASSED:
            text = _("  existed at:   {time}, by the timestamp of {authority}")
        case Verdict.INDETERMINATE if timestamp.reasons == (Reason.NO_ANCHOR,):
            text = _("  existed at:   {time} perhaps, by {authority}, which nobody here trusts")
        case Verdict.INDETERMINATE:
            text = _("  existed at:   {time} perhaps, by the timestamp of {authority}: {reasons}")
        case Verdict.FAILED:
            text = _("  timestamp:    FAILED ({authority}, {time}): {reasons}")
    yield text.format(
        time="?" if timestamp.time is None else japan_time(timestamp.time),
        authority=printable(timestamp.authority or "?"),
        reasons="; ".join(map(reason_text, timestamp.reasons)),
    )
    for note in timestamp.notes:
        yield _("  note:         {note}").format(note=note_text(note))
    if timestamp.verdict is Verdict.PASSED and timestamp.revocation is Revocation.NOT_CHECKED:
        yield _("  not checked:  whether the authority of that timestamp was revoked")


def _signer(signer: CertificateProfile, *, reveal: bool) -> str:
    name = signer.holder.name if signer.holder is not None else None
    return printable(name or _subject(signer, reveal=reveal))


def _subject(signer: CertificateProfile, *, reveal: bool) -> str:
    """The subject; of a stranger to JPKI in full, since it is all that tells who that is."""
    return subject_text(signer, reveal=reveal or signer.kind is CertificateKind.UNKNOWN)
