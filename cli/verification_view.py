"""How the verification of files is shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.certificate_view import certificate_as_json, holder_as_text
from cli.exit_codes import ExitCode
from cli.facts import utc_text
from cli.printable import printable
from cli.times import local_time
from cli.translation import _
from cli.verdict_words import (
    anchor_text,
    exit_code_of,
    not_checked_text,
    reason_text,
    verdict_text,
)
from jpki.certificates import CertificateProfile
from jpki.verification import SignatureReport, VerificationReport


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFile:
    """One signature file and what its verification found."""

    file: str
    content: str | None
    """The document beside it; None when it is inside."""
    report: VerificationReport


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """What ``jpki verify`` found."""

    files: tuple[VerifiedFile, ...]
    reveal: bool

    @property
    def exit_code(self) -> ExitCode:
        """That of the worst file."""
        return exit_code_of(file.report.verdict for file in self.files)

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"files": [self._file_as_json(file) for file in self.files]}

    def _file_as_json(self, file: VerifiedFile) -> dict[str, object]:
        return {
            "file": file.file,
            "content": file.content,
            "verdict": file.report.verdict.value,
            "reasons": [reason.value for reason in file.report.reasons],
            "signatures": [
                self._signature_as_json(signature) for signature in file.report.signatures
            ],
        }

    def _signature_as_json(self, report: SignatureReport) -> dict[str, object]:
        return {
            "verdict": report.verdict.value,
            "reasons": [reason.value for reason in report.reasons],
            "level": report.level.value,
            "covers": report.covers.value,
            "anchor": None if report.anchor is None else report.anchor.value,
            "revocation": report.revocation.value,
            "not_checked": [item.value for item in report.not_checked],
            "signing_time": None if report.signing_time is None else utc_text(report.signing_time),
            "hash": None if report.hash_algorithm is None else report.hash_algorithm.value,
            "signer": None if report.signer is None else self._signer_as_json(report.signer),
        }

    def _signer_as_json(self, signer: CertificateProfile) -> dict[str, object]:
        shown = certificate_as_json(signer, reveal=self.reveal)
        holder = shown["holder"]
        if signer.holder is not None and isinstance(holder, dict):
            holder["name"] = signer.holder.name  # who signed is what was asked
        return shown

    def as_text(self) -> Iterator[str]:
        """For people."""
        for file in self.files:
            anchor = file.report.signatures[0].anchor if file.report.signatures else None
            yield f"{printable(file.file)}: {verdict_text(file.report.verdict, anchor)}"
            if file.content is not None:
                yield _("  document:     {path}").format(path=printable(file.content))
            for reason in file.report.reasons:
                yield _("  because:      {reason}").format(reason=reason_text(reason))
            for signature in file.report.signatures:
                yield from self._signature_as_text(signature)

    def _signature_as_text(self, report: SignatureReport) -> Iterator[str]:
        for reason in report.reasons:
            yield _("  because:      {reason}").format(reason=reason_text(reason))
        if report.signer is not None:
            yield _("  signed by:    {name}").format(name=_signer(report.signer))
            if self.reveal and report.signer.holder is not None:
                yield from (
                    f"    {line}" for line in holder_as_text(report.signer.holder, reveal=True)
                )
        if report.signing_time is not None:
            yield _("  signed at:    {time}, by the signer's own clock").format(
                time=local_time(report.signing_time)
            )
        yield _("  trust in:     {anchor}").format(anchor=anchor_text(report.anchor))
        yield _("  not checked:  {items}").format(items=not_checked_text(report.not_checked))


def _signer(summary: CertificateProfile) -> str:
    name = summary.holder.name if summary.holder is not None else None
    return printable(name or summary.subject)
