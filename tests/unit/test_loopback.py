"""The transport to a card in this process."""

import pytest

from apdu.errors import CardRemovedError, CardSilentError, ExchangeInterrupted, TransportError
from apdu.transports.base import Transport
from apdu.transports.loopback import LoopbackTransport


class Card:
    """Echoes what it is told, or raises what it is given; remembers its power."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.power: list[str] = []

    def power_on(self) -> bytes:
        self.power.append("on")
        return b"\x3b\x00"

    def power_off(self) -> None:
        self.power.append("off")
        if self.failure:
            raise self.failure

    def execute(self, command: bytes, /) -> bytes:
        if self.failure:
            raise self.failure
        return command + b"\x90\x00"


class BareCard:
    def execute(self, command: bytes, /) -> bytes:
        return b"\x90\x00"


def test_a_card_is_powered_on_and_answers() -> None:
    transport: Transport = LoopbackTransport(Card())
    assert transport.reader_name == "emulator"
    assert transport.atr == b"\x3b\x00"
    assert transport.transmit(b"\x00\x84\x00\x00") == b"\x00\x84\x00\x00\x90\x00"


def test_execute_alone_is_enough_of_a_card() -> None:
    with LoopbackTransport(BareCard(), reader_name="shoe box") as transport:
        transport.begin_transaction()
        assert transport.transmit(b"\x00\x84\x00\x00") == b"\x90\x00"
        transport.end_transaction(power_off=True)
        assert (transport.reader_name, transport.atr) == ("shoe box", b"")


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (ConnectionResetError(), CardRemovedError),
        (BrokenPipeError(), CardRemovedError),
        (TimeoutError(), CardSilentError),
        (KeyboardInterrupt(), ExchangeInterrupted),
    ],
)
def test_builtin_exceptions_of_the_card_become_ours(
    failure: BaseException, error: type[BaseException]
) -> None:
    with pytest.raises(error) as caught:
        LoopbackTransport(Card(failure)).transmit(b"\x00\x84\x00\x00")
    assert type(caught.value) is error


def test_a_card_that_knows_its_answer_at_ctrl_c_hands_it_on() -> None:
    with pytest.raises(ExchangeInterrupted) as caught:
        LoopbackTransport(Card(ExchangeInterrupted(b"\x63\xc2"))).transmit(b"\x00\x20\x00\x80")
    assert caught.value.response == b"\x63\xc2"


def test_a_transaction_that_ends_with_power_off_leaves_a_cold_started_card() -> None:
    card = Card()
    transport = LoopbackTransport(card)
    transport.begin_transaction()
    transport.end_transaction(power_off=True)
    assert card.power == ["on", "off", "on"]


def test_a_transaction_that_ends_without_leaves_the_card_as_it_is() -> None:
    card = Card()
    with LoopbackTransport(card) as transport:
        transport.begin_transaction()
        transport.end_transaction(power_off=False)
    assert card.power == ["on"]


def test_closing_inside_a_transaction_cuts_the_power() -> None:
    card = Card()
    with LoopbackTransport(card) as transport:
        transport.begin_transaction()
    assert "off" in card.power


def test_a_second_transaction_inside_the_first_is_a_programmers_error() -> None:
    transport = LoopbackTransport(Card())
    transport.begin_transaction()
    with pytest.raises(RuntimeError):
        transport.begin_transaction()


def test_a_closed_transport_says_so_and_may_be_closed_again() -> None:
    transport = LoopbackTransport(Card())
    transport.close()
    transport.close()
    with pytest.raises(TransportError, match="closed"):
        transport.transmit(b"\x00\x84\x00\x00")
    with pytest.raises(TransportError, match="closed"):
        transport.begin_transaction()


def test_a_card_that_is_gone_does_not_hide_the_first_error() -> None:
    def work() -> None:
        card = Card()
        with LoopbackTransport(card) as transport:
            transport.begin_transaction()
            card.failure = ConnectionResetError()
            raise LookupError("the first error")

    with pytest.raises(LookupError):
        work()
