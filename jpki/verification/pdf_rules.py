"""Which changes to a signed PDF are no changes to what was signed.

pyHanko's difference analysis allows what its rules explain and refuses all else. Its rules stand
here with three differences: a visible signature field that nobody signed is a drawing over the
page; where readers make the appearance of fields themselves (/NeedAppearances), what they make it
with stays; and comments are allowed where the author's certification says so (DocMDP 3).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DocInfoRule,
    DSSCompareRule,
    FieldComparisonContext,
    FormUpdate,
    FormUpdatingRule,
    GenericFieldModificationRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    QualifiedWhitelistRule,
    ReferenceUpdate,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    XrefStreamRule,
)
from pyhanko.sign.diff_analysis.commons import compare_dicts
from pyhanko.sign.diff_analysis.rules.form_field_rules import is_field_visible

from jpki.signing.pdf_fields import SIGNATURE
from jpki.signing.pdf_reader import entry

NEED_APPEARANCES: Final = "/NeedAppearances"
FORM_KEYS: Final = frozenset({"/Fields", "/DR", "/DA", "/Q", NEED_APPEARANCES, "/SigFlags"})
"""Of the form itself, what may change: the fields are looked at one by one."""
MADE_WITH: Final = ("/DR", "/DA", "/Q")
"""Of the form: the fonts and the style with which readers make the appearance of fields."""
COMMENTS: Final = frozenset(
    {"/Text", "/Popup", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Ink"}
)
"""What a reader of a document remarks. Text boxes, stamps and the like write over the page."""
LTA: Final = ModificationLevel.LTA_UPDATES


class _FormRule(FormUpdatingRule):
    def apply(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterable[tuple[ModificationLevel, FormUpdate]]:
        forms = [entry(revision.root, "/AcroForm") for revision in (old, new)]
        before, after = (bool(entry(form, NEED_APPEARANCES)) for form in forms)
        styles = [[entry(form, key) for key in MADE_WITH] for form in forms]
        if after and (not before or styles[0] != styles[1]):
            raise SuspiciousModification("the appearance of fields is made anew")
        yield from super().apply(old, new)


class _FieldCreationRule(SigFieldCreationRule):
    def apply(
        self, context: FieldComparisonContext
    ) -> Iterable[tuple[ModificationLevel, FormUpdate]]:
        yield from super().apply(context)
        for spec in context.field_specs.values():
            field = spec.new_field
            if spec.field_type != SIGNATURE or spec.old_field_ref or field is None:
                continue
            if is_field_visible(field) and entry(field, "/V") is None:
                raise SuspiciousModification("a visible field that nobody signed")


class _AnnotationRule(QualifiedWhitelistRule):
    """Comments on pages that are there; fields are not among them."""

    def apply_qualified(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterable[tuple[ModificationLevel, ReferenceUpdate]]:
        for update in self._updates(old, new):
            yield ModificationLevel.ANNOTATIONS, update

    def _updates(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterator[ReferenceUpdate]:
        for reference in _pages(old):
            old_page, new_page = old(reference), new(reference)
            old_annotations, new_annotations = _annotations(old_page), _annotations(new_page)
            changed = [
                item
                for item in new_annotations
                if item not in old_annotations or old(item) != new(item)
            ]
            removed = [item for item in old_annotations if item not in new_annotations]
            if not changed and not removed:
                continue
            kinds = {entry(new(item), "/Subtype") for item in changed}
            kinds |= {entry(old(item), "/Subtype") for item in removed}
            if not kinds <= COMMENTS:
                continue  # not explained, unless by the rules of forms
            compare_dicts(old_page, new_page, frozenset({"/Annots"}))
            yield ReferenceUpdate(generic.Reference(reference.idnum, reference.generation, new))
            array = new_page.raw_get("/Annots") if "/Annots" in new_page else None
            if isinstance(array, generic.IndirectObject):
                yield ReferenceUpdate(array.reference)
            for item in changed:
                yield ReferenceUpdate(item)
                dependencies = new.collect_dependencies(new(item), since_revision=old.revision + 1)
                yield from map(ReferenceUpdate, dependencies)


def _pages(revision: HistoricalResolver) -> Iterator[generic.Reference]:
    pending = [revision.root.raw_get("/Pages").reference]
    while pending:
        reference = pending.pop()
        node = revision(reference)
        if entry(node, "/Type") == "/Pages":
            kids = node["/Kids"]
            pending += [kids.raw_get(index).reference for index in range(len(kids))]
        else:
            yield reference


def _annotations(page: generic.DictionaryObject) -> list[generic.Reference]:
    array = entry(page, "/Annots")
    if not isinstance(array, generic.ArrayObject):
        return []
    items = [array.raw_get(index) for index in range(len(array))]
    return [item.reference for item in items if isinstance(item, generic.IndirectObject)]


def _policy(*more: QualifiedWhitelistRule) -> StandardDiffPolicy:
    return StandardDiffPolicy(
        global_rules=[
            CatalogModificationRule(),
            DocInfoRule().as_qualified(LTA),
            XrefStreamRule().as_qualified(LTA),
            ObjectStreamRule().as_qualified(LTA),
            DSSCompareRule().as_qualified(LTA),
            MetadataUpdateRule().as_qualified(LTA),
            *more,
        ],
        form_rule=_FormRule(
            field_rules=[
                _FieldCreationRule(),
                SigFieldModificationRule(),
                GenericFieldModificationRule(),
            ],
            ignored_acroform_keys=FORM_KEYS,
        ),
    )


USUAL_POLICY: Final = _policy()
ANNOTATION_POLICY: Final = _policy(_AnnotationRule())
"""Under a certification that allows comments."""
