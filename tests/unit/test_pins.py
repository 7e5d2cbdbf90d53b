"""The PIN rules, judged by the counters of the virtual card."""

import pickle
import string
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.cards import PASSWORD, PIN

from apdu.errors import CardResetError, ExchangeInterrupted, StatusWordError
from apdu.transports.loopback import LoopbackTransport
from jpki.application import JpkiApplication
from jpki.card import MyNumberCard
from jpki.emulator import Faults, TriesQuery, VirtualCard
from jpki.errors import (
    Interrupted,
    LastTryError,
    OutcomeUnknownError,
    PinBlockedError,
    PinFault,
    PinFormatError,
    PinIncorrectError,
    PinRepeatedError,
    Step,
    TriesUnknownError,
)
from jpki.files import PinKind
from jpki.pins import Pin, Weakness, check_new_pin, weakness

WRONG = "WRONG1"
OTHER_WRONG = "WRONG2"


def right_password() -> Pin:
    return Pin(PinKind.SIGNATURE, PASSWORD)


def answering(status_word: int, *, to_data: bool) -> Callable[[int, bytes, bytes], bytes]:
    """A card that answers every VERIFY, with or without data, by one status word."""

    def hook(_exchange: int, command: bytes, answer: bytes) -> bytes:
        is_verify = command[1] == 0x20 and (len(command) > 4) == to_data
        return status_word.to_bytes(2, "big") if is_verify else answer

    return hook


# --- form -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", PinFault.EMPTY),
        ("123", PinFault.NOT_FOUR_DIGITS),
        ("12345", PinFault.NOT_FOUR_DIGITS),
        ("12a4", PinFault.NOT_FOUR_DIGITS),
        ("1234 ", PinFault.NOT_FOUR_DIGITS),
        ("1234\n", PinFault.NOT_FOUR_DIGITS),
        ("12\x004", PinFault.NOT_FOUR_DIGITS),
        (PASSWORD, PinFault.NOT_FOUR_DIGITS),
        ("１２３４", PinFault.NOT_ASCII),
        ("³²¹0", PinFault.NOT_ASCII),
        ("١٢٣٤", PinFault.NOT_ASCII),
        ("\ufeff1234", PinFault.NOT_ASCII),
    ],
)
def test_what_is_no_four_digits_is_no_authentication_pin(text: str, fault: PinFault) -> None:
    with pytest.raises(PinFormatError) as caught:
        Pin(PinKind.AUTHENTICATION, text)
    assert caught.value.fault is fault
    assert text == "" or text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", PinFault.EMPTY),
        ("1234", PinFault.LENGTH),
        ("ABCD5", PinFault.LENGTH),
        ("ABCDEFGH123456789", PinFault.LENGTH),
        ("ABC 123", PinFault.CHARACTERS),
        (" ABC123", PinFault.CHARACTERS),
        ("ABC123\r", PinFault.CHARACTERS),
        ("ABC-123", PinFault.CHARACTERS),
        ("ABC123\x1b", PinFault.CHARACTERS),
        ("ＡＢＣ１２３", PinFault.NOT_ASCII),
        ("ſecret1", PinFault.NOT_ASCII),
        ("straße1", PinFault.NOT_ASCII),
        ("ﬁrefly1", PinFault.NOT_ASCII),
        ("\ud800BC123", PinFault.NOT_ASCII),
    ],
)
def test_what_is_no_six_to_sixteen_letters_and_digits_is_no_signature_password(
    text: str, fault: PinFault
) -> None:
    with pytest.raises(PinFormatError) as caught:
        Pin(PinKind.SIGNATURE, text)
    assert caught.value.fault is fault


@given(text=st.text(max_size=20))
@example(text="ſſſſſſ1")
@example(text="ıııııı1")
def test_a_signature_password_is_accepted_exactly_if_it_is_ascii_letters_and_digits(
    text: str,
) -> None:
    allowed = set(string.ascii_letters + string.digits)
    if 6 <= len(text) <= 16 and set(text) <= allowed:
        assert Pin(PinKind.SIGNATURE, text).reveal() == text.upper().encode("ascii")
    else:
        with pytest.raises(PinFormatError):
            Pin(PinKind.SIGNATURE, text)


def test_a_signature_password_in_lower_case_is_the_one_in_upper_case(
    application: JpkiApplication,
) -> None:
    application.verify(Pin(PinKind.SIGNATURE, PASSWORD.lower()))
    assert application.tries_left(PinKind.SIGNATURE) == 5


# --- the value --------------------------------------------------------------------------------


