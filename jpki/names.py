"""The things on the card that have names: its PINs, its certificates, its kinds.

The facts about each (file identifiers, tries) stand in the modules that use them: ``pins`` and
``files``. Values are the words of the command line and of JSON.
"""

from enum import Enum


class PinKind(Enum):
    """The two PINs of the JPKI application."""

    SIGNATURE = "signature"
    """署名用パスワード: 6 to 16 of A-Z and 0-9, five tries."""
    AUTHENTICATION = "authentication"
    """利用者証明用暗証番号: four digits, three tries."""


class CertificateName(Enum):
    """The four certificates of the JPKI application."""

    SIGNATURE = "signature"
    """署名用電子証明書: carries name, address, birth date and sex; read with the password only."""
    SIGNATURE_CA = "signature-ca"
    AUTHENTICATION = "authentication"
    """利用者証明用電子証明書."""
    AUTHENTICATION_CA = "authentication-ca"


class CardKind(Enum):
    """What carries the JPKI application, by the label in EF 0006."""

    MY_NUMBER = "card"
    """個人番号カード."""
    JUKI = "juki"
    """住民基本台帳カード, issued until 2015."""
    ANDROID = "android"
    IPHONE = "iphone"
    UNKNOWN = "unknown"
