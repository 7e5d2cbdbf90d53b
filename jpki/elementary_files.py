"""Reading elementary files, ISO/IEC 7816-4 7.1.1 (SELECT) and 7.2.3 (READ BINARY)."""

from typing import Final

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import MalformedResponseError
from apdu.status import SW
from apdu.tlv import encoded_size
from jpki.files import INS_SELECT

MAX_FILE_BYTES: Final = 8192
"""Certificates are below 3 KB. A card that declares more is not asked for it."""
BLOCK_BYTES: Final = 256
"""One short READ BINARY. Readers with 271-byte frames cannot carry more."""
INS_READ_BINARY: Final = 0xB0

_SEQUENCE: Final = 0x30


class ElementaryFiles:
    """SELECT and READ BINARY in the application that is current, within one transaction.

    Remembers which EF is current, so that a file is not selected twice in a row: a hundred
    signatures with one key cost one SELECT.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._current: int | None = None

    def select(self, ef_id: int) -> None:
        """SELECT the EF ``ef_id`` (16 bit) unless it is current. ISO/IEC 7816-4 11.2.2.

        Raises:
            StatusWordError: the card refuses; 6A82 when there is no such file.
        """
        if self._current == ef_id:
            return
        self._current = None
        self._channel.expect(
            CommandApdu(ins=INS_SELECT, p1=0x02, p2=0x0C, data=ef_id.to_bytes(2, "big"))
        )
        self._current = ef_id

    def read(self, ef_id: int, length: int) -> bytes:
        """Exactly the first ``length`` bytes (up to 256) of an EF, by one READ BINARY.

        Raises:
            StatusWordError: the card refuses.
            MalformedResponseError: fewer or more bytes came.
        """
        self.select(ef_id)
        data = self._read_block(0, length)
        if len(data) != length:
            raise MalformedResponseError(f"EF {ef_id:04X} shorter than {length} bytes", len(data))
        return data

    def read_der(self, ef_id: int) -> bytes:
        """The one DER SEQUENCE at the start of an EF, without the FF padding behind it.

        The first block already holds the DER header, so a file of C blocks costs C exchanges.
        Empty bytes when the file holds none (all FF, or nothing at all).

        Raises:
            StatusWordError: the card refuses; 6982 when the PIN is missing.
            MalformedResponseError: no SEQUENCE, longer than MAX_FILE_BYTES, or shorter than said.
        """
        self.select(ef_id)
        content = self._read_block(0, BLOCK_BYTES)
        if not content or content[0] == 0xFF:
            return b""
        total = _sequence_size(content)
        while len(content) < total:
            wanted = min(BLOCK_BYTES, total - len(content))
            block = self._read_block(len(content), wanted)
            if not block:
                raise MalformedResponseError("file ends inside its DER value", len(content))
            content += block
        return content[:total]

    def _read_block(self, offset: int, length: int) -> bytes:
        # 6282, "end of file reached", comes with the data that there was.
        block = self._channel.expect(
            CommandApdu(ins=INS_READ_BINARY, p1=offset >> 8, p2=offset & 0xFF, ne=length),
            SW.OK,
            SW.END_OF_FILE,
        )
        if len(block) > length:
            raise MalformedResponseError("READ BINARY gave more than was asked for", length)
        return block


def _sequence_size(head: bytes) -> int:
    """Return the bytes of the SEQUENCE that starts with ``head``, header included."""
    if head[0] != _SEQUENCE:
        raise MalformedResponseError("no DER SEQUENCE at the start of the file", 0)
    size = encoded_size(head)
    if size > MAX_FILE_BYTES:
        raise MalformedResponseError(f"file declares {size} bytes", 2)
    return size
