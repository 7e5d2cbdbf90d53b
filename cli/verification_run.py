"""One run of ``jpki verify``: which document belongs to which signature, and what reads them."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography import x509

from cli.errors import InputError, UsageProblemError
from cli.files_beside import FilesBeside
from cli.input_file import COPY_BYTES, STDIN, InputFile, spooled
from cli.output_file import Destination
from cli.printable import printable
from cli.signature_format import AUTO, SignatureFormat
from cli.translation import N_
from cli.validation_options import Validation
from cli.verification_view import VerifiedFile
from jpki.errors import ContentChangedError
from jpki.formats import HEAD_BYTES, DocumentFormat, detect_format
from jpki.signing import HashAlgorithm
from jpki.verification import Coverage, Verdict, VerificationReport, verify_cms, verify_raw

if TYPE_CHECKING:
    from jpki.verification.pdf_touki import ToukiFinding

MAX_SIGNATURE: Final = 1 << 31
"""An attached CMS signature holds its document; formats end there."""
MAX_RAW: Final = 1 << 13
"""What is read of a bare signature, which has 256 bytes: more is none."""
MIN_MAPPED: Final = 1 << 20
"""Bytes of a signature above which it is mapped."""
MAX_IN_MEMORY: Final = 1 << 28
"""What a format that is read as a whole (XML, JWS) may have."""
DETACHED: Final = ".p7s"
ATTACHED: Final = ".p7m"
RAW: Final = ".sig"
JWS: Final = ".jws"
MAX_JWS_HEADER: Final = 1 << 16
SUFFIXES: Final = {
    SignatureFormat.RAW: RAW,
    SignatureFormat.CMS: DETACHED,
    SignatureFormat.JWS: JWS,
}
"""How a signature is called that stands beside its document."""
TOUKI: Final = "touki"
"""The form that 登記・供託オンライン申請 takes."""
Stamps = tuple[tuple[int, int] | None, tuple[int, int] | None]

BY_CONTENT: Final = {
    DocumentFormat.PDF: SignatureFormat.PDF,
    DocumentFormat.XML: SignatureFormat.XML,
    DocumentFormat.ASICE: SignatureFormat.ASICE,
    DocumentFormat.JWS: SignatureFormat.JWS,
    DocumentFormat.CMS: SignatureFormat.CMS,
}
"""What ``auto`` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPlan:
    """What the options said."""

    format_name: str
    content: str | None
    certificates: tuple[x509.Certificate, ...]
    """Of --certificate: the signer's, and CAs beside it; none: it was not given."""
    validation: Validation
    algorithm: HashAlgorithm
    allow_sha1: bool = False
    id_attribute: str | None = None
    pdf_password: str | None = field(default=None, repr=False)
    extract: Destination | None = None
    profile: str | None = None
    reveal: bool = False

    def verify(self, name: str) -> VerifiedFile:
        """Verify one signature file, and write what it covers if that was asked for.

        Raises:
            InputError, UsageProblemError, OutputNotWrittenError, ServerError.
        """
        with ExitStack() as resources:
            try:
                return self._verify(InputFile(name=name), resources)
            except OSError as error:
                raise InputError(name, error) from error

    def _verify(self, source: InputFile, resources: ExitStack) -> VerifiedFile:
        stream = _open_seekable(source, resources)
        found = self._format(source, stream)
        content = self._content_of(source, found, stream)
        if self.extract is not None and content is not None and content.size() is None:
            content = content.whole(resources)  # a pipe gives everything once
        before = _stamps(source, content)
        report = self._report(found, source, stream, content, resources)
        name = None if content is None else content.name
        if self.extract is not None:
            _extract(report, source, content, before, self.extract)
        return VerifiedFile(
            file=source.name,
            format=found.value,
            content=name,
            report=report,
            touki=self._touki(stream) if self.profile == TOUKI else None,
            reveal=self.reveal,
        )

    def _touki(self, stream: BinaryIO) -> "tuple[ToukiFinding, ...]":
        from jpki.verification.pdf_touki import check_touki

        stream.seek(0)
        return check_touki(stream, self.pdf_password)

    def _format(self, source: InputFile, stream: BinaryIO) -> SignatureFormat:
        """What the file is: as was said, as the name of a signature says, else by its content."""
        if self.profile == TOUKI:
            return SignatureFormat.PDF
        if self.format_name != AUTO:
            return SignatureFormat(self.format_name)
        # FILE.p7s says that it is a signature over FILE: a signed PDF of this name is none.
        named = (form for form, suffix in SUFFIXES.items() if source.name.endswith(suffix))
        if (claimed := next(named, None)) is not None:
            return claimed
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        found = BY_CONTENT.get(detect_format(head))
        if found is not None:
            return found
        # A bare signature has no form at all; a file called FILE.p7m claims to have one.
        is_raw = self.certificates and not source.name.endswith(ATTACHED)
        return SignatureFormat.RAW if is_raw else SignatureFormat.CMS

    def _report(
        self,
        found: SignatureFormat,
        source: InputFile,
        stream: BinaryIO,
        content: InputFile | None,
        resources: ExitStack,
    ) -> VerificationReport:
        checks = self.validation
        beside = None if content is None else _open(content, resources)
        common = checks.anchors, checks.at, checks.revocation
        match found:
            case SignatureFormat.RAW:
                return self._raw(stream.read(MAX_RAW), beside)
            case SignatureFormat.PDF:
                from jpki.verification.pdf import verify_pdf

                return verify_pdf(
                    stream,
                    *common,
                    now=checks.now,
                    password=self.pdf_password,
                    allow_sha1=self.allow_sha1,
                )
            case SignatureFormat.XML:
                from jpki.verification.xml import verify_xml

                return verify_xml(
                    _read(stream, source.name),
                    *common,
                    detached_files=FilesBeside(source, resources),
                    id_attribute=self.id_attribute,
                    allow_sha1=self.allow_sha1,
                    now=checks.now,
                )
            case SignatureFormat.JWS:
                from jpki.verification.jws import verify_jws

                return verify_jws(_read(stream, source.name), beside, *common, now=checks.now)
            case SignatureFormat.ASICE:
                from jpki.verification.asic import verify_asice

                return verify_asice(stream, *common, now=checks.now, allow_sha1=self.allow_sha1)
            case SignatureFormat.CMS:
                signature = _mapped(stream, source, resources)
                return verify_cms(
                    signature, beside, *common, now=checks.now, allow_sha1=self.allow_sha1
                )

    def _raw(self, signature: bytes, content: BinaryIO | None) -> VerificationReport:
        if not self.certificates:
            raise UsageProblemError(
                N_("A raw signature has no certificate in it: give it with --certificate FILE.")
            )
        if content is None:
            raise UsageProblemError(N_("Say what was signed with --content FILE."))
        signer, *others = self.certificates
        checks = self.validation
        anchors = checks.with_pinned(others)
        return verify_raw(
            signature, content, signer, anchors, checks.at, self.algorithm, checks.revocation
        )

    def _content_of(
        self, source: InputFile, found: SignatureFormat, stream: BinaryIO
    ) -> InputFile | None:
        """The document: named, or beside FILE.p7s, FILE.sig and FILE.jws."""
        if self.content is not None:
            if found not in SUFFIXES:
                raise UsageProblemError(
                    N_("--content is for CMS, JWS and raw: {path} is signed as it is."),
                    path=printable(source.name),
                )
            content = InputFile(name=self.content)
            content.check()
            return content
        suffix = SUFFIXES.get(found)
        if suffix == JWS and not _lacks_payload(stream):
            return None
        if suffix is None or source.is_stdin or not source.name.endswith(suffix):
            return None
        beside = InputFile(name=source.name.removesuffix(suffix))
        try:
            if not beside.name or not Path(beside.name).is_file():
                return None
        except OSError:  # a folder closed to this person, a name too long: the same for FILE.p7s
            return None
        beside.check()
        return beside


