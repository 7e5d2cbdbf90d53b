"""The card's PINs: counters, blocking, security status, change."""

from pathlib import Path

import pytest

from jpki.emulator import Faults, TriesQuery, VirtualCard, load_card
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN, SIGNATURE_PASSWORD

SELECT_JPKI = "00A4040C0AD392F000260100000001"
SELECT_COMMON = "00A4040C0AD3921000310001010100"
SELECT_CARD_MANAGER = "00A4040C07A0000001510000"
READ_SIGNATURE_CERTIFICATE = "00B0810000"
SIGN = "802A0097043030303000"


def sw(card: VirtualCard, command: str) -> int:
    return int.from_bytes(card.execute(bytes.fromhex(command))[-2:])


def verify(card: VirtualCard, sfi: int, value: str) -> int:
    return sw(card, f"002000{0x80 | sfi:02X}{len(value):02X}" + value.encode().hex())


def verify_signature(card: VirtualCard, value: str = SIGNATURE_PASSWORD) -> int:
    return verify(card, 0x1B, value)


def verify_authentication(card: VirtualCard, value: str = AUTHENTICATION_PIN) -> int:
    return verify(card, 0x18, value)


@pytest.fixture
def jpki(jpki_card: VirtualCard) -> VirtualCard:
    assert sw(jpki_card, SELECT_JPKI) == 0x9000
    return jpki_card


def test_tries_query_costs_nothing_and_tells_the_count_after_success_too(
    jpki: VirtualCard,
) -> None:
    sw(jpki, "00A4020C02001B")
    assert [sw(jpki, "00200080") for _ in range(7)] == [0x63C5] * 7
    assert verify_signature(jpki) == 0x9000
    assert sw(jpki, "00200080") == 0x63C5
    assert jpki.verify_count == 1


def test_tries_query_with_le_is_a_wrong_length(jpki: VirtualCard) -> None:
    sw(jpki, "00A4020C02001B")
    assert sw(jpki, "0020008000") == 0x6700
    assert sw(jpki, "00200080000000") == 0x6700


def test_verify_with_le_is_a_wrong_length_and_costs_nothing(jpki: VirtualCard) -> None:
    assert sw(jpki, "0020009804" + b"0000".hex() + "00") == 0x6700
    assert jpki.tries("authentication") == 3


def test_verify_by_current_ef(jpki: VirtualCard) -> None:
    assert sw(jpki, "00A4020C020018") == 0x9000
    assert sw(jpki, "0020008004" + b"0000".hex()) == 0x63C2
    assert sw(jpki, "0020008004" + AUTHENTICATION_PIN.encode().hex()) == 0x9000
    assert jpki.tries("authentication") == 3


def test_verify_by_sfi_does_not_move_the_current_ef(jpki: VirtualCard) -> None:
    sw(jpki, "00A4020C020006")
    assert verify_authentication(jpki) == 0x9000
    assert jpki.execute(bytes.fromhex("00B000000F"))[:-2] == b"JPKIAPICCTOKEN2"


def test_verify_in_extended_form(jpki: VirtualCard) -> None:
    assert sw(jpki, "00200098000004" + AUTHENTICATION_PIN.encode().hex()) == 0x9000


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param("00200080", 0x6986, id="no current EF"),
        pytest.param("00200086", 0x6981, id="EF is no PIN"),
        pytest.param("00200083", 0x6A88, id="no such EF"),
        pytest.param("00200000", 0x6A86, id="P2 00"),
        pytest.param("00200118", 0x6A86, id="P1 not 00"),
        pytest.param("00200098" + "11" + "30" * 17, 0x6700, id="17 bytes"),
    ],
)
def test_verify_of_nothing(jpki: VirtualCard, command: str, expected: int) -> None:
    assert sw(jpki, command) == expected
    assert (jpki.tries("signature"), jpki.tries("authentication")) == (5, 3)


def test_card_compares_bytes(jpki: VirtualCard) -> None:
    assert verify_signature(jpki, SIGNATURE_PASSWORD.lower()) == 0x63C4
    assert verify_signature(jpki, SIGNATURE_PASSWORD + " ") == 0x63C3
    assert verify_authentication(jpki, AUTHENTICATION_PIN[:3]) == 0x63C2


def test_exhausting_try_says_63c0_and_then_even_the_right_pin_is_refused(
    jpki: VirtualCard,
) -> None:
    assert [verify_authentication(jpki, "0000") for _ in range(3)] == [0x63C2, 0x63C1, 0x63C0]
    assert verify_authentication(jpki) == 0x6984
    assert sw(jpki, "00200098") == 0x63C0
    assert jpki.tries("authentication") == 0
    assert verify_signature(jpki) == 0x9000


@pytest.mark.parametrize("blocked_sw", [0x6983, 0x6984, 0x63C0])
def test_blocked_pin_answers_as_the_knob_says(jpki: VirtualCard, blocked_sw: int) -> None:
    jpki.faults = Faults(blocked_sw=blocked_sw)
    for _ in range(3):
        verify_authentication(jpki, "0000")
    assert verify_authentication(jpki) == blocked_sw
    assert sw(jpki, "00200098") == 0x63C0


def test_unknown_blocked_status_word_is_refused() -> None:
    with pytest.raises(ValueError, match="6984"):
        Faults(blocked_sw=0x9000)


