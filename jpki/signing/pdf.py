"""Signing PDF: PAdES baseline B-B and B-T, ETSI EN 319 142-1, and the form that 登記 takes.

The signature goes behind the document as an incremental update, so that earlier ones stay as they
are. pyHanko writes it; the CMS in it is made as for other documents, by one operation of the key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from jpki.certificates.holder import read_holder
from jpki.errors import ContentChangedError
from jpki.signing.digest import HashAlgorithm, hash_stream
from jpki.signing.document_view import DocumentView
from jpki.signing.pdf_options import NOTHING_CHOSEN, PdfOptions, PdfProfile
from jpki.signing.pdf_plan import plan_field
from jpki.signing.pdf_reader import PdfReader, open_pdf, parsing, size_of
from jpki.signing.pdf_update import SignedPdfWriter, rehearse
from jpki.signing.timestamp import MAX_TOKEN, Timestamper

if TYPE_CHECKING:
    from jpki.signing.pdf_fields import FieldPlan
    from jpki.signing.pdf_stamp import Drawing
    from jpki.signing.pdf_writer import EmptySignature

CMS_ROOM: Final = 2048  # bytes of a SignedData beside certificates, signature and timestamp
ANY_TIME: Final = datetime(2000, 12, 20, tzinfo=UTC)  # no date is longer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    """What of the signer stands in the PDF outside the CMS."""

    name: str | None = None  # /Name
    shown_name: str | None = None  # on the stamp
    signing_time: datetime = ANY_TIME
    room: int = CMS_ROOM  # bytes for the CMS


def check_pdf(
    document: BinaryIO,
    options: PdfOptions = NOTHING_CHOSEN,
    certificate: x509.Certificate | None = None,
) -> None:
    """Refuse what cannot be signed as asked, before a key is needed.

    Args:
        document: seekable, from its first byte.
        options: as for ``sign_pdf``.
        certificate: the signer's, where it is known already; its name goes on the stamp.

    Raises:
        DocumentError: ``fault`` says why.
    """
    reader = open_pdf(document, options.password)
    shown = None if certificate is None else _holder_name(certificate)
    plan, _ = _planned(reader, options, _Signer(shown_name=shown))
    with parsing("structure"):
        rehearse(reader, plan, certify=options.certify is not None)


def sign_pdf(
    document: BinaryIO,
    output: BinaryIO,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    options: PdfOptions = NOTHING_CHOSEN,
    extra_certificates: Sequence[x509.Certificate] = (),
    timestamper: Timestamper | None = None,
) -> None:
    """Sign a PDF. Exactly one operation of the key, in this thread, after all else has succeeded.

    Args:
        document: seekable, from its first byte; copied in chunks.
        output: empty, opened for reading and writing ("w+b"). After an error it holds a part:
            write to a temporary file.
        key: the signer's.
        certificate: the signer's, embedded.
        signing_time: the claimed time, with a time zone.
        options: form, field, stamp and so on.
        extra_certificates: embedded beside the signer's, e.g. the card's CA.
        timestamper: asked for a timestamp over the signature: level B-T. None: B-B.

    Raises:
        DocumentError: the document cannot be signed as asked.
        ContentChangedError: it changed while it was read.
        ServerError: the timestamp authority failed, after the key was used.
        ValueError: no time zone, or an output that cannot be read back (bugs of the caller).
    """
    from jpki.signing.signed_data import build_signed_data

    if signing_time.tzinfo is None:
        raise ValueError("the signing time needs a time zone")
    if not (output.readable() and output.writable() and output.seekable()):
        raise ValueError('the output must be opened "w+b"')
    size = size_of(document)
    digest_before = _first_bytes(document, size)
    reader = open_pdf(document, options.password, size=size)
    holder = _holder_name(certificate)
    certificates = (certificate, *extra_certificates)
    signer = _Signer(
        name=options.name or (holder if options.profile is PdfProfile.TOUKI else None),
        shown_name=options.name or holder,
        signing_time=signing_time,
        room=_room(certificates, key, with_timestamp=timestamper is not None),
    )
    empty = _write(reader, output, options, signer)
    if size_of(document) != size or _first_bytes(output, size) != digest_before:
        raise ContentChangedError  # what was looked through is not what was copied
    is_pades = options.profile is PdfProfile.PADES
    signature = build_signed_data(
        empty.digest,
        options.digest,
        key,
        certificate,
        # PAdES has the time in /M, and forbids the attribute (EN 319 142-1 6.3).
        signing_time=None if is_pades else signing_time,
        cades=is_pades,
        extra_certificates=extra_certificates,
        timestamper=timestamper,
    )
    empty.fill(signature)


def _planned(
    reader: PdfReader, options: PdfOptions, signer: _Signer
) -> "tuple[FieldPlan, Drawing | None]":
    """Find the field, and room for the stamp."""
    plan = plan_field(reader, options)
    if options.stamp is None:
        return plan, None
    from jpki.signing.pdf_stamp import plan_stamp, stamp_text  # and fontTools

    text = stamp_text(options.stamp, signer.shown_name, signer.signing_time)
    return plan_stamp(reader, plan, options.stamp, text)


def _write(
    reader: PdfReader, output: BinaryIO, options: PdfOptions, signer: _Signer
) -> "EmptySignature":
    """Write everything but the signature."""
    from jpki.signing.pdf_writer import write_empty_signature

    plan, drawing = _planned(reader, options, signer)
    with parsing("structure"):
        return write_empty_signature(
            SignedPdfWriter(reader),
            output,
            plan,
            options,
            name=signer.name,
            signing_time=signer.signing_time,
            room=signer.room,
            appearance=None if drawing is None else drawing.draw,
        )


def _first_bytes(stream: BinaryIO, size: int) -> bytes:
    """Hash the first bytes of a seekable stream."""
    view = DocumentView(stream, size)
    return hash_stream(view, HashAlgorithm.SHA256)  # type: ignore[arg-type]  # it reads, and is asked no more


def _holder_name(certificate: x509.Certificate) -> str:
    """Return the holder's name; of a certificate that names nobody, what it calls itself."""
    holder = read_holder(certificate)
    if holder is not None and holder.name:
        return holder.name
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _room(
    certificates: Sequence[x509.Certificate], key: RSAPrivateKey, *, with_timestamp: bool
) -> int:
    room = CMS_ROOM + key.key_size // 8
    room += sum(len(certificate.public_bytes(Encoding.DER)) for certificate in certificates)
    return room + (MAX_TOKEN if with_timestamp else 0)
