"""The redacted log of exchanges."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.command import CommandApdu
from apdu.trace import Trace, format_command

SECRET = b"ABC123XYZ"


def _lines(command: bytes, response: bytes, *, include_data: bool, sensitive: bool = False) -> str:
    stream = io.StringIO()
    trace = Trace(stream, include_data=include_data)
    trace.sent(command, sensitive=sensitive)
    trace.received(response)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("00200080 04 31323334", "00 20 00 80 [redacted]"),
        ("00200080", "00 20 00 80"),
        ("00B00000 00", "00 B0 00 00 Le=00"),
        ("00B00000 000000", "00 B0 00 00 Le=0000"),
        ("00A4020C 02 0001", "00 A4 02 0C Lc=02 0001"),
        ("802A0080 02 3031 00", "80 2A 00 80 Lc=02 Le=00"),
    ],
)
def test_a_command_is_shown_with_its_header_and_lengths(command: str, line: str) -> None:
    assert format_command(bytes.fromhex(command)) == line


def test_data_are_shown_on_request_only() -> None:
    command, response = bytes.fromhex("802A0080 02 3031 00"), b"\xca\xfe\x90\x00"
    assert _lines(command, response, include_data=False) == (
        "> 80 2A 00 80 Lc=02 Le=00\n< 9000 (2 bytes)\n"
    )
    assert _lines(command, response, include_data=True) == (
        "> 80 2A 00 80 Lc=02 3031 Le=00\n< 9000 (2 bytes) CAFE\n"
    )


def _shows_secret(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    return SECRET.decode() in plain or SECRET.hex().upper() in plain


@pytest.mark.parametrize("include_data", [False, True])
@pytest.mark.parametrize("ins", [0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D])
@pytest.mark.parametrize(
    "body",
    [
        bytes((len(SECRET),)) + SECRET,
        bytes((len(SECRET),)) + SECRET + b"\x00",
        b"\x00\x00" + bytes((len(SECRET),)) + SECRET,
        SECRET,
        b"\x04" + SECRET,
        b"\xff" + SECRET,
        b"\x00" + SECRET,
    ],
    ids=["short", "with Le", "extended", "no Lc", "Lc too small", "Lc too large", "half extended"],
)
def test_a_pin_is_never_shown_however_it_is_encoded(
    ins: int, body: bytes, *, include_data: bool
) -> None:
    command = bytes((0x00, ins, 0x00, 0x80)) + body
    # A card that repeats what it was told gives nothing away either.
    assert not _shows_secret(_lines(command, SECRET + b"\x90\x00", include_data=include_data))


def test_what_the_caller_calls_sensitive_is_not_shown_either() -> None:
    command = CommandApdu(ins=0x88, p1=0, p2=0, data=SECRET).encode()
    text = _lines(command, SECRET + b"\x90\x00", include_data=True, sensitive=True)
    assert text == "> 00 88 00 00 [redacted]\n< 9000 (9 bytes)\n"


@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
def test_any_bytes_make_one_ascii_line_each(
    command: bytes, response: bytes, include_data: bool
) -> None:
    text = _lines(command, response, include_data=include_data)
    assert text.isascii()
    assert [line[:2] for line in text.splitlines()] == ["> ", "< "]


@pytest.mark.parametrize("response", [b"", b"\x90"])
def test_an_answer_that_is_none_is_shown_as_such(response: bytes) -> None:
    text = _lines(b"\x00\xb0\x00\x00", response, include_data=True)
    assert text.endswith(f"< [malformed] ({len(response)} bytes)\n")


class BrokenStream(io.StringIO):
    """A pipe nobody reads any more."""

    attempts = 0

    def write(self, text: str) -> int:
        self.attempts += 1
        raise BrokenPipeError


def test_a_stream_that_breaks_does_not_break_the_exchange() -> None:
    stream = BrokenStream()
    trace = Trace(stream)
    trace.sent(b"\x00\x20\x00\x80")
    trace.received(b"\x90\x00")
    assert stream.attempts == 1


def test_a_stream_that_was_closed_does_not_break_the_exchange() -> None:
    stream = io.StringIO()
    trace = Trace(stream)
    stream.close()
    trace.failed("card-removed")


class UnflushedStream(io.StringIO):
    flushed = ""

    def flush(self) -> None:
        self.flushed = self.getvalue()


def test_a_command_is_in_the_log_before_its_answer_is_there() -> None:
    stream = UnflushedStream()
    Trace(stream).sent(b"\x00\xb0\x00\x00\x00")
    assert stream.flushed == "> 00 B0 00 00 Le=00\n"


def test_the_length_of_a_password_is_not_shown() -> None:
    short, long = (
        format_command(CommandApdu(ins=0x20, p1=0, p2=0x80, data=data).encode())
        for data in (b"ABC123", b"ABCDEFGH12345678")
    )
    assert short == long
