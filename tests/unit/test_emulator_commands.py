"""The card's answers to SELECT, READ BINARY and to what no card understands."""

from pathlib import Path

import pytest

from jpki.emulator import Faults, VirtualCard, create_card, load_card

SELECT_JPKI = "00A4040C0AD392F000260100000001"
SELECT_COMMON = "00A4040C0AD3921000310001010100"


def send(card: VirtualCard, command: str) -> tuple[bytes, int]:
    answer = card.execute(bytes.fromhex(command))
    return answer[:-2], int.from_bytes(answer[-2:])


def sw(card: VirtualCard, command: str) -> int:
    return send(card, command)[1]


@pytest.fixture
def jpki(jpki_card: VirtualCard) -> VirtualCard:
    assert sw(jpki_card, SELECT_JPKI) == 0x9000
    return jpki_card


def test_unknown_aid_is_not_found(jpki_card: VirtualCard) -> None:
    assert sw(jpki_card, "00A4040C0AD392F000260100000002") == 0x6A82
    assert sw(jpki_card, "00A4040C07A0000002471001") == 0x6A82


def test_aid_longer_than_the_applications_is_not_found(jpki_card: VirtualCard) -> None:
    assert sw(jpki_card, "00A4040C0BD392F00026010000000100") == 0x6A82


def test_truncated_aid_selects_as_on_a_real_card(jpki_card: VirtualCard) -> None:
    assert sw(jpki_card, "00A4040C05D392F00026") == 0x9000
    assert sw(jpki_card, "00A4020C020006") == 0x9000


def test_aid_may_have_sixteen_bytes(jpki_card: VirtualCard) -> None:
    assert sw(jpki_card, "00A4040C10" + "D3" * 16) == 0x6A82


@pytest.mark.parametrize("aid", ["", "04D392F000", "11" + "D3" * 17])
def test_aid_of_impossible_length_is_a_wrong_length(jpki_card: VirtualCard, aid: str) -> None:
    assert sw(jpki_card, "00A4040C" + aid) == 0x6700


def test_failed_select_leaves_application_and_file_current(jpki: VirtualCard) -> None:
    assert sw(jpki, "00A4020C020006") == 0x9000
    assert sw(jpki, "00A4040C05A000000999") == 0x6A82
    assert sw(jpki, "00A4020C02EEEE") == 0x6A82
    assert send(jpki, "00B000000F") == (b"JPKIAPICCTOKEN2", 0x9000)


def test_ef_is_not_found_before_an_application_is_selected(jpki_card: VirtualCard) -> None:
    assert sw(jpki_card, "00A4020C020006") == 0x6A82
    assert sw(jpki_card, "00B0000000") == 0x6986


def test_read_without_current_ef_is_refused(jpki: VirtualCard) -> None:
    assert sw(jpki, "00B0000000") == 0x6986


def test_selecting_the_application_again_leaves_no_ef_current(jpki: VirtualCard) -> None:
    assert sw(jpki, "00A4020C020006") == 0x9000
    assert sw(jpki, SELECT_JPKI) == 0x9000
    assert sw(jpki, "00B0000000") == 0x6986


@pytest.mark.parametrize("ef_id", ["0017", "0018", "001A", "001B"])
def test_keys_and_pins_cannot_be_read(jpki: VirtualCard, ef_id: str) -> None:
    assert sw(jpki, "00A4020C02" + ef_id) == 0x9000
    assert sw(jpki, "00B0000000") == 0x6981


@pytest.mark.parametrize("command", ["00A4000C020006", "00A4010C020006", "00A4020100"])
def test_ef_is_selected_only_with_p1_02_and_known_p2(jpki: VirtualCard, command: str) -> None:
    assert sw(jpki, command) == 0x6A86


@pytest.mark.parametrize("data", ["", "0100", "03000600"])
def test_ef_identifier_has_two_bytes(jpki: VirtualCard, data: str) -> None:
    assert sw(jpki, "00A4020C" + data) == 0x6700


def test_select_master_file_moves_nothing(jpki_card: VirtualCard) -> None:
    assert sw(jpki_card, "00A40000") == 0x6A86
    sw(jpki_card, SELECT_JPKI)
    assert send(jpki_card, "00A40000") == send(jpki_card, "00A4000000") == (b"", 0x9000)
    assert sw(jpki_card, "00A4020C020006") == 0x9000


