"""Whether a PDF takes a signature as asked, and in which field; all of it known without a key."""

from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.pdf_fields import (
    FieldPlan,
    FormField,
    certification_of,
    field_lock_of,
    form_fields,
    lock_in,
    permission,
    restriction_of,
)
from jpki.signing.pdf_options import SUBFILTERS, PdfOptions
from jpki.signing.pdf_page import find_page
from jpki.signing.pdf_reader import PdfReader, entry, parsing

if TYPE_CHECKING:
    from pyhanko.sign.fields import SigSeedSubFilter, SigSeedValueSpec

NEW_FIELD_NAME: Final = "Signature{number}"
NO_CHANGES: Final = 1  # /P, 12.8.2.2.2


def plan_field(reader: PdfReader, options: PdfOptions) -> FieldPlan:
    """Choose the field for the signature.

    Raises:
        DocumentError: the form, an earlier signature or the field does not allow it.
    """
    with parsing("form"):
        fields = form_fields(reader)
        _check_document(reader, fields, options)
        plan = _field_named(fields, options)
        _check_locks(fields, plan.name)
    find_page(reader, 1)  # one there must be, for a field that is not seen as well
    return plan


def _check_document(reader: PdfReader, fields: list[FormField], options: PdfOptions) -> None:
    if reader.encrypted and (
        reader.security_handler.pdf_mac_enabled or "/AuthCode" in reader.trailer
    ):
        raise DocumentError(DocumentFault.PDF_HAS_MAC)
    if entry(entry(reader.root, "/AcroForm"), "/XFA") is not None:
        raise DocumentError(DocumentFault.XFA_FORM)
    signed = [field for field in fields if field.is_signature and field.value is not None]
    certification = certification_of(reader.root)
    restrictions = (certification, *(restriction_of(field) for field in signed))
    if any(allowed is not None and allowed.value == NO_CHANGES for allowed in restrictions):
        raise DocumentError(DocumentFault.PDF_FORBIDS_SIGNATURES)
    if options.certify is not None and (signed or certification is not None):
        raise DocumentError(DocumentFault.PDF_ALREADY_SIGNED)


def _field_named(fields: list[FormField], options: PdfOptions) -> FieldPlan:
    names = {field.name for field in fields}
    name = options.field_name
    if name is None:
        numbers = range(1, len(names) + 2)
        candidates = (NEW_FIELD_NAME.format(number=number) for number in numbers)
        return FieldPlan(name=next(free for free in candidates if free not in names))
    found = [field for field in fields if field.name == name]
    if not found:
        if not options.create_field:
            raise DocumentError(DocumentFault.FIELD_MISSING, _empty_fields(fields))
        if not name or "." in name:  # 12.7.3.2: no full stop in a partial name
            raise DocumentError(DocumentFault.FIELD_AMBIGUOUS)
        return FieldPlan(name=name)
    if len(found) > 1 or not found[0].is_signature:
        raise DocumentError(DocumentFault.FIELD_AMBIGUOUS)
    if found[0].value is not None:
        raise DocumentError(DocumentFault.FIELD_SIGNED)
    return _existing_field(found[0], options)


def _empty_fields(fields: list[FormField]) -> str:
    names = [field.name for field in fields if field.is_signature and field.value is None]
    return ", ".join(sorted(names)) or "-"


def _existing_field(field: FormField, options: PdfOptions) -> FieldPlan:
    _check_demands(field, options)
    lock = entry(field.dictionary, "/Lock")
    if not isinstance(lock, generic.DictionaryObject):
        return FieldPlan(name=field.name, existing=field)
    allowed = entry(lock, "/P")
    return FieldPlan(
        name=field.name,
        existing=field,
        lock=lock_in(lock),
        lock_permission=None if allowed is None else permission(allowed),
    )


def _check_locks(fields: list[FormField], name: str) -> None:
    for field in fields:
        signature = entry(field.dictionary, "/V") if field.is_signature else None
        if isinstance(signature, generic.DictionaryObject):
            lock = field_lock_of(signature)
            if lock is not None and lock.is_locked(name):
                raise DocumentError(DocumentFault.PDF_FORBIDS_SIGNATURES)


def _check_demands(field: FormField, options: PdfOptions) -> None:
    demands = entry(field.dictionary, "/SV")
    if demands is None:
        return
    from pyhanko.sign.fields import SigSeedSubFilter, SigSeedValFlags, SigSeedValueSpec

    # What a field's author may demand (12.7.5.5, /SV with /Ff) and we cannot know, or do not do.
    not_done = (
        SigSeedValFlags.ADD_REV_INFO
        | SigSeedValFlags.LEGAL_ATTESTATION
        | SigSeedValFlags.LOCK_DOCUMENT
        | SigSeedValFlags.APPEARANCE_FILTER
    )
    seed = SigSeedValueSpec.from_pdf_object(demands)
    flags, subfilter = seed.flags, SigSeedSubFilter(SUBFILTERS[options.profile])
    wrong_form = flags & SigSeedValFlags.SUBFILTER and not _takes(seed.subfilters, subfilter)
    wrong_hash = flags & SigSeedValFlags.DIGEST_METHOD and options.digest.value not in (
        seed.digest_methods or ()
    )
    wrong_reason = flags & SigSeedValFlags.REASONS and not _takes_reason(seed, options.reason)
    if flags & not_done or wrong_form or wrong_hash or wrong_reason:
        raise DocumentError(DocumentFault.FIELD_CONSTRAINED)


def _takes(subfilters: "list[SigSeedSubFilter] | None", ours: "SigSeedSubFilter") -> bool:
    return subfilters is not None and subfilters[:1] == [ours]  # the first is the one to take


def _takes_reason(seed: "SigSeedValueSpec", reason: str | None) -> bool:
    if seed.reasons in (None, [], ["."]):
        return reason is None
    return reason in seed.reasons
