"""The forms of a signature that ``jpki sign`` writes and ``jpki verify`` reads."""

from enum import Enum
from typing import Final

AUTO: Final = "auto"
"""The word of --format that leaves the choice to what a file is."""


class SignatureFormat(Enum):
    """The value is the word of --format and of JSON."""

    RAW = "raw"
    CMS = "cms"
    PDF = "pdf"
    XML = "xml"
    JWS = "jws"
    ASICE = "asice"

    @property
    def signs_digest(self) -> bool:
        """Whether the digest of the document is all that the signature needs of it."""
        return self in {SignatureFormat.RAW, SignatureFormat.CMS}


FORMAT_WORDS: Final = (AUTO, *(form.value for form in SignatureFormat))
"""What --format takes."""
