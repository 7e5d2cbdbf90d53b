"""Answers To Reset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.atr import Atr
from apdu.errors import MalformedResponseError


@pytest.mark.parametrize(
    ("raw", "protocols", "historical_bytes"),
    [
        ("3BE000FF8131FE4514", (1,), ""),
        ("3BDA13FF8131FB46801239 2F31C173C601C03B", (1,), "8012392F31C173C601C0"),
        ("3BC5FF8131FB458073C601000 0", (1,), "8073C60100"),
        ("3BF59100FF918171FE40004200010 0D1D6", (1,), "42000100D1"),
        ("3B888001000005E0B381A1007F", (0, 1), "000005E0B381A100"),
        ("3B80800101", (0, 1), ""),
        ("3B021450", (0,), "1450"),
        ("3F00", (0,), ""),
    ],
)
def test_the_parts_of_an_atr(raw: str, protocols: tuple[int, ...], historical_bytes: str) -> None:
    atr = Atr.decode(bytes.fromhex(raw.replace(" ", "")))
    assert atr.protocols == protocols
    assert atr.historical_bytes.hex().upper() == historical_bytes


@given(st.binary(max_size=40))
def test_any_bytes_are_an_atr_or_malformed(raw: bytes) -> None:
    try:
        assert Atr.decode(raw).raw == raw
    except MalformedResponseError:
        return


@given(st.binary(max_size=38).map(b"\x3b".__add__))
def test_any_bytes_after_ts_are_an_atr_or_malformed(raw: bytes) -> None:
    try:
        assert len(Atr.decode(raw).historical_bytes) <= 15
    except MalformedResponseError:
        return


def test_a_cut_off_or_damaged_atr_is_malformed() -> None:
    sound = bytes.fromhex("3B888001000005E0B381A1007F")
    for end in range(len(sound)):
        with pytest.raises(MalformedResponseError):
            Atr.decode(sound[:end])
    with pytest.raises(MalformedResponseError, match="check byte"):
        Atr.decode(sound[:-1] + b"\x00")
    with pytest.raises(MalformedResponseError):
        Atr.decode(sound + b"\x00")
