"""The agent's socket: who may speak to it, and that nobody there keeps the others waiting."""

import asyncio
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.ssh import (
    FAILURE,
    KEY,
    LIST,
    SIGN_RESPONSE,
    SIGNATURE,
    SUCCESS,
    Client,
    Holder,
    listed_keys,
    sign_request,
    sshsig_data,
    wait_until,
)

from jpki.authentication.errors import AgentSocketError, SocketFault
from jpki.authentication.ssh import Agent, Order
from jpki.authentication.ssh import listening as listening_module
from jpki.authentication.ssh.listening import listening, peer_is_trusted, private_folder
from jpki.authentication.ssh.messages import MAX_MESSAGE
from jpki.authentication.ssh.server import AgentServer, served_in_thread
from jpki.authentication.ssh.wire import string, uint32

SIGN = sign_request(KEY, sshsig_data(), 4)


class SlowHolder(Holder):
    """Signs when the test says so; ``cancelled`` counts those who did not wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.cancelled = 0

    async def sign(self, order: Order) -> bytes | None:
        self.orders.append(order)
        try:
            while not self.may_go_on.is_set():
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return SIGNATURE


@contextmanager
def serving(path: Path, holder: Holder | None = None, **limits: float) -> Iterator[Path]:
    server = AgentServer(Agent(holder or Holder(), tell=print), **limits)  # type: ignore[arg-type]
    with listening(path) as listener, served_in_thread(server, listener):
        yield path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent"


def test_the_socket_is_its_owners_alone_and_goes_away(path: Path) -> None:
    before = os.umask(0)  # whatever the person has set
    try:
        with serving(path):
            status = path.lstat()
            assert stat.S_ISSOCK(status.st_mode)
            assert stat.S_IMODE(status.st_mode) == 0o600
            assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not path.exists()


def test_a_socket_that_somebody_else_put_there_is_left(path: Path) -> None:
    with serving(path):
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"


def test_many_messages_in_one_connection(path: Path) -> None:
    with serving(path), Client(path) as client:
        for _ in range(3):
            assert listed_keys(client.ask(LIST)) == [KEY]
            assert client.ask(SIGN) == SIGN_RESPONSE
        for message in (LIST, SIGN, b"\x99"):  # without waiting for the answers
            client.send(message)
        assert listed_keys(client.receive()) == [KEY]
        assert client.receive() == SIGN_RESPONSE
        assert client.receive() == FAILURE


def test_a_message_of_the_greatest_length_is_read(path: Path) -> None:
    with serving(path), Client(path) as client:
        assert client.ask(b"\x99" * MAX_MESSAGE) == FAILURE
        assert listed_keys(client.ask(LIST)) == [KEY]


@pytest.mark.parametrize("length", [0, MAX_MESSAGE + 1, 1 << 31, (1 << 32) - 1])
def test_no_message_has_this_length(path: Path, length: int) -> None:
    with serving(path):
        with Client(path) as client:
            client.socket.sendall(uint32(length))
            assert client.receive() is None
        with Client(path) as client:
            assert listed_keys(client.ask(LIST)) == [KEY]


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 16, b"\0" * 100],
    ids=["http", "octets", "zeros"],
)
def test_garbage_ends_its_own_connection_only(path: Path, garbage: bytes) -> None:
    with serving(path), Client(path) as other:
        with Client(path) as client:
            client.socket.sendall(garbage)
            client.socket.shutdown(socket.SHUT_WR)
            while client.receive() is not None:
                pass
        assert listed_keys(other.ask(LIST)) == [KEY]


def test_octets_may_come_one_by_one(path: Path) -> None:
    with serving(path), Client(path) as client:
        for octet in string(LIST):
            client.socket.sendall(bytes([octet]))
        assert listed_keys(client.receive()) == [KEY]


def test_a_message_that_does_not_go_on_is_given_up(path: Path) -> None:
    with serving(path, message_timeout_s=0.1), Client(path) as idle:
        with Client(path) as slow:
            slow.socket.sendall(uint32(100) + b"half")
            assert slow.receive() is None
        assert listed_keys(idle.ask(LIST)) == [KEY]  # to be silent between messages is no fault


def test_a_client_that_does_not_read_its_answers_is_given_up(path: Path) -> None:
    with serving(path, message_timeout_s=0.1), Client(path) as client:
        client.socket.settimeout(30)

        def ask_on_and_on() -> None:
            while True:
                client.send(LIST)

        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            ask_on_and_on()
        with Client(path) as other:
            assert listed_keys(other.ask(LIST)) == [KEY]


def test_a_signature_that_takes_long_keeps_nobody_else_waiting(path: Path) -> None:
    holder = SlowHolder()
    with serving(path, holder), Client(path) as slow, Client(path) as quick:
        slow.send(SIGN)
        wait_until(lambda: holder.orders, "no order")
        assert listed_keys(quick.ask(LIST)) == [KEY]
        assert quick.ask(b"\x13") == SUCCESS
        holder.may_go_on.set()
        assert slow.receive() == SIGN_RESPONSE


def test_who_goes_away_is_not_signed_for(path: Path) -> None:
    holder = SlowHolder()
    with serving(path, holder), Client(path) as client:
        client.send(SIGN)
        wait_until(lambda: holder.orders, "no order")
        client.close()
        wait_until(lambda: holder.cancelled, "the order was not cancelled")


def test_who_hides_his_leaving_behind_more_than_can_be_kept_is_not_signed_for(path: Path) -> None:
    holder = SlowHolder()
    with serving(path, holder), Client(path) as client:
        client.send(SIGN)
        wait_until(lambda: holder.orders, "no order")

        def send_on_and_on() -> None:
            while True:
                client.send(LIST * 1000)

        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_on_and_on()
        wait_until(lambda: holder.cancelled, "the order was not cancelled")


def test_the_end_of_the_agent_ends_what_is_being_signed(path: Path) -> None:
    holder = SlowHolder()
    with serving(path, holder):
        client = Client(path)
        client.send(SIGN)
        wait_until(lambda: holder.orders, "no order")
    assert holder.cancelled == 1
    assert client.receive() is None
    client.close()


def test_clients_beyond_the_limit_are_turned_away_until_there_is_room(path: Path) -> None:
    with serving(path, max_clients=3):
        clients = [Client(path) for _ in range(3)]
        assert all(listed_keys(client.ask(LIST)) == [KEY] for client in clients)
        with Client(path) as fourth:
            assert fourth.ask(LIST) is None
        clients.pop().close()

        def there_is_room() -> bool:
            with Client(path) as client:
                return client.ask(LIST) is not None

        wait_until(there_is_room, "no room")
        for client in clients:
            client.close()


def test_fifty_clients_at_a_time_are_served(path: Path) -> None:
    with serving(path):
        clients = [Client(path) for _ in range(50)]
        for client in clients:
            client.send(SIGN)
        assert [client.receive() for client in clients] == [SIGN_RESPONSE] * 50
        for client in clients:
            client.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_answered_though_he_gets_to_the_socket(path: Path) -> None:
    ask = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(30);"
        " s.connect(sys.argv[1]); s.sendall(b'\\0\\0\\0\\1\\x0b'); print(s.recv(100))"
    )

    def asked_by(*user: str) -> subprocess.CompletedProcess[str]:
        command = (*user, "/usr/bin/python3", "-c", ask, str(path))
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    nobody = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    for folder in list(path.parents)[:-2]:
        folder.chmod(0o755)
    with serving(path):
        assert "PermissionError" in asked_by(*nobody).stderr
        path.chmod(0o777)
        refused = asked_by(*nobody)
        closed = ("ConnectionResetError", "BrokenPipeError")
        assert refused.stdout == "b''\n" or any(word in refused.stderr for word in closed), refused
        assert asked_by().stdout.startswith("b'\\x00\\x00")


def test_the_own_user_is_trusted() -> None:
    left, right = socket.socketpair()
    with left, right:
        assert peer_is_trusted(left)
    assert not peer_is_trusted(left)  # closed: nobody can tell


def test_what_a_dead_agent_left_is_replaced(path: Path) -> None:
    leave = f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r})"
    subprocess.run([sys.executable, "-c", leave], check=True, timeout=60)
    assert path.is_socket()
    with serving(path), Client(path) as client:
        assert listed_keys(client.ask(LIST)) == [KEY]


def test_a_living_agent_is_not_pushed_aside(path: Path) -> None:
    with serving(path):
        with pytest.raises(AgentSocketError) as caught, listening(path):
            pass
        assert caught.value.fault is SocketFault.IN_USE
        with Client(path) as client:
            assert listed_keys(client.ask(LIST)) == [KEY]


def test_an_agent_that_has_just_begun_is_not_taken_for_a_dead_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = listening_module._folder_locked

    @contextmanager
    def then_looked_at_by_another(folder: Path) -> Iterator[None]:
        with locked(folder):
            yield
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))

    monkeypatch.setattr(listening_module, "_folder_locked", then_looked_at_by_another)
    with serving(path), Client(path) as client:
        assert listed_keys(client.ask(LIST)) == [KEY]


def test_what_is_no_socket_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    link = path.with_name("link")
    link.symlink_to(path)
    for place in (path, link):
        with pytest.raises(AgentSocketError) as caught, listening(place):
            pass
        assert caught.value.fault is SocketFault.NOT_A_SOCKET
    assert path.read_text() == "precious"


@pytest.mark.parametrize("name", ["missing/agent", "a" * 200, "", "file/agent"])
def test_a_place_that_cannot_be_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / name
    with pytest.raises(AgentSocketError) as caught, listening(place):
        pass
    assert caught.value.fault in {SocketFault.UNUSABLE, SocketFault.NOT_A_SOCKET}
    assert caught.value.path == str(place)


def test_a_private_folder_is_made_or_taken_if_it_is_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "new")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert private_folder(folder) == folder
    link = tmp_path / "link"
    link.symlink_to(folder)
    file = tmp_path / "file"
    file.touch(mode=0o600)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o750)
    for place, fault in (
        (link, SocketFault.FOLDER_NOT_PRIVATE),
        (file, SocketFault.UNUSABLE),
        (shared, SocketFault.FOLDER_NOT_PRIVATE),
    ):
        with pytest.raises(AgentSocketError) as caught:
            private_folder(place)
        assert caught.value.fault is fault
