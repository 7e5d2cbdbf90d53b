"""Files of the card: how many exchanges they cost, and what nonsense a card may put in them."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from support.cards import PASSWORD

from apdu.channel import Channel
from apdu.errors import MalformedResponseError, StatusWordError
from apdu.transports.loopback import LoopbackTransport
from jpki.application import JpkiApplication
from jpki.card import MyNumberCard
from jpki.elementary_files import ElementaryFiles
from jpki.emulator import Faults, VirtualCard, create_card, load_card
from jpki.errors import (
    CertificateMalformedError,
    CertificateMissingError,
    NotAMyNumberCardError,
    PinBlockedError,
    PinRequiredError,
    UnsupportedCardError,
)
from jpki.files import CardKind, CertificateName, PinKind
from jpki.pins import Pin

READ_BINARY = 0xB0


class OneFile:
    """A card with a single EF, as strict about its end as a real one."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reads = 0

    def execute(self, command: bytes, /) -> bytes:
        if command[1] != READ_BINARY:
            return b"\x90\x00"
        self.reads += 1
        offset = int.from_bytes(command[2:4], "big")
        if offset >= len(self.content):
            return b"\x6b\x00"
        return self.content[offset : offset + (command[4] or 256)] + b"\x90\x00"


def read_der(content: bytes) -> tuple[bytes, int]:
    card = OneFile(content)
    der = ElementaryFiles(Channel(LoopbackTransport(card))).read_der(0x000A)
    return der, card.reads


def sequence(length: int) -> bytes:
    """A DER SEQUENCE of ``length`` bytes in all, at least 260."""
    return b"\x30\x82" + (length - 4).to_bytes(2, "big") + bytes(length - 4)


