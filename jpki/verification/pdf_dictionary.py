"""A PDF dictionary as its bytes stand in the file, ISO 32000-1 7.3: where each value is.

A reader of PDF says what a dictionary means. What a signature leaves out of its hash is a matter of
places in the file, and those it does not say; nor that a key is there twice.
"""

import io
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO, Final, NamedTuple

WINDOW: Final = 1 << 14  # bytes read at first; four times as many where that is not enough
MAX_DICTIONARY: Final = 1 << 24  # bytes; a signature with everything has some 100,000
MAX_DEPTH: Final = 64
MAX_OFFSET_DIGITS: Final = 18

SPACE: Final = re.compile(rb"(?:[\0\t\n\f\r ]+|%[^\r\n]*)*")
TOKEN: Final = re.compile(
    rb"(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]*)"
    rb"|(?P<open_dictionary><<)|(?P<close_dictionary>>>)"
    rb"|(?P<hexadecimal><[0-9A-Fa-f\0\t\n\f\r ]*>)"
    rb"|(?P<open_array>\[)|(?P<close_array>\])"
    rb"|(?P<string>\()"
    rb"|(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?=[\0\t\n\f\r ()<>\[\]{}/%])"
    rb"|(?P<word>[A-Za-z][A-Za-z0-9]*)(?=[\0\t\n\f\r ()<>\[\]{}/%])"
)
STRING_PART: Final = re.compile(rb"\\.|[()]", re.DOTALL)
ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
INTEGERS: Final = re.compile(rb"\[[\0\t\n\f\r ]*([0-9\0\t\n\f\r ]+)\]")
HEXADECIMAL: Final = re.compile(rb"<((?:[0-9A-Fa-f]{2})*)>")
CLOSERS: Final = {"open_dictionary": "close_dictionary", "open_array": "close_array"}


class DictionarySyntaxError(ValueError):
    """No dictionary stands there, or none that ends."""


class _WindowEndError(DictionarySyntaxError):
    """More bytes may help."""


