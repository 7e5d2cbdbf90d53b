"""How often the card is spoken to. Each exchange is 20 ms on a contactless reader."""

import json
from math import ceil

import pytest
from support.cards import PASSWORD, PIN
from support.trial import Trial

from jpki.application import JpkiApplication
from jpki.emulator import VirtualCard
from jpki.files import CertificateName
from jpki.pins import Pin, PinKind

BLOCK = 256


@pytest.fixture(scope="module")
def blocks(issued_card_path) -> dict[CertificateName, int]:  # type: ignore[no-untyped-def]
    """C of each certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from apdu.transports.loopback import LoopbackTransport
    from jpki.card import MyNumberCard
    from jpki.emulator.card_file import read_card_file

    card = VirtualCard(read_card_file(issued_card_path))
    with MyNumberCard(LoopbackTransport(card)) as opened, opened.transaction() as application:
        application.verify(Pin(PinKind.SIGNATURE, PASSWORD))
        return {name: _blocks(application, name, Encoding.DER) for name in CertificateName}


def _blocks(application: JpkiApplication, name: CertificateName, der) -> int:  # type: ignore[no-untyped-def]
    return ceil(len(application.read_certificate(name).public_bytes(der)) / BLOCK)


def test_a_scripted_signature_takes_seven_exchanges_and_the_certificate(
    trial: Trial, blocks: dict[CertificateName, int]
) -> None:
    run = trial.run("sign", "document.txt", "--pin-from", "env:JPKI_TEST_PIN", pin=PASSWORD)
    assert run.exit_code == 0, run.stderr
    assert trial.card.exchange_count == 7 + blocks[CertificateName.SIGNATURE]


def test_a_signature_at_a_terminal_takes_three_more(
    trial: Trial, blocks: dict[CertificateName, int]
) -> None:
    run = trial.run("sign", "document.txt", answers=[PASSWORD])
    assert run.exit_code == 0, run.stderr
    assert trial.card.exchange_count <= 10 + blocks[CertificateName.SIGNATURE]


def test_a_hundred_files_take_one_verify_and_one_exchange_each(
    trial: Trial, blocks: dict[CertificateName, int]
) -> None:
    names = [f"{number}.txt" for number in range(100)]
    for name in names:
        (trial.folder / name).write_text(name)
    run = trial.run("sign", *names, "--pin-from", "env:JPKI_TEST_PIN", pin=PASSWORD)
    assert run.exit_code == 0, run.stderr
    assert trial.card.exchange_count <= 106 + blocks[CertificateName.SIGNATURE]
    assert trial.card.verify_count == 1
    assert len(json.loads(run.stdout)["files"]) == 100


def test_the_tries_of_both_pins_take_five_exchanges(trial: Trial) -> None:
    assert trial.run("pin", "status").exit_code == 0
    assert trial.card.exchange_count == 5


def test_the_authentication_certificate_takes_two_exchanges_and_its_blocks(
    trial: Trial, blocks: dict[CertificateName, int]
) -> None:
    assert trial.run("cert", "export", "auth").exit_code == 0
    assert trial.card.exchange_count == 2 + blocks[CertificateName.AUTHENTICATION]


def test_a_login_takes_seven_exchanges_and_the_certificate(
    trial: Trial, blocks: dict[CertificateName, int]
) -> None:
    run = trial.run(
        "auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44,
        "--pin-from", "env:JPKI_TEST_PIN", pin=PIN,
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr
    assert trial.card.exchange_count == 7 + blocks[CertificateName.AUTHENTICATION]
