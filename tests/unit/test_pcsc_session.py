"""The calls into PC/SC, with a fake one: what the real one does only when things go wrong."""

from types import ModuleType
from typing import Any, cast

import pytest
from smartcard import scard  # noqa: TID251 (its numbers)
from support.fake_scard import EMPTY, OK, PRESENT, READER, FakeScard

from apdu.errors import (
    CardInUseError,
    CardRemovedError,
    CardResetError,
    NoReaderError,
    PcscUnavailableError,
    TransportError,
)
from apdu.transports.pcsc_session import PcscSession


def _connected(fake: FakeScard) -> PcscSession:
    session = PcscSession(cast("ModuleType", fake))
    session.establish()
    session.connect(READER)
    fake.log.clear()
    return session


def test_connecting_is_shared_and_by_either_protocol() -> None:
    fake = FakeScard()
    session = PcscSession(cast("ModuleType", fake))
    session.establish()
    assert session.connect(READER) == b"\x3b\x00"
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    assert ("SCardConnect", 100, READER, scard.SCARD_SHARE_SHARED, protocols) in fake.log


def test_a_reset_by_others_before_a_transaction_is_acknowledged() -> None:
    fake = FakeScard(BeginTransaction=[scard.SCARD_W_RESET_CARD, scard.SCARD_W_RESET_CARD, OK])
    session = _connected(fake)
    session.begin_transaction(timeout_s=10)
    assert fake.names.count("Connect") == 2
    assert ("SCardDisconnect", 7, scard.SCARD_LEAVE_CARD) in fake.log
    assert fake.names[-1] == "BeginTransaction"


def test_resets_without_end_do_not_hold_us_for_ever() -> None:
    fake = FakeScard(BeginTransaction=[scard.SCARD_W_RESET_CARD] * 3)
    with pytest.raises(CardResetError):
        _connected(fake).begin_transaction(timeout_s=0)


def test_a_card_that_was_reset_and_then_taken_away_is_removed() -> None:
    connected = (OK, 7, scard.SCARD_PROTOCOL_T1)
    fake = FakeScard(
        BeginTransaction=[scard.SCARD_W_RESET_CARD],
        Connect=[connected, (scard.SCARD_E_NO_SMARTCARD, 0, 0)],
    )
    session = _connected(fake)
    with pytest.raises(CardRemovedError):
        session.begin_transaction(timeout_s=10)
    with pytest.raises(TransportError, match="lost"):
        session.transmit(b"\x00\x84\x00\x00")


def test_a_card_that_was_swapped_and_reset_is_not_the_same_card() -> None:
    fake = FakeScard(
        BeginTransaction=[scard.SCARD_W_RESET_CARD],
        GetStatusChange=[
            (OK, [(READER, PRESENT, [0x3B])]),
            (OK, [(READER, PRESENT + (2 << 16), [0x3B])]),
        ],
    )
    with pytest.raises(CardRemovedError):
        _connected(fake).begin_transaction(timeout_s=10)


def test_a_reset_inside_a_transaction_is_an_error_and_nothing_is_sent_again() -> None:
    fake = FakeScard(Transmit=[(scard.SCARD_W_RESET_CARD, [])])
    session = _connected(fake)
    session.begin_transaction(timeout_s=10)
    with pytest.raises(CardResetError):
        session.transmit(b"\x00\x20\x00\x80")
    assert fake.names.count("Transmit") == 1


@pytest.mark.parametrize(
    ("power_off", "disposition"),
    [(True, scard.SCARD_UNPOWER_CARD), (False, scard.SCARD_LEAVE_CARD)],
)
def test_the_power_falls_in_the_call_that_ends_the_transaction(
    disposition: int, *, power_off: bool
) -> None:
    fake = FakeScard()
    session = _connected(fake)
    session.begin_transaction(timeout_s=10)
    session.end_transaction(power_off=power_off)
    session.end_transaction(power_off=power_off)
    assert fake.log[1:] == [("SCardEndTransaction", 7, disposition)]


def test_a_transaction_that_cannot_end_with_power_off_costs_the_connection() -> None:
    fake = FakeScard(EndTransaction=[scard.SCARD_W_RESET_CARD])
    session = _connected(fake)
    session.begin_transaction(timeout_s=10)
    with pytest.raises(CardResetError):
        session.end_transaction(power_off=True)
    assert fake.log[-1] == ("SCardDisconnect", 7, scard.SCARD_UNPOWER_CARD)
    with pytest.raises(CardResetError):
        session.transmit(b"\x00\x84\x00\x00")


