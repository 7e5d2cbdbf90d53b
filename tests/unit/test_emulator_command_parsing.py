"""The seven encodings of a command APDU, ISO/IEC 7816-3:2006 table 12."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jpki.emulator.command import Command, parse_command


@pytest.mark.parametrize(
    ("body", "data", "ne", "extended"),
    [
        pytest.param("", "", 0, False, id="1"),
        pytest.param("10", "", 16, False, id="2S"),
        pytest.param("00", "", 256, False, id="2S most"),
        pytest.param("02AABB", "AABB", 0, False, id="3S"),
        pytest.param("02AABB05", "AABB", 5, False, id="4S"),
        pytest.param("02AABB00", "AABB", 256, False, id="4S most"),
        pytest.param("000102", "", 0x102, True, id="2E"),
        pytest.param("000000", "", 65536, True, id="2E most"),
        pytest.param("000002AABB", "AABB", 0, True, id="3E"),
        pytest.param("000002AABB0103", "AABB", 0x103, True, id="4E"),
        pytest.param("000002AABB0000", "AABB", 65536, True, id="4E most"),
        pytest.param("000001AA0001", "AA", 1, True, id="4E least"),
    ],
)
def test_command_is_parsed(body: str, data: str, ne: int, extended: bool) -> None:
    assert parse_command(bytes.fromhex("80123456" + body)) == Command(
        cla=0x80,
        ins=0x12,
        p1=0x34,
        p2=0x56,
        data=bytes.fromhex(data),
        ne=ne,
        extended=extended,
    )


@pytest.mark.parametrize(
    "body",
    ["02AA", "01AABBCC", "0001", "00000000", "0000000010", "000002AA", "000001AABB",
     "000001AABBCCDD"],
)  # fmt: skip
def test_lengths_that_contradict_each_other_are_seen(body: str) -> None:
    assert parse_command(bytes.fromhex("80123456" + body)) is None


@given(st.binary(max_size=3))
def test_shorter_than_a_header_is_no_command(raw: bytes) -> None:
    assert parse_command(raw) is None


def test_data_are_not_in_the_repr() -> None:
    assert "1234" not in repr(parse_command(bytes.fromhex("0020009804") + b"1234"))
