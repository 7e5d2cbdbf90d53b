"""Where a script's PIN comes from: OpenSSL's words ``env:``, ``file:``, ``fd:`` and ``stdin``."""

import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from cli.errors import PinSourceError, PinSourceFault
from cli.prompt import forbid_core_dumps

MAX_BYTES: Final = 4096
"""More is read from no source: a PIN has 16 characters, and /dev/zero has no end."""
STDIN_DESCRIPTOR: Final = 0


class SourceKind(Enum):
    """The words that ``--pin-from`` takes."""

    ENVIRONMENT = "env"
    FILE = "file"
    DESCRIPTOR = "fd"
    STDIN = "stdin"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSource:
    """A place that a PIN can be read from, once."""

    kind: SourceKind
    place: str
    option: str

    @classmethod
    def parse(cls, text: str, option: str) -> "PinSource":
        """Understand the value of --pin-from. Raises: PinSourceError. It never quotes the value."""
        word, colon, place = text.partition(":")
        known = {kind.value for kind in SourceKind}
        # Somebody may have put the PIN itself here, so the message does not show it.
        if word not in known or bool(place) == (word == "stdin") or (colon and not place):
            raise PinSourceError(PinSourceFault.NOT_A_SOURCE, option=option)
        kind = SourceKind(word)
        if kind is SourceKind.DESCRIPTOR and not (place.isascii() and place.isdigit()):
            raise PinSourceError(PinSourceFault.NOT_A_SOURCE, option=option)
        return cls(kind=kind, place=place, option=option)

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.place}" if self.place else self.kind.value

    @property
    def is_stdin(self) -> bool:
        """Whether reading this takes away what others would read from the standard input."""
        return self.kind is SourceKind.STDIN or (
            self.kind is SourceKind.DESCRIPTOR and int(self.place) == STDIN_DESCRIPTOR
        )

    def read(self, environment: MutableMapping[str, str] = os.environ) -> str:
        """Read the PIN as text, without its one trailing line end.

        Bytes that are not UTF-8 become characters that no PIN has. A variable is deleted from the
        environment, so that no child process inherits it.

        Raises:
            PinSourceError: there is nothing to read; it names the source.
        """
        forbid_core_dumps()
        if self.kind is SourceKind.ENVIRONMENT:
            value = environment.pop(self.place, None)
            if value is None:
                raise self._error(PinSourceFault.NOT_SET)
            return _without_line_end(value)
        try:
            content = self._read_bytes()
        except (OSError, ValueError, OverflowError) as error:
            detail = getattr(error, "strerror", None) or type(error).__name__
            raise self._error(PinSourceFault.UNREADABLE, detail) from None
        return _without_line_end(content.decode("utf-8", "replace"))

    def _error(self, fault: PinSourceFault, detail: str = "") -> PinSourceError:
        return PinSourceError(fault, str(self), option=self.option, detail=detail)

    def _read_bytes(self) -> bytes:
        match self.kind:
            case SourceKind.FILE:
                with Path(self.place).open("rb") as stream:
                    return stream.read(MAX_BYTES)
            case SourceKind.DESCRIPTOR:
                return _read_descriptor(int(self.place))
            case SourceKind.STDIN:
                if sys.stdin is None:
                    raise ValueError("standard input is closed")
                return sys.stdin.buffer.read(MAX_BYTES)
            case SourceKind.ENVIRONMENT:
                raise ValueError("not a stream")


def _read_descriptor(descriptor: int) -> bytes:
    content = b""
    while len(content) < MAX_BYTES and (block := os.read(descriptor, MAX_BYTES)):
        content += block
    with suppress(OSError):
        os.close(descriptor)
    return content


def _without_line_end(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text.removesuffix("\n")


def refuse_shared_stdin(source: PinSource | None, *, stdin_is_taken: bool) -> None:
    """Refuse to read a PIN and something else from the standard input. Raises: PinSourceError."""
    if source is not None and source.is_stdin and stdin_is_taken:
        raise PinSourceError(PinSourceFault.SAME_STREAM, str(source), option=source.option)
