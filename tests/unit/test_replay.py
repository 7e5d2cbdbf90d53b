"""Playing back a trace."""

import io
from collections.abc import Callable

import pytest

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import CardRemovedError, ExchangeInterrupted, TransportError
from apdu.trace import Trace
from apdu.transports.loopback import LoopbackTransport
from apdu.transports.replay import ReplayError, ReplayTransport

VERIFY = CommandApdu(ins=0x20, p1=0x00, p2=0x80, data=b"1234")
READ = CommandApdu(ins=0xB0, p1=0x00, p2=0x00, ne=256)


class Card:
    def execute(self, command: bytes, /) -> bytes:
        return b"\x63\xc2" if command[1] == VERIFY.ins else b"\x30\x00\x90\x00"


def _recording() -> list[str]:
    stream = io.StringIO()
    channel = Channel(LoopbackTransport(Card()), trace=Trace(stream, include_data=True))
    channel.send(VERIFY)
    channel.send(READ)
    return stream.getvalue().splitlines()


def test_a_trace_with_data_plays_back_with_any_pin() -> None:
    transport = ReplayTransport(["# a comment", "", *_recording()], atr=b"\x3b\x00")
    channel = Channel(transport)
    other_pin = CommandApdu(ins=0x20, p1=0x00, p2=0x80, data=b"9999")
    assert channel.send(other_pin).sw == 0x63C2
    assert channel.expect(READ) == b"\x30\x00"
    assert transport.rest == ()
    assert (transport.reader_name, transport.atr) == ("replay", b"\x3b\x00")


def test_another_command_than_the_recorded_one_is_no_behaviour_of_a_card() -> None:
    with pytest.raises(ReplayError, match="00 20 00 80"):
        ReplayTransport(_recording()).transmit(READ.encode())


def test_the_end_of_the_recording_is_named() -> None:
    with pytest.raises(ReplayError, match="end of the recording"):
        ReplayTransport([]).transmit(READ.encode())


@pytest.mark.parametrize("line", ["< 9000 (2 bytes)", "< 90", "> 00 B0 00 00", ""])
def test_a_recording_without_its_data_is_not_played(line: str) -> None:
    with pytest.raises(ReplayError, match="not an answer"):
        ReplayTransport(["> 00 B0 00 00 Le=00", line]).transmit(READ.encode())


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("! card-removed", CardRemovedError),
        ("! transport", TransportError),
        ("! interrupted", ExchangeInterrupted),
    ],
)
def test_a_recorded_failure_fails_again(line: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        ReplayTransport(["> 00 B0 00 00 Le=00", line]).transmit(READ.encode())


def test_transactions_and_closing_work_as_with_a_card() -> None:
    def use(call: Callable[[], object]) -> type[BaseException]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (the type is what is compared)
            call()
        return caught.type

    with ReplayTransport(_recording()) as transport:
        transport.begin_transaction()
        assert use(transport.begin_transaction) is RuntimeError
        transport.end_transaction(power_off=True)
    assert len(transport.rest) == 4
    assert use(transport.begin_transaction) is TransportError
    assert use(lambda: transport.transmit(b"\x00\x84\x00\x00")) is TransportError