def test_fci_comes_only_when_it_is_asked_for(jpki_card: VirtualCard) -> None:
    aid = "0AD392F000260100000001"
    assert send(jpki_card, "00A4040C" + aid + "00") == (b"", 0x9000)
    assert send(jpki_card, "00A40400" + aid) == (b"", 0x9000)
    expected = bytes.fromhex("6F0C840A" + "D392F000260100000001")
    assert send(jpki_card, "00A40400" + aid + "00") == (expected, 0x9000)
    assert send(jpki_card, "00A4020002000600")[0] == bytes.fromhex("6F0B800200A082010183020006")


def test_signature_certificate_is_selected_but_not_read_without_pin(jpki: VirtualCard) -> None:
    assert sw(jpki, "00A4020C020001") == 0x9000
    assert sw(jpki, "00B0000000") == 0x6982
    assert sw(jpki, "00B0810000") == 0x6982


@pytest.mark.parametrize("ef_id", ["02", "06", "08", "0A", "0B"])
def test_other_files_are_free(jpki: VirtualCard, ef_id: str) -> None:
    assert sw(jpki, "00A4020C0200" + ef_id) == 0x9000
    assert sw(jpki, "00B0000000") == 0x9000


def test_certificate_is_padded_with_ff(jpki: VirtualCard) -> None:
    content = read_all(jpki, 0x0A)
    length = int.from_bytes(content[2:4]) + 4
    assert content[:2] == b"\x30\x82"
    assert len(content) == 2048
    assert content[length:] == b"\xff" * (2048 - length)


def read_all(card: VirtualCard, ef_id: int) -> bytes:
    assert sw(card, f"00A4020C0200{ef_id:02X}") == 0x9000
    content = b""
    while (answer := send(card, f"00B0{len(content):04X}00"))[1] == 0x9000:
        content += answer[0]
    assert answer == (b"", 0x6B00)
    return content


def test_read_at_the_end_is_short_and_past_it_refused(jpki: VirtualCard) -> None:
    sw(jpki, "00A4020C020006")
    assert send(jpki, "00B0009F00") == (b"9", 0x9000)
    assert sw(jpki, "00B000A000") == 0x6B00
    assert sw(jpki, "00B07FFF00") == 0x6B00


def test_offset_has_fifteen_bits(jpki: VirtualCard) -> None:
    content = read_all(jpki, 0x0A)
    assert send(jpki, "00B0012310") == (content[0x123:0x133], 0x9000)


def test_read_by_sfi_takes_an_offset_of_eight_bits_and_makes_the_file_current(
    jpki: VirtualCard,
) -> None:
    sw(jpki, "00A4020C020006")
    by_sfi = send(jpki, "00B08AFF10")
    assert by_sfi == send(jpki, "00B000FF10")
    assert by_sfi[0] != b"9" * 16


@pytest.mark.parametrize(("p1", "expected"), [("83", 0x6A82), ("80", 0x6A86), ("A6", 0x6A86)])
def test_sfi_that_names_no_file(jpki: VirtualCard, p1: str, expected: int) -> None:
    assert sw(jpki, f"00B0{p1}0000") == expected


def test_sfi_of_a_key_cannot_be_read(jpki: VirtualCard) -> None:
    assert sw(jpki, "00B0970000") == 0x6981


def test_extended_le_reads_a_whole_file_at_once(jpki: VirtualCard) -> None:
    content = read_all(jpki, 0x0A)
    assert send(jpki, "00B00000000000") == (content, 0x9000)
    assert send(jpki, "00B00000000123") == (content[:0x123], 0x9000)


def test_card_without_extended_length_refuses_it(jpki: VirtualCard) -> None:
    jpki.faults = Faults(extended_length=False)
    sw(jpki, "00A4020C02000A")
    assert sw(jpki, "00B00000000000") == 0x6700
    assert sw(jpki, "0020009800000431323334") == 0x6700
    assert sw(jpki, "00B0000000") == 0x9000


@pytest.mark.parametrize("command", ["00B00000", "00B00000010000"])
def test_read_wants_le_and_no_data(jpki: VirtualCard, command: str) -> None:
    sw(jpki, "00A4020C02000A")
    assert sw(jpki, command) == 0x6700


@pytest.mark.parametrize(
    "command",
    ["", "00", "00A404", "00A4040C05D392", "00A4040C02D392F000", "00B000000000", "00B0000000000100",
     "00A4040C00000AD392F000", "00A4040C000001D3920000000000"],
)  # fmt: skip
def test_contradicting_lengths_are_refused(jpki: VirtualCard, command: str) -> None:
    assert send(jpki, command) == (b"", 0x6700)


