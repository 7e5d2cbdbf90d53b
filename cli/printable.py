"""Text of strangers on a terminal: nothing in it may move the cursor or turn the writing around."""

from collections.abc import Iterable
from typing import Final

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"})
r"""Controls, formats (the bidirectional ones among them), lone surrogates, separators of lines."""


def printable(text: str) -> str:
    r"""Show what would act on a terminal as \x1b or \u202e, and all else as it is."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _category(char) in _ESCAPED else char for char in text)


def is_text(word: str) -> bool:
    """Tell whether a word of the command line is text: what were bytes of no encoding is none."""
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable_names(names: Iterable[str]) -> str:
    """Readers or files in a row."""
    return ", ".join(printable(name) for name in names)


def json_printable(text: str) -> str:
    """The same for the text of a JSON document, whose own escapes are used; its line ends stay."""
    if text.isascii():
        return text  # json.dumps has escaped the controls
    return "".join(_json_escape(char) for char in text)


def _json_escape(char: str) -> str:
    if char == "\n" or _category(char) not in _ESCAPED:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _category(char: str) -> str:
    import unicodedata  # not needed by most starts

    return unicodedata.category(char)


def _escape(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
