"""What can be chosen when a PDF is signed. Nothing heavy is imported here."""

import math
import re
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Final, Self

from jpki.signing.digest import HashAlgorithm

PLACE: Final = re.compile(r"(?:(?P<page>-?[0-9]{1,9}):)?(?P<where>[a-z0-9.,+-]+)")


class PdfProfile(StrEnum):
    """The form of the signature."""

    PADES = "pades"
    """ETSI EN 319 142-1, baseline."""
    TOUKI = "touki"
    """As the Legal Affairs Bureau (法務局) takes it: adbe.pkcs7.detached with /Name and /M."""


SUBFILTERS: Final = {
    PdfProfile.PADES: "/ETSI.CAdES.detached",
    PdfProfile.TOUKI: "/adbe.pkcs7.detached",
}
"""/SubFilter of the signature."""


class Certification(Enum):
    """What may still be done to a PDF whose author certified it. ISO 32000-1 12.8.2.2 (DocMDP)."""

    NONE = "none", 1
    """Nothing."""
    FILL = "fill", 2
    """Forms may be filled, and signatures added."""
    ANNOTATE = "annotate", 3
    """The same, and comments."""

    permission: int  # /P

    def __new__(cls, word: str, permission: int = 0) -> Self:
        """Make a member whose value is the word and which knows its /P."""
        member = object.__new__(cls)
        member._value_ = word
        member.permission = permission
        return member


class Corner(StrEnum):
    """Where on the page a stamp stands that makes its own size."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """A rectangle in points of 1/72 inch, from the lower left corner of the page as it is shown."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StampPlace:
    """Where a stamp goes."""

    where: Corner | Rectangle
    page: int = 1  # from 1; negative from the end, -1 the last; never 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``PAGE:X,Y,W,H`` or ``PAGE:CORNER``; the page may be left out.

        Raises:
            ValueError: it is neither.
        """
        match = PLACE.fullmatch(text)
        page = int((match and match["page"]) or 1)
        if match is None or page == 0:
            raise ValueError("not PAGE:X,Y,W,H or a corner such as bottom-right")
        return cls(where=_where(match["where"]), page=page)


def _where(text: str) -> Corner | Rectangle:
    if "," not in text:
        return Corner(text)
    numbers = [float(number) for number in text.split(",")]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise ValueError("not four numbers")
    x, y, width, height = numbers
    if width <= 0 or height <= 0:
        raise ValueError("a stamp without area")
    return Rectangle(x=x, y=y, width=width, height=height)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfStamp:
    """What is seen of the signature on the page. It proves nothing, and anybody can draw it."""

    place: StampPlace | None = None  # None: in the signature field that exists already
    text: str | None = None  # lines of the signer's own
    with_name: bool = True  # of the holder, from the certificate
    with_date: bool = True  # the claimed time, in Japan's
    font: Path | None = None  # TrueType, OpenType or a collection; None: a usual one is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfOptions:
    """How a PDF is signed."""

    profile: PdfProfile = PdfProfile.PADES
    certify: Certification | None = None  # None: an approval signature, which forbids nothing
    field_name: str | None = None  # of the empty signature field to fill; None: a new field
    create_field: bool = False  # make the field of that name if there is none
    name: str | None = None  # /Name; None: the holder's for TOUKI, which wants one, else none
    reason: str | None = None
    location: str | None = None
    stamp: PdfStamp | None = None
    password: str | None = field(default=None, repr=False)  # of an encrypted PDF
    digest: HashAlgorithm = HashAlgorithm.SHA256

    def __post_init__(self) -> None:
        """Refuse what the form does not take.

        Raises:
            ValueError: TOUKI with another hash than SHA-256 (callers check).
        """
        if self.profile is PdfProfile.TOUKI and self.digest is not HashAlgorithm.SHA256:
            raise ValueError("this form takes SHA-256")


NOTHING_CHOSEN: Final = PdfOptions()
