"""Logins over SSH with the card through OpenSC, by the commands of docs/tls.md, at a real sshd."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.sshd import Sshd, running_sshd
from support.tls_page import Desk, block
from support.vpcd import Vpcd

from jpki.emulator import VirtualCard
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN, SIGNATURE_PASSWORD

pytestmark = pytest.mark.vpcd

WRONG = "9630"
WRONG_PASSWORD = "WRONG2026"
QUESTION = "Enter PIN for 'JPKI (User Authentication PIN)':"
ADD_QUESTION = "Enter passphrase for PKCS#11:"
ONE_SLOT = "/usr/lib/x86_64-linux-gnu/onepin-opensc-pkcs11.so"
BOTH_SLOTS = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
SIGN = "00A4040C0AD392F000260100000001", "00A4020C020017", "802A008001AA00"


@pytest.fixture
def desk(vpcd: Vpcd, jpki_card: VirtualCard, tmp_path: Path) -> Iterator[Desk]:
    with vpcd.insert(jpki_card) as reader:
        yield Desk(tmp_path / "desk", reader)


@pytest.fixture
def sshd(desk: Desk, tmp_path: Path) -> Iterator[Sshd]:
    """It lets in the key that the page's command prints."""
    with running_sshd(tmp_path / "sshd", desk.run(block("ssh-key"))) as server:
        yield server


def login(sshd: Sshd, module: str) -> str:
    """The page's command, then one that runs on the server."""
    command = block("ssh", {"ssh -I": f"ssh -F {sshd.config} -I", ONE_SLOT: module})
    return f"{command.rstrip()} echo in; echo out"


def test_the_line_for_authorized_keys_is_the_authentication_key(desk: Desk) -> None:
    pem = desk.run("jpki cert export authentication")
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert desk.run(block("ssh-key")) == f"{line} User Authentication Public Key\n"
    everything = desk.run(block("ssh-key").partition("|")[0]).splitlines()
    names = [line.split(" ", 2)[2] for line in everything]
    assert names == ["User Authentication Public Key", "User Authentication Certificate CA"]


@pytest.mark.parametrize("module", [ONE_SLOT, BOTH_SLOTS])
def test_ssh_logs_in_with_one_pin(
    desk: Desk, sshd: Sshd, jpki_card: VirtualCard, module: str
) -> None:
    exit_code, screen = desk.enter_pin(login(sshd, module), QUESTION, AUTHENTICATION_PIN)
    assert exit_code == 0
    assert "\nin\n" in screen
    assert ("C_GetAttributeValue failed: 5" in screen) == (module == BOTH_SLOTS)
    assert sshd.accepted() == 1
    assert (jpki_card.verify_count, jpki_card.signature_count) == (1, 1)


@pytest.mark.parametrize("module", [ONE_SLOT, BOTH_SLOTS])
def test_a_wrong_pin_costs_one_try_and_ssh_does_not_get_in(
    desk: Desk, sshd: Sshd, jpki_card: VirtualCard, module: str
) -> None:
    exit_code, screen = desk.enter_pin(login(sshd, module), QUESTION, WRONG)
    assert exit_code == 255
    assert "Permission denied (publickey)" in screen
    assert sshd.accepted() == 0
    assert (jpki_card.verify_count, jpki_card.signature_count) == (1, 0)
    assert (jpki_card.tries("authentication"), jpki_card.tries("signature")) == (2, 5)


def with_agent(module: str, then: str) -> str:
    """Add the module to an agent that lives as long as these commands."""
    return f"ssh-agent bash -c 'ssh-add -s {module}; {then}'"


def test_ssh_add_gives_the_password_to_the_signature_slot_unless_there_is_one_slot(
    desk: Desk, jpki_card: VirtualCard
) -> None:
    both, one = with_agent(BOTH_SLOTS, "ssh-add -l"), with_agent(ONE_SLOT, "ssh-add -l")
    _exit_code, screen = desk.enter_pin(one, ADD_QUESTION, SIGNATURE_PASSWORD)
    assert "The agent has no identities." in screen
    assert jpki_card.verify_count == 0
    _exit_code, screen = desk.enter_pin(both, ADD_QUESTION, SIGNATURE_PASSWORD)
    assert "Digital Signature Public Key (RSA)" in screen
    desk.enter_pin(both, ADD_QUESTION, WRONG_PASSWORD)
    assert (jpki_card.tries("authentication"), jpki_card.tries("signature")) == (3, 4)


def test_the_card_stays_unlocked_for_all_while_an_agent_holds_it(desk: Desk) -> None:
    sign = f"opensc-tool {' '.join(f'-s {command}' for command in SIGN)}"
    assert "SW1=0x69, SW2=0x82" in desk.run(sign)
    _exit_code, screen = desk.enter_pin(
        with_agent(ONE_SLOT, sign), ADD_QUESTION, AUTHENTICATION_PIN
    )
    assert screen.count("SW1=0x90, SW2=0x00") == len(SIGN)
