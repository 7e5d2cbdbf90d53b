"""What became of a PDF after a signature, ISO 32000-1 12.8.2: each later revision is judged.

Whatever is not shown to be harmless is a change to what was signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import process_data_at_eof
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm

from jpki.certificates.verdict import Reason
from jpki.errors import DocumentError
from jpki.signing.pdf_fields import (
    certification_of,
    field_lock_of,
    form_fields,
    restriction_of,
)
from jpki.signing.pdf_reader import PARSE_ERRORS, PdfReader, entry, open_pdf
from jpki.verification.pdf_document import PdfDocument, PdfSignature
from jpki.verification.pdf_history import BoundedResolver, Budget, undefined_references
from jpki.verification.pdf_rules import ANNOTATION_POLICY, USUAL_POLICY
from jpki.verification.report import Note

TAIL_BYTES: Final = 1024
END_OF_FILE: Final = b"%%EOF"
OFF: Final = "/Off"
NOTES: Final = {
    ModificationLevel.LTA_UPDATES: Note.EXTENDED_AFTER_SIGNING,
    ModificationLevel.FORM_FILLING: Note.FORM_FILLED_AFTER_SIGNING,
    ModificationLevel.ANNOTATIONS: Note.ANNOTATED_AFTER_SIGNING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was found. No reason: what was signed is what is shown."""

    revision: int | None = None  # that was signed, from 0; None: it is none
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rights:
    """What may be done to a document after a signature."""

    permission: MDPPerm | None  # by certification; None: the document is not certified
    lock: FieldMDPSpec | None


class _NotHarmlessError(Exception):
    """A change that the signature does not allow."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def judge_changes(document: PdfDocument, signature: PdfSignature, budget: Budget) -> Changes:
    """Compare what was signed with what is there now. The signature's byte range is exact."""
    assert signature.object_id is not None  # noqa: S101  # an exact byte range has one
    xrefs = document.reader.xrefs
    reference = generic.Reference(*signature.object_id, document.reader)
    try:
        revision = xrefs.get_last_change(reference)
        if signature.end == document.size:
            return Changes(revision=revision)
        signed = _open_signed(document, signature, revision)
    except (*PARSE_ERRORS, DocumentError):
        return Changes(reasons=(Reason.BYTE_RANGE_INVALID,))
    if signed is None:
        return Changes(reasons=(Reason.BYTE_RANGE_INVALID,))
    try:
        _check_comparable(document, revision)
        _check_prepared(document, signed, budget)
        notes = tuple(dict.fromkeys(_later_revisions(document, signature, revision, budget)))
    except _NotHarmlessError as error:
        return Changes(revision=revision, reasons=(error.reason,))
    except (*PARSE_ERRORS, DocumentError):  # pyHanko's SuspiciousModification is a ValueError
        return Changes(revision=revision, reasons=(Reason.CHANGED_AFTER_SIGNING,))
    return Changes(revision=revision, notes=notes)


def _open_signed(document: PdfDocument, signature: PdfSignature, revision: int) -> PdfReader | None:
    """Open what was signed as a document of its own; None: the coverage ends somewhere else."""
    xrefs = document.reader.xrefs
    signed = open_pdf(
        document.stream, document.password, size=signature.end, lenient=not document.reader.strict
    )
    signed.stream.seek(-1, 2)
    if process_data_at_eof(signed.stream) != xrefs.get_startxref_for_revision(revision):
        return None
    if signed.xrefs.total_revisions != revision + 1:
        return None
    for index in range(revision + 1):
        own = signed.xrefs.get_xref_container_info(index)
        if own.start_location != xrefs.get_xref_container_info(index).start_location:
            return None
    return signed


def _check_comparable(document: PdfDocument, revision: int) -> None:
    if revision == document.reader.xrefs.total_revisions - 1:
        raise _NotHarmlessError(Reason.UNSIGNED_BYTES)  # something follows that is no revision
    if not document.reader.strict or document.is_hybrid_after(revision):
        raise _NotHarmlessError(Reason.CHANGED_AFTER_SIGNING)  # readers would not agree on it


