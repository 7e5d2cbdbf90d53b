"""What a card holds: applications, files, PINs and keys as data, ISO/IEC 7816-4:2020 7.

The card's operating system knows no application by name: a further one (text, visual) is
a further ``Application`` value in the card file and no new code.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol


class Alphabet(StrEnum):
    """Characters that a new PIN may have. VERIFY compares bytes and knows no alphabet."""

    DIGITS = "digits"
    LETTERS_AND_DIGITS = "letters-and-digits"

    def holds(self, value: bytes) -> bool:
        """Say whether each byte of value belongs to this alphabet."""
        text = value.decode("latin-1")
        upper = self is Alphabet.LETTERS_AND_DIGITS
        return all("0" <= char <= "9" or (upper and "A" <= char <= "Z") for char in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A transparent EF: content, then FF up to size. Any PIN of read_after opens it; none: free."""

    ef_id: int
    content: bytes = field(repr=False)
    size: int
    read_after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFile:
    """A PIN and its counter."""

    ef_id: int
    name: str
    value: bytes = field(repr=False)
    tries_left: int
    max_tries: int
    min_length: int
    max_length: int
    alphabet: Alphabet


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """An RSA private key (PKCS#8 DER). Any PIN of use_after opens it; none: free."""

    ef_id: int
    private_key: bytes = field(repr=False)
    use_after: tuple[int, ...] = ()


File = DataFile | PinFile | KeyFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application (DF) under its AID."""

    name: str
    aid: bytes
    files: tuple[File, ...] = ()

    def file(self, ef_id: int) -> File | None:
        """Find an EF by its two-byte identifier."""
        return next((file for file in self.files if file.ef_id == ef_id), None)

    def file_by_sfi(self, sfi: int) -> File | None:
        """Find an EF by its short identifier: on this card the identifier itself, 1 to 30."""
        return self.file(sfi) if 1 <= sfi <= 30 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The person that the card was made for. Invented."""

    name: str
    address: str
    birth_date: datetime.date
    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """Where the card was issued, romanised as in the certificates."""

    prefecture: str
    name: str
    code: str  # five digits


@dataclass(frozen=True, slots=True, kw_only=True)
class CardImage:
    """All that a card holds. The first application is current when power comes."""

    atr: bytes
    label: str
    holder: Holder
    issued: datetime.datetime
    expires: datetime.datetime
    applications: tuple[Application, ...]

    def pins(self) -> tuple[PinFile, ...]:
        """All PINs of all applications, in the order of the file."""
        files = (file for application in self.applications for file in application.files)
        return tuple(file for file in files if isinstance(file, PinFile))

    def pin(self, aid: bytes, ef_id: int) -> PinFile:
        """The PIN of an application as it stands now.

        Raises:
            KeyError: the application has no such PIN.
        """
        for application in self.applications:
            file = application.file(ef_id) if application.aid == aid else None
            if isinstance(file, PinFile):
                return file
        raise KeyError(ef_id)

    def with_pin(self, aid: bytes, pin: PinFile) -> "CardImage":
        """This image with one PIN of one application replaced."""
        applications = tuple(
            replace(
                application,
                files=tuple(pin if file.ef_id == pin.ef_id else file for file in application.files),
            )
            if application.aid == aid
            else application
            for application in self.applications
        )
        return replace(self, applications=applications)


class CardMemory(Protocol):
    """Where the image lives: a file, or nothing but this process."""

    def image(self) -> CardImage:
        """The image as it stands now; another process may have changed a PIN."""

    def update_pin(self, aid: bytes, ef_id: int, change: Callable[[PinFile], PinFile]) -> PinFile:
        """Replace a PIN by what change makes of it; kept when this returns. Returns the old one."""


class VolatileMemory:
    """A memory that ends with the process."""

    def __init__(self, image: CardImage) -> None:
        self._image = image

    def image(self) -> CardImage:
        """The image as it stands now."""
        return self._image

    def update_pin(self, aid: bytes, ef_id: int, change: Callable[[PinFile], PinFile]) -> PinFile:
        """Replace a PIN by what change makes of it. Returns the old one."""
        old = self._image.pin(aid, ef_id)
        self._image = self._image.with_pin(aid, change(old))
        return old
