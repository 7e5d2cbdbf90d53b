"""A part of a stream as a file of its own."""

import io
import os
from typing import BinaryIO


class DocumentView(io.RawIOBase):
    """The first bytes of a seekable stream as a file of its own; it never goes before the start."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position. Raises: ValueError for one before the start (OSError in a file)."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Read what is left of the view, as much as fits."""
        wanted = min(len(buffer), max(self._size - self._position, 0))
        if wanted == 0:
            return 0
        self._stream.seek(self._position)
        data = self._stream.read(wanted)
        memoryview(buffer)[: len(data)] = data
        self._position += len(data)
        return len(data)