def _open_seekable(source: InputFile, resources: ExitStack) -> BinaryIO:
    """Open a file, or keep what a pipe says where it can be read at any place."""
    source.check()
    stream = source.open()
    if source.size() is not None:
        resources.callback(stream.close)
        return stream
    spool = spooled(stream)
    resources.callback(spool.close)
    if not source.is_stdin:
        stream.close()
    spool.seek(0)
    return spool


def _mapped(stream: BinaryIO, source: InputFile, resources: ExitStack) -> bytes | mmap:
    """The whole of a signature; a large file is mapped, so that its content costs no memory.

    A small one is read: what is mapped may change, or end, while somebody reads it.
    """
    size = source.size()
    if size is None or size <= MIN_MAPPED:
        content = stream.read(MAX_SIGNATURE + 1)
        if len(content) > MAX_SIGNATURE:
            raise InputError(source.name, N_("it is too large for a signature"))
        return content
    if size > MAX_SIGNATURE:
        raise InputError(source.name, N_("it is too large for a signature"))
    return resources.enter_context(mmap(stream.fileno(), 0, access=ACCESS_READ))


def _lacks_payload(stream: BinaryIO) -> bool:
    """Whether a compact JWS is a detached one, RFC 7515 appendix F."""
    is_detached = b".." in stream.read(MAX_JWS_HEADER)
    stream.seek(0)
    return is_detached


