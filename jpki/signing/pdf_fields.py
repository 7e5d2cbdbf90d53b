"""Form fields of a PDF and what earlier signatures allow, ISO 32000-1 12.7 and 12.8.2.

``pyhanko.sign`` takes a third of a second to import, before a card is asked for anything: so only
a document that restricts others gets it loaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.rw_common import PdfHandler

from jpki.signing.pdf_page import Box
from jpki.signing.pdf_reader import entry

if TYPE_CHECKING:
    from pyhanko.sign.fields import FieldMDPSpec, MDPPerm

SIGNATURE: Final = "/Sig"
DOC_MDP: Final = "/DocMDP"
FIELD_MDP: Final = "/FieldMDP"
DEFAULT_PERMISSION: Final = 2  # 12.8.2.2.2, where /P is missing: forms may be filled
MAX_FIELDS: Final = 100_000
MAX_FIELD_DEPTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field of the form; those above it and its widgets are none of their own."""

    name: str  # fully qualified
    type: str | None  # /Sig, /Tx, /Btn, /Ch, inherited or its own
    reference: generic.Reference
    dictionary: generic.DictionaryObject

    @property
    def is_signature(self) -> bool:
        """Whether it takes a signature."""
        return self.type == SIGNATURE

    @property
    def value(self) -> generic.PdfObject | None:
        """The value with its reference unresolved; None: there is none."""
        return None if entry(self.dictionary, "/V") is None else self.dictionary.raw_get("/V")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """Which field takes the signature."""

    name: str
    existing: FormField | None = None  # None: it is made
    page: int = 0  # of a new one, from 0
    box: Box | None = None  # of a new one; None: not seen
    lock: "FieldMDPSpec | None" = None  # what the field says that its signature locks
    lock_permission: "MDPPerm | None" = None

    @property
    def is_new(self) -> bool:
        """Whether the field is made for this signature."""
        return self.existing is None


def form_fields(handler: PdfHandler) -> list[FormField]:
    """Return the fields of the form; several of one name are one field by the standard.

    Raises:
        PdfReadError: there are too many.
    """
    form = entry(handler.root, "/AcroForm")
    found: list[FormField] = []
    seen: set[generic.Reference] = set()
    pending = [(kid, "", None, 0) for kid in _references(entry(form, "/Fields"))]
    while pending:
        reference, prefix, inherited, depth = pending.pop()
        dictionary = reference.get_object()
        partial_name = entry(dictionary, "/T")
        if partial_name is None or not isinstance(dictionary, generic.DictionaryObject):
            continue  # a widget of the field above
        if reference in seen:
            continue
        if len(seen) >= MAX_FIELDS or depth > MAX_FIELD_DEPTH:
            raise PdfReadError("too many fields")
        seen.add(reference)
        name = f"{prefix}.{partial_name}" if prefix else str(partial_name)
        own_type = entry(dictionary, "/FT") or inherited
        found.append(
            FormField(
                name=name,
                type=None if own_type is None else str(own_type),
                reference=reference,
                dictionary=dictionary,
            )
        )
        kids = _references(entry(dictionary, "/Kids"))
        pending += [(kid, name, own_type, depth + 1) for kid in kids]
    return found


def _references(array: generic.PdfObject | None) -> Iterator[generic.Reference]:
    if isinstance(array, generic.ArrayObject):
        for index in range(len(array)):
            item = array.raw_get(index)
            if isinstance(item, generic.IndirectObject):
                yield item.reference


def transform_parameters(
    signature: generic.DictionaryObject, method: str
) -> generic.DictionaryObject | None:
    """Return the /TransformParams of a method in the signature's /Reference, None: not there."""
    references = entry(signature, "/Reference")
    for index in range(len(references) if isinstance(references, generic.ArrayObject) else 0):
        if entry(references[index], "/TransformMethod") == method:
            parameters = entry(references[index], "/TransformParams")
            if isinstance(parameters, generic.DictionaryObject):
                return parameters
            return generic.DictionaryObject()
    return None


def permission_of(signature: generic.DictionaryObject) -> "MDPPerm | None":
    """Return what a certification signature lets others do; None: it is no certification.

    Raises:
        ValueError: its /P is none of the three there are.
    """
    parameters = transform_parameters(signature, DOC_MDP)
    if parameters is None:
        return None
    return permission(entry(parameters, "/P") or DEFAULT_PERMISSION)


def permission(value: int) -> "MDPPerm":
    """Return what a /P means. Raises: ValueError: none of the three there are."""
    from pyhanko.sign.fields import MDPPerm

    return MDPPerm(value)


def certification_of(root: generic.DictionaryObject) -> "MDPPerm | None":
    """Return what the author of a certified document lets others do; None: it is not certified."""
    signature = entry(entry(root, "/Perms"), DOC_MDP)
    if not isinstance(signature, generic.DictionaryObject):
        return None
    return permission_of(signature) or permission(DEFAULT_PERMISSION)


def field_lock_of(signature: generic.DictionaryObject) -> "FieldMDPSpec | None":
    """Return which fields a signature locks; None: none."""
    parameters = transform_parameters(signature, FIELD_MDP)
    return None if parameters is None else lock_in(parameters)


def lock_in(dictionary: generic.DictionaryObject) -> "FieldMDPSpec":
    """Read which fields a /Lock, or the parameters of a transform, lock."""
    from pyhanko.sign.fields import FieldMDPSpec

    return FieldMDPSpec.from_pdf_object(dictionary)


def restriction_of(field: FormField) -> "MDPPerm | None":
    """Return what the signature in a field lets others do: by itself, or by the field's /Lock."""
    signature = entry(field.dictionary, "/V")
    if not isinstance(signature, generic.DictionaryObject):
        return None
    lock = entry(entry(field.dictionary, "/Lock"), "/P")
    return permission_of(signature) or (None if lock is None else permission(lock))
