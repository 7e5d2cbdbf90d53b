"""The plugin as another project's tests use it."""

import subprocess
import sys
from pathlib import Path

from jpki.emulator import VirtualCard
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN, SIGNATURE_PASSWORD

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")


def test_each_test_has_a_fresh_card_with_known_pins(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n"
        "SELECT = bytes.fromhex('00A4040C0AD392F000260100000001')\n"
        "@pytest.mark.parametrize('turn', range(3))\n"
        "def test_one_wrong_try(jpki_card, turn):\n"
        "    assert jpki_card.execute(SELECT) == b'\\x90\\x00'\n"
        "    assert jpki_card.execute(bytes.fromhex('0020009804') + b'0000') == b'\\x63\\xc2'\n"
        "    assert jpki_card.verify_count == 1\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_start_of_pytest_does_not_load_cryptography(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\ndef test_light():\n    assert 'cryptography' not in sys.modules\n",
        encoding="utf-8",
    )
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def test_pins_are_those_of_the_module(jpki_card: VirtualCard) -> None:
    assert jpki_card.pin_value("signature") == SIGNATURE_PASSWORD
    assert jpki_card.pin_value("authentication") == AUTHENTICATION_PIN


def test_file_of_the_card_is_offered(jpki_card: VirtualCard, jpki_card_path: Path) -> None:
    before = jpki_card_path.read_bytes()
    jpki_card.execute(SELECT_JPKI)
    jpki_card.execute(bytes.fromhex("0020009804") + b"0000")
    assert jpki_card_path.read_bytes() != before
