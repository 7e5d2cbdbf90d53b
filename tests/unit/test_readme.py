"""The README's promises that a program can check."""

import re
from pathlib import Path

import pytest
from support.cards import PASSWORD

from apdu.transports.loopback import LoopbackTransport
from cli.exit_codes import ExitCode
from jpki.card import MyNumberCard
from jpki.emulator import VirtualCard

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_library_example_signs_a_file(
    virtual_card: VirtualCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = next(code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL))
    card = MyNumberCard(LoopbackTransport(virtual_card))
    monkeypatch.setattr("jpki.readers.open_card", lambda: card)
    monkeypatch.chdir(tmp_path)
    Path("a.pdf").write_bytes(b"%PDF-1.7")
    exec(example, {"password": PASSWORD})  # noqa: S102
    assert Path("a.pdf.p7s").read_bytes()[:1] == b"\x30"
    assert len([line for line in example.splitlines() if line]) <= 10


def test_every_file_that_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_exit_code_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE)
    documented = [int(number) for row in rows for number in row.split(",")]
    assert documented == [code.value for code in sorted(ExitCode, key=documented.index)]
