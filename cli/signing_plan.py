"""What ``jpki sign`` is going to do: which files in which format, and where the signatures go."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.errors import OutputFault, OutputRefusedError, UsageProblemError
from cli.input_file import InputFile
from cli.output_file import STDOUT, OutputFile, output_file
from cli.printable import is_text, printable
from cli.signature_format import SignatureFormat
from cli.translation import N_
from jpki.errors import ContentTooLargeError
from jpki.formats import HEAD_BYTES, DocumentFormat, detect_format
from jpki.signing import HashAlgorithm
from jpki.signing.attached import MAX_ATTACHED_SIZE
from jpki.signing.pdf_options import NOTHING_CHOSEN, PdfOptions
from jpki.signing.xml_options import XmlForm, XmlOptions

if TYPE_CHECKING:
    from jpki.signing.timestamp import Timestamper

XML_DEFAULT: Final = XmlOptions()


BY_CONTENT: Final = {
    DocumentFormat.PDF: SignatureFormat.PDF,
    DocumentFormat.XML: SignatureFormat.XML,
    DocumentFormat.ASICE: SignatureFormat.ASICE,
}
"""What ``auto`` takes; CMS for all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSettings:
    """How everything is signed."""

    algorithm: HashAlgorithm
    attached: bool = False
    detached: bool = False  # XML over files beside it, JWS without its payload
    cades: bool = True
    pem: bool = False
    allow_expired: bool = False
    pdf: PdfOptions = field(default=NOTHING_CHOSEN, repr=False)
    xml: XmlOptions = XML_DEFAULT
    timestamper: "Timestamper | None" = None

    @property
    def covers_files(self) -> bool:
        """Whether a signature in XML is over files beside it."""
        return self.detached or self.xml.form is XmlForm.EGOV


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What gets one signature, and its output. No output: the standard output."""

    sources: tuple[InputFile, ...]
    format: SignatureFormat
    output: OutputFile | None
    password: str | None = field(default=None, repr=False)
    """Of an encrypted PDF, where that of the settings does not open it."""

    def pdf_options(self, settings: SigningSettings) -> PdfOptions:
        """How this document is signed if it is a PDF."""
        if self.password is None:
            return settings.pdf
        return replace(settings.pdf, password=self.password)

    @property
    def source(self) -> InputFile:
        """The document; a container has several, and this is the first one."""
        return self.sources[0]

    @property
    def output_name(self) -> str:
        """As it is shown."""
        return STDOUT if self.output is None else str(self.output.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPlan:
    """All that was decided before the PIN is asked for."""

    jobs: tuple[Job, ...]
    settings: SigningSettings

    def check(self) -> None:
        """Refuse what cannot succeed, before a PIN is asked for or a card touched.

        Raises:
            InputError, OutputRefusedError, OutputExistsError, ContentTooLargeError.
        """
        inputs = [source.path for job in self.jobs for source in job.sources if not source.is_stdin]
        places: set[str] = set()
        for job in self.jobs:
            for source in job.sources:
                source.check()
            if self.settings.attached:
                check_attached_size(job.source.size() or 0)
            if job.output is not None:
                job.output.check(inputs)
            place = STDOUT if job.output is None else str(job.output.place())
            if place in places:
                raise OutputRefusedError(job.output_name, OutputFault.TWICE)
            places.add(place)


def check_attached_size(size: int) -> None:
    """Refuse what other programs could not read attached. Raises: ContentTooLargeError."""
    if size >= MAX_ATTACHED_SIZE:
        raise ContentTooLargeError(size, MAX_ATTACHED_SIZE)


def format_of(source: InputFile) -> tuple[SignatureFormat, InputFile]:
    """What ``auto`` means for a file: by its content -> the format, and what reads the file now.

    Raises:
        InputError.
    """
    source.check()
    if source.size() is None:
        source, head = source.begun(HEAD_BYTES)
    else:
        head = source.read(HEAD_BYTES - 1)
    return BY_CONTENT.get(detect_format(head), SignatureFormat.CMS), source


def plan_jobs(
    names: Sequence[str],
    chosen: SignatureFormat | None,
    output: str | None,
    settings: SigningSettings,
    *,
    force: bool,
) -> tuple[Job, ...]:
    """One job for each file; one for all of them in a container.

    Args:
        names: the files as they were given.
        chosen: the format; None: by the content of each.
        output: where the one signature goes; None: beside each file.
        settings: the rest.
        force: replace what exists.

    Raises:
        UsageProblemError, InputError.
    """
    sources = tuple(InputFile(name=name) for name in names)
    is_xml_over_files = chosen is SignatureFormat.XML and settings.covers_files
    if chosen is SignatureFormat.ASICE or is_xml_over_files:
        groups: tuple[tuple[InputFile, ...], ...] = (sources,)
    else:
        groups = tuple((source,) for source in sources)
    if output is not None and len(groups) > 1:
        raise UsageProblemError(N_("-o names the output of one file; there are several."))
    return tuple(_job(group, chosen, output, settings, force=force) for group in groups)


def _check_names(sources: Sequence[InputFile]) -> None:
    """A signature in XML knows files beside it by their names. Raises: UsageProblemError."""
    names: set[str] = set()
    for source in sources:
        if source.is_stdin:
            raise UsageProblemError(
                N_("XML over files knows them by their names, and the standard input has none.")
            )
        if not is_text(source.path.name):
            raise UsageProblemError(
                N_("XML over files knows them by their names, and {name} is not in UTF-8."),
                name=printable(source.path.name),
            )
        if source.path.name in names:
            raise UsageProblemError(
                N_("XML over files knows them by their names, and two are called {name}."),
                name=printable(source.path.name),
            )
        names.add(source.path.name)


def _check_place(sources: Sequence[InputFile], output: str) -> None:
    """A signature in XML must lie beside the files, or nobody finds them; stdout goes anywhere.

    Raises:
        UsageProblemError, OutputRefusedError.
    """
    folders = {os.path.realpath(source.path.parent) for source in sources}
    if output == STDOUT or not folders:
        return
    if len(folders) > 1:
        raise UsageProblemError(
            N_("XML over files finds them beside itself, and these lie in several folders.")
        )
    if os.path.realpath(Path(output).parent) not in folders:
        raise OutputRefusedError(output, OutputFault.NOT_BESIDE)


def _job(
    sources: tuple[InputFile, ...],
    chosen: SignatureFormat | None,
    output: str | None,
    settings: SigningSettings,
    *,
    force: bool,
) -> Job:
    found = chosen
    if found is None:
        found, first = format_of(sources[0])
        sources = (first, *sources[1:])
    if found is SignatureFormat.XML and settings.covers_files:
        beside = sources if settings.detached else sources[1:]
        _check_names(beside)
        _check_place(beside, output or sources[0].name)
    name = _output_name(sources[0], found, settings) if output is None else output
    return Job(sources=sources, format=found, output=output_file(name, force=force))


def _output_name(source: InputFile, found: SignatureFormat, settings: SigningSettings) -> str:
    """The name of the signature where none is given."""
    if source.is_stdin:
        return STDOUT
    path = Path(source.name)
    match found:
        case SignatureFormat.RAW:
            return f"{source.name}.sig"
        case SignatureFormat.CMS:
            return f"{source.name}.p7m" if settings.attached else f"{source.name}.p7s"
        case SignatureFormat.ASICE if path.suffix == ".asice":  # one more signature in it
            return str(path.with_name(f"{path.stem}-signed.asice"))
        case SignatureFormat.XML if settings.detached:
            return f"{source.name}.xml"
        case SignatureFormat.PDF | SignatureFormat.XML:
            return str(path.with_name(f"{path.stem}-signed{path.suffix or '.' + found.value}"))
        case SignatureFormat.JWS | SignatureFormat.ASICE:
            return f"{source.name}.{found.value}"