def _read(stream: BinaryIO, name: str) -> bytes:
    content = stream.read(MAX_IN_MEMORY + 1)
    if len(content) > MAX_IN_MEMORY:
        raise InputError(name, N_("it is too large for a signature"))
    return content


def _open(content: InputFile, resources: ExitStack) -> BinaryIO:
    stream = content.open()
    if not content.is_stdin:
        resources.callback(stream.close)
    return stream


def _stamps(source: InputFile, content: InputFile | None) -> Stamps:
    """What changes when one of the files does."""
    return source.stamp(), None if content is None else content.stamp()


def _extract(
    report: VerificationReport,
    source: InputFile,
    content: InputFile | None,
    before: Stamps,
    output: Destination,
) -> None:
    """Write exactly what a signature covers; nothing if it failed: that is what nobody signed.

    Raises:
        UsageProblemError: that is files beside the signature, which are there already.
        ContentChangedError: a file is not what it was before it was verified.
    """
    sound = [item for item in report.signatures if item.verdict is not Verdict.FAILED]
    if not sound or report.verdict is Verdict.FAILED:
        return
    # With several, the one that covers the whole; of revisions of a document the last.
    whole = [item for item in sound if item.covers is Coverage.WHOLE]
    chosen = (whole or sound)[-1]
    if chosen.write_covered is None and content is None:
        raise UsageProblemError(
            N_("{path} covers files beside it as they lie there; there is nothing to extract."),
            path=printable(source.name),
        )
    with output.writing() as stream:
        if chosen.write_covered is not None:
            chosen.write_covered(stream)
        elif content is not None:
            document = content.open()
            try:
                shutil.copyfileobj(document, stream, COPY_BYTES)
            finally:
                document.close()
        if _stamps(source, content) != before:
            raise ContentChangedError


def document_beside(name: str) -> str | None:
    """The document that a signature of this name may belong to: FILE of FILE.p7s."""
    endings = (suffix for suffix in SUFFIXES.values() if name.endswith(suffix))
    return next((name.removesuffix(suffix) for suffix in endings), None) or None


def check_names(files: Sequence[str], content: str | None, extract: str | None) -> None:
    """Refuse what cannot be told apart. Raises: UsageProblemError."""
    if content is not None and len(files) > 1:
        raise UsageProblemError(N_("--content belongs to one signature; there are several."))
    if extract is not None and len(files) > 1:
        raise UsageProblemError(N_("--extract writes what one file's signature covers."))
    if extract is not None and content == STDIN:
        raise UsageProblemError(N_("The standard input can be read once only."))
