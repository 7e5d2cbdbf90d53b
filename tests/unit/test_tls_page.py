"""What docs/tls.md tells people to install is what its commands are tested with."""

from pathlib import Path

from support.tls_page import BLOCKS

SETUP = Path(__file__).parents[2] / "scripts" / "setup"


def test_the_tests_install_what_the_page_does() -> None:
    installation = BLOCKS["install"].split()
    assert installation[:3] == ["sudo", "apt", "install"]
    assert set(installation[3:]) <= set(SETUP.read_text(encoding="utf-8").split())
