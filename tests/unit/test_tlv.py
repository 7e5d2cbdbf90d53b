"""BER-TLV data objects."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.errors import MalformedResponseError
from apdu.tlv import Tlv, encoded_size


def _tag(first: int, more: list[int]) -> int:
    if first & 0x1F != 0x1F:
        return first
    *middle, last = more
    return int.from_bytes([first, *(byte | 0x80 for byte in middle), last & 0x7F])


TAGS = st.builds(_tag, st.integers(1, 255), st.lists(st.integers(0, 255), min_size=1, max_size=2))
TLVS = st.builds(Tlv, tag=TAGS, value=st.binary(max_size=400))


@pytest.mark.parametrize(
    ("encoded", "tag", "value"),
    [
        ("8600", 0x86, ""),
        ("DF2401 31", 0xDF24, "31"),
        ("FF1003 313233", 0xFF10, "313233"),
        ("7F218105" + "00" * 5, 0x7F21, "00" * 5),
        ("DF2182000100", 0xDF21, "00"),
    ],
)
def test_a_data_object_is_parsed(encoded: str, tag: int, value: str) -> None:
    assert Tlv.parse(bytes.fromhex(encoded)) == Tlv(tag=tag, value=bytes.fromhex(value))


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_each_size_of_length_goes_there_and_back(size: int) -> None:
    tlv = Tlv(tag=0x53, value=b"\x55" * size)
    assert Tlv.parse(tlv.encode()) == tlv
    assert encoded_size(tlv.encode()[:7]) == len(tlv.encode())


@given(TLVS)
def test_what_was_encoded_is_parsed_to_the_same(tlv: Tlv) -> None:
    assert Tlv.parse(tlv.encode()) == tlv
    assert encoded_size(tlv.encode()) == len(tlv.encode())


@given(st.lists(TLVS, max_size=4))
def test_a_sequence_goes_there_and_back_through_a_constructed_one(tlvs: list[Tlv]) -> None:
    parent = Tlv(tag=0xFF20, value=b"".join(tlv.encode() for tlv in tlvs))
    assert parent.is_constructed
    assert Tlv.parse(parent.encode()).children() == tuple(tlvs)


@given(TLVS, st.data())
def test_a_data_object_that_is_cut_off_is_malformed(tlv: Tlv, data: st.DataObject) -> None:
    encoded = tlv.encode()
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedResponseError):
        Tlv.parse(encoded[:cut])


@given(TLVS, st.binary(min_size=1, max_size=40))
def test_padding_is_refused_by_parse_and_returned_by_parse_prefix(tlv: Tlv, padding: bytes) -> None:
    with pytest.raises(MalformedResponseError, match="after the data object"):
        Tlv.parse(tlv.encode() + padding)
    assert Tlv.parse_prefix(tlv.encode() + padding) == (tlv, padding)


@given(st.binary(max_size=300))
def test_any_bytes_are_data_objects_or_malformed(raw: bytes) -> None:
    for parse in (Tlv.parse, Tlv.parse_prefix, Tlv.parse_all, encoded_size):
        with suppress(MalformedResponseError):
            parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00",
        "0000",
        "86",
        "8680",  # indefinite
        "86FF",
        "8684FFFFFFFF",
        "868500000000010",
        "1FFFFFFF0100",
        "FF" * 64,  # the padding of a file
    ],
)
def test_hostile_headers_are_malformed(raw: str) -> None:
    raw_bytes = bytes.fromhex(raw if len(raw) % 2 == 0 else raw + "0")
    with pytest.raises(MalformedResponseError):
        Tlv.parse(raw_bytes)


@pytest.mark.parametrize("tag", [-1, 0, 0x1F, 0x8630, 0x7F80, 0x1F818181, 0x00860000])
def test_a_number_that_is_no_tag_is_a_programmers_error(tag: int) -> None:
    with pytest.raises(ValueError, match="is no tag"):
        Tlv(tag=tag, value=b"")


def test_the_repr_does_not_show_the_value() -> None:
    assert repr(Tlv(tag=0xDF22, value="番号　花子".encode())) == f"Tlv(tag={0xDF22})"