@pytest.mark.parametrize("answer", [[], [0x90]])
def test_a_short_answer_of_a_card_that_then_is_gone_is_a_pull(answer: list[int]) -> None:
    fake = FakeScard(
        Transmit=[(OK, answer)],
        GetStatusChange=[
            (OK, [(READER, PRESENT, [0x3B])]),
            (OK, [(READER, PRESENT, [0x3B])]),
            (OK, [(READER, EMPTY, [])]),
        ],
    )
    session = _connected(fake)
    with pytest.raises(CardRemovedError):
        session.transmit(b"\x00\x84\x00\x00")
    # The second look tells the first one's state, so PC/SC waits for a change of it.
    assert fake.log[-1][3] == [(READER, PRESENT)]


def test_a_short_answer_of_a_card_that_stays_is_handed_on() -> None:
    fake = FakeScard(
        Transmit=[(OK, [0x90])],
        GetStatusChange=[
            (OK, [(READER, PRESENT, [0x3B])]),
            (OK, [(READER, PRESENT, [0x3B])]),
            (scard.SCARD_E_TIMEOUT, [(READER, PRESENT, [0x3B])]),
        ],
    )
    assert _connected(fake).transmit(b"\x00\x84\x00\x00") == b"\x90"


def test_a_failed_exchange_of_a_card_that_then_is_gone_is_a_pull() -> None:
    fake = FakeScard(
        Transmit=[(scard.SCARD_E_NOT_TRANSACTED, [])],
        GetStatusChange=[(OK, [(READER, PRESENT, [])]), (OK, [(READER, EMPTY, [])])],
    )
    with pytest.raises(CardRemovedError):
        _connected(fake).transmit(b"\x00\x84\x00\x00")


def test_a_failed_exchange_with_a_dead_service_fails_as_it_did() -> None:
    fake = FakeScard(
        Transmit=[(scard.SCARD_E_SERVICE_STOPPED, [])],
        GetStatusChange=[(OK, [(READER, PRESENT, [])]), (scard.SCARD_E_NO_SERVICE, [])],
    )
    with pytest.raises(TransportError, match="0x8010001E"):
        _connected(fake).transmit(b"\x00\x84\x00\x00")


@pytest.mark.parametrize("power_off", [True, False])
def test_clearing_up_goes_on_whatever_fails_and_happens_once(*, power_off: bool) -> None:
    failure = scard.SCARD_E_INVALID_HANDLE
    fake = FakeScard(EndTransaction=[failure], Disconnect=[failure], ReleaseContext=[failure])
    session = _connected(fake)
    session.begin_transaction(timeout_s=10)
    session.release(power_off=power_off)
    session.release(power_off=power_off)
    assert fake.names[-1] == "ReleaseContext"
    assert fake.names.count("Disconnect") == fake.names.count("ReleaseContext") == 1


@pytest.mark.parametrize(
    ("used", "disposition"),
    [(True, scard.SCARD_UNPOWER_CARD), (False, scard.SCARD_LEAVE_CARD)],
)
def test_an_abandoned_card_loses_its_power_if_it_got_a_command(
    disposition: int, *, used: bool
) -> None:
    fake = FakeScard()
    session = _connected(fake)
    session.begin_transaction(timeout_s=10)
    if used:
        session.transmit(b"\x00\x20\x00\x80")
    session.clean_up()
    assert ("SCardDisconnect", 7, disposition) in fake.log


@pytest.mark.parametrize(
    ("function", "result", "error"),
    [
        ("EstablishContext", (scard.SCARD_E_NO_SERVICE, 0), PcscUnavailableError),
        ("ListReaders", (scard.SCARD_E_NO_READERS_AVAILABLE, []), NoReaderError),
        ("Connect", (scard.SCARD_E_SHARING_VIOLATION, 0, 0), CardInUseError),
        ("Connect", (scard.SCARD_E_SHARING_VIOLATION - (1 << 32), 0, 0), CardInUseError),
    ],
)
def test_a_failure_is_ours_even_as_windows_signs_it(
    function: str, result: tuple[Any, ...], error: type[Exception]
) -> None:
    session = PcscSession(cast("ModuleType", FakeScard(**{function: [result]})))

    def use() -> None:
        session.establish()
        session.states()
        session.connect(READER)

    with pytest.raises(error):
        use()
