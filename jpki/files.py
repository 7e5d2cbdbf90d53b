"""What is on the card: applications, files, PINs and keys as one table (ISO/IEC 7816-4 5.3).

JPKI is not published as one open text. The identifiers are those that every open implementation
uses (OpenSC ``pkcs15-jpki.c``, jpki/myna ``jpki.rs``); lengths and access rules were seen on cards
by their authors. Selection is always by the full AID: cards accept a truncated one as well.
"""

from enum import Enum
from typing import Final, Self

JPKI_AID: Final = bytes.fromhex("D392F000260100000001")

TOKEN_INFO_EF: Final = 0x0006
"""160 bytes, a serialised PKCS#11 CK_TOKEN_INFO; free to read."""
AVAILABILITY_EF: Final = 0x0008
"""3 bytes: is there a signature certificate, is there an authentication certificate."""

INS_SELECT: Final = 0xA4


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
