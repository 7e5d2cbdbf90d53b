"""Appending a signature field and its empty signature to a PDF, ISO 32000-1 7.5.6 and 12.8.1."""

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, BinaryIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import SecurityHandler
from pyhanko.pdf_utils.form_tools import get_single_field_annot
from pyhanko.pdf_utils.generic import pdf_date, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigIOSetup,
    SigMDPSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest, SignatureObject

from jpki.signing.digest import CHUNK_SIZE
from jpki.signing.pdf_fields import FieldPlan
from jpki.signing.pdf_options import SUBFILTERS, PdfOptions
from jpki.signing.pdf_update import SignedPdfWriter

Appearance = Callable[[IncrementalPdfFileWriter], generic.StreamObject]
"""Draws what is seen of the signature, into the PDF that is being written."""


class _PlainString(generic.TextStringObject):
    """A string of ASCII written as it is; pyHanko writes the colon of a date as an octal number."""

    def write_to_stream(
        self,
        stream: BinaryIO,
        handler: SecurityHandler | None = None,
        container_ref: generic.Reference | None = None,
    ) -> None:
        """Write it, encrypted where all strings are."""
        if handler is None:
            stream.write(b"(%s)" % self.encode("ascii"))
        else:
            super().write_to_stream(stream, handler, container_ref)


class EmptySignature:
    """A PDF written to its output with everything but the signature in the place kept for it."""

    def __init__(
        self,
        steps: "Generator[Any, Any, None]",
        prepared: PreparedByteRangeDigest,
    ) -> None:
        self._steps = steps
        self._prepared = prepared

    @property
    def digest(self) -> bytes:
        """Of all bytes outside the place."""
        return self._prepared.document_digest

    @property
    def place(self) -> tuple[int, int]:
        """Where the place begins and ends in the output, with its angle brackets."""
        return self._prepared.reserved_region_start, self._prepared.reserved_region_end

    def fill(self, signature: bytes) -> None:
        """Write the signature, DER, into its place."""
        self._steps.send(signature)


def write_empty_signature(
    writer: SignedPdfWriter,
    output: BinaryIO,
    plan: FieldPlan,
    options: PdfOptions,
    *,
    name: str | None,
    signing_time: datetime,
    room: int,
    appearance: Appearance | None,
) -> EmptySignature:
    """Write the document with the field and an empty signature, and hash it.

    Args:
        writer: of the document.
        output: readable, writable, seekable, empty.
        plan: the field.
        options: profile, certification, reason, location, hash.
        name: /Name.
        signing_time: /M.
        room: bytes that the signature may have.
        appearance: what is seen, drawn after the field is there.
    """
    spec = SigFieldSpec(plan.name, on_page=plan.page, box=plan.box) if plan.is_new else None  # type: ignore[arg-type]  # floats are fine
    steps = PdfCMSEmbedder(new_field_spec=spec).write_cms(
        plan.name, writer, existing_fields_only=not plan.is_new
    )
    field = next(steps).get_object()
    if appearance is not None:
        _set_appearance(field, appearance(writer), writer)
    signature = SignatureObject(
        subfilter=SigSeedSubFilter(SUBFILTERS[options.profile]),
        name=name,
        location=options.location,
        reason=options.reason,
        bytes_reserved=2 * room,  # in hexadecimal digits
    )
    signature[pdf_name("/M")] = _PlainString(pdf_date(signing_time))
    steps.send(SigObjSetup(sig_placeholder=signature, mdp_setup=_mdp_setup(plan, options)))
    prepared, _ = steps.send(
        SigIOSetup(md_algorithm=options.digest.value, output=output, chunk_size=CHUNK_SIZE)
    )
    return EmptySignature(steps, prepared)


def _set_appearance(
    field: generic.DictionaryObject, stream: generic.StreamObject, writer: SignedPdfWriter
) -> None:
    annotation = get_single_field_annot(field)
    normal = {pdf_name("/N"): writer.add_object(stream)}
    annotation[pdf_name("/AP")] = generic.DictionaryObject(normal)
    writer.update_container(annotation)


def _mdp_setup(plan: FieldPlan, options: PdfOptions) -> SigMDPSetup:
    permission = plan.lock_permission
    if options.certify is not None:
        own = MDPPerm(options.certify.permission)
        permission = own if permission is None else min(own, permission)
    return SigMDPSetup(
        md_algorithm=options.digest.value,
        certify=options.certify is not None,
        field_lock=plan.lock,
        docmdp_perms=permission,
    )
