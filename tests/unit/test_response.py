"""Response APDUs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.errors import MalformedResponseError
from apdu.response import ResponseApdu


@given(st.binary(max_size=400))
def test_any_bytes_are_an_answer_or_malformed(raw: bytes) -> None:
    try:
        response = ResponseApdu.decode(raw)
    except MalformedResponseError:
        return
    assert response.encode() == raw


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_fewer_than_two_bytes_are_no_answer(raw: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        ResponseApdu.decode(raw)


def test_the_longest_extended_answer_is_one_and_a_longer_one_is_not() -> None:
    longest = b"\x00" * 65536 + b"\x90\x00"
    assert len(ResponseApdu.decode(longest).data) == 65536
    with pytest.raises(MalformedResponseError):
        ResponseApdu.decode(b"\x00" + longest)


@pytest.mark.parametrize("sw", [0x0000, 0x5FFF, 0x6000, 0x60FF, 0x7000, 0x8000, 0xA000, 0xFFFF])
def test_a_number_that_cannot_be_a_status_word_is_malformed(sw: int) -> None:
    with pytest.raises(MalformedResponseError):
        ResponseApdu.decode(sw.to_bytes(2))


@pytest.mark.parametrize("sw", [0x6100, 0x63C2, 0x6FFF, 0x9000, 0x9FFF])
def test_an_odd_status_word_is_still_an_answer(sw: int) -> None:
    assert ResponseApdu.decode(sw.to_bytes(2)) == ResponseApdu(data=b"", sw=sw)


def test_the_repr_does_not_show_the_data() -> None:
    assert repr(ResponseApdu(data=b"MIHON", sw=0x9000)) == "ResponseApdu(sw=36864)"
