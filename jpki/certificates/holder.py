"""The holder of a signature certificate: the otherNames of subjectAltName, RFC 5280 4.2.1.6.

J-LIS's profile is not published; identifiers, order and formats were seen on cards and in public
projects. What an attribute does not say plainly is None and named as a fault, never guessed.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, Self

from cryptography import x509

from jpki.certificates.asn1 import UTF8_STRING, Asn1Error, Asn1Reader
from jpki.certificates.era import ERA_OF_CODE, Era
from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import read_through

HOLDER_ARC: Final = "1.2.392.200149.8.5.5"
BIRTH_DATE_DIGITS: Final = 9  # era, then the Gregorian date as YYYYMMDD
MAX_MONTH: Final = 12
MAX_DAY: Final = 31
INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
"""Default_Ignorable_Code_Point of Unicode, beside the format characters (Cf)."""


class HolderAttribute(StrEnum):
    """What the otherNames say. Cards write them as 1, 4, 3, 5, 2, 6: only the OID tells."""

    oid: str

    def __new__(cls, word: str, number: int = 0) -> Self:
        """Make a member whose value is the word and which knows its OID."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.oid = f"{HOLDER_ARC}.{number}"
        return member

    NAME = "name", 1
    """氏名."""
    NAME_FLAGS = "name-flags", 2
    """One digit for each character of the name: 1 for a substitute (代替文字)."""
    SEX = "sex", 3
    """性別."""
    BIRTH_DATE = "birth-date", 4
    """生年月日."""
    ADDRESS = "address", 5
    """住所."""
    ADDRESS_FLAGS = "address-flags", 6


class HolderFaultKind(StrEnum):
    """What is wrong with an attribute."""

    DUPLICATE = "duplicate"
    WRONG_TYPE = "wrong-type"
    """Another type than UTF8String."""
    BAD_UTF8 = "bad-utf8"
    MISSING = "missing"
    EMPTY = "empty"
    CONTROL_CHARACTER = "control-character"
    INVISIBLE_CHARACTER = "invisible-character"
    """One that turns the writing around or takes no room."""
    FLAGS_LENGTH = "flags-length"
    """More or fewer flags than the text has characters."""
    FLAGS_CODE = "flags-code"
    """A flag that is neither 0 nor 1."""
    DATE_FORMAT = "date-format"
    """Not nine digits."""
    DATE_INCOMPLETE = "date-incomplete"
    """Zeros stand for parts that nobody knows."""
    DATE_IMPOSSIBLE = "date-impossible"
    ERA_CODE = "era-code"
    ERA_MISMATCH = "era-mismatch"
    """The date is not of the era that stands before it."""
    SEX_CODE = "sex-code"

    @property
    def is_structural(self) -> bool:
        """Whether no CA writes this, whoever the person is; the others are odd, no more."""
        return self in {self.DUPLICATE, self.WRONG_TYPE, self.BAD_UTF8}


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFault:
    """One fault of one attribute."""

    attribute: str  # a HolderAttribute, or the OID of an otherName that is not known
    kind: HolderFaultKind


class Sex(StrEnum):
    """性別 as the certificate codes it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


SEX_OF_CODE: Final = {
    "1": Sex.MALE,
    "2": Sex.FEMALE,
    "3": Sex.OTHER,  # both 3 and 9 are told of
    "9": Sex.OTHER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherAttribute:
    """An otherName that is not known here: 旧氏 and フリガナ may come."""

    oid: str
    text: str | None = field(repr=False)  # None: no UTF8String


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The four attributes (基本4情報) of a signature certificate; None where it says nothing plain.

    Text is as in the certificate: control and bidirectional characters are for the output to
    escape.
    """

    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)  # Gregorian, as it stands
    era: Era | None = field(default=None, repr=False)  # as it stands, right or wrong
    sex: Sex | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    substituted_in_name: tuple[int, ...] | None = field(default=None, repr=False)
    """Which characters (code points, from 0) the residents' register writes otherwise."""
    substituted_in_address: tuple[int, ...] | None = field(default=None, repr=False)
    others: tuple[OtherAttribute, ...] = ()
    faults: tuple[HolderFault, ...] = ()

    @property
    def is_malformed(self) -> bool:
        """Whether a CA cannot have meant this: an attribute twice, of another type, no UTF-8."""
        return any(fault.kind.is_structural for fault in self.faults)


def read_holder(certificate: x509.Certificate) -> Holder | None:
    """Read who holds a certificate; None: it has no attribute of JPKI, so it names nobody.

    Raises:
        CertificateMalformedError: a part of it cannot be read (never so after
            ``load_certificates``).
    """
    read_through(certificate)
    return holder_in(find_extension(certificate, x509.SubjectAlternativeName))


def holder_in(names: x509.SubjectAlternativeName | None) -> Holder | None:
    """Read who holds a certificate that has these names; None: they name nobody."""
    values: dict[str, list[bytes]] = {}
    for name in names or ():
        if isinstance(name, x509.OtherName):
            values.setdefault(name.type_id.dotted_string, []).append(name.value)
    if not any(oid.startswith(f"{HOLDER_ARC}.") for oid in values):
        return None
    return _HolderReader(values).read()


def other_name_text(der: bytes) -> str | None:
    """Read the value of an otherName, DER -> text; None: no UTF8String, or no UTF-8 in it."""
    try:
        return _utf8_text(der)
    except _NotPlainError:
        return None


