"""The facts that an error carries as JSON values, beside its ``code`` and ``message``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum

from jpki.files import PinKind

RENAMED = {"reader_names": "readers", "reader_name": "reader"}
"""The words of the JSON shapes, where an attribute has another."""
HIDDEN = {
    "outcome",
    "detail",
    "command",
    "fields",
    "response",
    "ins",
    "sw",
    "hresult",
    "path_report",
}
"""What is no fact for a program.

Errors and reports inside errors, English prose that the message has already, numbers shown in hex.
"""


def facts_of(error: BaseException) -> dict[str, object]:
    """The public attributes of an error, ready for ``json``."""
    facts: dict[str, object] = {}
    for name, value in vars(error).items():
        if name.startswith("_") or name in HIDDEN:
            continue
        key = "pin" if isinstance(value, PinKind) else RENAMED.get(name, name)
        facts[key] = json_value(value)
    if isinstance(status_word := getattr(error, "sw", None), int):
        facts["sw"] = f"{status_word:04X}"
    return facts


def json_value(value: object) -> object:
    """Make a value of the library one of JSON: enums by their word, times in UTC."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return utc_text(value)
        case tuple() | list() | frozenset():
            return [json_value(item) for item in value]
        case Mapping():
            return {str(key): json_value(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def utc_text(time: datetime) -> str:
    """A time as JSON has it: ISO 8601, UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
