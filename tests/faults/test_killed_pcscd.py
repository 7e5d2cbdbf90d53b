"""pcscd dies while the card signs, and comes back. It is one of the test's own, in namespaces."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.cards import PASSWORD
from support.trial import Run, check_failure, check_nothing_leaked, is_installed

pytestmark = pytest.mark.vpcd

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "support" / "killed_pcscd.py"
ALONE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")


def can_be_alone() -> bool:
    """Whether this machine lets us have namespaces, and has what would run in them."""
    if os.getuid() != 0 or not all(map(is_installed, ("unshare", "pcscd", "ip", "mount"))):
        return False
    probe = [*ALONE, "sh", "-c", "mount -t tmpfs tmpfs /run && ip link set lo up"]
    done = subprocess.run(probe, capture_output=True, check=False)
    reader = Path("/etc/reader.conf.d/vpcd").exists()
    return done.returncode == 0 and reader


@pytest.fixture(scope="module")
def outcome(issued_card_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not can_be_alone():
        pytest.skip("needs root, namespaces, iproute2 and pcscd with vpcd")
    desk = tmp_path_factory.mktemp("desk")
    card, document, output = desk / "card.json", desk / "document.txt", desk / "old.sig"
    card.write_bytes(issued_card_path.read_bytes())
    document.write_bytes(b"a document\n")
    output.write_bytes(b"an earlier signature")
    done = subprocess.run(
        [*ALONE, sys.executable, str(PROGRAM), str(card), str(document), str(output)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(path.name for path in desk.iterdir()) == ["card.json", "document.txt", "old.sig"]
    return dict(json.loads(done.stdout))


def run_of(outcome: dict[str, Any], name: str) -> Run:
    exit_code, stdout, stderr = outcome[name]
    return Run(
        arguments=("--json",),
        exit_code=exit_code,
        stdout=stdout.encode(),
        stderr=stderr,
        typed=frozenset({PASSWORD}),
    )


def test_when_pcscd_dies_during_the_signature_the_outcome_is_unknown(
    outcome: dict[str, Any],
) -> None:
    run = run_of(outcome, "killed")
    check_failure(run, "outcome-unknown")
    check_nothing_leaked(run)
    assert outcome["old output"] == "an earlier signature"


def test_without_pcscd_the_next_command_says_how_to_start_it(outcome: dict[str, Any]) -> None:
    check_failure(run_of(outcome, "without"), "pcsc-unavailable")


def test_when_pcscd_is_back_the_next_signature_is_made(outcome: dict[str, Any]) -> None:
    assert run_of(outcome, "again").exit_code == 0, outcome["again"]
    assert outcome["new output"] == 256
    assert (outcome["verify_count"], outcome["tries"]) == (2, 5)
