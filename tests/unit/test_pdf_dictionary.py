"""Dictionaries as their bytes stand in the file: where each value begins and ends."""

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jpki.verification.pdf_dictionary import (
    WINDOW,
    ByteRange,
    DictionarySyntaxError,
    Kind,
    RangeReader,
    read_dictionary,
)


def read(body: bytes, *, base: int = 7, number: int = 12, generation: int = 0):
    data = bytes(base) + b"%d %d obj\n" % (number, generation) + body + b"\nendobj\n"
    return data, read_dictionary(io.BytesIO(data), base, number, generation)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"/Name", Kind.NAME),
        (b"/", Kind.NAME),
        (b"/A#20B", Kind.NAME),
        (b"12", Kind.NUMBER),
        (b"-1.5", Kind.NUMBER),
        (b".5", Kind.NUMBER),
        (b"+7.", Kind.NUMBER),
        (b"true", Kind.WORD),
        (b"null", Kind.WORD),
        (b"(a (nested) \\) string)", Kind.STRING),
        (b"(\\\\)", Kind.STRING),
        (b"()", Kind.STRING),
        (b"<>", Kind.HEXADECIMAL),
        (b"<0aF 9>", Kind.HEXADECIMAL),
        (b"[]", Kind.ARRAY),
        (b"[1 [2 << /A [3] >>] (]) <5D> % ]\n]", Kind.ARRAY),
        (b"<< /A << /B (>>) >> >>", Kind.DICTIONARY),
        (b"4 0 R", Kind.REFERENCE),
        (b"4\n0 % comment\nR", Kind.REFERENCE),
    ],
)
def test_a_value_is_found_where_it_is(value: bytes, kind: Kind) -> None:
    data, found = read(b"<< /Before 1 /Key " + value + b" /After 2 >>")
    assert found.values["/Key"].kind is kind
    assert data[found.values["/Key"].start : found.values["/Key"].end] == value
    assert list(found.values) == ["/Before", "/Key", "/After"]
    assert data[found.start :].startswith(b"12 0 obj")
    assert data[: found.end].endswith(b">>")


def test_keys_are_what_they_mean() -> None:
    _, found = read(b"<< /#43ontents 1 /Contents#20 2 /Contents 3 >>")
    assert set(found.values) == {"/Contents", "/Contents "}
    assert found.repeated == {"/Contents"}


def test_numbers_in_a_row_are_no_reference() -> None:
    _, found = read(b"<< /A 1 /B [1 2 3] /C 6 0 R >>")
    kinds = [value.kind for value in found.values.values()]
    assert kinds == [Kind.NUMBER, Kind.ARRAY, Kind.REFERENCE]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"12",
        b"<<",
        b"<< /A",
        b"<< /A >>",
        b"<< 1 2 >>",
        b"<< /A 1 2 >>",
        b"<< /A (not closed >>",
        b"<< /A <0 >>",
        b"<< /A <0G> >>",
        b"<< /A [1 2 >>",
        b"<< /A [1 >> ] >>",
        b"<< /A ) >>",
        b"<< /A " + b"[" * 100 + b"]" * 100 + b" >>",
        b"<< /A " + b"[" * 100_000,
        b"[ /A 1 ]",
    ],
)
def test_what_is_no_dictionary_is_an_error(body: bytes) -> None:
    with pytest.raises(DictionarySyntaxError):
        read(body)


def test_another_object_is_an_error() -> None:
    data, _ = read(b"<< /A 1 >>")
    for number, generation in ((13, 0), (12, 1), (1, 0)):
        with pytest.raises(DictionarySyntaxError):
            read_dictionary(io.BytesIO(data), 7, number, generation)


def test_a_dictionary_larger_than_the_first_window_is_read() -> None:
    for size in (WINDOW - 40, WINDOW - 20, WINDOW, 5 * WINDOW):
        for value in (
            b"<" + b"0" * size + b">",
            b"(" + b"x" * size + b")",
            b"[" + b"1 " * size + b"]",
        ):
            data, found = read(b"<< /A " + value + b" /B /C >>")
            assert found.values["/A"].text == value
            assert data[found.values["/B"].start : found.values["/B"].end] == b"/C"


def test_every_place_of_the_window_may_cut_a_token() -> None:
    for padding in range(WINDOW - 60, WINDOW + 4):
        body = b"<< /P (" + b"x" * padding + b") /Contents <00AA> /N 123456 /W true >>"
        _, found = read(body)
        assert found.values["/Contents"].octets() == b"\0\xaa"
        assert found.values["/N"].text == b"123456"
        assert found.values["/W"].text == b"true"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[0 1 22 333]", (0, 1, 22, 333)),
        (b"[ 0\n1\t2\r\n3 ]", (0, 1, 2, 3)),
        (b"[-1 2 3 4]", None),
        (b"[+1 2 3 4]", None),
        (b"[1.0 2]", None),
        (b"[1 % 2\n3]", None),
        (b"[]", None),
        (b"[1 0 R]", None),
        (b"[1234567890123456789]", None),
        (b"1", None),
    ],
)
def test_integers_are_those_of_an_array_of_nothing_else(
    text: bytes, expected: tuple[int, ...] | None
) -> None:
    _, found = read(b"<< /A " + text + b" >>")
    assert found.values["/A"].integers() == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_anything_is_a_dictionary_or_an_error(body: bytes) -> None:
    for attempt in (body, b"<<" + body, b"<< /A " + body + b" >>"):
        try:
            read(attempt)
        except DictionarySyntaxError:
            continue


def test_what_is_covered_is_read_in_order_and_without_the_gap() -> None:
    data = random.Random(1).randbytes(5000)  # noqa: S311
    reader = io.BufferedReader(RangeReader(io.BytesIO(data), ByteRange(1000, 3000, 4500)))  # type: ignore[arg-type]
    assert reader.read() == data[:1000] + data[3000:4500]
    empty = RangeReader(io.BytesIO(data), ByteRange(0, 5000, 5000))
    assert empty.read() == b""