@pytest.mark.parametrize("length", [260, 511, 512, 513, 1500, 2048, 8192])
def test_a_value_of_c_blocks_costs_c_reads_and_leaves_the_padding(length: int) -> None:
    value = sequence(length)
    der, reads = read_der(value + b"\xff" * 700)
    assert der == value
    assert reads == -(-length // 256)


def test_a_short_value_is_cut_out_of_its_one_block() -> None:
    assert read_der(b"\x30\x03\x02\x01\x05" + b"\xff" * 50) == (b"\x30\x03\x02\x01\x05", 1)


@pytest.mark.parametrize("content", [b"", b"\xff" * 300])
def test_an_erased_file_is_empty(content: bytes) -> None:
    card = OneFile(content or b"\xff")
    assert ElementaryFiles(Channel(LoopbackTransport(card))).read_der(0x0001) == b""


@pytest.mark.parametrize(
    "content",
    [
        b"\x30",
        b"\x04\x02\x00\x00",
        b"\x30\x80\x00\x00",  # indefinite
        b"\x30\x82\x20\x01" + bytes(300),  # beyond the bound
        b"\x30\x84\xff\xff\xff\xff" + bytes(300),
        b"\x30\x82\x02",
    ],
)
def test_what_is_no_bounded_sequence_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        read_der(content)


def test_a_file_that_ends_inside_its_value_is_refused() -> None:
    with pytest.raises((MalformedResponseError, StatusWordError)):
        read_der(sequence(1000)[:700])


@given(content=st.binary(max_size=600))
def test_whatever_a_file_holds_is_read_or_refused(content: bytes) -> None:
    try:
        der, reads = read_der(content)
    except (MalformedResponseError, StatusWordError):
        return
    assert content.startswith(der)
    assert reads <= 3


def test_reading_the_authentication_certificate_costs_two_exchanges_and_one_per_block(
    my_number_card: MyNumberCard, virtual_card: VirtualCard
) -> None:
    with my_number_card.transaction() as application:
        certificate = application.read_certificate(CertificateName.AUTHENTICATION)
    blocks = -(-len(certificate.public_bytes(Encoding.DER)) // 256)
    assert virtual_card.exchange_count == 2 + blocks


def test_the_tries_of_both_pins_cost_five_exchanges(
    my_number_card: MyNumberCard, virtual_card: VirtualCard
) -> None:
    with my_number_card.transaction() as application:
        for kind in PinKind:
            application.tries_left(kind)
    assert virtual_card.exchange_count == 5


def test_the_signature_certificate_needs_its_password(application: JpkiApplication) -> None:
    with pytest.raises(PinRequiredError) as caught:
        application.read_certificate(CertificateName.SIGNATURE)
    assert caught.value.kind is PinKind.SIGNATURE
    application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
    assert application.read_certificate(CertificateName.SIGNATURE).version.name == "v3"


def test_garbage_in_place_of_a_certificate_is_named_without_being_quoted(
    application: JpkiApplication, virtual_card: VirtualCard
) -> None:
    virtual_card.faults = Faults(certificate_garbage=True)
    with pytest.raises((CertificateMalformedError, MalformedResponseError)):
        application.read_certificate(CertificateName.AUTHENTICATION)


def test_the_token_info_tells_the_kind_of_card(application: JpkiApplication) -> None:
    info = application.token_info()
    assert info.kind is CardKind.MY_NUMBER
    assert info.label == "JPKIAPICCTOKEN2"


@pytest.fixture
def special_card(tmp_path) -> Callable[..., MyNumberCard]:
    def make(**options) -> MyNumberCard:
        create_card(tmp_path / "special.json", **options)
        return MyNumberCard(LoopbackTransport(load_card(tmp_path / "special.json")))

    return make


def test_a_card_without_signature_certificate_says_so_before_any_password_is_sent(
    special_card,
) -> None:
    card = special_card(with_signature_certificate=False)
    with card.transaction() as application, pytest.raises(CertificateMissingError):
        application.verify(Pin(PinKind.SIGNATURE, PASSWORD))


def test_a_face_authentication_card_is_blocked_and_not_without_certificate(special_card) -> None:
    card = special_card(face_authentication=True)
    with card.transaction() as application, pytest.raises(PinBlockedError):
        application.verify(Pin(PinKind.SIGNATURE, PASSWORD))


def test_a_phone_that_wants_a_pin_for_its_certificate_is_named(special_card) -> None:
    card = special_card(label="JPKIAPGPSETOKEN")
    with card.transaction() as application, pytest.raises(UnsupportedCardError) as caught:
        application.read_certificate(CertificateName.AUTHENTICATION)
    assert caught.value.kind is CardKind.ANDROID


# --- recognition ------------------------------------------------------------------------------


class OtherCard:
    """A card of another kind: its word for an application that it does not know."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)

    def execute(self, _command: bytes, /) -> bytes:
        return self.answers.pop(0).to_bytes(2, "big")


@pytest.mark.parametrize("status_word", [0x6A82, 0x6A81, 0x6A86, 0x6D00, 0x6E00, 0x6999])
def test_a_card_without_the_application_is_not_a_my_number_card(status_word: int) -> None:
    card = MyNumberCard(LoopbackTransport(OtherCard(status_word), reader_name="Reader 1"))
    with pytest.raises(NotAMyNumberCardError, match="Reader 1"), card.transaction():
        pass


def test_the_first_select_after_power_up_may_fail_once() -> None:
    card = MyNumberCard(LoopbackTransport(OtherCard(0x6F00, 0x9000)))
    with card.transaction():
        pass


def test_a_select_that_fails_twice_is_told_by_its_status_word() -> None:
    card = MyNumberCard(LoopbackTransport(OtherCard(0x6F00, 0x6F00)))
    with pytest.raises(StatusWordError), card.transaction():
        pass


def test_after_a_transaction_with_a_pin_the_card_has_forgotten_it(
    my_number_card: MyNumberCard, virtual_card: VirtualCard
) -> None:
    with my_number_card.transaction() as application:
        application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
    assert virtual_card.execute(bytes.fromhex("00A4040C0AD392F000260100000001")) == b"\x90\x00"
    assert virtual_card.execute(bytes.fromhex("00A4020C02001A")) == b"\x90\x00"
    assert virtual_card.execute(bytes.fromhex("802A0080") + b"\x01\x30\x00") == b"\x69\x82"


def test_a_transaction_without_a_pin_leaves_what_another_program_verified(
    my_number_card: MyNumberCard, virtual_card: VirtualCard
) -> None:
    virtual_card.execute(bytes.fromhex("00A4040C0AD392F000260100000001"))
    virtual_card.execute(bytes.fromhex("00A4020C02001B"))
    virtual_card.execute(bytes.fromhex("0020008008") + PASSWORD.encode())
    with my_number_card.transaction() as application:
        application.tries_left(PinKind.SIGNATURE)
    virtual_card.execute(bytes.fromhex("00A4020C02001A"))
    assert len(virtual_card.execute(bytes.fromhex("802A0080") + b"\x01\x30\x00")) == 258


def test_a_certificate_with_one_byte_wrong_is_read_or_named_and_never_a_bug(
    issued_image_card: VirtualCard,
) -> None:
    card = MyNumberCard(LoopbackTransport(issued_image_card))
    with card.transaction() as application:
        size = len(
            application.read_certificate(CertificateName.AUTHENTICATION).public_bytes(Encoding.DER)
        )
    refused = 0
    for place in range(size):
        issued_image_card.faults = Faults(hook=flipping(place))
        with card.transaction() as application:
            try:
                certificate = application.read_certificate(CertificateName.AUTHENTICATION)
            except (CertificateMalformedError, CertificateMissingError, MalformedResponseError):
                refused += 1
                continue
        assert isinstance(certificate.public_key(), object)
        assert certificate.not_valid_before_utc.tzinfo is certificate.not_valid_after_utc.tzinfo
        assert certificate.issuer.rfc4514_string()
        assert certificate.subject.rfc4514_string()
    assert 50 < refused < size


def flipping(place: int) -> Callable[[int, bytes, bytes], bytes]:
    """A card with one byte of its files wrong."""

    def hook(_exchange: int, command: bytes, answer: bytes) -> bytes:
        offset = int.from_bytes(command[2:4], "big")
        if command[1] != READ_BINARY or not offset <= place < offset + len(answer) - 2:
            return answer
        spoilt = bytearray(answer)
        spoilt[place - offset] ^= 0x55
        return bytes(spoilt)

    return hook
