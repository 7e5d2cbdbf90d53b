"""Whole answers: GET RESPONSE and Le correction, and what is never sent twice."""

import io
from collections.abc import Iterable, Iterator

import pytest

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import (
    CardRemovedError,
    ExchangeInterrupted,
    MalformedResponseError,
    StatusWordError,
    TransportError,
)
from apdu.response import ResponseApdu
from apdu.trace import Trace
from apdu.transports.loopback import LoopbackTransport

READ = CommandApdu(ins=0xB0, p1=0, p2=0, ne=256)
SENT_ONCE = [
    CommandApdu(ins=0x20, p1=0x00, p2=0x80, data=b"1234"),
    CommandApdu(ins=0x24, p1=0x01, p2=0x80, data=b"5678"),
    CommandApdu(ins=0x2C, p1=0x00, p2=0x80, data=b"5678"),
    CommandApdu(cla=0x80, ins=0x2A, p1=0x00, p2=0x80, data=b"\x30", ne=256),
]


class Script:
    """A card that gives prepared answers, and remembers what it was asked."""

    def __init__(self, answers: Iterable[bytes | BaseException]) -> None:
        self.commands: list[bytes] = []
        self._answers: Iterator[bytes | BaseException] = iter(answers)

    def execute(self, command: bytes, /) -> bytes:
        self.commands.append(command)
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _forever(answer: bytes) -> Iterator[bytes]:
    while True:
        yield answer


def _send(command: CommandApdu, *answers: bytes) -> tuple[ResponseApdu, list[str]]:
    card = Script(answers)
    response = Channel(LoopbackTransport(card)).send(command)
    return response, [sent.hex().upper() for sent in card.commands]


def _sw(sw: int) -> bytes:
    return sw.to_bytes(2)


def test_a_plain_answer_is_returned_after_one_exchange() -> None:
    response, sent = _send(READ, b"abc" + _sw(0x9000))
    assert response == ResponseApdu(data=b"abc", sw=0x9000)
    assert sent == ["00B0000000"]


def test_a_chained_answer_is_put_together() -> None:
    response, sent = _send(READ, b"ab" + _sw(0x6103), b"cde" + _sw(0x6101), b"f" + _sw(0x9000))
    assert response == ResponseApdu(data=b"abcdef", sw=0x9000)
    assert sent == ["00B0000000", "00C0000003", "00C0000001"]


def test_6100_stands_for_256_bytes() -> None:
    response, sent = _send(READ, _sw(0x6100), b"\x55" * 256 + _sw(0x9000))
    assert len(response.data) == 256
    assert sent[1] == "00C0000000"


@pytest.mark.parametrize(
    ("cla", "get_response_cla"),
    [
        (0x00, "00"),
        (0x01, "01"),
        (0x13, "03"),
        (0x0C, "00"),
        (0x80, "00"),
        (0x84, "00"),
        (0x47, "47"),
    ],
)
def test_get_response_keeps_only_the_logical_channel(cla: int, get_response_cla: str) -> None:
    command = CommandApdu(cla=cla, ins=0x2A, p1=0, p2=0x80, data=b"\x30", ne=256)
    _, sent = _send(command, _sw(0x6101), b"s" + _sw(0x9000))
    assert sent[1] == get_response_cla + "C0000001"


def test_a_chained_answer_may_come_in_smaller_pieces_than_promised() -> None:
    response, sent = _send(READ, _sw(0x6104), b"ab" + _sw(0x6102), b"cd" + _sw(0x9000))
    assert response.data == b"abcd"
    assert len(sent) == 3


def test_an_error_in_the_middle_of_a_chain_is_the_status_word() -> None:
    response, _ = _send(READ, b"ab" + _sw(0x6102), _sw(0x6F00))
    assert response.sw == 0x6F00


@pytest.mark.parametrize(
    "answers",
    [
        [_sw(0x6105), b"\x55" * 300 + _sw(0x9000)],
        [_sw(0x6105), b"\x55" * 6 + _sw(0x9000)],
        [_sw(0x6105), b"\x55" * 4 + _sw(0x9000)],
        [_sw(0x6100), _sw(0x9000)],
        [_sw(0x6105), _sw(0x6105)],
    ],
    ids=["far more", "one more", "one less", "nothing", "nothing, and more to come"],
)
def test_a_card_that_does_not_keep_its_promise_is_malformed(answers: list[bytes]) -> None:
    with pytest.raises(MalformedResponseError):
        _send(READ, *answers)


def test_a_chain_without_end_stops_after_the_rounds_that_are_allowed() -> None:
    card = Script(_forever(b"a" + _sw(0x6101)))
    with pytest.raises(MalformedResponseError, match="no end"):
        Channel(LoopbackTransport(card)).send(READ)
    assert len(card.commands) == 1 + 64


def test_a_chain_without_end_stops_at_the_bytes_that_are_allowed() -> None:
    card = Script(_forever(b"a" * 256 + _sw(0x6100)))
    with pytest.raises(MalformedResponseError, match="beyond 1000 bytes"):
        Channel(LoopbackTransport(card), max_bytes=1000).send(READ)
    assert len(card.commands) == 4


def test_a_wrong_le_is_corrected_once() -> None:
    response, sent = _send(READ, _sw(0x6C05), b"abcde" + _sw(0x9000))
    assert response.data == b"abcde"
    assert sent == ["00B0000000", "00B0000005"]


