"""OpenSSH as the judge: its clients, its server, and our agent between them, all as processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from support.process import PROGRAM
from support.trial import copy_of_environment

from jpki.authentication.ssh import Identity, Order
from jpki.authentication.ssh.wire import Reader, string, uint32

DEADLINE_S = 30.0
JPKI = (sys.executable, "-c", PROGRAM)


class AgentProcess:
    """``jpki auth ssh-agent`` without a terminal."""

    def __init__(
        self,
        folder: Path,
        card: Path | str,
        *options: str,
        pinentry: Path | None = None,
        pin: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.socket = folder / "agent.sock"
        self._log = folder / "agent.log"
        reader = card if isinstance(card, str) else f"emulator:{card}"
        mine = {"JPKI_READER": reader, **(environment or {})}
        mine["JPKI_PINENTRY"] = "/nonexistent" if pinentry is None else str(pinentry)
        if pin is not None:
            mine["JPKI_TEST_PIN"] = pin
            options = ("--pin-from", "env:JPKI_TEST_PIN", *options)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                (*JPKI, "auth", "ssh-agent", "--socket", str(self.socket), *options),
                env=copy_of_environment(**mine),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # no terminal, wherever the tests run
            )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode()

    @property
    def told(self) -> str:
        """What it has told on stderr."""
        return self._log.read_text(encoding="utf-8")

    def wait_until_told(self, text: str) -> None:
        wait_until(lambda: text in self.told, f"{text!r} in: {self.told}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def run(
        self, *command: str, check: bool = True, stdin: str = "", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that has this agent."""
        done = subprocess.run(
            command,
            env=client_environment(self.socket),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S * 2,
            cwd=cwd,
            check=False,
        )
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr, self.told)
        return done


@contextmanager
def agent(*arguments: object, **more: object) -> Iterator[AgentProcess]:
    """An agent that listens, ended whatever happens."""
    running = AgentProcess(*arguments, **more)  # type: ignore[arg-type]
    try:
        assert running.said, running.told
        yield running
    finally:
        try:
            if running.process.poll() is None:
                running.end()
        finally:
            running.process.kill()  # does nothing to one that has ended
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert "Traceback" not in running.told, running.told


def client_environment(agent_socket: Path | None) -> dict[str, str]:
    """For ssh, git and their like: no files of this user's, no terminal, no questions."""
    mine = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    mine |= {f"GIT_{who}_{what}": "taro@example.jp" if what == "EMAIL" else "Taro"
             for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
    environment = copy_of_environment(**mine)
    environment.pop("SSH_AUTH_SOCK", None)
    environment.pop("SSH_ASKPASS", None)
    if agent_socket is not None:
        environment["SSH_AUTH_SOCK"] = str(agent_socket)
    return environment


def wait_until(condition, failure: str) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.01)


class Client:
    """A client that speaks to the agent's socket itself."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(str(path))

    def send(self, message: bytes) -> None:
        self.socket.sendall(string(message))

    def receive(self) -> bytes | None:
        """The next answer; None if the agent has closed the connection."""
        try:
            header = self._read(4)
            return self._read(int.from_bytes(header, "big"))
        except (EOFError, ConnectionResetError):
            return None

    def ask(self, message: bytes) -> bytes | None:
        try:
            self.send(message)
        except BrokenPipeError:
            return None
        return self.receive()

    def _read(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            block = self.socket.recv(count - len(content))
            if not block:
                raise EOFError
            content += block
        return content

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


KEY = string(b"ssh-rsa") + string(b"\x01\x00\x01") + string(b"\x00" + b"\xcc" * 256)
SIGNATURE = string(b"rsa-sha2-512") + string(b"signature")
SIGN_RESPONSE = b"\x0e" + string(SIGNATURE)
LIST = b"\x0b"
FAILURE = b"\x05"
SUCCESS = b"\x06"


def listed_keys(answer: bytes | None) -> list[bytes]:
    """The key blobs of an IDENTITIES_ANSWER."""
    assert answer is not None
    assert answer[0] == 12
    reader = Reader(answer[1:])
    keys = []
    for _ in range(reader.uint32("count")):
        keys.append(reader.string("key"))
        reader.string("comment")
    reader.end("answer")
    return keys


def sign_request(key: bytes, data: bytes, flags: int) -> bytes:
    return b"\x0d" + string(key) + string(data) + uint32(flags)


def login_data(
    key: bytes,
    *,
    user: bytes = b"taro",
    algorithm: bytes = b"rsa-sha2-512",
    session_id: bytes = b"s" * 32,
    host_key: bytes | None = None,
) -> bytes:
    """What a client of RFC 4252 section 7 wants signed."""
    method = b"publickey" if host_key is None else b"publickey-hostbound-v00@openssh.com"
    data = string(session_id) + b"\x32" + string(user) + string(b"ssh-connection")
    data += string(method) + b"\x01" + string(algorithm) + string(key)
    return data if host_key is None else data + string(host_key)


def sshsig_data(
    *, namespace: bytes = b"file", hash_name: bytes = b"sha512", digest: bytes = b"d" * 64
) -> bytes:
    return b"SSHSIG" + b"".join(map(string, (namespace, b"", hash_name, digest)))


class Holder:
    """A key holder that signs whatever it is asked for, and remembers it."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.forgotten = 0
        self.willing = True

    async def identities(self) -> Sequence[Identity]:
        return (Identity(key_blob=KEY, comment="a card"),)

    async def sign(self, order: Order) -> bytes | None:
        self.orders.append(order)
        return SIGNATURE if self.willing else None

    def forget(self) -> None:
        self.forgotten += 1
