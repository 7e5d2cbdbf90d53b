"""Signing one document in its format; every format asks the key once."""

import base64
import io
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from cli.errors import InputError
from cli.input_file import HashedInput
from cli.signing_plan import Job, SignatureFormat, SigningSettings
from cli.translation import N_
from jpki.keys import CardPrivateKey
from jpki.signing import preload, sign_digest, sign_raw, write_attached

MAX_IN_MEMORY: Final = 1 << 28
"""What a format that needs the whole document in memory (XML, JWS) may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A card ready to sign, at a time, in the way that was asked for."""

    settings: SigningSettings
    key: CardPrivateKey
    time: datetime

    def write(self, job: Job, inputs: Sequence[HashedInput], output: BinaryIO) -> None:
        """Sign a job and write the signature.

        Args:
            job: what is signed.
            inputs: its documents.
            output: seekable; what stands there after an error is to be thrown away.

        Raises:
            InputError, SigningError, CardError, ServerError.
        """
        match job.format:
            case SignatureFormat.RAW:
                output.write(sign_raw(inputs[0].digest, self.key, self.settings.algorithm))
            case SignatureFormat.CMS:
                self._write_cms(inputs[0], output)
            case SignatureFormat.PDF:
                self._write_pdf(inputs[0], output)
            case SignatureFormat.XML:
                self._write_xml(inputs, output)
            case SignatureFormat.JWS:
                self._write_jws(inputs[0], output)
            case SignatureFormat.ASICE:
                self._write_asice(inputs, output)

    def _write_cms(self, document: HashedInput, output: BinaryIO) -> None:
        signature = sign_digest(
            document.digest,
            self.settings.algorithm,
            self.key,
            self.key.certificate,
            signing_time=self.time,
            cades=self.settings.cades,
            timestamper=self.settings.timestamper,
        )
        if not self.settings.attached:
            output.write(_pem(signature) if self.settings.pem else signature)
            return
        with ExitStack() as resources:
            content = _open(document, resources)
            if not self.settings.pem:
                write_attached(signature, content, document.size, output)
                return
            der = io.BytesIO()
            write_attached(signature, content, document.size, der)
            output.write(_pem(der.getvalue()))

    def _write_pdf(self, document: HashedInput, output: BinaryIO) -> None:
        from jpki.signing.pdf import sign_pdf

        with ExitStack() as resources:
            sign_pdf(
                _open(document, resources),
                output,
                self.key,
                self.key.certificate,
                signing_time=self.time,
                options=self.settings.pdf,
                timestamper=self.settings.timestamper,
            )

    def _write_xml(self, documents: Sequence[HashedInput], output: BinaryIO) -> None:
        from jpki.signing.xml import sign_xml, sign_xml_files

        key, options = self.key, self.settings.xml
        if not self.settings.detached:
            content = _read(documents[0])
            output.write(
                sign_xml(content, key, key.certificate, signing_time=self.time, options=options)
            )
            return
        with ExitStack() as resources:
            files = {item.source.path.name: _open(item, resources) for item in documents}
            output.write(
                sign_xml_files(files, key, key.certificate, signing_time=self.time, options=options)
            )

    def _write_jws(self, document: HashedInput, output: BinaryIO) -> None:
        from jpki.signing.jws import sign_jws

        output.write(
            sign_jws(
                _read(document),
                self.key,
                self.key.certificate,
                signing_time=self.time,
                detached=self.settings.detached,
            )
        )

    def _write_asice(self, documents: Sequence[HashedInput], output: BinaryIO) -> None:
        from jpki.signing.asic import NamedDocument, sign_asice

        with ExitStack() as resources:
            named = [
                NamedDocument(name=document.source.path.name, content=_open(document, resources))
                for document in documents
            ]
            sign_asice(
                named,
                output,
                self.key,
                self.key.certificate,
                signing_time=self.time,
                timestamper=self.settings.timestamper,
            )


def libraries_of(formats: set[SignatureFormat]) -> Callable[[], None]:
    """What imports the libraries that some formats need, while there is something else to do."""

    def load() -> None:
        if SignatureFormat.CMS in formats or SignatureFormat.ASICE in formats:
            preload()
        if SignatureFormat.PDF in formats:
            import jpki.signing.pdf
        if SignatureFormat.XML in formats:
            import jpki.signing.xml  # noqa: F401

    return load


def check_document(job: Job, settings: SigningSettings, stream: BinaryIO) -> None:
    """Refuse a document that cannot be signed as asked, before the card is touched.

    Raises:
        DocumentError, InputError.
    """
    match job.format:
        case SignatureFormat.PDF:
            from jpki.signing.pdf import check_pdf

            check_pdf(stream, settings.pdf)
        case SignatureFormat.XML:
            from jpki.signing.xml import check_xml

            if not settings.detached:
                check_xml(_bounded(stream, job.source.name), settings.xml)
        case SignatureFormat.JWS:
            _bounded(stream, job.source.name)
        case SignatureFormat.RAW | SignatureFormat.CMS | SignatureFormat.ASICE:
            return


def _pem(der: bytes) -> bytes:
    """Encode a SignedData as text, RFC 7468 9."""
    return b"-----BEGIN CMS-----\n" + base64.encodebytes(der) + b"-----END CMS-----\n"


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
