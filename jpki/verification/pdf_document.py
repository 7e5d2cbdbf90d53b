"""The signatures of a PDF, ISO 32000-1 12.7.4.5: found through the form, as every reader does.

What looks like a signature and cannot be reached that way is named, never believed.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.xref import XRefSectionType

from jpki.certificates.verdict import Reason
from jpki.signing.pdf_fields import FormField, form_fields
from jpki.signing.pdf_reader import PdfReader, entry, open_pdf, parsing, size_of
from jpki.verification.pdf_dictionary import (
    ByteRange,
    DictionarySyntaxError,
    RawDictionary,
    exact_byte_range,
    read_dictionary,
)

MAX_SIGNATURES: Final = 100
MAX_REVISIONS: Final = 1000
MAX_CANDIDATES: Final = 1000
SCAN_CHUNK: Final = 1 << 20
BYTE_RANGE: Final = b"/ByteRange"
DOCUMENT_TIMESTAMP: Final = "/DocTimeStamp"

ObjectId = tuple[int, int]
"""Number and generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfSignature:
    """What a signature field holds: a signature, or a timestamp over the document."""

    field: FormField
    dictionary: generic.DictionaryObject
    object_id: ObjectId | None  # None: not an object of its own
    raw: RawDictionary | None  # None: it does not stand in the file as a dictionary
    covered: ByteRange | None  # None: not all but its own place
    faults: tuple[Reason, ...]

    @property
    def is_timestamp(self) -> bool:
        """Whether it is a document timestamp, ETSI EN 319 142-1 5.4.3."""
        return bool(entry(self.dictionary, "/Type") == DOCUMENT_TIMESTAMP)

    @property
    def contents(self) -> bytes:
        """/Contents with the zeros behind it; empty where there is none to be trusted."""
        if self.raw is None or self.covered is None:
            return b""
        return self.raw.values["/Contents"].octets() or b""

    @property
    def end(self) -> int:
        """Where its coverage ends; 0: it has none."""
        return 0 if self.covered is None else self.covered.end


class PdfDocument:
    """A PDF that is being verified.

    Args:
        stream: seekable; it is read as long as the object is used.
        password: where it takes one.

    Raises:
        DocumentError: it cannot be opened.
    """

    def __init__(self, stream: BinaryIO, password: str | None = None) -> None:
        self.stream = stream
        self.password = password
        self.size = size_of(stream)
        self.reader: PdfReader = open_pdf(stream, password, lenient=True)
        with parsing("form"):
            if self.reader.xrefs.total_revisions > MAX_REVISIONS:
                raise PdfReadError("too many revisions")
            fields = form_fields(self.reader)
            held = [field for field in fields if field.is_signature and field.value is not None]
            if len(held) > MAX_SIGNATURES:
                raise PdfReadError("too many signatures")
            self.signatures = sorted(self._signatures(held), key=lambda found: found.end)
        with parsing("signatures"):
            self.has_phantom = any(self._phantoms())

    def is_hybrid_after(self, revision: int) -> bool:
        """Whether a revision after this one has two cross-reference sections, 7.5.8.4."""
        return any(
            self.reader.xrefs.get_xref_container_info(later).xref_section_type
            is XRefSectionType.HYBRID_MAIN
            for later in range(revision + 1, self.reader.xrefs.total_revisions)
        )

    def number_of(self, revision: int) -> tuple[int, int]:
        """Return which revision this is and how many there are, as a person counts them.

        A linearised file has two cross-reference sections for its first revision (Annex F).
        """
        places = [
            self.reader.xrefs.get_xref_container_info(index).start_location
            for index in range(self.reader.xrefs.total_revisions)
        ]
        starts = [index == 0 or place > places[index - 1] for index, place in enumerate(places)]
        return sum(starts[: revision + 1]), sum(starts)

    def _signatures(self, fields: list[FormField]) -> Iterator[PdfSignature]:
        values = [field.value for field in fields]
        ids = [_id_of(value) for value in values]
        for field, object_id in zip(fields, ids, strict=True):
            dictionary = entry(field.dictionary, "/V")
            if not isinstance(dictionary, generic.DictionaryObject):
                dictionary = generic.DictionaryObject()
            faults: list[Reason] = []
            if object_id is not None and ids.count(object_id) > 1:
                faults.append(Reason.PHANTOM_SIGNATURE)
            raw = None if object_id is None else self._raw(object_id)
            covered = None if raw is None else exact_byte_range(raw, self.size)
            if covered is None:
                faults.append(Reason.BYTE_RANGE_INVALID)
            yield PdfSignature(
                field=field,
                dictionary=dictionary,
                object_id=object_id,
                raw=raw,
                covered=covered,
                faults=tuple(faults),
            )

    def _raw(self, object_id: ObjectId) -> RawDictionary | None:
        place = self.reader.xrefs[generic.Reference(*object_id, self.reader)]
        if not isinstance(place, int):
            return None  # in an object stream, where no byte range reaches it
        try:
            return read_dictionary(self.stream, place, *object_id)
        except (DictionarySyntaxError, ValueError):
            return None

    def _phantoms(self) -> Iterator[RawDictionary]:
        """Find signatures that are objects of the file and held by no signature field."""
        held = {signature.raw.start for signature in self.signatures if signature.raw}
        permissions = entry(self.reader.root, "/Perms")
        if entry(permissions, "/UR3") is not None:  # usage rights, 12.8.2.3: Adobe's own signature
            usage_rights = _id_of(permissions.raw_get("/UR3"))
            raw = None if usage_rights is None else self._raw(usage_rights)
            held |= set() if raw is None else {raw.start}
        looked_at: set[int] = set()
        for place in self._mentions():
            index = bisect_right(self._objects, (place,)) - 1
            if index < 0 or index in looked_at:
                continue
            looked_at.add(index)
            if len(looked_at) > MAX_CANDIDATES:
                raise PdfReadError("too many objects that could be signatures")
            offset, number, generation = self._objects[index]
            try:
                raw = read_dictionary(self.stream, offset, number, generation)
            except DictionarySyntaxError:
                continue
            if raw.start not in held and {"/ByteRange", "/Contents"} <= raw.values.keys():
                yield raw

    @cached_property
    def _objects(self) -> list[tuple[int, int, int]]:
        """Offset, number, generation of every object outside object streams, of all revisions."""
        found = {
            (offset, number, generation)
            for revision in range(self.reader.xrefs.total_revisions)
            for number, (generation, offset) in (
                self.reader.xrefs.get_xref_data(revision).standard_xrefs.items()
            )
        }
        return sorted(found)

    def _mentions(self) -> Iterator[int]:
        """Yield where /ByteRange stands in the file, be it in a comment."""
        overlap = len(BYTE_RANGE) - 1
        kept, start = b"", 0
        while start < self.size:
            self.stream.seek(start)
            data = kept + self.stream.read(SCAN_CHUNK)
            base = start - len(kept)
            found = data.find(BYTE_RANGE)
            while found >= 0:
                yield base + found
                found = data.find(BYTE_RANGE, found + 1)
            start += SCAN_CHUNK
            kept = data[-overlap:]


def _id_of(value: generic.PdfObject | None) -> ObjectId | None:
    if not isinstance(value, generic.IndirectObject):
        return None
    return value.idnum, value.generation
