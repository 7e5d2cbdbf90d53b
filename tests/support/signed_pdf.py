"""PDFs signed by us, and by hand with whatever a signature should not be."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from support import pdf
from support.cms import Forgery, signed_data
from support.pki import AT, load, load_key
from support.tsa import Token

from jpki.signing.pdf import sign_pdf
from jpki.signing.pdf_options import PdfOptions
from jpki.verification import SignatureReport, VerificationReport
from jpki.verification.pdf import verify_pdf

HASH_ROOM = 20_000  # hexadecimal digits kept for a signature


def sign(
    document: bytes, *, name: str = "signature", timestamper: Any = None, **options: Any
) -> bytes:
    """Sign with the usual signer."""
    output = io.BytesIO()
    sign_pdf(
        io.BytesIO(document),
        output,
        load_key("signature"),
        load(name),
        signing_time=AT,
        options=PdfOptions(**options),
        timestamper=timestamper,
    )
    return output.getvalue()


def verify(
    document: bytes, anchors: Sequence[x509.Certificate] | None = None, **more: Any
) -> VerificationReport:
    """Verify under the usual CA, at the usual time."""
    trusted = [load("signature-ca")] if anchors is None else anchors
    return verify_pdf(io.BytesIO(document), trusted, more.pop("at", AT), **more)


def only(report: VerificationReport) -> SignatureReport:
    (signature,) = report.signatures
    return signature


def reasons(report: VerificationReport) -> set[str]:
    """All there are, of the file and its signatures."""
    found = {reason.value for reason in report.reasons}
    return found | {reason.value for each in report.signatures for reason in each.reasons}


def notes(report: VerificationReport) -> list[list[str]]:
    return [[note.value for note in each.notes] for each in report.signatures]


@dataclass(kw_only=True)
class HandSigned:
    """A signature dictionary written by hand. The defaults are sound.

    `%(range)s` and `%(contents)s` in the dictionary are the places of the two that matter.
    """

    base: bytes = field(default_factory=lambda: pdf.build(pdf.one_page()))
    dictionary: str = (
        "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached"
        " /M (D:20260601120000+09'00') /ByteRange %(range)s /Contents %(contents)s >>"
    )
    change_range: Callable[[int, int, int, int], Sequence[object]] = lambda *numbers: numbers
    range_text: Callable[[Sequence[object]], str] = lambda numbers: (
        "[" + " ".join(str(number) for number in numbers) + "]"
    )
    change_contents: Callable[[str], str] = lambda digits: f"<{digits}>"
    extra_objects: dict[int, bytes] = field(default_factory=dict)
    behind: bytes = b""  # the end of the file, inside the byte range
    field_extra: bytes = b""
    forgery: dict[str, Any] = field(default_factory=dict)
    container: dict[str, Any] = field(default_factory=dict)
    make: Callable[[bytes], bytes] | None = None  # what was signed -> /Contents; None: a CMS
    name: bytes = b"(Hand)"
    more_fields: Sequence[int] = ()

    def document(self) -> bytes:
        first = pdf.size_of(self.base)
        field_number, signature_number = first, first + 1
        mark, hole = "R" * 100, "C" * HASH_ROOM
        body = self.dictionary % {"range": mark, "contents": f"<{hole}>"}
        form_number, form = self._form(field_number)
        objects = self.extra_objects | {
            form_number: form,
            field_number: pdf.signature_field(
                self.name,
                b"/V %d 0 R %s" % (signature_number, self.field_extra),
                rectangle=b"[0 0 0 0]",
            ),
            signature_number: body.encode("latin-1"),
        }
        output = pdf.update(self.base, objects) + self.behind
        gap = re.search(b"<%s>" % hole.encode(), output)
        if gap is None:  # the dictionary has no such place
            return output
        numbers = (0, gap.start(), gap.end(), len(output) - gap.end())
        written = self.change_range(*numbers)
        text = self.range_text(written)
        output = output.replace(mark.encode(), text.encode("latin-1").ljust(len(mark)))
        signed = self._signed(output, written)
        der = (self.make or self._cms)(signed)
        digits = der.hex().ljust(HASH_ROOM, "0")
        contents = self.change_contents(digits).encode("latin-1")
        return output[: gap.start()] + contents + output[gap.start() + len(contents) :]

    def _cms(self, signed: bytes) -> bytes:
        return signed_data(Forgery(document=signed, **self.forgery), **self.container)

    def _form(self, field_number: int) -> tuple[int, bytes]:
        """The catalog with a form of its own, or the form that is there with one more field."""
        catalog = pdf.object_body(self.base, 1)
        numbers = (field_number, *self.more_fields)
        added = b"/Fields [ " + b"".join(b"%d 0 R " % number for number in numbers)
        if b"/AcroForm <<" in catalog:
            return 1, catalog.replace(b"/Fields [", added)
        existing = re.search(rb"/AcroForm (\d+) 0 R", catalog)
        if existing is None:
            form = b"/AcroForm << %s] /SigFlags 3 >>" % added
            return 1, catalog.replace(b"/Pages", form + b" /Pages")
        number = int(existing[1])
        return number, pdf.object_body(self.base, number).replace(b"/Fields [", added)

    @staticmethod
    def _signed(output: bytes, numbers: Sequence[object]) -> bytes:
        """What a reader would hash that takes the byte range at its word."""
        pairs = [number for number in numbers if isinstance(number, int)]
        return b"".join(
            output[max(start, 0) : max(start, 0) + max(length, 0)]
            for start, length in zip(pairs[::2], pairs[1::2], strict=False)
        )


def document_timestamp(document: bytes, **token: Any) -> bytes:
    """Add a timestamp over a document, ETSI EN 319 142-1 5.4.3."""
    return HandSigned(
        base=document,
        name=b"(Timestamp%d)" % pdf.size_of(document),
        dictionary="<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161"
        " /ByteRange %(range)s /Contents %(contents)s >>",
        make=lambda signed: Token(message=signed, **token).der(),
    ).document()
