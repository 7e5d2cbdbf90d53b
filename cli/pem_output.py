"""A SignedData as text, RFC 7468 9, written while its DER is: an attached document may be large."""

from base64 import b64encode
from collections.abc import Callable
from typing import BinaryIO, Final, cast

LINE: Final = 48
"""Bytes that make a line of 64 characters, RFC 7468 2."""
BEGIN: Final = b"-----BEGIN CMS-----\n"
END: Final = b"-----END CMS-----\n"


def write_pem(write: Callable[[BinaryIO], None], output: BinaryIO) -> None:
    """Write as PEM what ``write`` writes as DER."""
    output.write(BEGIN)
    lines = _Lines(output)
    write(cast("BinaryIO", lines))
    lines.finish()
    output.write(END)


class _Lines:
    """Turns the bytes that are written to it into lines of base64."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._kept = b""

    def write(self, data: bytes) -> None:
        content = self._kept + data
        whole = len(content) - len(content) % LINE
        self._put(content[:whole])
        self._kept = content[whole:]

    def finish(self) -> None:
        self._put(self._kept)

    def _put(self, content: bytes) -> None:
        self._output.writelines(
            b64encode(content[start : start + LINE]) + b"\n"
            for start in range(0, len(content), LINE)
        )
