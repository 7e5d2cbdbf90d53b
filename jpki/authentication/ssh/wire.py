"""The data types of the SSH protocols, RFC 4251 section 5, read with bounds and written."""

from typing import Final

LENGTH_BYTES: Final = 4
MAX_TEXT: Final = 128
"""Characters of a name that a person is shown."""


class MalformedError(ValueError):
    """These octets are not what they should be. The text names the field, and no content."""


class Reader:
    """Reads one value after the other; every value is there in full, or it is malformed.

    Args:
        data: all there is.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def octets(self, count: int, what: str) -> bytes:
        """Read this many octets. Raises: MalformedError."""
        end = self._at + count
        if end > len(self._data):
            raise MalformedError(f"{what} is cut short")
        value = self._data[self._at : end]
        self._at = end
        return value

    def byte(self, what: str) -> int:
        """Read a byte. Raises: MalformedError."""
        return self.octets(1, what)[0]

    def boolean(self, what: str) -> bool:
        """Read a boolean; 0 and 1 only, though readers shall accept more. Raises: MalformedError.

        What is signed has one form, and a second one could mean something else to somebody else.
        """
        value = self.byte(what)
        if value > 1:
            raise MalformedError(f"{what} is neither 0 nor 1")
        return value == 1

    def uint32(self, what: str) -> int:
        """Read a big-endian number of four octets. Raises: MalformedError."""
        return int.from_bytes(self.octets(LENGTH_BYTES, what), "big")

    def string(self, what: str) -> bytes:
        """Read a string of octets behind its length. Raises: MalformedError."""
        return self.octets(self.uint32(what), what)

    def text(self, what: str) -> str:
        """Read UTF-8 of 1 to 128 characters without NUL. Raises: MalformedError.

        Programs in C take what stands before a NUL for the whole, and nobody agrees to a text that
        is too long to be read.
        """
        try:
            text = self.string(what).decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError(f"{what} is not UTF-8") from None
        if not 1 <= len(text) <= MAX_TEXT or "\0" in text:
            raise MalformedError(f"{what} is empty, too long, or holds a NUL")
        return text

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.octets(len(self._data) - self._at, "the rest")

    def end(self, what: str) -> None:
        """Make sure that nothing is left. Raises: MalformedError."""
        if self._at != len(self._data):
            raise MalformedError(f"{what} goes on behind its end")


def uint32(value: int) -> bytes:
    """Four octets, big-endian."""
    return value.to_bytes(LENGTH_BYTES, "big")


def string(content: bytes) -> bytes:
    """Octets behind their length."""
    return uint32(len(content)) + content
