"""Opening a PDF, ISO 32000-1 7.5, through pyHanko: within bounds, and as the standard reads it.

What pyHanko logs (tracebacks, and parts of the document) is for nobody who did not ask: its loggers
get a handler that does nothing, so that Python's handler of last resort leaves them alone. A
program that configures logging itself sees them.
"""

import io
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus, StandardSecurityHandler
from pyhanko.pdf_utils.crypt.api import PdfMacStatus
from pyhanko.pdf_utils.decode_limits import DecodeContext, DecodePurpose
from pyhanko.pdf_utils.misc import (
    PdfDecodeLimitError,
    PdfError,
    PdfStrictReadError,
)
from pyhanko.pdf_utils.reader import PdfFileReader

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.digest import CHUNK_SIZE, HashAlgorithm
from jpki.signing.document_view import DocumentView

for _library in ("pyhanko", "pyhanko_certvalidator", "fontTools"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

HEADER: Final = b"%PDF-"
HEADER_WITHIN: Final = 1024  # bytes; where other readers still find it
BUFFER_SIZE: Final = 1 << 16
MAX_STREAM: Final = 1 << 26  # bytes of one that is held in memory
MIN_XREF_SIZE: Final = 1 << 20  # bytes of decoded cross-reference streams that any file may have

PARSE_ERRORS: Final = (
    # A damaged file takes pyHanko anywhere; these are all the ways it was seen to fail. OSError is
    # not among them: that is the disk.
    PdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,  # lengths that nobody has; what is really there is bounded
    RuntimeError,  # RecursionError and NotImplementedError among them
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class _BoundedReader(io.BufferedReader):
    """Gives the hash of what is too large to hold: a stream of that size is never looked into."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or their hash. Raises: ValueError for a length below zero."""
        if size is None or size < 0:
            raise ValueError("a negative length")
        if size <= MAX_STREAM:
            return super().read(size)
        hasher = HashAlgorithm.SHA256.new()
        while size > 0 and (data := super().read(min(size, CHUNK_SIZE))):
            hasher.update(data)
            size -= len(data)
        return hasher.digest()


class _BoundedContext(DecodeContext):
    """pyHanko's bounds on decoding, and one on how many entries cross-reference streams declare.

    Entries of width zero cost no byte of the stream, so a small file could ask for billions.
    """

    def __init__(self, limits: DecodeContext) -> None:
        super().__init__(limits.limits, limits.input_size)
        self._xref_size_left = max(MIN_XREF_SIZE, 4 * (limits.input_size or 0))

    def stream_output_cap(
        self,
        encoded_size: int,
        purpose: DecodePurpose = DecodePurpose.GENERIC,
        expected_size: int | None = None,
    ) -> int | None:
        """Return how many bytes a stream may decode to."""
        if purpose is DecodePurpose.XREF_STREAM:
            self._xref_size_left -= expected_size or 0
            if expected_size is None or self._xref_size_left < 0:
                raise PdfDecodeLimitError("a cross-reference stream with too many entries")
        return super().stream_output_cap(encoded_size, purpose, expected_size)


class PdfReader(PdfFileReader):
    """pyHanko's reader. An undefined object is null, as ISO 32000-1 7.3.10 has it, and no error."""

    def __init__(self, stream: BinaryIO, *, strict: bool = True) -> None:
        self._bounded_context: DecodeContext | None = None
        super().__init__(stream, strict=strict)

    @property
    def decode_context(self) -> DecodeContext:
        """The bounds on decoding."""
        if self._bounded_context is None:
            self._bounded_context = _BoundedContext(self._decode_context)
        return self._bounded_context

    def get_object(  # type: ignore[override]  # as pyHanko's own reader does
        self,
        ref: generic.Reference,
        revision: int | None = None,
        never_decrypt: bool = False,  # noqa: FBT001, FBT002
        transparent_decrypt: bool = True,  # noqa: FBT001, FBT002
        as_metadata_stream: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:  # noqa: ANN401
        """Read an object as it was in a revision, by default the last."""
        at = self.xrefs.total_revisions - 1 if revision is None else revision
        if self.xrefs.get_historical_ref(ref, at) is None:
            null = generic.NullObject()
            null.container_ref = generic.Reference(ref.idnum, ref.generation, self)
            return null
        return super().get_object(
            ref, revision, never_decrypt, transparent_decrypt, as_metadata_stream
        )


@contextmanager
def parsing(where: str) -> Iterator[None]:
    """Turn whatever a damaged PDF makes of pyHanko into one error.

    Raises:
        DocumentError: pdf-broken, with ``where``.
    """
    try:
        yield
    except PARSE_ERRORS as error:
        raise DocumentError(DocumentFault.PDF_BROKEN, where) from error


def entry(dictionary: generic.PdfObject | None, key: str) -> Any:  # noqa: ANN401  # any PDF object
    """Return an entry of a dictionary, resolved; None: it is not there, or this is none.

    ``DictionaryObject.get`` is that of ``dict``, which neither resolves nor decrypts.
    """
    if not isinstance(dictionary, generic.DictionaryObject) or key not in dictionary:
        return None
    try:
        return dictionary[key]
    except KeyError:
        return None  # null


def size_of(stream: BinaryIO) -> int:
    """Return how many bytes a seekable stream has."""
    return stream.seek(0, os.SEEK_END)


def open_pdf(
    document: BinaryIO,
    password: str | None = None,
    *,
    size: int | None = None,
    lenient: bool = False,
) -> PdfReader:
    """Open a PDF and, if it is encrypted, unlock it.

    Args:
        document: seekable, from its first byte. It is read as long as the reader is used.
        password: of the user or the owner, where it takes one.
        size: how many bytes of it are the document; None: all.
        lenient: faults of the cross-reference table that other readers overlook are overlooked;
            ``strict`` of the reader tells.

    Raises:
        DocumentError: empty, not-pdf, pdf-broken, encrypted-pdf, pdf-password-wrong.
    """
    size = size_of(document) if size is None else size
    if size == 0:
        raise DocumentError(DocumentFault.EMPTY)
    document.seek(0)
    head = document.read(min(size, HEADER_WITHIN))
    if HEADER not in head:
        raise DocumentError(DocumentFault.NOT_PDF)
    if not head.startswith(HEADER):
        raise DocumentError(DocumentFault.PDF_BROKEN, "bytes before the header")
    with parsing("cross-reference table"):
        view = _BoundedReader(DocumentView(document, size), BUFFER_SIZE)
        reader = _read(view, lenient=lenient)
    _unlock(reader, password)
    with parsing("catalog"):
        if not isinstance(reader.root["/Pages"], generic.DictionaryObject):
            raise DocumentError(DocumentFault.PDF_BROKEN, "catalog")
    return reader


def _read(view: BinaryIO, *, lenient: bool) -> PdfReader:
    try:
        return PdfReader(view)
    except PdfStrictReadError:
        reader = PdfReader(view, strict=False)
        # In a hybrid-reference file (7.5.8.4), such as word processors write, an update may replace
        # what the first table calls free; pyHanko's strict rules do not know that.
        if lenient or (reader.xrefs.hybrid_xrefs_present and _sizes_fit(reader)):
            return reader
        raise


def _sizes_fit(reader: PdfReader) -> bool:
    """Whether every object has a number below /Size: new ones begin there."""
    highest = 0
    for revision in range(reader.xrefs.total_revisions):
        section = reader.xrefs.get_xref_data(revision)
        hybrid = section.hybrid
        for data in (section, section if hybrid is None else hybrid.xref_data):
            highest = max(highest, *data.standard_xrefs, *data.xrefs_in_objstm, 0)
    return highest < int(reader.trailer["/Size"])


def _unlock(reader: PdfReader, password: str | None) -> None:
    with parsing("encryption"):
        if not reader.encrypted:
            return
        if not isinstance(reader.security_handler, StandardSecurityHandler):
            raise DocumentError(DocumentFault.PDF_ENCRYPTED, "for certificates")
        # Without one it may still open: only its owner's rights are locked then.
        for attempt in ("",) if password is None else (password, ""):
            result = reader.decrypt(attempt)
            if result.mac_status is PdfMacStatus.FAILED:
                raise DocumentError(DocumentFault.PDF_BROKEN, "PDF MAC")
            if result.status is not AuthStatus.FAILED:
                return
    if password is None:
        raise DocumentError(DocumentFault.PDF_ENCRYPTED)
    raise DocumentError(DocumentFault.PDF_PASSWORD_WRONG)
