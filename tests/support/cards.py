"""Fixtures: fresh virtual cards in this process, with PINs that the tests know."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from apdu.transports.loopback import LoopbackTransport
from jpki.application import JpkiApplication
from jpki.card import MyNumberCard
from jpki.emulator import VirtualCard, create_card, load_card
from jpki.emulator.card_file import read_card_file

PASSWORD = "TARO2026"
PIN = "1848"
HOLDER = "見本　太郎"
BIRTH_DATE = date(1985, 4, 1)


@pytest.fixture(scope="session")
def issued_card_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One card file for the whole run; making four RSA keys takes a while. Copied, never used."""
    path = tmp_path_factory.mktemp("issued") / "card.json"
    create_card(
        path,
        name=HOLDER,
        birth_date=BIRTH_DATE,
        signature_password=PASSWORD,
        authentication_pin=PIN,
    )
    return path


@pytest.fixture
def card_path(issued_card_path: Path, tmp_path: Path) -> Path:
    """The file of a card that this test may do anything to."""
    path = tmp_path / "card.json"
    shutil.copyfile(issued_card_path, path)
    path.chmod(0o600)
    return path


@pytest.fixture
def virtual_card(card_path: Path) -> VirtualCard:
    """That card, in the reader and under power."""
    return load_card(card_path)


@pytest.fixture
def my_number_card(virtual_card: VirtualCard) -> Iterator[MyNumberCard]:
    """The same card through the toolkit."""
    with MyNumberCard(LoopbackTransport(virtual_card)) as card:
        yield card


@pytest.fixture
def application(my_number_card: MyNumberCard) -> Iterator[JpkiApplication]:
    """Its application, in a transaction."""
    with my_number_card.transaction() as application:
        yield application


@pytest.fixture
def issued_image_card(issued_card_path: Path) -> VirtualCard:
    """A card that forgets with the process: for tests that run a thousand times."""
    return VirtualCard(read_card_file(issued_card_path))
