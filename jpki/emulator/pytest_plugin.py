"""A pytest plugin: the fixture ``jpki_card`` is a fresh virtual My Number Card for each test.

pytest loads this module whenever it starts, so ``cryptography`` is left to the first test that
asks for a card. Four keys and certificates are made once in a session, and each test has a copy.
"""

import datetime
import shutil
from pathlib import Path

import pytest

from jpki.emulator.card import VirtualCard

SIGNATURE_PASSWORD = "ABC123"  # noqa: S105  # a virtual card's
AUTHENTICATION_PIN = "3456"


@pytest.fixture(scope="session")
def jpki_card_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card file that the tests of a session copy: 見本　太郎, issued a day ago, known PINs."""
    from jpki.emulator.personalise import create_card

    path = tmp_path_factory.mktemp("jpki") / "template.card"
    create_card(
        path,
        issued=datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1),
        signature_password=SIGNATURE_PASSWORD,
        authentication_pin=AUTHENTICATION_PIN,
    )
    return path


@pytest.fixture
def jpki_card_path(jpki_card_template: Path, tmp_path: Path) -> Path:
    """The file of this test's card, for ``--reader emulator:PATH`` and ``load_card``."""
    path = tmp_path / "my-number.card"
    shutil.copy(jpki_card_template, path)
    return path


@pytest.fixture
def jpki_card(jpki_card_path: Path) -> VirtualCard:
    """A virtual My Number Card in this process; ``pin_value("signature")`` tells its PINs."""
    from jpki.emulator.personalise import load_card

    return load_card(jpki_card_path)