@pytest.mark.parametrize(
    ("cla", "expected"),
    [(0x01, 0x6881), (0x03, 0x6881), (0x40, 0x6881), (0x81, 0x6881), (0x04, 0x6882), (0x0C, 0x6882),
     (0x84, 0x6882), (0x10, 0x6884), (0x90, 0x6884), (0x20, 0x6E00), (0x80, 0x6E00),
     (0xA0, 0x6E00), (0xFF, 0x6E00)],
)  # fmt: skip
def test_class_byte_other_than_the_commands_own(jpki: VirtualCard, cla: int, expected: int) -> None:
    assert sw(jpki, f"{cla:02X}B0860000") == expected


def test_signature_command_has_class_80_only(jpki: VirtualCard) -> None:
    assert sw(jpki, "002A0080013000") == 0x6E00


@pytest.mark.parametrize("command", ["00010000", "00B2010C00", "8050000000", "00FF0000"])
def test_unknown_instruction(jpki: VirtualCard, command: str) -> None:
    assert sw(jpki, command) == 0x6D00


def test_challenges_have_the_wanted_length_and_differ(jpki: VirtualCard) -> None:
    first, status = send(jpki, "0084000008")
    assert (len(first), status) == (8, 0x9000)
    assert send(jpki, "0084000008")[0] != first
    assert len(send(jpki, "0084000000")[0]) == 256


@pytest.mark.parametrize(
    ("command", "expected"),
    [("00840000", 0x6700), ("0084010008", 0x6A86), ("00840000000010", 0x6985)],
)
def test_challenge_asked_for_in_a_wrong_way(jpki: VirtualCard, command: str, expected: int) -> None:
    assert sw(jpki, command) == expected


def test_internal_authenticate_is_refused_for_keys_behind_a_pin(jpki: VirtualCard) -> None:
    assert sw(jpki, "0020009804" + b"3456".hex()) == 0x9000
    assert sw(jpki, "00880097041122334400") == 0x6982
    sw(jpki, SELECT_COMMON)
    assert sw(jpki, "00880099041122334400") == 0x6A88


def test_small_commands_of_other_cards_are_refused(jpki: VirtualCard) -> None:
    assert sw(jpki, "00CA004200") == 0x6A88
    assert sw(jpki, "80FC000000") == 0x6700
    assert sw(jpki, "00C0000000") == 0x6985


def test_token_info_is_a_ck_token_info(jpki: VirtualCard) -> None:
    info = read_all(jpki, 0x06)
    assert len(info) == 160
    assert info[:32] == b"JPKIAPICCTOKEN2".ljust(32)
    assert info[32:64].startswith(b"JPKI-TEST")
    assert info[96:100] == bytes.fromhex("0000040D")
    assert (int.from_bytes(info[116:120]), int.from_bytes(info[120:124])) == (16, 6)
    assert info[124:140] == b"\xff" * 16
    assert info[144:] == b"9" * 16


def test_both_certificates_are_announced(jpki: VirtualCard) -> None:
    assert read_all(jpki, 0x08) == bytes.fromhex("8F8F00")


def test_card_has_no_power_after_power_off(jpki: VirtualCard) -> None:
    jpki.power_off()
    with pytest.raises(TimeoutError):
        sw(jpki, "00B0860000")
    assert jpki.power_on() == jpki.atr
    assert sw(jpki, "00B0860000") == 0x6A82


def test_common_application_is_empty(jpki: VirtualCard) -> None:
    assert sw(jpki, SELECT_COMMON) == 0x9000
    assert sw(jpki, "00A4020C020001") == 0x6A82
    assert sw(jpki, "00200098") == 0x6A88


def test_log_has_headers_and_no_data(jpki: VirtualCard) -> None:
    sw(jpki, "0020009804" + b"0000".hex())
    assert jpki.log[-1] == bytes.fromhex("00200098")
    assert all(len(header) == 4 for header in jpki.log)
    assert jpki.exchange_count == len(jpki.log) == 2


def test_phone_token_hides_its_certificate_and_has_no_common_application(tmp_path: Path) -> None:
    path = tmp_path / "phone.card"
    create_card(path, label="JPKIAPGPSETOKEN", authentication_pin="3456")
    phone = load_card(path)
    assert sw(phone, SELECT_COMMON) == 0x6A82
    assert sw(phone, SELECT_JPKI) == 0x9000
    assert send(phone, "00B086000F") == (b"JPKIAPGPSETOKEN", 0x9000)
    assert sw(phone, "00B08A0000") == 0x6982
    assert sw(phone, "0020009804" + b"3456".hex()) == 0x9000
    assert sw(phone, "00B08A0000") == 0x9000
