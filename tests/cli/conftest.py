"""Runs of the command in this process, against a fresh virtual card."""

from pathlib import Path

import pytest
from support.trial import Trial

from jpki.emulator import VirtualCard, export_ca


@pytest.fixture
def trial(tmp_path: Path, virtual_card: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """A desk with a document, and a card in the reader."""
    trial = Trial.in_folder(tmp_path, virtual_card)
    monkeypatch.chdir(trial.folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # never this user's own CAs
    return trial


@pytest.fixture(scope="session")
def ca_folder(issued_card_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CA certificates of the card."""
    folder = tmp_path_factory.mktemp("ca")
    export_ca(issued_card_path, folder)
    return folder
