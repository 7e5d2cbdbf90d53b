"""Text of strangers on a terminal: nothing in it may move the cursor or turn the writing around."""

import unicodedata
from typing import Final

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"})
r"""Controls, formats (the bidirectional ones among them), lone surrogates, separators of lines."""


def printable(text: str) -> str:
    r"""Show what would act on a terminal as \x1b or \u202e, and all else as it is."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escape(char) if unicodedata.category(char) in _ESCAPED else char for char in text
    )


def _escape(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