def test_tries_query_may_lie(jpki: VirtualCard) -> None:
    verify_authentication(jpki, "0000")
    jpki.faults = Faults(tries_query=TriesQuery.STALE)
    assert sw(jpki, "00200098") == 0x63C3
    jpki.faults = Faults(tries_query=TriesQuery.SW_6983)
    assert sw(jpki, "00200098") == 0x6983
    assert verify_authentication(jpki, "0000") == 0x63C1


def test_only_success_restores_the_counter(jpki: VirtualCard) -> None:
    verify_signature(jpki, "WRONG0")
    jpki.power_off()
    jpki.power_on()
    sw(jpki, SELECT_JPKI)
    assert jpki.tries("signature") == 4
    assert verify_signature(jpki) == 0x9000
    assert jpki.tries("signature") == 5


def test_both_pins_can_be_verified_at_once(jpki: VirtualCard) -> None:
    assert verify_signature(jpki) == 0x9000
    assert verify_authentication(jpki) == 0x9000
    assert sw(jpki, SIGN) == 0x9000
    assert sw(jpki, SIGN.replace("97", "9A", 1)) == 0x9000
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x9000


def test_one_pin_does_not_open_what_is_behind_the_other(jpki: VirtualCard) -> None:
    assert verify_authentication(jpki) == 0x9000
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x6982
    assert sw(jpki, SIGN.replace("97", "9A", 1)) == 0x6982


def test_wrong_pin_takes_back_what_the_right_one_gave(jpki: VirtualCard) -> None:
    verify_authentication(jpki)
    verify_authentication(jpki, "0000")
    assert sw(jpki, SIGN) == 0x6982


def test_security_status_survives_warm_reset_and_selecting_the_same_application(
    jpki: VirtualCard,
) -> None:
    verify_signature(jpki)
    assert jpki.reset() == jpki.atr
    assert sw(jpki, SELECT_JPKI) == 0x9000
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x9000


def test_security_status_falls_with_power(jpki: VirtualCard) -> None:
    verify_signature(jpki)
    jpki.power_off()
    jpki.power_on()
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x6A82
    sw(jpki, SELECT_JPKI)
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x6982


@pytest.mark.parametrize("other", [SELECT_COMMON, SELECT_CARD_MANAGER])
def test_security_status_falls_with_another_application(jpki: VirtualCard, other: str) -> None:
    verify_signature(jpki)
    assert sw(jpki, other) == 0x9000
    sw(jpki, SELECT_JPKI)
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x6982


def test_security_status_survives_a_select_that_fails(jpki: VirtualCard) -> None:
    verify_signature(jpki)
    assert sw(jpki, "00A4040C05A000000999") == 0x6A82
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x9000


def change(card: VirtualCard, sfi: int, value: str) -> int:
    return sw(card, f"002401{0x80 | sfi:02X}{len(value):02X}" + value.encode().hex())


def test_pin_is_changed_after_verify(jpki: VirtualCard) -> None:
    sw(jpki, "00A4020C02001B")
    verify_signature(jpki)
    assert sw(jpki, "0024018007" + b"NEWPIN7".hex()) == 0x9000
    assert jpki.pin_value("signature") == "NEWPIN7"
    assert sw(jpki, READ_SIGNATURE_CERTIFICATE) == 0x9000
    assert verify_signature(jpki) == 0x63C4
    assert verify_signature(jpki, "NEWPIN7") == 0x9000


def test_pin_is_not_changed_without_its_own_verify(jpki: VirtualCard) -> None:
    assert change(jpki, 0x18, "7777") == 0x6982
    verify_signature(jpki)
    assert change(jpki, 0x18, "7777") == 0x6982
    assert jpki.pin_value("authentication") == AUTHENTICATION_PIN


@pytest.mark.parametrize(
    ("sfi", "value", "expected"),
    [(0x18, "777", 0x6700), (0x18, "77777", 0x6700), (0x18, "77A7", 0x6A80),
     (0x1B, "ABCD5", 0x6700), (0x1B, "A" * 17, 0x6700),
     (0x1B, "abc123", 0x6A80), (0x1B, "ABC-123", 0x6A80)],
)  # fmt: skip
def test_impossible_new_pin_is_refused(
    jpki: VirtualCard, sfi: int, value: str, expected: int
) -> None:
    verify_signature(jpki)
    verify_authentication(jpki)
    assert change(jpki, sfi, value) == expected
    assert jpki.pin_value("signature") == SIGNATURE_PASSWORD
    assert jpki.pin_value("authentication") == AUTHENTICATION_PIN


@pytest.mark.parametrize(
    ("command", "expected"),
    [("0024009804" + b"7777".hex(), 0x6A86), ("00240198", 0x6700),
     ("0024019804" + b"7777".hex() + "00", 0x6700), ("0024018604" + b"7777".hex(), 0x6981)],
)  # fmt: skip
def test_change_in_a_wrong_form(jpki: VirtualCard, command: str, expected: int) -> None:
    verify_authentication(jpki)
    assert sw(jpki, command) == expected
    assert jpki.pin_value("authentication") == AUTHENTICATION_PIN


def test_blocked_pin_is_not_changed(jpki: VirtualCard) -> None:
    verify_authentication(jpki)
    for _ in range(3):
        verify_authentication(jpki, "0000")
    assert change(jpki, 0x18, "7777") == 0x6984


def test_counter_and_changed_pin_are_in_the_file(jpki: VirtualCard, jpki_card_path: Path) -> None:
    verify_signature(jpki, "WRONG0")
    verify_authentication(jpki)
    change(jpki, 0x18, "7777")
    again = load_card(jpki_card_path)
    assert again.tries("signature") == 4
    assert again.pin_value("authentication") == "7777"
