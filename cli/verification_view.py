"""How the verification of files is shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.certificate_view import certificate_as_json, holder_as_text
from cli.exit_codes import ExitCode
from cli.facts import json_value
from cli.path_view import NO_PATH, path_as_json, path_as_text, reasons_as_text
from cli.printable import printable
from cli.times import local_time
from cli.translation import _
from cli.verdict_words import exit_code_of, verdict_text
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
            **path_as_json(report.path or NO_PATH),
            "signing_time": json_value(report.signing_time),
            "hash": json_value(report.hash_algorithm),
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
            yield from reasons_as_text(file.report.reasons, NO_PATH)
            for signature in file.report.signatures:
                yield from self._signature_as_text(signature)

    def _signature_as_text(self, report: SignatureReport) -> Iterator[str]:
        path = report.path or NO_PATH
        yield from reasons_as_text(report.reasons, path)
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
        yield from path_as_text(path)


def _signer(summary: CertificateProfile) -> str:
    name = summary.holder.name if summary.holder is not None else None
    return printable(name or summary.subject)