def test_a_pin_shows_itself_in_no_representation() -> None:
    pin = right_password()
    assert PASSWORD not in f"{pin!r} {pin} {pin.__reduce_ex__!r}"


def test_a_pin_is_neither_pickled_nor_compared_nor_hashed() -> None:
    pin = right_password()
    with pytest.raises(TypeError):
        pickle.dumps(pin)
    with pytest.raises(TypeError):
        assert pin == right_password()
    with pytest.raises(TypeError):
        hash(pin)


def test_a_wiped_pin_reveals_zeros_only() -> None:
    with right_password() as pin:
        pass
    assert pin.reveal() == bytes(len(PASSWORD))


# --- tries ------------------------------------------------------------------------------------


def test_asking_for_the_tries_spends_none(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    for _ in range(7):
        assert application.tries_left(PinKind.SIGNATURE) == 5
        assert application.tries_left(PinKind.AUTHENTICATION) == 3
    assert virtual_card.verify_count == 0


@pytest.mark.parametrize(
    ("status_word", "tries"),
    [
        (0x63C3, 3),
        (0x63C0, 0),
        (0x6983, 0),
        (0x6984, 0),
        (0x63CF, None),  # more tries than the PIN has
        (0x6300, None),
        (0x6345, None),
        (0x9000, None),
        (0x6A82, None),
        (0x6700, None),
    ],
)
def test_tries_are_read_from_63cx_and_the_words_for_blocked_only(
    application: JpkiApplication,
    virtual_card: VirtualCard,
    status_word: int,
    tries: int | None,
) -> None:
    virtual_card.faults = Faults(hook=answering(status_word, to_data=False))
    assert application.tries_left(PinKind.AUTHENTICATION) == tries


def test_a_wrong_password_costs_one_try_and_says_how_many_are_left(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    with pytest.raises(PinIncorrectError) as caught:
        application.verify(Pin(PinKind.SIGNATURE, WRONG))
    assert caught.value.tries_left == 4
    assert virtual_card.tries("signature") == 4
    assert virtual_card.verify_count == 1


def test_the_right_pin_brings_all_tries_back(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    with pytest.raises(PinIncorrectError):
        application.verify(Pin(PinKind.AUTHENTICATION, "9999"))
    application.verify(Pin(PinKind.AUTHENTICATION, PIN))
    assert virtual_card.tries("authentication") == 3


def spend(application: JpkiApplication, times: int) -> None:
    for number in range(times):
        with pytest.raises(PinIncorrectError):
            application.verify(Pin(PinKind.SIGNATURE, f"{WRONG}{number}"))


def test_the_last_try_is_kept(application: JpkiApplication, virtual_card: VirtualCard) -> None:
    spend(application, 4)
    with pytest.raises(LastTryError):
        application.verify(right_password())
    assert virtual_card.tries("signature") == 1
    assert virtual_card.verify_count == 4


def test_the_last_try_is_used_when_a_person_says_so(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    spend(application, 4)
    application.verify(right_password(), use_last_try=True)
    assert virtual_card.tries("signature") == 5


def test_the_wrong_pin_on_the_last_try_blocks_and_says_blocked(
    application: JpkiApplication,
) -> None:
    spend(application, 4)
    with pytest.raises(PinBlockedError):
        application.verify(Pin(PinKind.SIGNATURE, OTHER_WRONG), use_last_try=True)


def test_nothing_is_sent_to_a_blocked_pin(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    spend(application, 4)
    with pytest.raises(PinBlockedError):
        application.verify(Pin(PinKind.SIGNATURE, OTHER_WRONG), use_last_try=True)
    with pytest.raises(PinBlockedError):
        application.verify(right_password(), use_last_try=True)
    assert virtual_card.verify_count == 5


def test_a_pin_that_was_wrong_is_not_sent_again(my_number_card: MyNumberCard) -> None:
    with my_number_card.transaction() as application, pytest.raises(PinIncorrectError):
        application.verify(Pin(PinKind.SIGNATURE, WRONG))
    with my_number_card.transaction() as application, pytest.raises(PinRepeatedError):
        application.verify(Pin(PinKind.SIGNATURE, WRONG.lower()))
    with my_number_card.transaction() as application:
        assert application.tries_left(PinKind.SIGNATURE) == 4


def test_an_unknown_count_is_treated_as_the_last_try(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    virtual_card.faults = Faults(hook=answering(0x9000, to_data=False))
    with pytest.raises(TriesUnknownError):
        application.verify(right_password())
    assert virtual_card.verify_count == 0
    application.verify(right_password(), use_last_try=True)
    assert virtual_card.verify_count == 1


def test_a_stale_count_is_overruled_by_the_card_s_last_word(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    spend(application, 4)
    virtual_card.faults = Faults(tries_query=TriesQuery.STALE)
    with pytest.raises(PinBlockedError):
        application.verify(Pin(PinKind.SIGNATURE, OTHER_WRONG))


# --- answers to VERIFY ------------------------------------------------------------------------


@pytest.mark.parametrize("status_word", [0x6300, 0x6345, 0x63CF])
def test_a_refusal_without_a_count_leaves_the_count_unknown(
    application: JpkiApplication, virtual_card: VirtualCard, status_word: int
) -> None:
    virtual_card.faults = Faults(hook=answering(status_word, to_data=True))
    with pytest.raises(PinIncorrectError) as caught:
        application.verify(right_password())
    assert caught.value.tries_left is None


@pytest.mark.parametrize("status_word", [0x63C0, 0x6983, 0x6984])
def test_each_word_for_blocked_means_blocked(
    application: JpkiApplication, virtual_card: VirtualCard, status_word: int
) -> None:
    virtual_card.faults = Faults(hook=answering(status_word, to_data=True))
    with pytest.raises(PinBlockedError):
        application.verify(right_password())


def test_no_status_word_but_9000_lets_a_pin_pass(issued_image_card: VirtualCard) -> None:
    refused = (PinIncorrectError, PinBlockedError, StatusWordError, OutcomeUnknownError)
    for sent, status_word in enumerate(range(0x0000, 0x10000, 0x11), start=1):
        assert status_word != 0x9000
        issued_image_card.faults = Faults(hook=answering(status_word, to_data=True))
        card = MyNumberCard(LoopbackTransport(issued_image_card))
        with card.transaction() as application, pytest.raises(refused) as caught:
            application.verify(right_password())
        left = getattr(caught.value, "tries_left", None)
        assert left is None or left == status_word & 0x000F or status_word in {0x6983, 0x6984}
        assert issued_image_card.verify_count == sent


@pytest.mark.parametrize("status_word", [0x6C00, 0x6C10])
def test_a_wrong_le_answer_to_verify_is_not_followed_by_a_second_verify(
    application: JpkiApplication, virtual_card: VirtualCard, status_word: int
) -> None:
    virtual_card.faults = Faults(hook=answering(status_word, to_data=True))
    with pytest.raises(OutcomeUnknownError) as caught:
        application.verify(right_password())
    assert caught.value.step is Step.VERIFY
    assert virtual_card.verify_count == 1


@pytest.mark.parametrize("answer", [b"", b"\x90", bytes(70000)])
def test_an_answer_to_verify_that_cannot_be_read_leaves_the_outcome_unknown(
    application: JpkiApplication, virtual_card: VirtualCard, answer: bytes
) -> None:
    virtual_card.faults = Faults(
        hook=lambda _n, command, said: answer if command[1:2] == b"\x20" and command[4:] else said
    )
    with pytest.raises(OutcomeUnknownError):
        application.verify(right_password())
    assert virtual_card.verify_count == 1


def raising(error: BaseException) -> Callable[[int, bytes, bytes], bytes]:
    def hook(_exchange: int, command: bytes, answer: bytes) -> bytes:
        if command[1] == 0x20 and command[4:]:
            raise error
        return answer

    return hook


@pytest.mark.parametrize(
    ("text", "again"), [(PASSWORD, None), (WRONG, PinRepeatedError)], ids=["right", "wrong"]
)
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ConnectionResetError(), OutcomeUnknownError),
        (ExchangeInterrupted(None), Interrupted),
    ],
    ids=["lost", "interrupted"],
)
def test_an_entry_whose_answer_was_lost_goes_to_the_card_again_only_if_it_cost_no_try(
    application: JpkiApplication,
    virtual_card: VirtualCard,
    text: str,
    again: type[Exception] | None,
    error: BaseException,
    raised: type[BaseException],
) -> None:
    entry = Pin(PinKind.SIGNATURE, text)
    virtual_card.faults = Faults(hook=raising(error))
    with pytest.raises(raised):
        application.verify(entry)
    virtual_card.faults = Faults()
    if again is None:
        application.verify(entry)
        return
    for _ in range(2):
        with pytest.raises(again):
            application.verify(entry)
    assert virtual_card.verify_count == 1
    with pytest.raises(PinIncorrectError):  # a fresh entry is the person's own decision
        application.verify(Pin(PinKind.SIGNATURE, text))


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError()])
def test_a_card_that_goes_away_during_verify_leaves_the_outcome_unknown(
    application: JpkiApplication, virtual_card: VirtualCard, error: Exception
) -> None:
    virtual_card.faults = Faults(hook=raising(error))
    with pytest.raises(OutcomeUnknownError):
        application.verify(right_password())
    assert virtual_card.verify_count == 1


def test_a_verify_that_the_reader_never_sent_is_no_unknown_outcome(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    virtual_card.faults = Faults(hook=raising(CardResetError()))
    with pytest.raises(CardResetError):
        application.verify(right_password())


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (None, OutcomeUnknownError),
        (b"\x90\x00", type(None)),
        (b"\x63\xc2", PinIncorrectError),
        (b"\x69\x84", PinBlockedError),
        (b"\x90", OutcomeUnknownError),
    ],
)
def test_ctrl_c_during_verify_tells_what_became_of_it(
    application: JpkiApplication,
    virtual_card: VirtualCard,
    answer: bytes | None,
    outcome: type[Exception],
) -> None:
    virtual_card.faults = Faults(hook=raising(ExchangeInterrupted(answer)))
    with pytest.raises(Interrupted) as caught:
        application.verify(right_password())
    assert caught.value.step is Step.VERIFY
    assert isinstance(caught.value.outcome, outcome)


# --- change -----------------------------------------------------------------------------------


def test_after_a_change_the_new_password_holds_and_the_old_does_not(
    my_number_card: MyNumberCard,
) -> None:
    with my_number_card.transaction() as application:
        application.change_pin(right_password(), Pin(PinKind.SIGNATURE, "NEW4CODE"))
    with my_number_card.transaction() as application:
        application.verify(Pin(PinKind.SIGNATURE, "NEW4CODE"))
        with pytest.raises(PinIncorrectError):
            application.verify(right_password())


@pytest.mark.parametrize("new", ["ABCDEFGH", "12345678"])
def test_a_new_signature_password_needs_a_letter_and_a_digit(
    application: JpkiApplication, virtual_card: VirtualCard, new: str
) -> None:
    with pytest.raises(PinFormatError) as caught:
        application.change_pin(right_password(), Pin(PinKind.SIGNATURE, new))
    assert caught.value.fault is PinFault.NEEDS_LETTER_AND_DIGIT
    assert virtual_card.verify_count == 0


def test_a_change_never_spends_the_last_try(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    spend(application, 4)
    with pytest.raises(LastTryError):
        application.change_pin(right_password(), Pin(PinKind.SIGNATURE, "NEW4CODE"))
    assert virtual_card.tries("signature") == 1


def test_a_lost_answer_to_a_change_leaves_either_pin_possible(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    virtual_card.faults = Faults(
        hook=lambda _n, command, answer: b"" if command[1] == 0x24 else answer
    )
    with pytest.raises(OutcomeUnknownError) as caught:
        application.change_pin(right_password(), Pin(PinKind.SIGNATURE, "NEW4CODE"))
    assert caught.value.step is Step.CHANGE


def test_a_refused_change_is_told_by_its_status_word(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    virtual_card.faults = Faults(
        hook=lambda _n, command, answer: b"\x69\x82" if command[1] == 0x24 else answer
    )
    with pytest.raises(StatusWordError):
        application.change_pin(right_password(), Pin(PinKind.SIGNATURE, "NEW4CODE"))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (PinKind.AUTHENTICATION, "1234", Weakness.SEQUENCE),
        (PinKind.AUTHENTICATION, "7777", Weakness.REPETITION),
        (PinKind.AUTHENTICATION, "0401", Weakness.DATE),
        (PinKind.AUTHENTICATION, "1985", Weakness.DATE),
        (PinKind.AUTHENTICATION, "4836", None),
        (PinKind.SIGNATURE, "TARO19850401", Weakness.DATE),
        (PinKind.SIGNATURE, "S600401A", Weakness.DATE),
        (PinKind.SIGNATURE, "PASS1234", Weakness.SEQUENCE),
        (PinKind.SIGNATURE, "AAAAA1", Weakness.REPETITION),
        (PinKind.SIGNATURE, "K7QX93BM", None),
    ],
)
def test_a_guessable_new_pin_is_named(kind: PinKind, text: str, expected: Weakness | None) -> None:
    assert weakness(Pin(kind, text)) is expected


def test_any_four_digits_may_be_a_new_authentication_pin() -> None:
    check_new_pin(Pin(PinKind.AUTHENTICATION, "1234"))