class _NotPlainError(ValueError):
    """An attribute that does not say anything plain."""

    def __init__(self, kind: HolderFaultKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class _HolderReader:
    """Reads the attributes one by one and notes what is wrong with them."""

    def __init__(self, values: Mapping[str, Sequence[bytes]]) -> None:
        self._values = values
        self._faults: list[HolderFault] = []

    def read(self) -> Holder:
        """Read all of them."""
        name = self._readable(HolderAttribute.NAME)
        birth_date, era = self._birth_date()
        sex = self._sex()
        address = self._readable(HolderAttribute.ADDRESS)
        return Holder(
            name=name,
            birth_date=birth_date,
            era=era,
            sex=sex,
            address=address,
            substituted_in_name=self._flags(HolderAttribute.NAME_FLAGS, name),
            substituted_in_address=self._flags(HolderAttribute.ADDRESS_FLAGS, address),
            others=tuple(self._others()),
            faults=tuple(dict.fromkeys(self._faults)),
        )

    def _note(self, attribute: str, *kinds: HolderFaultKind) -> None:
        self._faults += [HolderFault(attribute=attribute, kind=kind) for kind in kinds]

    def _text(self, attribute: HolderAttribute) -> str | None:
        try:
            return _utf8_text(_only(self._values.get(attribute.oid, ())))
        except _NotPlainError as fault:
            self._note(attribute, fault.kind)
            return None

    def _readable(self, attribute: HolderAttribute) -> str | None:
        """A text for people."""
        text = self._text(attribute)
        if text is not None:
            self._note(attribute, *_odd_characters(text))
            if not text:
                self._note(attribute, HolderFaultKind.EMPTY)
        return text

    def _flags(self, attribute: HolderAttribute, marked: str | None) -> tuple[int, ...] | None:
        """The characters of a text that its flags mark; None where that cannot be told."""
        flags = self._text(attribute)
        if flags is None:
            return None
        kinds = []
        if not set(flags) <= {"0", "1"}:
            kinds.append(HolderFaultKind.FLAGS_CODE)
        if marked is not None and len(flags) != len(marked):
            kinds.append(HolderFaultKind.FLAGS_LENGTH)
        self._note(attribute, *kinds)
        if kinds or marked is None:
            return None
        return tuple(position for position, flag in enumerate(flags) if flag == "1")

    def _sex(self) -> Sex | None:
        code = self._text(HolderAttribute.SEX)
        if code is not None and code not in SEX_OF_CODE:
            self._note(HolderAttribute.SEX, HolderFaultKind.SEX_CODE)
        return None if code is None else SEX_OF_CODE.get(code)

    def _birth_date(self) -> tuple[date | None, Era | None]:
        text = self._text(HolderAttribute.BIRTH_DATE)
        if text is None:
            return None, None
        era = None
        try:
            era = _era(text)
            day = _day(text)
            if not era.holds(day):  # both as they stand: the year is Gregorian, whatever the era
                self._note(HolderAttribute.BIRTH_DATE, HolderFaultKind.ERA_MISMATCH)
        except _NotPlainError as fault:
            self._note(HolderAttribute.BIRTH_DATE, fault.kind)
            return None, era
        return day, era

    def _others(self) -> Iterator[OtherAttribute]:
        known = {attribute.oid for attribute in HolderAttribute}
        for oid, found in self._values.items():
            if oid in known:
                continue
            if len(found) > 1:
                self._note(oid, HolderFaultKind.DUPLICATE)
            for value in found:
                text = other_name_text(value)  # None is no fault: which type belongs here?
                if text is not None:
                    self._note(oid, *_odd_characters(text))
                yield OtherAttribute(oid=oid, text=text)


def _only(values: Sequence[bytes]) -> bytes:
    if len(values) > 1:  # which one is true is not ours to guess
        raise _NotPlainError(HolderFaultKind.DUPLICATE)
    if not values:
        raise _NotPlainError(HolderFaultKind.MISSING)
    return values[0]


def _utf8_text(der: bytes) -> str:
    reader = Asn1Reader(der, strict=True)
    try:
        contents = reader.contents(reader.expect(reader.document(), UTF8_STRING))
    except Asn1Error:
        raise _NotPlainError(HolderFaultKind.WRONG_TYPE) from None
    try:
        return contents.decode("utf-8")
    except UnicodeDecodeError:  # its text would quote the holder
        raise _NotPlainError(HolderFaultKind.BAD_UTF8) from None


def _odd_characters(text: str) -> Iterator[HolderFaultKind]:
    categories = {unicodedata.category(character) for character in text}
    if categories & {"Cc", "Zl", "Zp"}:
        yield HolderFaultKind.CONTROL_CHARACTER
    if "Cf" in categories or not INVISIBLE.isdisjoint(text):
        yield HolderFaultKind.INVISIBLE_CHARACTER


def _era(birth_date: str) -> Era:
    if len(birth_date) != BIRTH_DATE_DIGITS or not (birth_date.isascii() and birth_date.isdigit()):
        raise _NotPlainError(HolderFaultKind.DATE_FORMAT)
    era = ERA_OF_CODE.get(birth_date[0])
    if era is None:
        # A later era, or a slip: with it goes the certainty that the rest is a date.
        raise _NotPlainError(HolderFaultKind.ERA_CODE)
    return era


def _day(birth_date: str) -> date:
    year, month, day = int(birth_date[1:5]), int(birth_date[5:7]), int(birth_date[7:9])
    if month <= MAX_MONTH and day <= MAX_DAY and 0 in {year, month, day}:
        raise _NotPlainError(HolderFaultKind.DATE_INCOMPLETE)
    try:
        return date(year, month, day)
    except ValueError:
        raise _NotPlainError(HolderFaultKind.DATE_IMPOSSIBLE) from None
