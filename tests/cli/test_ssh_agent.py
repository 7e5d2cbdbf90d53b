"""`jpki auth ssh-agent` as a process: ssh-add, the PIN, its end."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.cards import PIN
from support.process import DEADLINE_S, finish, start
from support.ssh import (
    FAILURE,
    JPKI,
    LIST,
    SUCCESS,
    AgentProcess,
    Client,
    agent,
    client_environment,
    listed_keys,
    login_data,
    sign_request,
    sshsig_data,
    wait_until,
)
from support.terminal import TerminalProcess
from support.trial import PERSONAL, WRONG_PIN, copy_of_environment
from support.window import Window

from jpki.emulator import create_card, describe_card, load_card

SSHSIG = sshsig_data(namespace=b"git")


@pytest.fixture
def window(tmp_path: Path) -> Window:
    return Window(tmp_path / "window")


def key_of(running: AgentProcess) -> bytes:
    with Client(running.socket) as client:
        (key,) = listed_keys(client.ask(LIST))
    return key


def sign(running: AgentProcess, data: bytes = SSHSIG, flags: int = 4) -> bool:
    """Whether the agent signs."""
    with Client(running.socket) as client:
        answer = client.ask(sign_request(key_of(running), data, flags))
    assert answer is not None
    assert answer == FAILURE or answer[0] == 14
    return answer != FAILURE


def tries(card: Path) -> int | None:
    return describe_card(card).pin("authentication").tries_left


# What people know of ssh-agent and ssh-add.


def test_it_says_where_it_is_as_ssh_agent_does(card_path: Path, tmp_path: Path) -> None:
    with agent(tmp_path, card_path, pin=PIN) as running:
        path = running.socket
        assert running.said == f"SSH_AUTH_SOCK={path}; export SSH_AUTH_SOCK;\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with agent(tmp_path, card_path, "-c", pin=PIN) as running:
        assert running.said == f"setenv SSH_AUTH_SOCK {path};\n"
    with agent(tmp_path, card_path, "-s", pin=PIN) as running:
        assert running.said.startswith("SSH_AUTH_SOCK=")


def test_ssh_add_lists_the_key_and_needs_no_pin(card_path: Path, tmp_path: Path) -> None:
    with agent(tmp_path, card_path, "--comment", "my card", pin=PIN) as running:
        listed = running.run("ssh-add", "-l").stdout
        assert listed.startswith("2048 SHA256:")
        assert listed.endswith(" my card (RSA)\n")
        line = subprocess.run(
            (*JPKI, "auth", "ssh-key", "--comment", "my card"), capture_output=True, text=True,
            env=copy_of_environment(JPKI_READER=f"emulator:{card_path}"), check=True,
        ).stdout  # fmt: skip
        assert running.run("ssh-add", "-L").stdout == line


def test_ssh_add_locks_and_unlocks(card_path: Path, tmp_path: Path) -> None:
    askpass = tmp_path / "askpass"
    askpass.write_text("#!/bin/sh\ncat " + str(tmp_path / "password"))
    askpass.chmod(0o700)

    def ssh_add(running: AgentProcess, option: str, password: str) -> int:
        (tmp_path / "password").write_text(password)
        environment = client_environment(running.socket)
        environment |= {"SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"}
        return subprocess.run(["ssh-add", option], env=environment, check=False).returncode

    with agent(tmp_path, card_path, pin=PIN) as running:
        key = key_of(running)
        assert ssh_add(running, "-x", "secret") == 0
        assert "no identities" in running.run("ssh-add", "-l", check=False).stdout
        with Client(running.socket) as client:
            assert client.ask(sign_request(key, SSHSIG, 4)) == FAILURE
        assert "the agent is locked" in running.told
        assert ssh_add(running, "-X", "guess") != 0
        assert ssh_add(running, "-X", "secret") == 0
        assert running.run("ssh-add", "-l").stdout.startswith("2048 ")
        assert sign(running)


def test_keys_of_others_are_not_taken(card_path: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "own")], check=True
    )
    with agent(tmp_path, card_path, pin=PIN) as running:
        added = running.run("ssh-add", str(tmp_path / "own"), check=False)
        assert added.returncode != 0
        assert "refused" in added.stderr
        removed = running.run("ssh-add", "-d", str(tmp_path / "own.pub"), check=False)
        assert removed.returncode != 0
        assert len(running.run("ssh-add", "-l").stdout.splitlines()) == 1


# The PIN.


def test_a_window_asks_for_the_pin_at_each_use_and_says_what_for(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        window.will_answer(PIN, PIN)
        assert sign(running)
        login = login_data(key_of(running), user=b"hanako")
        assert sign(running, login)
    assert window.questions == 2
    first, second = (line for line in window.asked if line.startswith("SETDESC"))
    assert "(git)" in first
    assert "3 tries left" in first or "tries left: 3" in first
    assert "SSH login as hanako, at a server that is not known" in second


def test_a_kept_pin_is_asked_for_once(card_path: Path, tmp_path: Path, window: Window) -> None:
    with agent(tmp_path, card_path, "--cache", "600", pinentry=window.program) as running:
        window.will_answer(PIN)
        assert all(sign(running) for _ in range(3))
        assert window.questions == 1
        assert running.run("ssh-add", "-D").returncode == 0
        assert not sign(running)  # it was forgotten; the window is closed now
        assert window.questions == 2
        window.will_answer(PIN)
        assert sign(running)


def test_a_kept_pin_is_forgotten_in_time(card_path: Path, tmp_path: Path, window: Window) -> None:
    with agent(tmp_path, card_path, "--cache", "0.001", pinentry=window.program) as running:
        window.will_answer(PIN, PIN)
        assert sign(running)
        assert sign(running)
        assert window.questions == 2


def test_confirm_asks_where_no_pin_is_asked_for(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, "--confirm", pin=PIN, pinentry=window.program) as running:
        window.will_answer("yes", "cancel")
        assert sign(running)
        assert not sign(running)
        assert [line for line in window.asked if not line.startswith("SET")] == ["CONFIRM"] * 2
        assert "(git). Sign it?" in window.asked[0]


def test_entering_the_pin_is_the_confirmation(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    options = ("--confirm", "--cache", "600")
    with agent(tmp_path, card_path, *options, pinentry=window.program) as running:
        window.will_answer(PIN, "yes")
        assert sign(running)
        assert sign(running)
        words = [line for line in window.asked if not line.startswith("SET")]
        assert words == ["GETPIN", "CONFIRM"]


def test_a_window_that_is_closed_spends_no_try(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        assert not sign(running)
        assert "Cancelled in the PIN window; nothing was sent to the card" in running.told
        window.will_answer(PIN)
        assert sign(running)
    assert tries(card_path) == 3


def test_a_window_with_nonsense_asks_again_and_spends_no_try(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        window.will_answer("12345", "abcd", PIN)
        assert sign(running)
        assert window.questions == 3
    assert tries(card_path) == 3


def test_a_wrong_pin_costs_one_try_for_a_hundred_connections(
    card_path: Path, tmp_path: Path
) -> None:
    with agent(tmp_path, card_path, pin=WRONG_PIN) as running:
        assert not any(sign(running) for _ in range(100))
        assert tries(card_path) == 2
        assert running.told.count("Wrong authentication PIN") == 1
        assert running.told.count("it was not sent again") == 99
        assert "env:JPKI_TEST_PIN" in running.told
        assert WRONG_PIN not in running.told


def test_a_kept_pin_that_has_become_wrong_costs_one_try_and_is_asked_for_anew(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    changed = "7391"
    with agent(tmp_path, card_path, "--cache", "600", pinentry=window.program) as running:
        window.will_answer(PIN)
        assert sign(running)
        change_pin(card_path, PIN, changed)
        assert not sign(running)
        assert tries(card_path) == 2
        window.will_answer(PIN, changed)
        assert not sign(running)  # the same wrong one is not sent again
        assert tries(card_path) == 2
        assert sign(running)
        assert tries(card_path) == 3


def change_pin(card: Path, old: str, new: str) -> None:
    process = start(
        "pin", "change", "auth", "--pin-from", "env:JPKI_TEST_PIN", "--new-pin-from", "env:NEW",
        card=card, pin=old, environment={"NEW": new},
    )  # fmt: skip
    assert finish(process).exit_code == 0


def test_the_last_try_is_never_spent(card_path: Path, tmp_path: Path, window: Window) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        window.will_answer("0000", "0001", PIN)
        assert not sign(running)
        assert not sign(running)
        assert tries(card_path) == 1
        assert not sign(running)
        assert window.questions == 2
        assert "--use-last-try" in running.told
    assert tries(card_path) == 1


def test_a_blocked_pin_is_told_before_anybody_is_asked(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    card = load_card(card_path)
    card.execute(bytes.fromhex("00A4040C0AD392F000260100000001"))
    card.execute(bytes.fromhex("00A4020C020018"))
    for _ in range(3):
        card.execute(bytes.fromhex("0020008004") + b"0000")
    assert tries(card_path) == 0
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        assert not sign(running)
        assert window.questions == 0
        assert "blocked" in running.told
        assert "jpki pin unlock" in running.told


def test_a_dialog_keeps_nobody_else_waiting_and_ends_with_its_client(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        key = key_of(running)
        window.will_answer("wait", PIN)
        with Client(running.socket) as waiting:
            waiting.send(sign_request(key, SSHSIG, 4))
            wait_until(lambda: window.questions == 1, "no window")
            assert running.run("ssh-add", "-l").stdout.startswith("2048 ")
            status = start("pin", "status", card=card_path)
            assert finish(status).exit_code == 0  # the card is free while a person thinks
        assert sign(running)  # the window of the client that went away has been closed
        assert window.questions == 2
        assert "error" not in running.told
    assert tries(card_path) == 3


def test_who_is_gone_when_his_turn_comes_is_not_asked_for(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        key = key_of(running)
        window.will_answer("wait", PIN)
        first, second = Client(running.socket), Client(running.socket)
        first.send(sign_request(key, SSHSIG, 4))
        wait_until(lambda: window.questions == 1, "no window")
        second.send(sign_request(key, SSHSIG, 4))
        running.run("ssh-add", "-l")  # so that the order before this was read
        second.close()
        running.run("ssh-add", "-l")
        first.close()
        assert sign(running)
        assert window.questions == 2


# At a terminal.


def test_the_terminal_of_the_agent_asks_while_it_is_in_the_foreground(
    card_path: Path, tmp_path: Path
) -> None:
    socket = tmp_path / "agent"
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    with TerminalProcess("auth", "ssh-agent", "--socket", str(socket), env=environment) as terminal:
        terminal.wait_for("export SSH_AUTH_SOCK;")
        with Client(socket) as client:
            (key,) = listed_keys(client.ask(LIST))
            client.send(sign_request(key, SSHSIG, 4))
            terminal.wait_for("利用者証明用暗証番号")
            assert "(git)" in terminal.seen
            assert not terminal.echo_is_on
            with Client(socket) as other:
                assert listed_keys(other.ask(LIST)) == [key]
            terminal.enter(f"{PIN}\n")
            answer = client.receive()
            assert answer is not None
            assert answer[0] == 14
            terminal.wait_for("Signed:")

            client.send(sign_request(key, SSHSIG, 4))
            terminal.wait_for("利用者証明用暗証番号", times=2)
            terminal.wait_until_echo(on=False)
        for _ in range(3):  # so that the agent has seen it go
            with Client(socket) as other:
                assert listed_keys(other.ask(LIST)) == [key]
        # What is entered now is not sent to the card.
        terminal.enter(f"{WRONG_PIN}\n")
        terminal.wait_until_echo(on=True)
        terminal.enter("\x03")
        assert terminal.end() == 0
        assert terminal.echo_is_on
    assert not socket.exists()
    assert tries(card_path) == 3
    assert PIN not in terminal.seen


@pytest.mark.parametrize(("answer", "signed"), [("y", True), ("", False)])
def test_the_terminal_asks_for_consent_where_no_pin_is_asked_for(
    card_path: Path, tmp_path: Path, answer: str, signed: bool
) -> None:
    socket = tmp_path / "agent"
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}", JPKI_TEST_PIN=PIN)
    options = ("--socket", str(socket), "--confirm", "--pin-from", "env:JPKI_TEST_PIN")
    with TerminalProcess("auth", "ssh-agent", *options, env=environment) as terminal:
        terminal.wait_for("export SSH_AUTH_SOCK;")
        with Client(socket) as client:
            (key,) = listed_keys(client.ask(LIST))
            client.send(sign_request(key, SSHSIG, 4))
            terminal.wait_for("(git). Sign it? [y/N]")
            terminal.enter(f"{answer}\n")
            assert (client.receive() != FAILURE) is signed
        terminal.enter("\x03")
        assert terminal.end() == 0


def test_a_terminal_that_a_session_reads_key_by_key_is_not_asked(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    socket = tmp_path / "agent"
    environment = copy_of_environment(
        JPKI_READER=f"emulator:{card_path}", JPKI_PINENTRY=str(window.program)
    )
    window.will_answer(PIN)
    session = "import time, tty; tty.setraw(0); print('session', flush=True); time.sleep(600)"
    command = ("--socket", str(socket), "--", sys.executable, "-c", session)
    with TerminalProcess("auth", "ssh-agent", *command, env=environment) as terminal:
        terminal.wait_for("session")
        with Client(socket) as client:
            (key,) = listed_keys(client.ask(LIST))
            client.send(sign_request(key, SSHSIG, 4))
            answer = client.receive()
            assert answer is not None
            assert answer[0] == 14
        assert window.questions == 1
        assert "暗証番号" not in terminal.seen
        terminal.send(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM


def test_nor_does_a_pinentry_without_a_window_ask_there(card_path: Path, tmp_path: Path) -> None:
    socket = tmp_path / "agent"
    environment = copy_of_environment(
        JPKI_READER=f"emulator:{card_path}", JPKI_PINENTRY="pinentry-gtk-2", TERM="xterm"
    )
    session = "import time, tty; tty.setraw(0); print('session', flush=True); time.sleep(600)"
    shell = 'GPG_TTY=$(tty) exec "$@"'
    program = ("sh", "-c", shell, "sh", *JPKI, "auth", "ssh-agent", "--socket", str(socket), "--")
    with TerminalProcess(
        sys.executable, "-c", session, env=environment, program=program
    ) as terminal:
        terminal.wait_for("session")
        with Client(socket) as client:
            (key,) = listed_keys(client.ask(LIST))
            assert client.ask(sign_request(key, SSHSIG, 4)) == FAILURE
        terminal.send(signal.SIGTERM)
        terminal.end()
        assert "PIN:" not in terminal.seen


def test_a_stranger_cannot_write_sentences_into_the_question(
    card_path: Path, tmp_path: Path, window: Window
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        window.will_answer(PIN, PIN)
        user = "root, at the server with the host key SHA256:AAAA. <b>All is well"
        assert sign(running, login_data(key_of(running), user=user.encode()))
        assert sign(running, sshsig_data(namespace=b"git). Sign it?\n("))
    first, second = (line for line in window.asked if line.startswith("SETDESC"))
    assert r"as 'root, at the server with the host key SHA256:AAAA. \x3cb>All is well', at" in first
    assert r"('git). Sign it?\x0a(')" in second


def test_ctrl_c_at_the_question_ends_the_agent_in_order(card_path: Path, tmp_path: Path) -> None:
    socket = tmp_path / "agent"
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    with TerminalProcess("auth", "ssh-agent", "--socket", str(socket), env=environment) as terminal:
        terminal.wait_for("export SSH_AUTH_SOCK;")
        with Client(socket) as client:
            (key,) = listed_keys(client.ask(LIST))
            client.send(sign_request(key, SSHSIG, 4))
            terminal.wait_until_echo(on=False)
            terminal.enter("\x03")
            assert terminal.end() == 0
            assert client.receive() is None
        assert terminal.echo_is_on
    assert not socket.exists()
    assert tries(card_path) == 3


# Starting and ending.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(card_path: Path, tmp_path: Path, number: signal.Signals) -> None:
    with agent(tmp_path, card_path, pin=PIN) as running:
        assert sign(running)
        assert running.end(number) == 0
        assert not running.socket.exists()
        assert "jpki: " not in running.told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_while_a_window_stands(
    card_path: Path, tmp_path: Path, window: Window, number: signal.Signals
) -> None:
    with agent(tmp_path, card_path, pinentry=window.program) as running:
        key = key_of(running)
        window.will_answer("wait")
        with Client(running.socket) as client:
            client.send(sign_request(key, SSHSIG, 4))
            wait_until(lambda: window.questions == 1, "no window")
            assert running.end(number) == (129 if number == signal.SIGHUP else 0)
            assert client.receive() is None
        assert not running.socket.exists()
    assert tries(card_path) == 3


def test_what_a_killed_agent_left_is_replaced(card_path: Path, tmp_path: Path) -> None:
    with agent(tmp_path, card_path, pin=PIN) as killed:
        killed.end(signal.SIGKILL)
        assert killed.socket.exists()
    with agent(tmp_path, card_path, pin=PIN) as running:
        assert sign(running)


def refused(card: Path | str, *options: str, **environment: str) -> tuple[int, dict[str, object]]:
    process = subprocess.run(
        (*JPKI, "--json", "auth", "ssh-agent", *options), capture_output=True, check=False,
        env=copy_of_environment(JPKI_READER=f"emulator:{card}", **environment),
        start_new_session=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S,
    )  # fmt: skip
    return process.returncode, json.loads(process.stdout)["error"]


def test_a_second_agent_at_the_same_place_is_refused(card_path: Path, tmp_path: Path) -> None:
    with agent(tmp_path, card_path, pin=PIN) as running:
        pin = ("--pin-from", "env:P")
        code, error = refused(card_path, "-a", str(running.socket), *pin, P=PIN)
        assert (code, error["code"], error["fault"]) == (2, "agent-socket", "in-use")
        assert sign(running)


def test_where_nobody_can_be_asked_it_does_not_start(card_path: Path) -> None:
    code, error = refused(card_path, JPKI_PINENTRY="/nonexistent")
    assert (code, error["code"], error["fault"]) == (2, "pin-source", "no-terminal")


def test_a_pin_that_cannot_be_right_does_not_start_it(card_path: Path) -> None:
    code, error = refused(card_path, "--pin-from", "env:P", P="12345")
    assert (code, error["code"]) == (2, "pin-format")


@pytest.mark.parametrize("seconds", ["-1", "nan", "forever", "1e9"])
def test_a_time_that_is_none_is_refused(card_path: Path, seconds: str) -> None:
    code, error = refused(card_path, "--cache", seconds, "--pin-from", "env:P", P=PIN)
    assert (code, error["code"]) == (2, "usage")


def test_its_own_place_is_a_private_folder(card_path: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    for environment, folder in (
        ({"XDG_RUNTIME_DIR": str(runtime)}, runtime / "jpki"),
        ({"XDG_RUNTIME_DIR": "", "TMPDIR": str(tmp_path)}, None),
        ({"XDG_RUNTIME_DIR": str(tmp_path / "gone"), "TMPDIR": str(tmp_path)}, None),
    ):
        process = start(
            "--json", "auth", "ssh-agent", "--pin-from", "env:JPKI_TEST_PIN",
            card=card_path, pin=PIN, environment=environment,
        )  # fmt: skip
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        socket = Path(json.loads(b"".join(lines))["socket"])
        assert folder in {None, socket.parent}
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        process.terminate()
        assert finish(process).exit_code == 0
        assert not socket.exists()
        assert folder is not None or not socket.parent.exists()


# With a command.


def run_with(card: Path, *command: str, pin: str = PIN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*JPKI, "auth", "ssh-agent", "--pin-from", "env:JPKI_TEST_PIN", "--", *command),
        capture_output=True, text=True, check=False, timeout=DEADLINE_S, stdin=subprocess.DEVNULL,
        env=copy_of_environment(JPKI_READER=f"emulator:{card}", JPKI_TEST_PIN=pin),
    )  # fmt: skip


def test_a_command_has_the_agent_and_its_exit_code_is_ours(card_path: Path) -> None:
    done = run_with(card_path, "sh", "-c", "ssh-add -l; echo $SSH_AUTH_SOCK; exit 7")
    assert done.returncode == 7, done.stderr
    listed, socket = done.stdout.splitlines()
    assert listed.startswith("2048 ")
    assert not Path(socket).parent.exists()
    assert done.stderr == ""


def test_the_pin_is_not_in_the_commands_environment(card_path: Path) -> None:
    assert PIN not in run_with(card_path, "env").stdout.split("JPKI_READER")[0]
    assert "JPKI_TEST_PIN" not in run_with(card_path, "env").stdout


def test_options_behind_the_command_are_the_commands(card_path: Path) -> None:
    assert run_with(card_path, "ssh-add", "-L").stdout.startswith("ssh-rsa ")


def test_a_command_that_a_signal_ends_ends_as_in_a_shell(card_path: Path) -> None:
    assert run_with(card_path, "sh", "-c", "kill -KILL $$").returncode == 128 + 9


def test_a_command_that_is_not_there_is_named(card_path: Path) -> None:
    done = run_with(card_path, "no-such-program")
    assert done.returncode == 2
    assert "no-such-program cannot be run: No such file" in done.stderr


def test_sigterm_ends_the_command_too(card_path: Path) -> None:
    process = start(
        "auth", "ssh-agent", "--pin-from", "env:JPKI_TEST_PIN", "--",
        "sh", "-c", "echo $$; exec sleep 600", card=card_path, pin=PIN,
    )  # fmt: skip
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.terminate()
    assert finish(process).exit_code == 143
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_ctrl_c_is_the_commands_matter(card_path: Path) -> None:
    command = "trap 'echo interrupted' INT; echo ready; read line; ssh-add -l; exit 3"
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}", JPKI_TEST_PIN=PIN)
    with TerminalProcess(
        "auth", "ssh-agent", "--pin-from", "env:JPKI_TEST_PIN", "--", "bash", "-c", command,
        env=environment,
    ) as terminal:  # fmt: skip
        terminal.wait_for("ready")
        terminal.enter("\x03")
        terminal.wait_for("interrupted")
        terminal.enter("\x03")
        terminal.wait_for("interrupted", times=2)
        terminal.enter("\n")
        assert terminal.end() == 3
        assert "2048 SHA256:" in terminal.seen


# Cards.


def test_without_a_card_the_list_is_empty_until_there_is_one(
    issued_card_path: Path, tmp_path: Path
) -> None:
    card = tmp_path / "later"
    with agent(tmp_path, card, pin=PIN) as running:
        assert "no identities" in running.run("ssh-add", "-l", check=False).stdout
        card.write_bytes(issued_card_path.read_bytes())
        assert running.run("ssh-add", "-l").stdout.startswith("2048 ")
        assert sign(running)
        card.unlink()
        assert running.run("ssh-add", "-l").stdout.startswith("2048 ")  # last seen
        assert not sign(running)


def test_another_card_gets_no_pin(card_path: Path, tmp_path: Path) -> None:
    with agent(tmp_path, card_path, pin=PIN) as running:
        key = key_of(running)
        card_path.unlink()
        create_card(card_path, authentication_pin=WRONG_PIN)
        with Client(running.socket) as client:
            assert client.ask(sign_request(key, SSHSIG, 4)) == FAILURE
        assert "no PIN was sent" in running.told
        assert tries(card_path) == 3
        assert key_of(running) != key  # the list shows the card that is there


def test_an_expired_certificate_is_used_only_when_told(tmp_path: Path, window: Window) -> None:
    card = tmp_path / "old"
    dates = {
        "issued": datetime(2019, 1, 1, tzinfo=UTC),
        "expires": datetime(2024, 1, 1, tzinfo=UTC),
    }
    create_card(card, authentication_pin=PIN, **dates)  # type: ignore[arg-type]
    with agent(tmp_path, card, pinentry=window.program) as running:
        assert not sign(running)
        assert window.questions == 0
        assert "--allow-expired" in running.told
    with agent(tmp_path, card, "--allow-expired", pin=PIN) as running:
        assert sign(running)


def test_a_phone_is_told_to_be_one(tmp_path: Path) -> None:
    card = tmp_path / "phone"
    create_card(card, label="JPKIAPGPSETOKEN", authentication_pin=PIN)
    with agent(tmp_path, card, pin=PIN) as running:
        assert "no identities" in running.run("ssh-add", "-l", check=False).stdout
        running.wait_until_told("This is a phone")
    assert tries(card) == 3


def test_the_page_names_no_option_that_is_not_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ssh.md").read_text(encoding="utf-8")
    helps = "".join(
        subprocess.check_output((*JPKI, *words, "--help"), text=True, env=copy_of_environment())
        for words in (("auth", "ssh-agent"), ("auth", "ssh-key"), ())
    )
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page))
    assert named - set(re.findall(r"--[a-z][a-z-]+", helps)) == {"--global", "--show-signature"}


def test_nothing_personal_is_told_or_logged(card_path: Path, tmp_path: Path) -> None:
    log = tmp_path / "apdu.log"
    with agent(tmp_path, card_path, "-vv", "--apdu-log", str(log), pin=PIN) as running:
        assert sign(running)
        assert sign(running)
        assert not sign(running, bytes(64))
        told = running.told
    assert log.read_text().count("[redacted]") == 2  # the log goes on; no use overwrites it
    for secret in (PIN, *PERSONAL):
        assert secret not in told.replace(str(tmp_path), "")
        assert secret not in log.read_text()


def test_removing_all_keys_forgets_and_succeeds(card_path: Path, tmp_path: Path) -> None:
    with agent(tmp_path, card_path, pin=PIN) as running:
        with Client(running.socket) as client:
            assert client.ask(b"\x13") == SUCCESS
        assert not sign(running)  # a script's PIN is gone, and there is nobody to ask
