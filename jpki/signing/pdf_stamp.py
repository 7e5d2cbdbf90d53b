"""The visible part of a PDF signature: text laid out so that nothing of it is cut off.

ISO 32000-1 12.5.5 (appearance streams). The text is measured with the font's own widths; a box of
given size takes the largest letters with which all of it fits, a corner gets the box it needs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.form_tools import get_single_field_annot
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import BasePdfFileWriter

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.pdf_fields import FieldPlan, FormField, certification_of
from jpki.signing.pdf_font import EmbeddedFont, Face, choose_face, clusters, embed
from jpki.signing.pdf_options import Corner, PdfStamp, Rectangle, StampPlace
from jpki.signing.pdf_page import Page, find_page, read_box, read_page
from jpki.signing.pdf_reader import PdfReader, entry, parsing

JAPAN: Final = timezone(timedelta(hours=9), "JST")
DIGITS: Final = "0123456789"  # of the date, which may be another one when it comes to it
USUAL_SIZE: Final = 10.0  # points
LARGEST_SIZE: Final = 14.0
SMALLEST_SIZE: Final = 5.0
SIZE_STEP: Final = 0.5
LEADING: Final = 1.2  # from one base line to the next, in ems of ascent and descent
ROUNDING: Final = 0.001  # points and ems by which sums may differ
PADDING: Final = 4.0  # points between frame and text
USUAL_PLACE: Final = StampPlace(where=Corner.BOTTOM_RIGHT)
MARGIN: Final = 24.0  # points between the stamp and the edges of the page
FRAME: Final = b"0.75 w 0.7 0.1 0.1 RG"  # vermilion, as seals are


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Lines of text at a size at which they fit."""

    lines: tuple[str, ...]
    size: float  # of the letters, in points
    face: Face

    @property
    def line_height(self) -> float:
        """From one base line to the next, in points."""
        return self.size * (self.face.ascent + self.face.descent) * LEADING

    @property
    def width(self) -> float:
        """Of the box around the text, in points."""
        widest = max((self.face.width(line) for line in self.lines), default=0.0)
        return widest * self.size + 2 * PADDING

    @property
    def height(self) -> float:
        """Of the box around the text, in points."""
        return len(self.lines) * self.line_height + 2 * PADDING


def stamp_text(stamp: PdfStamp, name: str | None, signing_time: datetime) -> str:
    """Return what a stamp says, line by line: name, time in Japan, the signer's own text."""
    lines: list[str] = []
    if stamp.with_name and name:
        lines.append(f"電子署名　{name}")
    if stamp.with_date:
        moment = signing_time.astimezone(JAPAN)
        lines.append(f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M:%S} (JST)")
    if stamp.text:
        lines += stamp.text.splitlines()
    return "\n".join(lines)


def lay_out(text: str, face: Face, width: float, height: float, largest: float) -> Layout:
    """Break a text into lines and choose the largest letters with which it fits into a box.

    Raises:
        DocumentError: stamp-too-small, with the least size of a box that would do.
    """
    size = largest
    while size >= SMALLEST_SIZE:
        room = (width - 2 * PADDING) / size
        layout = Layout(lines=tuple(_broken(text, face, room)), size=size, face=face)
        if layout.width <= width + ROUNDING and layout.height <= height + ROUNDING:
            return layout
        size -= SIZE_STEP
    least = Layout(lines=tuple(text.splitlines()), size=SMALLEST_SIZE, face=face)
    detail = f"{least.width + 1:.0f} × {least.height + 1:.0f}"
    raise DocumentError(DocumentFault.STAMP_TOO_SMALL, detail)


