"""Whatever bytes come, the card answers, and without the PIN it never signs."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jpki.emulator import VirtualCard
from jpki.emulator.card_file import read_card_file
from jpki.emulator.image import CardImage
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN, SIGNATURE_PASSWORD

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")

known = st.sampled_from(
    [
        SELECT_JPKI,
        bytes.fromhex("00A4040C0AD3921000310001010100"),
        *(
            bytes.fromhex(f"00A4020C0200{ef:02X}")
            for ef in (1, 2, 6, 8, 10, 11, 0x17, 0x18, 0x1A, 0x1B)
        ),
        bytes.fromhex("00B0000000"),
        bytes.fromhex("00B0810000"),
        bytes.fromhex("00200080"),
        bytes.fromhex("0020009B06") + b"WRONG0",
        bytes.fromhex("0020009804") + b"0000",
        bytes.fromhex("0024019804") + b"1111",
        bytes.fromhex("802A0080013000"),
        bytes.fromhex("802A0097013000"),
        bytes.fromhex("802A009A013000"),
        bytes.fromhex("0088009701AA00"),
    ]
)
resembling = st.builds(
    lambda cla, ins, p1, p2, body: bytes([cla, ins, p1, p2]) + body,
    st.sampled_from([0x00, 0x80]),
    st.sampled_from([0xA4, 0xB0, 0x20, 0x24, 0x2A, 0x84, 0x88, 0xC0, 0xCA, 0xFC]),
    st.sampled_from([0x00, 0x01, 0x02, 0x04, 0x81, 0x8A]) | st.integers(0, 255),
    st.sampled_from([0x00, 0x0C, 0x80, 0x97, 0x98, 0x9A, 0x9B]) | st.integers(0, 255),
    st.binary(max_size=20) | st.binary(max_size=16).map(lambda data: bytes([len(data)]) + data),
)
steps = st.lists(known | resembling | st.binary(max_size=300) | st.none(), max_size=25)
PINS = (SIGNATURE_PASSWORD.encode(), AUTHENTICATION_PIN.encode())


@pytest.fixture(scope="module")
def image(jpki_card_template) -> CardImage:
    return read_card_file(jpki_card_template)


@given(steps=steps)
@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_have_an_answer_and_nothing_signs_without_pin(
    image: CardImage, steps: list[bytes | None]
) -> None:
    card = VirtualCard(image)
    for step in steps:
        if step is None:
            card.reset()
        elif not any(pin in step for pin in PINS):
            answer = card.execute(step)
            assert 2 <= len(answer) <= 65538
            assert answer[-2] in range(0x61, 0x70) or answer[-2:] == b"\x90\x00"
    assert card.signature_count == 0
    assert card.tries("signature") <= 5
    assert card.pin_value("signature") == SIGNATURE_PASSWORD
    assert card.pin_value("authentication") == AUTHENTICATION_PIN


@given(steps=steps)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_each_wrong_try_is_counted_once(image: CardImage, steps: list[bytes | None]) -> None:
    card = VirtualCard(image)
    card.execute(SELECT_JPKI)
    for step in steps:
        before = card.tries("signature") + card.tries("authentication")
        if step is not None and not any(pin in step for pin in PINS):
            answer = card.execute(step)
            after = card.tries("signature") + card.tries("authentication")
            spent = step[1:2] == b"\x20" and len(step) > 4 and answer[:1] == b"\x63"
            assert before - after == int(spent)