def test_6c00_stands_for_256_bytes() -> None:
    command = CommandApdu(ins=0xB0, p1=0, p2=0, ne=5)
    _, sent = _send(command, _sw(0x6C00), b"\x55" * 256 + _sw(0x9000))
    assert sent == ["00B0000005", "00B0000000"]


def test_6cxx_for_ever_is_answered_by_one_repetition() -> None:
    card = Script(_forever(_sw(0x6C05)))
    assert Channel(LoopbackTransport(card)).send(READ).sw == 0x6C05
    assert len(card.commands) == 2


@pytest.mark.parametrize(
    "command",
    [
        CommandApdu(ins=0xA4, p1=2, p2=0x0C, data=b"\x00\x01"),
        CommandApdu(ins=0xB0, p1=0, p2=0, ne=5),
    ],
    ids=["no Le was sent", "the Le was that already"],
)
def test_6cxx_that_corrects_nothing_is_not_followed(command: CommandApdu) -> None:
    response, sent = _send(command, _sw(0x6C05))
    assert response.sw == 0x6C05
    assert len(sent) == 1


def test_get_response_has_its_le_corrected_too() -> None:
    response, sent = _send(READ, _sw(0x6110), _sw(0x6C03), b"abc" + _sw(0x9000))
    assert sent == ["00B0000000", "00C0000010", "00C0000003"]
    assert response.data == b"abc"


@pytest.mark.parametrize("command", SENT_ONCE, ids=lambda command: f"{command.ins:02X}")
@pytest.mark.parametrize("sw", [0x6C00, 0x6C04, 0x6700, 0x6F00, 0x63C2, 0x6982, 0x9000])
def test_pin_and_signature_commands_are_sent_once_whatever_happens(
    command: CommandApdu, sw: int
) -> None:
    response, sent = _send(command, _sw(sw))
    assert response.sw == sw
    assert sent == [command.encode().hex().upper()]


def test_a_signature_that_waits_in_the_card_is_fetched_without_a_second_one() -> None:
    _, sent = _send(SENT_ONCE[-1], _sw(0x6100), b"\x55" * 256 + _sw(0x9000))
    assert [command[2:4] for command in sent] == ["2A", "C0"]


@pytest.mark.parametrize("command", SENT_ONCE, ids=lambda command: f"{command.ins:02X}")
@pytest.mark.parametrize("failure", [ConnectionResetError(), TimeoutError(), KeyboardInterrupt()])
def test_nothing_is_sent_again_after_a_failure(
    command: CommandApdu, failure: BaseException
) -> None:
    card = Script([failure])
    with pytest.raises((TransportError, ExchangeInterrupted)):
        Channel(LoopbackTransport(card)).send(command)
    assert len(card.commands) == 1


@pytest.mark.parametrize("ne", [0, 1, 255, 256])
def test_more_data_than_asked_for_is_malformed(ne: int) -> None:
    with pytest.raises(MalformedResponseError, match=f"where {ne} were asked for"):
        _send(CommandApdu(ins=0xB0, p1=0, p2=0, ne=ne), b"\x55" * (ne + 1) + _sw(0x9000))


def test_an_extended_answer_over_the_bound_is_malformed() -> None:
    card = Script([b"\x55" * 1001 + _sw(0x9000)])
    with pytest.raises(MalformedResponseError):
        Channel(LoopbackTransport(card), max_bytes=1000).send(
            CommandApdu(ins=0xB0, p1=0, p2=0, ne=65536)
        )


@pytest.mark.parametrize("answer", [b"", b"\x90", b"\x00" * 65539])
def test_an_answer_that_is_none_is_malformed(answer: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        _send(READ, answer)


def test_expect_returns_the_data_or_raises_the_status_word() -> None:
    def expect(answer: bytes, *accepted: int) -> bytes:
        return Channel(LoopbackTransport(Script([answer]))).expect(READ, *accepted)

    assert expect(b"a" + _sw(0x9000)) == b"a"
    assert expect(b"a" + _sw(0x6282), 0x9000, 0x6282) == b"a"
    with pytest.raises(StatusWordError) as caught:
        expect(_sw(0x6982))
    assert (caught.value.ins, caught.value.sw) == (0xB0, 0x6982)
    with pytest.raises(StatusWordError):
        expect(_sw(0x9000), 0x6282)


def test_the_trace_has_every_exchange_and_every_failure() -> None:
    stream = io.StringIO()
    card = Script([_sw(0x6102), b"ab" + _sw(0x9000), ConnectionResetError(), KeyboardInterrupt()])
    channel = Channel(LoopbackTransport(card), trace=Trace(stream))
    channel.send(READ)
    with pytest.raises(CardRemovedError):
        channel.send(READ)
    with pytest.raises(ExchangeInterrupted):
        channel.send(READ)
    assert stream.getvalue().splitlines() == [
        "> 00 B0 00 00 Le=00",
        "< 6102 (0 bytes)",
        "> 00 C0 00 00 Le=02",
        "< 9000 (2 bytes)",
        "> 00 B0 00 00 Le=00",
        "! card-removed",
        "> 00 B0 00 00 Le=00",
        "! interrupted",
    ]


def test_the_debug_log_shows_headers_and_status_words_and_no_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="apdu.channel")
    _send(SENT_ONCE[0], _sw(0x63C2))
    assert caplog.messages == ["00 20 00 80 -> 63C2 (0 bytes)"]
