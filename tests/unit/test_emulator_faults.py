"""The knobs of the virtual card."""

import time

import pytest

from jpki.emulator import CardPulledError, CardSilentError, Faults, VirtualCard

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
READ_CA = bytes.fromhex("00B08B0000")
READ_TOKEN_INFO = bytes.fromhex("00B0860000")
WRONG_PIN = bytes.fromhex("0020009804") + b"0000"


@pytest.fixture
def jpki(jpki_card: VirtualCard) -> VirtualCard:
    assert jpki_card.execute(SELECT_JPKI) == b"\x90\x00"
    return jpki_card


def test_data_are_announced_and_fetched(jpki: VirtualCard) -> None:
    whole = jpki.execute(bytes.fromhex("00B08B00000400"))
    jpki.faults = Faults(response_61xx=True)
    assert jpki.execute(bytes.fromhex("00B08B00000400")) == b"\x61\x00"
    answer = b""
    while (part := jpki.execute(bytes.fromhex("00C0000000")))[-2] == 0x61:
        assert part[-2:] == b"\x61\x00" or answer
        answer += part[:-2]
    assert answer + part == whole
    assert jpki.execute(bytes.fromhex("00C0000000")) == b"\x69\x85"


def test_announced_data_are_lost_by_another_command(jpki: VirtualCard) -> None:
    jpki.faults = Faults(response_61xx=True)
    assert jpki.execute(READ_TOKEN_INFO) == b"\x61\xa0"
    assert jpki.execute(SELECT_JPKI) == b"\x90\x00"
    assert jpki.execute(bytes.fromhex("00C00000A0")) == b"\x69\x85"


def test_get_response_has_its_own_rules(jpki: VirtualCard) -> None:
    jpki.faults = Faults(response_61xx=True)
    jpki.execute(READ_TOKEN_INFO)
    assert jpki.execute(bytes.fromhex("00C00000C0")) == b"\x6c\xa0"
    assert len(jpki.execute(bytes.fromhex("00C00000A0"))) == 162
    for command, expected in (("00C0010000", "6A86"), ("00C00000", "6700")):
        jpki.execute(READ_TOKEN_INFO)
        assert jpki.execute(bytes.fromhex(command)).hex().upper() == expected


def test_le_beyond_the_data_is_corrected(jpki: VirtualCard) -> None:
    jpki.faults = Faults(wrong_le_6cxx=True)
    assert jpki.execute(READ_TOKEN_INFO) == b"\x6c\xa0"
    assert jpki.execute(bytes.fromhex("00B08600A1")) == b"\x6c\xa0"
    assert len(jpki.execute(bytes.fromhex("00B08600A0"))) == 162
    assert len(jpki.execute(READ_CA)) == 258


def test_pull_before_an_exchange_keeps_it_from_the_card(jpki: VirtualCard) -> None:
    jpki.faults = Faults(pull_before=2)
    with pytest.raises(CardPulledError):
        jpki.execute(WRONG_PIN)
    assert jpki.tries("authentication") == 3
    assert jpki.verify_count == 0


def test_pull_after_an_exchange_comes_after_the_card_has_acted(jpki: VirtualCard) -> None:
    jpki.faults = Faults(pull_after=2)
    with pytest.raises(CardPulledError):
        jpki.execute(WRONG_PIN)
    assert jpki.tries("authentication") == 2
    assert jpki.verify_count == 1


def test_pulled_card_answers_nothing_until_it_is_back_and_has_forgotten_all(
    jpki: VirtualCard,
) -> None:
    jpki.faults = Faults(pull_before=2)
    with pytest.raises(ConnectionResetError):
        jpki.execute(READ_TOKEN_INFO)
    with pytest.raises(CardPulledError):
        jpki.execute(READ_TOKEN_INFO)
    jpki.power_on()
    assert jpki.execute(READ_TOKEN_INFO) == b"\x6a\x82"


def test_silent_card_has_acted(jpki: VirtualCard) -> None:
    jpki.faults = Faults(silent_at=2)
    with pytest.raises(CardSilentError):
        jpki.execute(WRONG_PIN)
    assert jpki.tries("authentication") == 2
    assert issubclass(CardSilentError, TimeoutError)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(empty_at=2), b""),
        (Faults(one_byte_at=2), b"J"),
        (Faults(replaced={2: b"\x6f\x00"}), b"\x6f\x00"),
        (Faults(hook=lambda number, command, answer: bytes([number]) + command + answer[-2:]),
         b"\x02" + READ_TOKEN_INFO + b"\x90\x00"),
    ],
)  # fmt: skip
def test_answer_is_not_what_the_card_said(
    jpki: VirtualCard, faults: Faults, expected: bytes
) -> None:
    jpki.faults = faults
    assert jpki.execute(READ_TOKEN_INFO) == expected


def test_truncated_and_oversized_answers(jpki: VirtualCard) -> None:
    jpki.faults = Faults(truncated_at=2, oversized_at=3)
    truncated = jpki.execute(READ_TOKEN_INFO)
    assert (len(truncated), truncated[:4]) == (81, b"JPKI")
    oversized = jpki.execute(READ_TOKEN_INFO)
    assert (len(oversized), oversized[-2:]) == (65535, b"\x90\x00")
    assert len(jpki.execute(READ_TOKEN_INFO)) == 162


def test_certificates_may_be_garbage_but_the_token_info_is_not(jpki: VirtualCard) -> None:
    right = jpki.execute(READ_CA)
    jpki.faults = Faults(certificate_garbage=True)
    garbage = jpki.execute(READ_CA)
    assert garbage != right
    assert garbage[:4] == right[:4]
    assert jpki.execute(READ_TOKEN_INFO).startswith(b"JPKIAPICCTOKEN2")


def test_latency_is_real_time(jpki: VirtualCard) -> None:
    jpki.faults = Faults(latency_s=0.02, signature_latency_s=0.05)
    start = time.perf_counter()
    jpki.execute(READ_TOKEN_INFO)
    middle = time.perf_counter()
    jpki.execute(bytes.fromhex("802A0097013000"))
    assert middle - start >= 0.02
    assert time.perf_counter() - middle >= 0.07
