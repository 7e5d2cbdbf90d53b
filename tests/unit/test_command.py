"""Command APDUs: the four cases, short and extended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.command import CommandApdu

BYTE = st.integers(0, 255)
COMMANDS = st.builds(
    CommandApdu,
    cla=BYTE,
    ins=BYTE,
    p1=BYTE,
    p2=BYTE,
    data=st.one_of(st.binary(max_size=300), st.sampled_from([b"\x00" * 65535, b"\x01" * 256])),
    ne=st.one_of(st.integers(0, 65536), st.sampled_from([0, 1, 255, 256, 257, 65535, 65536])),
)


@pytest.mark.parametrize(
    ("data", "ne", "encoded"),
    [
        ("", 0, "00A40400"),
        ("", 1, "00A40400 01"),
        ("", 256, "00A40400 00"),
        ("", 257, "00A40400 000101"),
        ("", 65536, "00A40400 000000"),
        ("3F00", 0, "00A40400 02 3F00"),
        ("3F00", 256, "00A40400 02 3F00 00"),
        ("3F00", 65536, "00A40400 000002 3F00 0000"),
        ("FF" * 255, 256, "00A40400 FF" + "FF" * 255 + "00"),
        ("FF" * 256, 0, "00A40400 000100" + "FF" * 256),
        ("FF" * 256, 256, "00A40400 000100" + "FF" * 256 + "0100"),
    ],
)
def test_each_case_is_encoded_as_the_standard_says(data: str, ne: int, encoded: str) -> None:
    command = CommandApdu(ins=0xA4, p1=0x04, p2=0x00, data=bytes.fromhex(data), ne=ne)
    assert command.encode() == bytes.fromhex(encoded)


@given(COMMANDS)
def test_what_was_encoded_is_decoded_to_the_same_command(command: CommandApdu) -> None:
    assert CommandApdu.decode(command.encode()) == command


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_or_a_value_error(raw: bytes) -> None:
    try:
        command = CommandApdu.decode(raw)
    except ValueError:
        return
    # Not the same bytes: an extended form that a short one could replace is legal.
    assert CommandApdu.decode(command.encode()) == command


@given(COMMANDS, st.data())
def test_a_command_cut_off_in_its_data_is_no_command(
    command: CommandApdu, data: st.DataObject
) -> None:
    if len(command.data) < 2:
        return
    head = 7 if command.is_extended else 5
    # From one byte of data on: before that a cut-off command can look like another case.
    cut = data.draw(st.integers(head + 1, head + len(command.data) - 1))
    with pytest.raises(ValueError, match="Lc is"):
        CommandApdu.decode(command.encode()[:cut])


@pytest.mark.parametrize(
    "raw", ["", "00A404", "00A40400 0000", "00A40400 000000 00", "00A40400 02 01"]
)
def test_lengths_that_do_not_add_up_are_refused(raw: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the type is the contract, not the words)
        CommandApdu.decode(bytes.fromhex(raw))


@pytest.mark.parametrize(
    "wrong",
    [
        {"cla": 256},
        {"ins": -1},
        {"p1": 256},
        {"p2": 256},
        {"ne": -1},
        {"ne": 65537},
        {"data": b"\x00" * 65536},
    ],
)
def test_a_field_out_of_range_is_a_programmers_error(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must be|does not fit|the most are"):
        CommandApdu(**({"ins": 0, "p1": 0, "p2": 0} | wrong))  # type: ignore[arg-type]


def test_the_repr_does_not_show_the_data() -> None:
    command = CommandApdu(ins=0x20, p1=0, p2=0x80, data=b"1234", sensitive=True)
    assert "1234" not in repr(command)
    assert "31323334" not in repr(command)
