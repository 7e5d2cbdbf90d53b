"""JSON of strangers, RFC 8259: one object, and nothing that two readers could take differently."""

import binascii
import json
from typing import Final, NoReturn


class StrictJsonError(ValueError):
    """The text is not what is wanted; the message holds nothing of it."""


def parse_object(text: str | bytes) -> dict[str, object]:
    """Parse a JSON object; bytes are UTF-8.

    Raises:
        StrictJsonError: no JSON, no object, a key twice, a number that JSON does not have.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = DECODER.decode(text)
    except (ValueError, RecursionError) as error:  # 10,000 brackets are enough for the latter
        raise StrictJsonError("not a JSON object") from error
    if not isinstance(value, dict):
        raise StrictJsonError("not a JSON object")
    return value


def string(values: dict[str, object], name: str) -> str:
    """Return the string of this name. Raises: StrictJsonError."""
    value = values.get(name)
    if not isinstance(value, str):
        raise StrictJsonError(f"{name} is missing or not a string")
    return value


def base64_bytes(values: dict[str, object], name: str) -> bytes:
    """Return what the string of this name stands for: canonical base64, RFC 4648 4, not empty.

    Raises:
        StrictJsonError.
    """
    text = string(values, name)
    try:
        value = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise StrictJsonError(f"{name} is not base64") from error
    if not value or binascii.b2a_base64(value, newline=False) != text.encode("ascii"):
        raise StrictJsonError(f"{name} is not canonical base64")
    return value


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Two readers that pick different ones of two equal keys would see two different objects.
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant
)
"""Made once: to make one takes as long as to read a token."""
