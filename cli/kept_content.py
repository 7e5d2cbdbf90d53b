"""What was read of a pipe before its turn, and can be read again: a pipe gives everything once."""

import io
from typing import Any, BinaryIO, Protocol

from jpki.signing.document_view import DocumentView


class KeptContent(Protocol):
    """The content of an input that was opened already."""

    @property
    def size(self) -> int | None:
        """In bytes; None where only reading tells."""

    def open(self) -> BinaryIO:
        """The content, from its first byte."""


class BegunContent:
    """The first bytes, which were looked at, and the pipe that the rest is still in: opened once.

    Args:
        head: the first bytes.
        rest: the pipe.
        owned: whether it ends with the content; the standard input does not.
    """

    size = None

    def __init__(self, head: bytes, rest: BinaryIO, *, owned: bool) -> None:
        self._raw = _Chain(head, rest, owned=owned)

    def open(self) -> BinaryIO:
        """The content, from its first byte."""
        return io.BufferedReader(self._raw)


class WholeContent:
    """All of it, in a file without a name."""

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self.size = spool.seek(0, io.SEEK_END)

    def open(self) -> BinaryIO:
        """The content, from its first byte; each time with a place of its own."""
        return io.BufferedReader(DocumentView(self._spool, self.size))


class _Chain(io.RawIOBase):
    def __init__(self, head: bytes, rest: BinaryIO, *, owned: bool) -> None:
        self._head = memoryview(head)
        self._rest = rest
        self._owned = owned

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # any writable buffer
        if not self._head:
            return self._rest.readinto(buffer)  # type: ignore[attr-defined,no-any-return]
        size = min(len(buffer), len(self._head))
        buffer[:size] = self._head[:size]
        self._head = self._head[size:]
        return size

    def close(self) -> None:
        if self._owned:
            self._rest.close()
        super().close()
