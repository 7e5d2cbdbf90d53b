"""Earlier revisions of a PDF as pyHanko's difference analysis looks at them, but within bounds.

pyHanko finds the ways to an object by recursion: a few hundred bookmarks in a row exhaust Python's
stack, and a few kilobytes can be made that have 2^100 ways. Here the same ways are found in a loop
that counts its steps.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import EncryptedObjAccess
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, RawPdfPath

from jpki.signing.digest import HashAlgorithm
from jpki.signing.pdf_reader import PdfReader, entry

MAX_STEPS: Final = 1_000_000  # in all of a document's history: some five seconds
MAX_KEPT: Final = 1 << 12  # bytes of a stream's data: two are compared by their hashes as well
LINKS_A_STEP: Final = 32  # of a way walked back

Key = str | int
Way = tuple[Any, Key] | None
"""The way to an object from the trailer: the way to what holds it, and the key there."""
Seen = tuple[Any, generic.Reference, int] | None
"""The objects on a way: those before, the last one, and how many."""

STRUCTURE: Final = ("/Root", "/StructTreeRoot")


class WorkLimitError(PdfReadError):
    """The document asks for more work than any document is worth."""


class Budget:
    """Counts the steps for one document."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Count. Raises: WorkLimitError."""
        self._left -= steps
        if self._left < 0:
            raise WorkLimitError("too many references")


