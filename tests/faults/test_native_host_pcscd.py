"""The native host at a real pcscd: a login, and a browser that leaves while the card works."""

from pathlib import Path

import pytest
from support.cards import PIN
from support.held_card import SIGN, VERIFY, HeldCard
from support.native_host import NONCE, ORIGIN, Desk
from support.stranger import keys_that_sign_for_anybody
from support.vpcd import Vpcd

from jpki.emulator import VirtualCard

pytestmark = pytest.mark.vpcd

LOGIN = {"command": "authenticate", "arguments": {"challengeNonce": NONCE, "origin": ORIGIN}}
POWER_OFF_S = 20.0
"""How long pcscd may take to cut the power of a card whose program has gone: about 5 s."""


@pytest.fixture
def desk(tmp_path: Path, card_path: Path) -> Desk:
    return Desk.in_folder(tmp_path, card_path)


def test_a_login_goes_through_a_reader_and_leaves_the_card_locked(
    vpcd: Vpcd, desk: Desk, virtual_card: VirtualCard
) -> None:
    desk.pinentry.will_enter(PIN)
    with vpcd.insert(virtual_card) as reader:
        token = desk.answer_to(LOGIN, JPKI_READER=reader)
        assert token["format"] == "web-eid:1.0"
        assert virtual_card.verify_count == 1
        assert keys_that_sign_for_anybody(reader) == []


def test_an_empty_reader_is_told_without_its_name(vpcd: Vpcd, desk: Desk) -> None:
    answer = desk.answer_to(LOGIN, JPKI_READER=vpcd.readers[1])
    assert answer["error"]["code"] == "ERR_WEBEID_NATIVE_FATAL"
    assert "no card on the reader" in answer["error"]["message"]
    assert vpcd.readers[1] not in answer["error"]["message"]
    assert desk.pinentry.starts == []


@pytest.mark.parametrize("ins", [VERIFY, SIGN], ids=["VERIFY", "signature"])
@pytest.mark.parametrize("answers", [True, False], ids=["answers", "silent"])
def test_leaving_while_the_card_works_ends_the_host_and_locks_the_card(
    vpcd: Vpcd, desk: Desk, virtual_card: VirtualCard, ins: int, answers: bool
) -> None:
    card = HeldCard(virtual_card, ins)
    desk.pinentry.will_enter(PIN)
    with vpcd.insert(card) as reader:
        try:
            with desk.host(JPKI_READER=reader) as host:
                assert host.read() is not None
                host.send(LOGIN)
                assert card.reached.wait(30), "the host never came so far"
                host.leave()
                if answers:
                    card.released.set()
                assert host.end() == 0
        finally:
            card.released.set()
        assert card.lost_power.wait(POWER_OFF_S)
        assert keys_that_sign_for_anybody(reader) == []
    assert virtual_card.verify_count == 1
    assert virtual_card.signature_count == (1 if ins == SIGN else 0)
