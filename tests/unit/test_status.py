"""Status words."""

import pytest

from apdu.status import SW, describe, is_blocked, tries_left


def test_tries_are_read_from_63cx_only() -> None:
    counted = {sw: tries for sw in range(0x10000) if (tries := tries_left(sw)) is not None}
    assert counted == {0x63C0 + count: count for count in range(16)}


def test_exactly_three_status_words_mean_blocked() -> None:
    assert [sw for sw in range(0x10000) if is_blocked(sw)] == [0x63C0, 0x6983, 0x6984]


@pytest.mark.parametrize(
    ("sw", "text"),
    [
        (0x6982, "6982 security status not satisfied"),
        (0x63C2, "63C2 verification failed, 2 tries left"),
        (0x6A86, "6A86 incorrect P1-P2"),
        (0x6100, "6100 256 bytes available"),
        (0x6C05, "6C05 wrong Le, 5 bytes available"),
        (0x66F1, "66F1"),
    ],
)
def test_a_status_word_is_described_for_people(sw: int, text: str) -> None:
    assert describe(sw) == text


def test_every_status_word_can_be_described() -> None:
    assert all(describe(sw).startswith(f"{sw:04X}") for sw in range(0x10000))


def test_names_compare_with_the_numbers_a_card_sends() -> None:
    assert {int(word) for word in SW} >= {0x9000, 0x6982, 0x6A82}
