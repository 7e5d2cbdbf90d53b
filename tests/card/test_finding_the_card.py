"""Finding the card among real PC/SC readers, and what is left behind in them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.cards import PASSWORD
from support.vpcd import READERS, Vpcd

from apdu.errors import CardInUseError, NoCardError, NoReaderError
from jpki.emulator import VirtualCard, load_card
from jpki.errors import NotAMyNumberCardError, PinIncorrectError, SeveralCardsError
from jpki.files import PinKind
from jpki.pins import Pin
from jpki.readers import (
    ReaderContent,
    ReaderNotice,
    ReaderNoticeKind,
    ReaderReport,
    open_card,
    survey_readers,
)

pytestmark = pytest.mark.vpcd

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
SELECT_SIGNATURE_KEY = bytes.fromhex("00A4020C02001A")
SIGN = bytes.fromhex("802A0080013000")


class BankCard:
    """A card that knows no JPKI application; it writes down what it was asked."""

    atr = bytes.fromhex("3B021450")

    def __init__(self) -> None:
        self.log: list[bytes] = []

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        self.log.append(b"off")

    def reset(self) -> bytes:
        return self.atr

    def execute(self, command: bytes, /) -> bytes:
        self.log.append(command)
        return b"\x6a\x82"


@pytest.fixture
def another_card(issued_card_path: Path, tmp_path: Path) -> VirtualCard:
    path = tmp_path / "another.json"
    path.write_bytes(issued_card_path.read_bytes())
    return load_card(path)


def test_each_reader_is_listed_with_what_is_in_it(vpcd: Vpcd, virtual_card: VirtualCard) -> None:
    with vpcd.insert(virtual_card), vpcd.insert(BankCard(), slot=1):
        assert survey_readers() == (
            ReaderReport(name=READERS[0], content=ReaderContent.MY_NUMBER),
            ReaderReport(name=READERS[1], content=ReaderContent.OTHER),
        )


def test_looking_into_a_reader_leaves_the_card_under_power(vpcd: Vpcd) -> None:
    card = BankCard()
    with vpcd.insert(card):
        card.log.clear()
        survey_readers()
        assert card.log == [SELECT_JPKI]


def test_a_card_of_another_kind_is_passed_over(vpcd: Vpcd, virtual_card: VirtualCard) -> None:
    with vpcd.insert(BankCard()), vpcd.insert(virtual_card, slot=1), open_card() as card:
        assert card.reader_name == READERS[1]


def test_two_my_number_cards_need_a_name(
    vpcd: Vpcd, virtual_card: VirtualCard, another_card: VirtualCard
) -> None:
    with vpcd.insert(virtual_card), vpcd.insert(another_card, slot=1):
        with pytest.raises(SeveralCardsError) as caught:
            open_card()
        assert caught.value.reader_names == READERS
        with open_card("00 01") as card:
            assert card.reader_name == READERS[1]
        with open_card("1") as card:
            assert card.reader_name == READERS[1]
        with open_card("virtual pcd 00 00") as card:
            assert card.reader_name == READERS[0]


def test_a_name_that_no_reader_has_is_refused_with_those_there_are(vpcd: Vpcd) -> None:
    with pytest.raises(NoReaderError) as caught:
        open_card("Gemalto")
    assert caught.value.available == READERS


def test_an_empty_reader_is_no_card(vpcd: Vpcd) -> None:
    with pytest.raises(NoCardError):
        open_card()


def test_two_cards_and_none_of_them_a_my_number_card(vpcd: Vpcd) -> None:
    with (
        vpcd.insert(BankCard()),
        vpcd.insert(BankCard(), slot=1),
        pytest.raises(NotAMyNumberCardError),
    ):
        open_card()


def test_a_card_that_is_put_on_the_reader_while_waiting_is_taken(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    inserted = []

    def put_card_on_the_reader(notice: object) -> None:
        assert isinstance(notice, ReaderNotice)
        assert notice.kind is ReaderNoticeKind.WAITING_FOR_CARD
        insertion = vpcd.insert(virtual_card)
        insertion.__enter__()
        inserted.append(insertion)

    try:
        with open_card(wait_s=20, notify=put_card_on_the_reader) as card, card.transaction():
            assert card.reader_name == READERS[0]
    finally:
        for insertion in inserted:
            insertion.__exit__(None, None, None)


def signs_without_a_pin(reader: str) -> bool:
    """Whether a bare PC/SC client gets a signature out of the card as it is."""
    script = f"""
