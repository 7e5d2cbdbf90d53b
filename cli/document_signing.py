"""Signing one document in its format; every format asks the key once."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final

from cli.errors import InputError, UsageProblemError
from cli.input_file import COPY_BYTES, HashedInput
from cli.pem_output import write_pem
from cli.signature_format import SignatureFormat
from cli.signing_plan import Job, SigningSettings
from cli.translation import N_
from jpki.formats import HEAD_BYTES, DocumentFormat, detect_format
from jpki.keys import CardPrivateKey
from jpki.signing import preload, sign_digest, sign_raw, write_attached
from jpki.signing.pdf_options import PdfOptions

MAX_IN_MEMORY: Final = 1 << 28
"""What a format that needs the whole document in memory (XML, JWS) may have."""

Writer = Callable[[BinaryIO], None]
"""Writes a signature that was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A card ready to sign, at a time, in the way that was asked for."""

    settings: SigningSettings
    key: CardPrivateKey
    time: datetime

    def sign(self, job: Job, inputs: Sequence[HashedInput], resources: ExitStack) -> Writer:
        """Ask the card for one signature -> what writes it.

        No output is touched before the card has answered: whatever ends the run meanwhile, and
        however rudely, nothing lies about.

        Args:
            job: what is signed.
            inputs: its documents.
            resources: what the writer needs until it has run.

        Raises:
            InputError, SigningError, CardError, ServerError.
        """
        match job.format:
            case SignatureFormat.RAW:
                return _bytes(sign_raw(inputs[0].digest, self.key, self.settings.algorithm))
            case SignatureFormat.CMS:
                return self._sign_cms(inputs[0], resources)
            case SignatureFormat.PDF:
                return self._sign_pdf(inputs[0], job.pdf_options(self.settings), resources)
            case SignatureFormat.XML:
                return _bytes(self._sign_xml(inputs, resources))
            case SignatureFormat.JWS:
                return _bytes(self._sign_jws(inputs[0]))
            case SignatureFormat.ASICE:
                return self._sign_asice(inputs, resources)

    def _sign_cms(self, document: HashedInput, resources: ExitStack) -> Writer:
        signature = sign_digest(
            document.digest,
            self.settings.algorithm,
            self.key,
            self.key.certificate,
            signing_time=self.time,
            cades=self.settings.cades,
            timestamper=self.settings.timestamper,
        )
        write = _bytes(signature)
        if self.settings.attached:
            content = _open(document, resources)
            write = partial(write_attached, signature, content, document.size)
        return partial(write_pem, write) if self.settings.pem else write

    def _sign_pdf(self, document: HashedInput, options: PdfOptions, resources: ExitStack) -> Writer:
        from jpki.signing.pdf import sign_pdf

        signed = _unnamed(resources)
        sign_pdf(
            _open(document, resources),
            signed,
            self.key,
            self.key.certificate,
            signing_time=self.time,
            options=options,
            timestamper=self.settings.timestamper,
        )
        return partial(_copy, signed)

    def _sign_xml(self, documents: Sequence[HashedInput], resources: ExitStack) -> bytes:
        from jpki.signing.xml import sign_xml, sign_xml_files

        key, options, time = self.key, self.settings.xml, self.time
        if self.settings.detached:
            files = {item.source.path.name: _open(item, resources) for item in documents}
            return sign_xml_files(files, key, key.certificate, signing_time=time, options=options)
        first, *others = documents
        files = {item.source.path.name: _open(item, resources) for item in others}
        return sign_xml(
            _read(first), key, key.certificate, signing_time=time, options=options, files=files
        )

    def _sign_jws(self, document: HashedInput) -> bytes:
        from jpki.signing.jws import sign_jws

        return sign_jws(
            _read(document),
            self.key,
            self.key.certificate,
            signing_time=self.time,
            algorithm=self.settings.algorithm,
            detached=self.settings.detached,
        )

    def _sign_asice(self, documents: Sequence[HashedInput], resources: ExitStack) -> Writer:
        from jpki.signing.asic import NamedDocument, sign_asice

        streams = [_open(document, resources) for document in documents]
        # A container gets one more signature, over what is in it and what is added.
        existing = streams[0] if _is_container(streams[0]) else None
        named = [
            NamedDocument(name=document.source.path.name, content=stream)
            for document, stream in zip(documents, streams, strict=True)
            if stream is not existing
        ]
        signed = _unnamed(resources)
        sign_asice(
            named,
            signed,
            self.key,
            self.key.certificate,
            signing_time=self.time,
            existing=existing,
            algorithm=self.settings.algorithm,
            timestamper=self.settings.timestamper,
        )
        return partial(_copy, signed)


def _bytes(content: bytes) -> Writer:
    def write(output: BinaryIO) -> None:
        output.write(content)

    return write


def _is_container(stream: BinaryIO) -> bool:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return detect_format(head) is DocumentFormat.ASICE


def _unnamed(resources: ExitStack) -> BinaryIO:
    """A temporary file that has no name, so that nothing of it stays whatever happens."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by the stack
    resources.callback(_discard, file)
    return file


def _discard(file: BinaryIO) -> None:
    with suppress(OSError):  # what does not fit on the disk any more is not wanted either
        file.close()


def _copy(source: BinaryIO, output: BinaryIO) -> None:
    source.seek(0)
    shutil.copyfileobj(source, output, COPY_BYTES)


def libraries_of(formats: set[SignatureFormat]) -> Callable[[], None]:
    """What imports the libraries that some formats need, while there is something else to do."""

    def load() -> None:
        if formats & {SignatureFormat.CMS, SignatureFormat.PDF, SignatureFormat.ASICE}:
            preload()
        if SignatureFormat.PDF in formats:
            import jpki.signing.pdf_writer  # noqa: F401  # to have it imported is the purpose

    return load


def check_document(job: Job, settings: SigningSettings, stream: BinaryIO) -> None:
    """Refuse a document that cannot be signed as asked, before the card is touched.

    Raises:
        DocumentError, InputError, UsageProblemError.
    """
    match job.format:
        case SignatureFormat.PDF:
            from jpki.signing.pdf import check_pdf

            check_pdf(stream, job.pdf_options(settings))
        case SignatureFormat.XML:
            from jpki.signing.xml import check_xml

            if not settings.detached:
                check_xml(_bounded(stream, job.source.name), settings.xml)
        case SignatureFormat.JWS:
            _bounded(stream, job.source.name)
        case SignatureFormat.ASICE:
            from jpki.signing.asic import check_asice

            existing = stream if _is_container(stream) else None
            added = job.sources if existing is None else job.sources[1:]
            if any(source.is_stdin for source in added):
                raise UsageProblemError(
                    N_("A container knows files by their names, and the standard input has none.")
                )
            check_asice([source.path.name for source in added], existing)
        case SignatureFormat.RAW | SignatureFormat.CMS:
            return


def _open(document: HashedInput, resources: ExitStack) -> BinaryIO:
    stream = document.open()
    resources.callback(stream.close)
    return stream


def _read(document: HashedInput) -> bytes:
    with ExitStack() as resources:
        return _bounded(_open(document, resources), document.source.name)


def _bounded(stream: BinaryIO, name: str) -> bytes:
    content = stream.read(MAX_IN_MEMORY + 1)
    if len(content) > MAX_IN_MEMORY:
        raise InputError(name, N_("it is too large for this format"))
    return content
