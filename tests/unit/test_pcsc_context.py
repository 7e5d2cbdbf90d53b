"""Readers and connections, with a fake PC/SC: services that die, cards that hang, macOS."""

import threading
from collections.abc import Iterator

import pytest
from smartcard import scard  # noqa: TID251 (its numbers)
from support.fake_scard import EMPTY, OK, PRESENT, READER, FakeScard

from apdu.errors import CardInUseError, CardSilentError, NoReaderError, PcscUnavailableError
from apdu.transports import pcsc
from apdu.transports.pcsc import PcscContext
from apdu.transports.pcsc_session import PNP_READER
from apdu.transports.worker import Worker

SHARED = (OK, [(READER, PRESENT | scard.SCARD_STATE_INUSE, [0x3B])])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeScard:
    fake = FakeScard()
    monkeypatch.setattr(pcsc, "_load_scard", lambda: fake)
    return fake


@pytest.fixture
def hang(fake: FakeScard, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make SCardConnect hang until the test ends."""
    let_go = threading.Event()

    def connect(*_: object) -> tuple[int, int, int]:
        let_go.wait(20)
        return (scard.SCARD_E_TIMEOUT, 0, 0)

    monkeypatch.setattr(fake, "SCardConnect", connect, raising=False)
    yield
    let_go.set()


def test_a_service_that_died_is_asked_afresh_when_it_is_back(fake: FakeScard) -> None:
    with PcscContext() as context:
        fake.prepare("ListReaders", (scard.SCARD_E_SERVICE_STOPPED, []))
        with pytest.raises(PcscUnavailableError):
            context.readers()
        assert [reader.name for reader in context.readers()] == [READER]
    assert fake.names.count("EstablishContext") == fake.names.count("ReleaseContext") == 2


def test_a_service_that_refuses_leaves_nothing_open(fake: FakeScard) -> None:
    fake.prepare("EstablishContext", (scard.SCARD_E_NO_SERVICE, 0))
    with pytest.raises(PcscUnavailableError):
        PcscContext()
    assert "ReleaseContext" not in fake.names


def test_no_reader_is_an_error_with_a_name(fake: FakeScard) -> None:
    fake.prepare("ListReaders", (scard.SCARD_E_NO_READERS_AVAILABLE, []))
    with PcscContext() as context, pytest.raises(NoReaderError):
        context.readers()


@pytest.mark.usefixtures("hang")
def test_a_card_that_hangs_while_others_share_it_is_in_use(fake: FakeScard) -> None:
    with PcscContext(call_timeout_s=0.2) as context:
        fake.prepare("GetStatusChange", SHARED, SHARED)
        with pytest.raises(CardInUseError):
            context.connect(READER, busy_timeout_s=0.05)


@pytest.mark.usefixtures("hang")
def test_a_card_that_hangs_for_us_alone_is_silent(fake: FakeScard) -> None:
    with PcscContext(call_timeout_s=0.2) as context, pytest.raises(CardSilentError):
        context.connect(READER, busy_timeout_s=0.05)


@pytest.mark.parametrize(
    ("flags", "moved"),
    [
        (PRESENT, False),
        (PRESENT | scard.SCARD_STATE_INUSE, False),
        (PRESENT | scard.SCARD_STATE_EXCLUSIVE, False),
        (EMPTY, True),
        (PRESENT + (2 << 16), True),
    ],
    ids=["the same", "shared meanwhile", "exclusive meanwhile", "taken out", "swapped"],
)
def test_only_a_card_that_comes_or_goes_ends_the_waiting(
    fake: FakeScard, flags: int, *, moved: bool
) -> None:
    with PcscContext() as context:
        context.readers()
        fake.prepare("GetStatusChange", (OK, [(READER, flags | scard.SCARD_STATE_CHANGED, [])]))
        assert context.wait_for_card([READER], timeout_s=0.05) is moved


def test_a_reader_that_comes_ends_the_waiting(fake: FakeScard) -> None:
    with PcscContext() as context:
        context.readers()
        changed = scard.SCARD_STATE_CHANGED
        fake.prepare("GetStatusChange", (OK, [(PNP_READER, changed, [])]))
        assert context.wait_for_card([READER], timeout_s=5)


def test_a_reader_that_comes_is_seen_where_no_event_tells_of_it(
    fake: FakeScard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc, "_HAS_PNP_READER", False)
    monkeypatch.setattr(pcsc, "_WATCH_SLICE_S", 0.01)
    with PcscContext() as context:
        fake.prepare("ListReaders", *[(scard.SCARD_E_NO_READERS_AVAILABLE, [])] * 2)
        with pytest.raises(NoReaderError):
            context.readers()
        assert context.wait_for_card([], timeout_s=5)


def test_a_card_loses_its_power_although_ctrl_c_came_before_its_transaction_could_end(
    fake: FakeScard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with PcscContext() as context, context.connect(READER) as transport:
        transport.begin_transaction()
        transport.transmit(b"\x00\x20\x00\x80\x041848")
        with monkeypatch.context() as patch:
            patch.setattr(Worker, "call", interrupted)
            with pytest.raises(KeyboardInterrupt):
                transport.end_transaction(power_off=True)
    assert ("SCardDisconnect", 7, scard.SCARD_UNPOWER_CARD) in fake.log
