"""Where a rectangle on the page as it is shown lies in the page's own coordinates, ISO 32000-1 8.3.

A page may begin anywhere (/CropBox within /MediaBox) and be shown turned (/Rotate).
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.pdf_options import Rectangle
from jpki.signing.pdf_reader import entry, parsing

MAX_TREE_DEPTH: Final = 64
TOLERANCE: Final = 0.01  # points
DEFAULT_BOX: Final = (0.0, 0.0, 612.0, 792.0)  # 7.7.3.3 wants a /MediaBox; readers take Letter

Box = tuple[float, float, float, float]
"""Two corners: x1, y1 (lower left), x2, y2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as it is shown."""

    index: int  # from 0
    box: Box  # what is shown of it, in its own coordinates
    rotation: int  # 0, 90, 180, 270: clockwise

    @property
    def width(self) -> float:
        """Width as shown, in points."""
        return self._extent(self.rotation % 180 == 90)

    @property
    def height(self) -> float:
        """Height as shown, in points."""
        return self._extent(self.rotation % 180 == 0)

    def _extent(self, vertical: bool) -> float:  # noqa: FBT001
        return self.box[3] - self.box[1] if vertical else self.box[2] - self.box[0]

    def holds(self, rectangle: Rectangle) -> bool:
        """Whether all of a rectangle is on the page."""
        return (
            rectangle.x >= -TOLERANCE
            and rectangle.y >= -TOLERANCE
            and rectangle.x + rectangle.width <= self.width + TOLERANCE
            and rectangle.y + rectangle.height <= self.height + TOLERANCE
        )

    def to_own(self, rectangle: Rectangle) -> Box:
        """Turn a rectangle as shown into one in the page's own coordinates."""
        corners = (
            self._point(rectangle.x, rectangle.y),
            self._point(rectangle.x + rectangle.width, rectangle.y + rectangle.height),
        )
        (x1, y1), (x2, y2) = corners
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)

    def _point(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self.box
        match self.rotation:
            case 90:
                return right - y, bottom + x
            case 180:
                return right - x, top - y
            case 270:
                return left + y, top - x
            case _:
                return left + x, bottom + y

    @property
    def upright(self) -> tuple[int, int, int, int]:
        """The first four numbers of a matrix that turns what is drawn upright as shown."""
        return {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}.get(
            self.rotation, (1, 0, 0, 1)
        )


def find_page(handler: PdfHandler, number: int) -> Page:
    """Return a page by its number from 1, or from the end by a negative one.

    Raises:
        DocumentError: page-missing, with how many there are; pdf-broken.
    """
    with parsing("page tree"):
        count = int(entry(entry(handler.root, "/Pages"), "/Count") or 0)
        index = number - 1 if number > 0 else count + number
        if not 0 <= index < count:
            raise DocumentError(DocumentFault.PAGE_MISSING, str(count))
        return read_page(handler.find_page_for_modification(index)[0].get_object(), index)


def read_page(page: generic.DictionaryObject, index: int) -> Page:
    """Read what is needed of a page dictionary."""
    media = read_box(_inherited(page, "/MediaBox")) or DEFAULT_BOX
    crop = read_box(_inherited(page, "/CropBox")) or media
    shown = (
        max(media[0], crop[0]),
        max(media[1], crop[1]),
        min(media[2], crop[2]),
        min(media[3], crop[3]),
    )
    rotation = int(_inherited(page, "/Rotate") or 0) % 360
    is_empty = shown[0] >= shown[2] or shown[1] >= shown[3]
    return Page(index=index, box=media if is_empty else shown, rotation=rotation)


def _inherited(page: generic.DictionaryObject, key: str) -> Any:  # noqa: ANN401  # any PDF object
    node: Any = page
    for _ in range(MAX_TREE_DEPTH):
        if (value := entry(node, key)) is not None:
            return value
        node = entry(node, "/Parent")
    return None


def read_box(array: object) -> Box | None:
    """Read a rectangle, ISO 32000-1 7.9.5; None: it is none."""
    if not isinstance(array, generic.ArrayObject) or len(array) != 4:
        return None
    x1, y1, x2, y2 = (float(array[index]) for index in range(4))
    if not all(math.isfinite(value) for value in (x1, y1, x2, y2)):
        return None
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