def place(text: str, face: Face, corner: Corner, page: Page) -> Rectangle:
    """Return the rectangle of a stamp in a corner of a page, as large as its text wants it.

    Raises:
        DocumentError: stamp-too-small, where not even the page is large enough.
    """
    margin = min(MARGIN, page.width / 20, page.height / 20)
    layout = lay_out(text, face, page.width - 2 * margin, page.height - 2 * margin, USUAL_SIZE)
    width, height = layout.width, layout.height
    is_left = corner in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT)
    is_low = corner in (Corner.BOTTOM_LEFT, Corner.BOTTOM_RIGHT)
    return Rectangle(
        x=margin if is_left else page.width - margin - width,
        y=margin if is_low else page.height - margin - height,
        width=width,
        height=height,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A stamp that fits where it goes, ready to be drawn."""

    layout: Layout
    width: float  # of the rectangle as it is shown, in points
    height: float
    upright: tuple[int, int, int, int]  # of the page

    def draw(self, writer: BasePdfFileWriter) -> generic.StreamObject:
        """Draw it -> a form XObject."""
        return _appearance(self, writer)


def plan_stamp(
    reader: PdfReader, plan: FieldPlan, stamp: PdfStamp, text: str
) -> tuple[FieldPlan, Drawing]:
    """Find the place and the font of a stamp -> the field with its place, and the drawing.

    Raises:
        DocumentError: pdf-forbids-stamp, page-missing, stamp-outside-page, stamp-too-small,
            field-invisible, font-missing, font-unusable, glyphs-missing.
    """
    face = choose_face(stamp.font, text.replace("\n", "") + DIGITS)
    if plan.existing is not None:
        page, width, height = _own_place(plan.existing)
    else:
        with parsing("catalog"):
            if certification_of(reader.root) is not None:
                # Filling is allowed, covering the page with something new is not.
                raise DocumentError(DocumentFault.PDF_FORBIDS_STAMP)
        chosen = stamp.place or USUAL_PLACE
        page = find_page(reader, chosen.page)
        where = chosen.where
        rectangle = where if isinstance(where, Rectangle) else place(text, face, where, page)
        if not page.holds(rectangle):
            raise DocumentError(
                DocumentFault.STAMP_OUTSIDE_PAGE, f"{page.width:.0f} × {page.height:.0f}"
            )
        width, height = rectangle.width, rectangle.height
        plan = replace(plan, page=page.index, box=page.to_own(rectangle))
    layout = lay_out(text, face, width, height, LARGEST_SIZE)
    return plan, Drawing(layout=layout, width=width, height=height, upright=page.upright)


def _own_place(field: FormField) -> tuple[Page, float, float]:
    """Return the page of a field that exists, and its width and height as shown."""
    with parsing("field"):
        annotation = get_single_field_annot(field.dictionary)
        own = entry(annotation, "/P")
        page = read_page(own if isinstance(own, generic.DictionaryObject) else annotation, 0)
        box = read_box(entry(annotation, "/Rect"))
    if box is None or box[0] == box[2] or box[1] == box[3]:
        raise DocumentError(DocumentFault.FIELD_INVISIBLE)
    shown = replace(page, box=box)  # the same rotation
    return page, shown.width, shown.height


def _appearance(drawing: Drawing, writer: BasePdfFileWriter) -> generic.StreamObject:
    layout, width, height = drawing.layout, drawing.width, drawing.height
    font = embed(layout.face, "".join(layout.lines), writer)
    stream = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): _numbers((0, 0, width, height)),
            pdf_name("/Matrix"): _numbers((*drawing.upright, 0, 0)),
            pdf_name("/Resources"): generic.DictionaryObject(
                {pdf_name("/Font"): generic.DictionaryObject({pdf_name("/F1"): font.reference})}
            ),
        },
        stream_data=_content(layout, font, width, height),
    )
    stream.compress()
    return stream


def _content(layout: Layout, font: EmbeddedFont, width: float, height: float) -> bytes:
    top = (height + layout.height) / 2 - PADDING  # the text stands in the middle
    first = top - layout.size * layout.face.ascent
    shown = b"\n0 %.3f Td\n" % -layout.line_height
    return b"\n".join(
        (
            b"q",
            FRAME,
            b"0.5 0.5 %.3f %.3f re S" % (width - 1, height - 1),
            b"Q",
            b"BT",
            b"0 g /F1 %.2f Tf" % layout.size,
            b"%.3f %.3f Td" % (PADDING, first),
            shown.join(font.show(line) for line in layout.lines),
            b"ET",
        )
    )


def _numbers(values: Sequence[float]) -> generic.ArrayObject:
    return generic.ArrayObject(generic.FloatObject(round(value, 3)) for value in values)


def _broken(text: str, face: Face, room: float) -> Iterator[str]:
    """Break a text so that no line is wider than ``room`` ems: between characters, not in words."""
    for line in text.splitlines():
        rest = list(clusters(line))
        while rest:
            count = _fitting(rest, face, room)
            yield "".join(rest[:count])
            rest = rest[count:]


def _fitting(characters: Sequence[str], face: Face, room: float) -> int:
    """Return how many characters go on a line, one at least."""
    used, last_break = 0.0, 0
    for index, character in enumerate(characters):
        used += face.width(character)
        if used > room + ROUNDING:
            return last_break or max(index, 1)
        following = characters[index + 1] if index + 1 < len(characters) else " "
        if not (_is_of_word(character) and _is_of_word(following)):
            last_break = index + 1
    return len(characters)


def _is_of_word(character: str) -> bool:
    return character.isascii() and character.isprintable() and character != " "