def _check_prepared(document: PdfDocument, signed: PdfReader, budget: Budget) -> None:
    """Refuse what was signed with references to nothing that lead somewhere now.

    A shadow attack: the author leaves holes in what he has signed, and fills them afterwards.
    """
    for reference in undefined_references(signed, budget):
        if document.reader.xrefs[reference] is not None:
            raise _NotHarmlessError(Reason.CHANGED_AFTER_SIGNING)


def _later_revisions(
    document: PdfDocument, signature: PdfSignature, revision: int, budget: Budget
) -> Iterator[Note]:
    """Yield what the revisions after a signature were for; raise for one that is not harmless."""
    reader = document.reader
    total = reader.xrefs.total_revisions
    old = BoundedResolver(reader, revision, budget)
    rights = _rights(signature, old)
    policy = ANNOTATION_POLICY if rights.permission is MDPPerm.ANNOTATE else USUAL_POLICY
    last_signed = max(other.end for other in document.signatures)
    # A timestamp is nobody's consent to what was filled in.
    last_person = max(
        (other.end for other in document.signatures if not other.is_timestamp), default=0
    )
    for later in range(revision + 1, total):
        new = BoundedResolver(reader, later, budget)
        result = policy.apply(old, new, rights.lock, rights.permission)
        _check_level(result, rights)
        end = reader.xrefs.get_xref_container_info(later).end_location
        _check_form(result, old, new, rights, is_signed=end <= last_person)
        if end > last_signed:
            _check_unsigned(new, rights)
        yield NOTES.get(result.modification_level, Note.EXTENDED_AFTER_SIGNING)
    if last_signed != document.size and not _ends_at_its_end(document):
        raise _NotHarmlessError(Reason.UNSIGNED_BYTES)


def _rights(signature: PdfSignature, signed: BoundedResolver) -> _Rights:
    """Read what the signature allows, as it was when it was made."""
    (field,) = (field for field in form_fields(signed) if field.name == signature.field.name)
    own, author = restriction_of(field), certification_of(signed.root)
    given = [permission for permission in (own, author) if permission is not None]
    return _Rights(
        permission=min(given, default=None), lock=field_lock_of(entry(field.dictionary, "/V"))
    )


def _check_level(result: DiffResult, rights: _Rights) -> None:
    permission = rights.permission
    if permission is not None and result.modification_level.value > permission.value:
        raise _NotHarmlessError(Reason.CHANGED_AFTER_SIGNING)


def _check_form(
    result: DiffResult,
    old: BoundedResolver,
    new: BoundedResolver,
    rights: _Rights,
    *,
    is_signed: bool,
) -> None:
    """Refuse other values in fields that had one, unless a certification lets everybody fill."""
    if rights.permission is not None or not result.changed_form_fields:
        return
    values = {field.name: entry(field.dictionary, "/V") for field in form_fields(old)}
    types = {field.name: field.is_signature for field in form_fields(new)}
    filled = [name for name in result.changed_form_fields if not types.get(name)]
    if any(values.get(name) not in (None, "", b"", OFF) for name in filled):
        raise _NotHarmlessError(Reason.CHANGED_AFTER_SIGNING)
    if filled and not is_signed:
        raise _NotHarmlessError(Reason.UNSIGNED_BYTES)


def _check_unsigned(new: BoundedResolver, rights: _Rights) -> None:
    """Refuse a revision that nobody signed: data for later checks alone may come that way."""
    allows_more = rights.permission in (MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE)
    if not allows_more and entry(new.root, "/DSS") is None:
        raise _NotHarmlessError(Reason.UNSIGNED_BYTES)


def _ends_at_its_end(document: PdfDocument) -> bool:
    """Whether nothing follows the end of the last revision."""
    document.stream.seek(max(document.size - TAIL_BYTES, 0))
    tail = document.stream.read(TAIL_BYTES)
    for end in (b"\r\n", b"\n", b"\r"):
        if tail.endswith(end):
            tail = tail[: -len(end)]
            break
    return tail.endswith(END_OF_FILE)
