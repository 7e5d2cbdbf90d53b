"""What is on the card: applications, files, PINs and keys as one table (ISO/IEC 7816-4 5.3).

JPKI is not published as one open text. The identifiers are those that every open implementation
uses (OpenSC ``pkcs15-jpki.c``, jpki/myna ``jpki.rs``); lengths and access rules were seen on cards
by their authors. Selection is always by the full AID: cards accept a truncated one as well.
"""

from enum import Enum
from typing import Final, Self

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import MalformedResponseError
from apdu.status import SW
from apdu.tlv import encoded_size

JPKI_AID: Final = bytes.fromhex("D392F000260100000001")

TOKEN_INFO_EF: Final = 0x0006
"""160 bytes, a serialised PKCS#11 CK_TOKEN_INFO; free to read."""
AVAILABILITY_EF: Final = 0x0008
"""3 bytes: is there a signature certificate, is there an authentication certificate."""

MAX_FILE_BYTES: Final = 8192
"""Certificates are below 3 KB. A card that declares more is not asked for it."""
BLOCK_BYTES: Final = 256
"""One short READ BINARY. Readers with 271-byte frames cannot carry more."""

INS_SELECT: Final = 0xA4
INS_READ_BINARY: Final = 0xB0

_SEQUENCE: Final = 0x30


class PinKind(Enum):
    """The two PINs of the JPKI application; the value is the word in commands and JSON."""

    SIGNATURE = "signature", 0x001B, 5
    """署名用パスワード: 6 to 16 of A-Z and 0-9."""
    AUTHENTICATION = "authentication", 0x0018, 3
    """利用者証明用暗証番号: four digits."""

    ef_id: int
    max_tries: int

    def __new__(cls, word: str, ef_id: int, max_tries: int) -> Self:
        """Make the word the value, and the facts attributes."""
        member = object.__new__(cls)
        member._value_ = word
        member.ef_id = ef_id
        member.max_tries = max_tries
        return member


class CertificateName(Enum):
    """The four certificates; the value is the word in commands and JSON."""

    SIGNATURE = "signature", 0x0001
    """署名用電子証明書: name, address, birth date, sex. READ needs the signature password."""
    SIGNATURE_CA = "signature-ca", 0x0002
    AUTHENTICATION = "authentication", 0x000A
    """利用者証明用電子証明書: free to read on a card, behind its PIN on a phone."""
    AUTHENTICATION_CA = "authentication-ca", 0x000B

    ef_id: int

    def __new__(cls, word: str, ef_id: int) -> Self:
        """Make the word the value, and the facts attributes."""
        member = object.__new__(cls)
        member._value_ = word
        member.ef_id = ef_id
        return member

    @property
    def issuer(self) -> "CertificateName | None":
        """The CA certificate that is said to belong to the holder's; None: it is a CA's itself."""
        match self:
            case CertificateName.SIGNATURE:
                return CertificateName.SIGNATURE_CA
            case CertificateName.AUTHENTICATION:
                return CertificateName.AUTHENTICATION_CA
            case CertificateName.SIGNATURE_CA | CertificateName.AUTHENTICATION_CA:
                return None

    @property
    def is_ca(self) -> bool:
        """Whether it is that of a CA, and nothing that the holder renews."""
        return self.issuer is None


class KeyName(Enum):
    """The two private keys, each behind the PIN and beside the certificate of the same name."""

    SIGNATURE = "signature", 0x001A, PinKind.SIGNATURE, CertificateName.SIGNATURE
    AUTHENTICATION = (
        "authentication",
        0x0017,
        PinKind.AUTHENTICATION,
        CertificateName.AUTHENTICATION,
    )

    ef_id: int
    pin: PinKind
    certificate: CertificateName

    def __new__(cls, word: str, ef_id: int, pin: PinKind, certificate: CertificateName) -> Self:
        """Make the word the value, and the facts attributes."""
        member = object.__new__(cls)
        member._value_ = word
        member.ef_id = ef_id
        member.pin = pin
        member.certificate = certificate
        return member


class CardKind(Enum):
    """What carries the JPKI application, by the label in EF 0006."""

    MY_NUMBER = "card", "JPKIAPICCTOKEN2"
    """個人番号カード."""
    JUKI = "juki", "JPKIAPICCTOKEN"
    """住民基本台帳カード, issued until 2015; its certificates have all expired."""
    ANDROID = "android", "JPKIAPGPSETOKEN"
    IPHONE = "iphone", "JPKIAPIOSTOKEN"
    UNKNOWN = "unknown", ""

    label: str

    def __new__(cls, word: str, label: str) -> Self:
        """Make the word the value, and the facts attributes."""
        member = object.__new__(cls)
        member._value_ = word
        member.label = label
        return member

    @classmethod
    def from_label(cls, label: str) -> "CardKind":
        """The kind whose EF 0006 carries ``label``; UNKNOWN for any other."""
        return next((kind for kind in cls if kind.label == label), cls.UNKNOWN)


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
