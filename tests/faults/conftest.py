"""A desk with a document on it, and a card that nothing has happened to yet."""

import tempfile
from pathlib import Path

import pytest
from support.trial import Trial

from jpki.emulator import VirtualCard


@pytest.fixture
def trial(tmp_path: Path, issued_image_card: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> Trial:
    trial = Trial.in_folder(tmp_path, issued_image_card)
    monkeypatch.setattr(tempfile, "tempdir", str(trial.temporary))
    return trial
