"""A real pinentry in a real window: what the person types there logs him in, Escape does not."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cards import PIN
from support.native_host import NONCE, ORIGIN, Desk, HostProcess
from support.waiting import is_running, wait_until

LOGIN = {"command": "authenticate", "arguments": {"challengeNonce": NONCE, "origin": ORIGIN}}
PINENTRY = "/usr/bin/pinentry-gtk-2"


@pytest.fixture
def display() -> Iterator[str]:
    """A screen that nobody sees."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=(writer,), stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        with os.fdopen(reader) as stream:
            number = stream.readline().strip()
        assert number, "Xvfb does not start"
        try:
            yield f":{number}"
        finally:
            server.terminate()


@pytest.fixture
def host(tmp_path: Path, card_path: Path, display: str) -> Iterator[HostProcess]:
    """A host that has been asked for a login, and asks the person."""
    desk = Desk.in_folder(tmp_path, card_path)
    window = {"DISPLAY": display, "JPKI_PINENTRY": PINENTRY, "LANGUAGE": "ja"}
    with desk.host(**window) as process:
        assert process.read() is not None
        process.send(LOGIN)
        yield process


def keys(display: str, *actions: str) -> None:
    """Act on the window, once it is there; that it goes meanwhile is no error."""
    found = ("xdotool", "search", "--sync", "--onlyvisible", "--name", f"^{ORIGIN}$")
    subprocess.run(
        [*found, "windowfocus", "--sync", *actions],
        env={**os.environ, "DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def test_what_is_typed_into_the_window_logs_in(host: HostProcess, display: str) -> None:
    keys(display, "type", "--delay", "30", PIN)
    keys(display, "key", "Return")
    answer = host.read()
    assert answer is not None
    assert answer.get("format") == "web-eid:1.0", answer
    assert host.end() == 0


def test_escape_cancels(host: HostProcess, display: str) -> None:
    keys(display, "key", "Escape")
    answer = host.read()
    assert answer is not None
    assert answer["error"]["code"] == "ERR_WEBEID_USER_CANCELLED"
    assert host.end() == 0


@pytest.mark.parametrize("how", ["leave", "kill"])
def test_the_window_goes_with_the_host(host: HostProcess, display: str, how: str) -> None:
    keys(display, "type", "--delay", "30", PIN)
    children = Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children")
    (window,) = [int(pid) for pid in children.read_text().split()]
    if how == "leave":
        host.leave()
    else:
        host.process.kill()
    wait_until(lambda: not is_running(window), "the end of the window")
    assert host.process.wait(30) == (0 if how == "leave" else -9)