class BoundedResolver(HistoricalResolver):
    """The document as it was in one revision.

    pyHanko's methods that begin with an underscore are replaced; the version is pinned for that.
    """

    def __init__(self, reader: PdfReader, revision: int, budget: Budget) -> None:
        super().__init__(reader, revision)
        self._budget = budget
        self._ways: dict[generic.Reference, list[Way]] | None = None

    def get_object(
        self,
        ref: generic.Reference,
        as_metadata_stream: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:  # noqa: ANN401  # any PDF object
        """Return an object as it was then; of a large stream the hash of its data is kept."""
        self._budget.spend()
        found = super().get_object(ref, as_metadata_stream)
        if isinstance(found, generic.StreamObject) and _is_large(found):
            found = self.cache[ref] = _hashed(found)
            self.reader.resolved_objects.pop((ref.generation, ref.idnum), None)
        return found

    def _get_usages_of_ref(self, ref: generic.Reference) -> set[RawPdfPath]:
        self._load_reverse_xref_cache()
        return {RawPdfPath(*_flat(way)) for way in (self._ways or {}).get(ref, ())}

    def _load_reverse_xref_cache(self) -> None:
        if self._ways is not None:
            return
        pages = dict(self._page_ways())
        elements = set(self._structure_elements())
        found: dict[generic.Reference, list[Way]] = defaultdict(list)
        pending: list[tuple[Any, Way, Seen, bool]] = [(self.trailer_view, None, None, False)]
        while pending:
            value, way, seen, in_structure = pending.pop()
            if isinstance(value, generic.IndirectObject):
                reference = value.reference
                if self._is_on(seen, reference):
                    continue
                found[reference].append(way)
                seen = (seen, reference, 1 if seen is None else seen[2] + 1)
                value = self.get_object(reference)
                # A page is entered on its way through the page tree and no other, an element of
                # the structure tree through that one.
                if reference in pages and pages[reference] != _flat(way):
                    continue
                if not in_structure and reference in elements:
                    continue
            enters = in_structure or _flat_up_to(way, 2) == STRUCTURE
            for key, item in containers_in(value):
                if key == "/Parent" or (in_structure and key == "/P"):
                    continue
                pending.append((item, (way, key), seen, in_structure or (enters and key == "/K")))
        self._ways = found

    def _is_on(self, seen: Seen, reference: generic.Reference) -> bool:
        self._budget.spend(1 if seen is None else 1 + seen[2] // LINKS_A_STEP)
        while seen is not None:
            if seen[1] == reference:
                return True
            seen = seen[0]
        return False

    def _page_ways(self) -> Iterator[tuple[generic.Reference, tuple[Key, ...]]]:
        top: tuple[Key, ...] = ("/Root", "/Pages")
        pending = [(self.root.raw_get("/Pages"), top)]
        seen: set[generic.Reference] = set()
        while pending:
            node, way = pending.pop()
            if isinstance(node, generic.IndirectObject):
                if node.reference in seen:
                    raise PdfReadError("a page tree that is no tree")
                seen.add(node.reference)
                yield node.reference, way
            node = node.get_object()
            kids = entry(node, "/Kids")
            if entry(node, "/Type") == "/Pages" and isinstance(kids, generic.ArrayObject):
                pending += [(kids.raw_get(i), (*way, "/Kids", i)) for i in range(len(kids))]

    def _structure_elements(self) -> Iterator[generic.Reference]:
        pending = [entry(self.root, "/StructTreeRoot")]
        seen: set[generic.Reference] = set()
        while pending:
            node = pending.pop()
            if not isinstance(node, generic.DictionaryObject) or "/K" not in node:
                continue
            kids = node["/K"]
            is_array = isinstance(kids, generic.ArrayObject)
            items = list(kids.iterate()) if is_array else [node.raw_get("/K")]
            for item in items:
                child = item.get_object()
                if entry(child, "/Type") not in (None, "/StructElem"):
                    continue
                if isinstance(item, generic.IndirectObject):
                    if item.reference in seen:
                        raise PdfReadError("a structure tree that is no tree")
                    seen.add(item.reference)
                    if isinstance(child, generic.DictionaryObject):
                        yield item.reference
                pending.append(child)

    def _collect_indirect_references(
        self,
        obj: Any,  # noqa: ANN401  # any PDF object
        seen: set[generic.Reference],
        since_revision: int | None = None,
    ) -> None:
        pending = [obj]
        while pending:
            value = pending.pop()
            if isinstance(value, generic.IndirectObject):
                reference = value.reference
                if reference in seen:
                    continue
                if since_revision is not None and not self._is_new(reference, since_revision):
                    continue  # what is in an object of old is of old
                seen.add(reference)
                value = self.get_object(reference)
            pending += [item for _, item in containers_in(value)]

    def _is_new(self, reference: generic.Reference, since_revision: int) -> bool:
        try:
            return bool(self.reader.xrefs.get_introducing_revision(reference) >= since_revision)
        except KeyError:
            return False  # null: nobody ever defined it


def _is_large(stream: generic.StreamObject) -> bool:
    is_read = entry(stream, "/Type") in ("/Metadata", "/ObjStm", "/XRef")
    return not is_read and len(stream.encoded_data) > MAX_KEPT


def _hashed(stream: generic.StreamObject) -> generic.StreamObject:
    digest = HashAlgorithm.SHA256.digest(stream.encoded_data)
    found = generic.StreamObject({key: stream.raw_get(key) for key in stream}, encoded_data=digest)
    found.container_ref = stream.container_ref
    return found


def undefined_references(reader: PdfReader, budget: Budget) -> set[generic.Reference]:
    """Return the references in a document that lead nowhere; every object is read for it."""
    missing: set[generic.Reference] = set()
    seen: set[generic.Reference] = set()
    pending: list[Any] = [reader.trailer_view]
    last = reader.xrefs.total_revisions - 1
    while pending:
        value = pending.pop()
        if isinstance(value, generic.IndirectObject):
            if value.reference in seen:
                continue
            seen.add(value.reference)
            budget.spend()
            if reader.xrefs[value.reference] is None:
                missing.add(value.reference)
                continue
            value = reader.get_object(value.reference, last)
        pending += [item for _, item in containers_in(value)]
    return missing


def containers_in(value: Any) -> Iterator[tuple[Key, Any]]:  # noqa: ANN401  # any PDF object
    """Yield what a dictionary or an array holds that may lead on: references, containers.

    Strings are passed over, and so are not decrypted: that of a signature is not encrypted.
    """
    keys: Any = ()
    if isinstance(value, generic.DictionaryObject):
        keys = value.keys()
    elif isinstance(value, generic.ArrayObject):
        keys = range(len(value))
    for key in keys:
        item = value.raw_get(key, decrypt=EncryptedObjAccess.PROXY)
        if isinstance(item, generic.DecryptedObjectProxy):
            if not isinstance(item.raw_object, (generic.DictionaryObject, generic.ArrayObject)):
                continue
            item = item.decrypted
        if isinstance(
            item, (generic.IndirectObject, generic.DictionaryObject, generic.ArrayObject)
        ):
            yield key, item


def _flat(way: Way) -> tuple[Key, ...]:
    keys: list[Key] = []
    while way is not None:
        way, key = way
        keys.append(key)
    return tuple(reversed(keys))


def _flat_up_to(way: Way, count: int) -> tuple[Key, ...]:
    """Return a way of so many keys, () for a longer one."""
    keys: list[Key] = []
    while way is not None:
        if len(keys) == count:
            return ()
        way, key = way
        keys.append(key)
    return tuple(reversed(keys))
