"""A PC/SC service that is missing, hangs up, talks nonsense or says nothing.

The real client library against a fake service: PCSCLITE_CSOCK_NAME names the socket. It is read
once for a process, so each case runs in one of its own.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = """
import threading
from apdu.errors import PcscUnavailableError
from apdu.transports.pcsc import PcscContext

def run():
    try:
        with PcscContext(call_timeout_s={timeout_s}) as context:
            print(context.readers())
    except PcscUnavailableError as error:
        print(error.reason.name, error.hresult and hex(error.hresult))
        print(error)

{call}
"""


@contextmanager
def _service(path: Path, behave: Callable[[socket.socket], None]) -> Iterator[threading.Event]:
    """Listen at ``path``, and let ``behave`` treat each client."""
    connected = threading.Event()
    clients: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                clients.append(client)
                behave(client)
                connected.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield connected
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    for client in clients:
        client.close()


def _start(path: Path, *, timeout_s: float, call: str = "run()") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PROGRAM.format(timeout_s=timeout_s, call=call)],
        env=os.environ | {"PCSCLITE_CSOCK_NAME": str(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout.splitlines(), stderr


def _hang_up(client: socket.socket) -> None:
    client.close()


def _talk_nonsense(client: socket.socket) -> None:
    client.sendall(bytes(range(1, 256)) * 8)


def _say_nothing(client: socket.socket) -> None:
    """Keep the connection, and the caller waiting."""


def test_without_a_socket_the_service_is_not_running(tmp_path: Path) -> None:
    code, lines, stderr = _finish(_start(tmp_path / "nowhere", timeout_s=5))
    assert (code, stderr) == (0, "")
    assert lines[0] == "NO_SERVICE 0x8010001d"
    assert lines[1] == "the PC/SC service is not running (0x8010001D)"


def test_a_service_that_hangs_up_denies_access(tmp_path: Path) -> None:
    with _service(tmp_path / "socket", _hang_up):
        code, lines, stderr = _finish(_start(tmp_path / "socket", timeout_s=5))
    assert (code, stderr) == (0, "")
    assert lines[0].startswith(("ACCESS_DENIED 0x", "NO_SERVICE 0x"))
    assert "refused access" in lines[1] or "not running" in lines[1]


def test_a_service_that_talks_nonsense_is_an_unknown_fault_with_its_code(tmp_path: Path) -> None:
    with _service(tmp_path / "socket", _talk_nonsense):
        code, lines, stderr = _finish(_start(tmp_path / "socket", timeout_s=5))
    assert (code, stderr) == (0, "")
    assert lines[0].startswith("UNKNOWN 0x")


@pytest.mark.parametrize(
    "call",
    [
        "run()",
        "thread = threading.Thread(target=run); thread.start(); thread.join()",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); run()",
    ],
    ids=["in the main thread", "in another thread", "with Ctrl-C ignored"],
)
def test_a_silent_service_is_given_up_at_the_deadline(tmp_path: Path, call: str) -> None:
    with _service(tmp_path / "socket", _say_nothing) as connected:
        process = _start(tmp_path / "socket", timeout_s=0.5, call=call)
        assert connected.wait(20)
        started = time.monotonic()
        if "SIG_IGN" in call:
            process.send_signal(signal.SIGINT)
        code, lines, stderr = _finish(process)
    assert (code, stderr) == (0, "")
    assert lines == ["NOT_ANSWERING None", "the PC/SC service does not answer"]
    assert time.monotonic() - started < 5


def test_ctrl_c_ends_the_wait_for_a_silent_service(tmp_path: Path) -> None:
    with _service(tmp_path / "socket", _say_nothing) as connected:
        process = _start(tmp_path / "socket", timeout_s=60)
        assert connected.wait(20)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        code, lines, stderr = _finish(process)
    assert time.monotonic() - started < 1
    assert code == -signal.SIGINT
    assert lines == []
    assert stderr.rstrip().endswith("KeyboardInterrupt")
