"""Lines of a help page, counted in columns: a Chinese or Japanese letter takes two (UAX #11)."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

import click

NOT_FIRST: Final = frozenset(
    "、。，．・：；？！ー々～…”’）」』】〕〉》］｝ぁぃぅぇぉっゃゅょァィゥェォッャュョ),.:;!?]}%'"
)
"""What begins no line. JIS X 4051, 行頭禁則."""
NOT_LAST: Final = frozenset("“‘（「『【〔〈《［｛([{")
"""What ends no line. JIS X 4051, 行末禁則."""
AS_IT_IS: Final = "\b"
"""Above a paragraph: click leaves its lines alone."""
LEAST_COLUMNS: Final = 10


class HelpFormatter(click.HelpFormatter):
    """Breaks lines where the reader's language does, and never inside a command or an option."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(_as_it_is(text, self.width - self.current_indent))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms, and beside each what it means."""
        rows = list(rows)
        terms = min(max((len(term) for term, _meaning in rows), default=0), col_max)
        columns = max(self.width - terms - col_spacing - self.current_indent, LEAST_COLUMNS)
        super().write_dl(
            [(term, _as_it_is(meaning, columns)) for term, meaning in rows], col_max, col_spacing
        )


class HelpContext(click.Context):
    """A context whose help is laid out so."""

    formatter_class = HelpFormatter


def columns_of(text: str) -> int:
    """How many columns of a terminal this takes."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def lines_of(paragraph: str, columns: int) -> Iterator[str]:
    """Break a paragraph into lines of so many columns; what cannot be broken sticks out."""
    line = ""
    for piece in _pieces(paragraph):
        if line and columns_of((line + piece).rstrip()) > columns:
            yield line.rstrip()
            line = ""
        line += piece
    yield line.rstrip()


def _as_it_is(text: str, columns: int) -> str:
    paragraphs = (" ".join(paragraph.splitlines()) for paragraph in text.split("\n\n"))
    return "\n\n".join(
        "\n".join([AS_IT_IS, *lines_of(paragraph, columns)]) for paragraph in paragraphs
    )


def _pieces(paragraph: str) -> Iterator[str]:
    piece = ""
    for letter in paragraph:
        if piece and _may_part(piece[-1], letter):
            yield piece
            piece = ""
        piece += letter
    yield piece


def _may_part(before: str, after: str) -> bool:
    if after.isspace() or before.isspace():
        return not after.isspace()
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    return columns_of(before) == 2 or columns_of(after) == 2