from smartcard import scard
_, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
code, card, protocol = scard.SCardConnect(context, {reader!r}, scard.SCARD_SHARE_SHARED, 3)
assert code == 0, hex(code)
for command in {[SELECT_JPKI, SELECT_SIGNATURE_KEY, SIGN]!r}:
    code, answer = scard.SCardTransmit(card, protocol, list(command))
    assert code == 0, hex(code)
print(bytes(answer[-2:]).hex())
scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() in {"9000", "6982"}
    return done.stdout.strip() == "9000"


def test_after_a_transaction_with_a_pin_nobody_else_can_sign(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    with vpcd.insert(virtual_card) as reader:
        with open_card(reader) as card:
            with card.transaction() as application:
                application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
            assert not signs_without_a_pin(reader)
        assert not signs_without_a_pin(reader)


def crash_with_a_verified_pin(reader: str) -> None:
    with open_card(reader) as card, card.transaction() as application:
        application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
        raise RuntimeError


def test_a_program_that_ends_in_an_error_leaves_no_pin_verified(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    with vpcd.insert(virtual_card) as reader:
        with pytest.raises(RuntimeError):
            crash_with_a_verified_pin(reader)
        assert not signs_without_a_pin(reader)


@contextmanager
def held_exclusively(reader: str) -> Iterator[None]:
    """Another program has the card in this reader for itself."""
    script = f"""
import sys
from smartcard import scard
_, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
code, card, _ = scard.SCardConnect(context, {reader!r}, scard.SCARD_SHARE_EXCLUSIVE, 3)
print(code, flush=True)
sys.stdin.read()
scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
scard.SCardReleaseContext(context)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "0\n"
        yield  # leaving the block closes its stdin, and it lets go of the card


def test_a_reader_that_another_program_holds_is_passed_over_and_named(
    vpcd: Vpcd, virtual_card: VirtualCard, another_card: VirtualCard
) -> None:
    notices: list[object] = []
    with (
        vpcd.insert(virtual_card),
        vpcd.insert(another_card, slot=1),
        held_exclusively(READERS[0]),
        open_card(notify=notices.append) as card,
    ):
        assert card.reader_name == READERS[1]
    assert notices == [ReaderNotice(kind=ReaderNoticeKind.PASSED_OVER, reader_names=(READERS[0],))]


def test_the_only_card_in_another_program_s_hands_is_in_use(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    with (
        vpcd.insert(virtual_card) as reader,
        held_exclusively(reader),
        pytest.raises(CardInUseError),
    ):
        open_card(reader, busy_timeout_s=0.5)


def test_two_programs_with_a_wrong_password_spend_two_tries(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    with vpcd.insert(virtual_card) as reader, open_card(reader) as one, open_card(reader) as two:
        for card, wrong in ((one, "WRONG1"), (two, "WRONG1")):
            with card.transaction() as application, pytest.raises(PinIncorrectError):
                application.verify(Pin(PinKind.SIGNATURE, wrong))
    assert virtual_card.tries("signature") == 3
    assert virtual_card.verify_count == 2


def test_a_transaction_after_another_program_s_reset_goes_on(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    with vpcd.insert(virtual_card) as reader, open_card(reader) as one, open_card(reader) as two:
        for card in (one, two, one):
            with card.transaction() as application:  # each ends with the card's power off
                application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
