"""The SSH agent and a card behind a real pcscd: let go of after each use, pulled, put back."""

import signal
import threading
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.cards import PIN
from support.held_card import SIGN, HeldCard
from support.process import finish, start
from support.ssh import (
    FAILURE,
    LIST,
    AgentProcess,
    Client,
    agent,
    listed_keys,
    sign_request,
    sshsig_data,
    wait_until,
)
from support.stranger import connected, keys_that_sign_for_anybody
from support.trial import WRONG_PIN
from support.vpcd import READERS, Vpcd
from support.window import Window

from apdu.transports.loopback import LoopbackTransport
from jpki.card import MyNumberCard
from jpki.emulator import Faults, VirtualCard
from jpki.emulator.card_file import read_card_file
from jpki.files import CertificateName

pytestmark = pytest.mark.vpcd

READER = READERS[0]


@pytest.fixture
def card(issued_card_path: Path) -> VirtualCard:
    return VirtualCard(read_card_file(issued_card_path))


@pytest.fixture(scope="module")
def blocks(issued_card_path: Path) -> int:
    """C of the authentication certificate."""
    card = VirtualCard(read_card_file(issued_card_path))
    with MyNumberCard(LoopbackTransport(card)) as opened, opened.transaction() as application:
        certificate = application.read_certificate(CertificateName.AUTHENTICATION)
    return ceil(len(certificate.public_bytes(Encoding.DER)) / 256)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent with the PIN that found no card at its start."""
    with agent(tmp_path, READER, pin=PIN) as process:
        process.wait_until_told("There is no card on the reader")
        yield process


def keys(running: AgentProcess) -> list[bytes]:
    with Client(running.socket) as client:
        return listed_keys(client.ask(LIST))


def sign(running: AgentProcess, key: bytes) -> bool:
    with Client(running.socket) as client:
        return client.ask(sign_request(key, sshsig_data(), 4)) != FAILURE


def test_exchanges_and_verifies_of_each_use(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess, blocks: int
) -> None:
    with vpcd.insert(card):
        (key,) = keys(running)
        assert card.exchange_count == 2 + blocks
        assert keys(running) == [key]
        assert card.exchange_count == 2 + blocks  # from memory
        for use in (1, 2, 3):
            assert sign(running, key)
            assert card.verify_count == use
            assert card.exchange_count == 2 + blocks + use * (7 + blocks)
        for data in (bytes(64), b""):
            with Client(running.socket) as client:
                assert client.ask(sign_request(key, data, 4)) == FAILURE
        assert card.exchange_count == 2 + blocks + 3 * (7 + blocks)  # nothing of it came here


def test_a_person_costs_a_second_look_at_the_card(
    vpcd: Vpcd, card: VirtualCard, tmp_path: Path, blocks: int
) -> None:
    window = Window(tmp_path / "window")
    with vpcd.insert(card), agent(tmp_path, READER, pinentry=window.program) as running:
        (key,) = keys(running)
        before = card.exchange_count
        window.will_answer(PIN)
        assert sign(running, key)
        # The card is recognised before anybody is asked, and again before it gets the PIN.
        assert card.exchange_count - before == 11 + 2 * blocks
        assert card.verify_count == 1


def test_between_uses_other_programs_have_the_card_and_it_signs_for_nobody(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess
) -> None:
    with vpcd.insert(card):
        (key,) = keys(running)
        with connected(READER):  # pcscd takes no power away by itself as long as this lasts
            assert sign(running, key)
            assert keys_that_sign_for_anybody(READER) == []
        process = start("status", environment={"JPKI_READER": READER})
        assert finish(process).exit_code == 0
        assert sign(running, key)


PULLED: dict[str, Callable[[int], Faults]] = {
    "before": lambda step: Faults(pull_before=step),
    "after": lambda step: Faults(pull_after=step),
}


@pytest.mark.parametrize("fault", PULLED)
@pytest.mark.parametrize("step", ["verify", "sign"])
def test_a_card_pulled_at_work_is_a_failure_and_the_next_use_succeeds(
    vpcd: Vpcd, running: AgentProcess, issued_card_path: Path, blocks: int, fault: str, step: str
) -> None:
    look = 2 + blocks
    at = look + {"verify": 5 + blocks, "sign": 7 + blocks}[step]
    card = VirtualCard(read_card_file(issued_card_path), faults=PULLED[fault](at))
    with vpcd.insert(card):
        (key,) = keys(running)
        assert not sign(running, key)
        assert "The answer was lost while the card" in running.told or "removed" in running.told
        verified = step == "sign" or fault == "after"
        assert card.verify_count == verified
    assert not sign(running, key)  # there is no card
    card.faults = Faults()
    with vpcd.insert(card):
        assert keys(running) == [key]
        assert sign(running, key)
        assert card.tries("authentication") == 3


def test_a_wrong_pin_is_sent_once_though_the_card_is_opened_anew_each_time(
    vpcd: Vpcd, card: VirtualCard, tmp_path: Path
) -> None:
    with agent(tmp_path, READER, pin=WRONG_PIN) as running, vpcd.insert(card):
        (key,) = keys(running)
        assert not any(sign(running, key) for _ in range(10))
        assert card.verify_count == 1
        assert card.tries("authentication") == 2
    # Nor when the card was away meanwhile.
    with agent(tmp_path, READER, pin=WRONG_PIN) as running:
        for _ in range(2):
            with vpcd.insert(card):
                (key,) = keys(running)
                assert not sign(running, key)
        assert card.tries("authentication") == 1
        with vpcd.insert(card):
            assert not sign(running, key)
    assert card.tries("authentication") == 1


def test_a_wrong_pin_whose_answer_is_lost_is_not_sent_again(
    vpcd: Vpcd, issued_card_path: Path, tmp_path: Path, blocks: int
) -> None:
    """The card is pulled amid the VERIFY: nobody knows, until the tries tell."""
    faults = Faults(pull_after=2 + blocks + 5 + blocks)
    card = VirtualCard(read_card_file(issued_card_path), faults=faults)
    with agent(tmp_path, READER, pin=WRONG_PIN) as running:
        with vpcd.insert(card):
            (key,) = keys(running)
            assert not sign(running, key)
        assert (card.verify_count, card.tries("authentication")) == (1, 2)
        card.faults = Faults()
        with vpcd.insert(card):
            assert not any(sign(running, key) for _ in range(3))
        assert running.told.count("it was not sent again") == 3
    assert (card.verify_count, card.tries("authentication")) == (1, 2)


def test_the_list_is_answered_while_the_card_works(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess
) -> None:
    held = HeldCard(card, SIGN)
    with vpcd.insert(held):
        (key,) = keys(running)
        with Client(running.socket) as client:
            client.send(sign_request(key, sshsig_data(), 4))
            assert held.reached.wait(30)
            assert keys(running) == [key]
            held.released.set()
            answer = client.receive()
        assert answer is not None
        assert answer[0] == 14


def test_sigterm_while_the_card_works_ends_in_order(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess
) -> None:
    held = HeldCard(card, SIGN)
    with vpcd.insert(held):
        (key,) = keys(running)
        with Client(running.socket) as client:
            client.send(sign_request(key, sshsig_data(), 4))
            assert held.reached.wait(30)
            running.process.terminate()
            threading.Timer(0.2, held.released.set).start()
            assert client.receive() is None
            assert running.process.wait(30) == 0
        assert not running.socket.exists()
        assert keys_that_sign_for_anybody(READER) == []


def test_ctrl_c_while_the_card_works_tells_what_it_came_to(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess
) -> None:
    held = HeldCard(card, SIGN)
    with vpcd.insert(held):
        (key,) = keys(running)
        with Client(running.socket) as client:
            client.send(sign_request(key, sshsig_data(), 4))
            assert held.reached.wait(30)
            running.process.send_signal(signal.SIGINT)
            running.wait_until_told("waiting up to 3 seconds for the card's answer")
            held.released.set()
            assert client.receive() is None
            assert running.process.wait(30) == 130
        assert "the card had done 'sign' by then" in running.told
        assert not running.socket.exists()
        assert keys_that_sign_for_anybody(READER) == []


def test_ctrl_c_while_the_card_works_ends_the_use_and_not_the_command(
    vpcd: Vpcd, card: VirtualCard, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("content")
    script = (
        "ssh-add -L > key.pub; ssh-keygen -Y sign -n file -f key.pub file; echo first: $?;"
        " ssh-keygen -Y sign -n file -f key.pub file; echo second: $?; exit 5"
    )
    held = HeldCard(card, SIGN)
    with vpcd.insert(held):
        process = start(
            "auth", "ssh-agent", "--pin-from", "env:JPKI_TEST_PIN", "--",
            "sh", "-c", f"cd {tmp_path}; {script}",
            pin=PIN, environment={"JPKI_READER": READER},
        )  # fmt: skip
        assert held.reached.wait(30)
        process.send_signal(signal.SIGINT)  # to the agent alone; a terminal tells both
        threading.Timer(0.3, held.released.set).start()
        run = finish(process)
        assert run.exit_code == 5
        assert run.stdout.decode().splitlines() == ["first: 255", "second: 0"]
        assert run.stderr.count("the card had done 'sign' by then") == 1
        assert card.verify_count == 2


def test_ten_clients_at_a_time_get_their_signatures_one_after_the_other(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess
) -> None:
    with vpcd.insert(card):
        (key,) = keys(running)
        clients = [Client(running.socket) for _ in range(10)]
        for client in clients:
            client.send(sign_request(key, sshsig_data(), 4))
        answers = [client.receive() for client in clients]
        assert [answer[0] for answer in answers if answer] == [14] * 10
        assert card.verify_count == 10
        for client in clients:
            client.close()


def test_a_card_that_another_program_holds_is_a_failure_in_time(
    vpcd: Vpcd, card: VirtualCard, running: AgentProcess
) -> None:
    from smartcard import scard  # noqa: TID251 - another program

    with vpcd.insert(card):
        (key,) = keys(running)
        with connected(READER) as (handle, _protocol):
            assert scard.SCardBeginTransaction(handle) == 0
            assert not sign(running, key)
            assert keys(running) == [key]
            scard.SCardEndTransaction(handle, scard.SCARD_LEAVE_CARD)
        assert "Another program is using the card" in running.told
        wait_until(lambda: sign(running, key), running.told)
