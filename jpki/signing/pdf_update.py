"""An incremental update of a PDF, ISO 32000-1 7.5.6, and a rehearsal of the one with a signature.

pyHanko's own way to a signature takes a third of a second to import. The rehearsal makes the same
changes with the tools under it, so that a document that cannot bear them is known before a card
is asked for anything.
"""

import io
from typing import Any, BinaryIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.form_tools import enumerate_fields_in
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from jpki.signing.digest import CHUNK_SIZE
from jpki.signing.pdf_fields import SIGNATURE, FieldPlan
from jpki.signing.pdf_reader import PdfReader


class SignedPdfWriter(IncrementalPdfFileWriter):
    """Writes the document and what is new behind it; its metadata stay as they are."""

    IO_CHUNK_SIZE = CHUNK_SIZE

    def __init__(self, reader: PdfReader, *, without_document: bool = False) -> None:
        super().__init__(reader.stream, prev=reader)
        self._without_document = without_document

    def _write_header(self, stream: BinaryIO) -> None:
        if not self._without_document:
            super()._write_header(stream)

    def _update_meta(self) -> None:
        """Leave the producer's name and the dates alone."""


def rehearse(reader: PdfReader, plan: FieldPlan, *, certify: bool) -> None:
    """Change a document as ``write_empty_signature`` does, and write what is new to nowhere.

    Args:
        reader: of the document.
        plan: the field.
        certify: the signature is to certify the document.

    Raises:
        Whatever pyHanko raises for a damaged one: see ``pdf_reader.parsing``.
    """
    writer = SignedPdfWriter(reader, without_document=True)
    page = writer.find_page_for_modification(plan.page)[0] if plan.is_new else None
    field = _field(writer, plan, page)
    form = writer.root["/AcroForm"]
    form[pdf_name("/SigFlags")] = generic.NumberObject(3)
    writer.update_container(form)
    signature = writer.add_object(generic.DictionaryObject())
    field.get_object()[pdf_name("/V")] = signature
    writer.mark_update(field)
    if certify:
        try:
            permissions = writer.root["/Perms"]
        except KeyError:
            writer.root[pdf_name("/Perms")] = permissions = generic.DictionaryObject()
        permissions[pdf_name("/DocMDP")] = signature
        writer.update_container(permissions)
    writer.write(io.BytesIO())


def _field(writer: SignedPdfWriter, plan: FieldPlan, page: Any) -> Any:  # noqa: ANN401  # references
    fields = _fields(writer)
    found = enumerate_fields_in(
        fields, with_name=plan.name, refs_seen=set(), target_field_type=SIGNATURE
    )
    _, value, reference = next(found, (None, None, None))
    if reference is not None and value is None:
        return reference
    if reference is not None or not plan.is_new:
        raise ValueError("pyHanko sees another field than we do")
    for other in fields:
        if not isinstance(other, generic.IndirectObject):
            raise TypeError("a field without a number of its own")
        if other.get_object().get("/T") == plan.name:
            raise ValueError("a field with this name that is none for signatures")
    new = generic.DictionaryObject({pdf_name("/T"): generic.pdf_string(plan.name)})
    reference = writer.add_object(new)
    fields.append(reference)
    writer.update_container(fields)
    writer.register_annotation(page, reference)
    return reference


def _fields(writer: SignedPdfWriter) -> Any:  # noqa: ANN401  # any PDF object
    try:
        form = writer.root["/AcroForm"]
    except KeyError:  # null is as good as nothing
        form = generic.DictionaryObject()
        writer.root[pdf_name("/AcroForm")] = writer.add_object(form)
        writer.update_root()
    try:
        return form["/Fields"]
    except KeyError:
        form[pdf_name("/Fields")] = fields = generic.ArrayObject()
        return fields
