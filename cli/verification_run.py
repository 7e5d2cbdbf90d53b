"""One run of ``jpki verify``: which document belongs to which signature, and what reads them."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509

from cli.errors import InputError, UsageProblemError
from cli.input_file import InputFile
from cli.translation import N_, _
from cli.validation_options import Validation
from cli.verification_view import VerifiedFile
from jpki.signing import HashAlgorithm
from jpki.verification import VerificationReport, verify_cms, verify_raw

MAX_SIGNATURE: Final = 1 << 31
"""An attached signature holds its document; formats end there."""
DETACHED: Final = ".p7s"
CMS: Final = (DETACHED, ".p7m")
RAW: Final = ".sig"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPlan:
    """What the options said."""

    format_name: str
    content: str | None
    certificates: tuple[x509.Certificate, ...]
    """Of --certificate: the signer's, and CAs beside it; none: it was not given."""
    validation: Validation
    algorithm: HashAlgorithm

    def verify(self, name: str) -> VerifiedFile:
        """Verify one signature file.

        Raises:
            InputError, UsageProblemError.
        """
        source = InputFile(name=name)
        is_raw = self._is_raw(name)
        content = self._content_of(source, is_raw=is_raw)
        if is_raw and not self.certificates:
            raise UsageProblemError(
                _("A raw signature has no certificate in it: give it with --certificate FILE.")
            )
        if is_raw and content is None:
            raise UsageProblemError(_("Say what was signed with --content FILE."))
        signature = _read_signature(source)
        with ExitStack() as resources:
            stream = None if content is None else _open(content, resources)
            try:
                report = self._report(signature, stream, is_raw=is_raw)
            except OSError as error:
                raise InputError(name, error) from error
        return VerifiedFile(
            file=name, content=None if content is None else content.name, report=report
        )

    def _is_raw(self, name: str) -> bool:
        """Whether it is a bare signature: said so, or called so, or else given a certificate."""
        if self.format_name != "auto":
            return self.format_name == "raw"
        return name.endswith(RAW) or (bool(self.certificates) and not name.endswith(CMS))

    def _report(
        self, signature: bytes, stream: BinaryIO | None, *, is_raw: bool
    ) -> VerificationReport:
        checks = self.validation
        if not is_raw or stream is None:
            return verify_cms(
                signature, stream, checks.anchors, checks.at, checks.revocation, now=checks.now
            )
        signer, *others = self.certificates
        anchors = checks.with_pinned(others)
        return verify_raw(
            signature, stream, signer, anchors, checks.at, self.algorithm, checks.revocation
        )

    def _content_of(self, source: InputFile, *, is_raw: bool) -> InputFile | None:
        """The document: named, or beside FILE.p7s and FILE.sig."""
        if self.content is not None:
            content = InputFile(name=self.content)
            content.check()
            return content
        suffix = RAW if is_raw else DETACHED
        if source.is_stdin or not source.name.endswith(suffix):
            return None
        beside = InputFile(name=source.name.removesuffix(suffix))
        try:
            if not beside.name or not Path(beside.name).is_file():
                return None
        except OSError:  # a folder closed to this person, a name too long: the same for FILE.p7s
            return None
        beside.check()
        return beside


def _read_signature(source: InputFile) -> bytes:
    signature = source.read(MAX_SIGNATURE)
    if len(signature) > MAX_SIGNATURE:
        raise InputError(source.name, N_("it is too large for a signature"))
    return signature


def _open(content: InputFile, resources: ExitStack) -> BinaryIO:
    stream = content.open()
    if not content.is_stdin:
        resources.callback(stream.close)
    return stream


def check_names(files: Sequence[str], content: str | None) -> None:
    """Refuse what cannot be told apart. Raises: UsageProblemError."""
    if content is not None and len(files) > 1:
        raise UsageProblemError(_("--content belongs to one signature; there are several."))