class Kind(Enum):
    """What a value is, as it is written."""

    NAME = auto()
    NUMBER = auto()
    WORD = auto()  # true, false, null
    STRING = auto()
    HEXADECIMAL = auto()
    ARRAY = auto()
    DICTIONARY = auto()
    REFERENCE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawValue:
    """A value as it is written; places count from the start of the file."""

    kind: Kind
    start: int
    text: bytes

    @property
    def end(self) -> int:
        """After its last byte."""
        return self.start + len(self.text)

    def integers(self) -> tuple[int, ...] | None:
        """Return the integers of an array of nothing else, None for anything else."""
        match = INTEGERS.fullmatch(self.text) if self.kind is Kind.ARRAY else None
        words = [] if match is None else match[1].split()
        if not words or max(map(len, words)) > MAX_OFFSET_DIGITS:
            return None
        return tuple(int(word) for word in words)

    def octets(self) -> bytes | None:
        """Return the bytes of a string in pairs of hexadecimal digits, None for anything else."""
        match = HEXADECIMAL.fullmatch(self.text) if self.kind is Kind.HEXADECIMAL else None
        return None if match is None else bytes.fromhex(match[1].decode("ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDictionary:
    """An object of the file that is a dictionary. Keys are decoded: /Contents is /#43ontents."""

    start: int  # of "12 0 obj"
    end: int  # after ">>"
    values: dict[str, RawValue]
    repeated: frozenset[str]  # keys that are there more than once


class _Token(NamedTuple):
    kind: str  # the name of a group of TOKEN
    start: int
    end: int


def read_dictionary(stream: BinaryIO, offset: int, number: int, generation: int) -> RawDictionary:
    """Read the object that begins at an offset of a file.

    Args:
        stream: seekable.
        offset: where the cross-reference table says that the object begins.
        number: of the object.
        generation: of the object.

    Raises:
        DictionarySyntaxError: another object, or no dictionary.
    """
    size = WINDOW
    while True:
        stream.seek(offset)
        data = stream.read(size)
        try:
            return _Scanner(data, offset).indirect_dictionary(number, generation)
        except _WindowEndError:
            if len(data) < size or size >= MAX_DICTIONARY:
                raise
            size *= 4


class _Scanner:
    def __init__(self, data: bytes, base: int) -> None:
        self._data = data
        self._base = base
        self._position = 0

    def indirect_dictionary(self, number: int, generation: int) -> RawDictionary:
        start = self._next("number")
        tokens = [start, self._next("number"), self._next("word")]
        if [self._text(token) for token in tokens] != [
            b"%d" % number,
            b"%d" % generation,
            b"obj",
        ]:
            raise DictionarySyntaxError("another object")
        self._next("open_dictionary")
        values: dict[str, RawValue] = {}
        repeated: set[str] = set()
        while (token := self._token()).kind != "close_dictionary":
            if token.kind != "name":
                raise DictionarySyntaxError("no name where a key belongs")
            key = self._name(token)
            if key in values:
                repeated.add(key)
            values[key] = self._value()
        return RawDictionary(
            start=self._base + start.start,
            end=self._base + self._position,
            values=values,
            repeated=frozenset(repeated),
        )

    def _value(self) -> RawValue:
        token = self._token()
        start = token.start
        match token.kind:
            case "open_array" | "open_dictionary":
                self._skip_container(token.kind)
                kind = Kind.ARRAY if token.kind == "open_array" else Kind.DICTIONARY
            case "number":
                kind = Kind.REFERENCE if self._skip_reference() else Kind.NUMBER
            case "close_array" | "close_dictionary":
                raise DictionarySyntaxError("no value")
            case simple:
                kind = Kind[simple.upper()]
        text = self._data[start : self._position]
        return RawValue(kind=kind, start=self._base + start, text=text)

    def _skip_container(self, kind: str) -> None:
        expected = [CLOSERS[kind]]
        while expected:
            token = self._token()
            if token.kind in CLOSERS:
                expected.append(CLOSERS[token.kind])
                if len(expected) > MAX_DEPTH:
                    raise DictionarySyntaxError("nested too deeply")
            elif token.kind.startswith("close") and token.kind != expected.pop():
                raise DictionarySyntaxError("brackets that do not match")

    def _skip_reference(self) -> bool:
        """Go past the rest of "12 0 R" after its first number, if that is what follows."""
        held = self._position
        second = self._token()
        if second.kind == "number":
            third = self._token()
            if self._text(third) == b"R":
                return True
        self._position = held
        return False

    def _next(self, kind: str) -> _Token:
        token = self._token()
        if token.kind != kind:
            raise DictionarySyntaxError(f"{token.kind} where {kind} belongs")
        return token

    def _token(self) -> _Token:
        data = self._data
        space = SPACE.match(data, self._position)
        start = self._position if space is None else space.end()
        match = TOKEN.match(data, start)
        if match is None or match.lastgroup is None:
            if len(data) - start < WINDOW // 2 or data[start : start + 1] == b"<":
                raise _WindowEndError("no token")
            raise DictionarySyntaxError("no token")
        end = self._string_end(match.end()) if match.lastgroup == "string" else match.end()
        if end == len(data) and match.lastgroup in ("name", "open_dictionary"):
            raise _WindowEndError("a token that may go on")
        self._position = end
        return _Token(match.lastgroup, start, end)

    def _string_end(self, position: int) -> int:
        depth = 1
        while depth:
            part = STRING_PART.search(self._data, position)
            if part is None:
                raise _WindowEndError("a string that does not end")
            position = part.end()
            depth += {b"(": 1, b")": -1}.get(part[0], 0)
        return position

    def _text(self, token: _Token) -> bytes:
        return self._data[token.start : token.end]

    def _name(self, token: _Token) -> str:
        decoded = ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), self._text(token))
        return decoded.decode("latin-1")


class ByteRange(NamedTuple):
    """What a signature covers: from the start of the file, but for one gap."""

    gap_start: int
    gap_end: int
    end: int


def exact_byte_range(dictionary: RawDictionary, file_size: int) -> ByteRange | None:
    """Return what a signature dictionary covers; None: not all of the file but its /Contents.

    ISO 32000-1 12.8.1: the range begins with the file, leaves out the hexadecimal string of
    /Contents and nothing else, and holds the dictionary itself.
    """
    contents = dictionary.values.get("/Contents")
    numbers = dictionary.values.get("/ByteRange")
    if contents is None or numbers is None or dictionary.repeated:
        return None
    integers = numbers.integers()
    if integers is None or len(integers) != 4 or contents.octets() is None:
        return None
    start, gap_start, gap_end, rest = integers
    end = gap_end + rest
    is_exact = (start, gap_start, gap_end) == (0, contents.start, contents.end)
    return (
        ByteRange(gap_start, gap_end, end)
        if is_exact and dictionary.end <= end <= file_size
        else None
    )


class RangeReader(io.RawIOBase):
    """The bytes that a signature covers, one after the other."""

    def __init__(self, stream: BinaryIO, covered: ByteRange) -> None:
        super().__init__()
        self._stream = stream
        self._covered = covered
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Read on, to the gap at most."""
        gap_start, gap_end, end = self._covered
        if self._position == gap_start:
            self._position = gap_end
        limit = gap_start if self._position < gap_start else end
        wanted = min(len(buffer), limit - self._position)
        self._stream.seek(self._position)
        data = self._stream.read(wanted)
        memoryview(buffer)[: len(data)] = data
        self._position += len(data)
        return len(data)
