"""OpenSSH and git are satisfied with the card as their key, and get nothing else signed."""

import getpass
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cards import PIN
from support.ssh import AgentProcess, agent, client_environment
from support.sshd import Sshd, running_sshd

USER = getpass.getuser()


@pytest.fixture
def running(tmp_path: Path, card_path: Path) -> Iterator[AgentProcess]:
    with agent(tmp_path, card_path, pin=PIN) as process:
        yield process


@pytest.fixture
def public_key(running: AgentProcess, tmp_path: Path) -> Path:
    """The key as ssh-add -L prints it, in a file."""
    path = tmp_path / "card.pub"
    path.write_text(running.run("ssh-add", "-L").stdout)
    return path


@pytest.fixture
def server(tmp_path: Path, public_key: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path / "sshd", public_key.read_text()) as running:
        yield running


def ssh(server: Sshd, *arguments: str) -> tuple[str, ...]:
    return ("ssh", *server.options, f"{USER}@127.0.0.1", *arguments)


@pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
@pytest.mark.parametrize("host_key", ["ed25519", "rsa", "ecdsa"])
def test_a_login_with_the_card(
    running: AgentProcess, public_key: Path, tmp_path: Path, algorithm: str, host_key: str
) -> None:
    line = public_key.read_text().strip()
    with running_sshd(tmp_path / "sshd", line + "\n", host_key_type=host_key) as server:
        chosen = ("-v", "-o", f"PubkeyAcceptedAlgorithms={algorithm}")
        done = running.run("ssh", *chosen, *server.options, f"{USER}@127.0.0.1", "echo in")
        assert done.stdout == "in\n"
        assert (
            f"Signed: SSH login as {USER}, at the server with the host key SHA256:" in running.told
        )
        fingerprint = subprocess.check_output(
            ["ssh-keygen", "-l", "-f", str(server.folder / "host_key.pub")], text=True
        ).split()[1]
        assert fingerprint in running.told


def test_sha1_is_refused(running: AgentProcess, server: Sshd) -> None:
    old = ("-o", "PubkeyAcceptedAlgorithms=ssh-rsa", "-o", "HostKeyAlgorithms=ssh-ed25519")
    done = running.run("ssh", *old, *server.options, f"{USER}@127.0.0.1", "true", check=False)
    assert done.returncode == 255
    assert "Signed" not in running.told


def test_another_key_is_not_let_in(running: AgentProcess, tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd", "") as server:
        assert running.run(*ssh(server, "true"), check=False).returncode == 255
        assert "Signed" not in running.told  # the server did not want the key, so no PIN was used


def test_git_clones_and_pushes(running: AgentProcess, server: Sshd, tmp_path: Path) -> None:
    bare, clone = tmp_path / "bare.git", tmp_path / "clone"
    environment = client_environment(running.socket)
    environment["GIT_SSH_COMMAND"] = " ".join(("ssh", *server.options))

    def git(*arguments: str, cwd: Path = tmp_path) -> str:
        return subprocess.run(
            ["git", *arguments],
            env=environment,
            cwd=cwd,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    git("init", "-q", "--bare", str(bare))
    git("clone", "-q", f"ssh://{USER}@127.0.0.1:{server.port}{bare}", str(clone))
    (clone / "file").write_text("content\n")
    git("add", "file", cwd=clone)
    git("commit", "-q", "-m", "first", cwd=clone)
    git("push", "-q", "origin", "HEAD", cwd=clone)
    assert git("log", "--format=%s", "--all", cwd=bare) == "first\n"


def test_scp_and_sftp_copy(running: AgentProcess, server: Sshd, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("content")
    running.run("scp", "-q", *server.options, str(source), f"{USER}@127.0.0.1:{target}")
    assert target.read_text() == "content"
    batch = f"get {source} {tmp_path}/fetched\n"
    running.run("sftp", "-q", *server.options, "-b", "-", f"{USER}@127.0.0.1", stdin=batch)
    assert (tmp_path / "fetched").read_text() == "content"


@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_ssh_keygen_signs_a_file_and_verifies_it(
    running: AgentProcess, public_key: Path, tmp_path: Path, hash_name: str
) -> None:
    document = tmp_path / "document"
    document.write_text("a document\n")
    key = ("-f", str(public_key))
    hashed = ("-O", f"hashalg={hash_name}")
    running.run("ssh-keygen", "-Y", "sign", *key, *hashed, "-n", "file", str(document))
    signers = allowed_signers(tmp_path, public_key)
    verify = ("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "taro@example.jp")
    signature = ("-s", f"{document}.sig")
    good = running.run(*verify, "-n", "file", *signature, stdin="a document\n")
    assert "Good" in good.stdout
    for other in (("-n", "git"), ("-n", "file")):
        text = "a document\n" if other[1] == "git" else "another\n"
        assert running.run(*verify, *other, *signature, stdin=text, check=False).returncode != 0


def allowed_signers(folder: Path, public_key: Path) -> Path:
    path = folder / "allowed_signers"
    path.write_text(f"taro@example.jp {public_key.read_text()}")
    return path


def test_git_signs_commits_and_verifies_them(
    running: AgentProcess, public_key: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()

    def git(*arguments: str) -> str:
        return running.run("git", *arguments, cwd=repository).stdout

    git("init", "-q")
    git("config", "gpg.format", "ssh")
    git("config", "user.signingkey", str(public_key))
    git("config", "gpg.ssh.allowedSignersFile", str(allowed_signers(tmp_path, public_key)))
    git("commit", "-q", "--allow-empty", "-S", "-m", "signed")
    git("tag", "-s", "-m", "a tag", "v1")
    assert 'Good "git" signature for taro@example.jp' in git("log", "--show-signature")
    git("verify-commit", "HEAD")
    git("verify-tag", "v1")
    assert running.told.count("Signed: Signature of a file, commit or message (git).") == 2


def test_a_forwarded_agent_signs_for_the_next_host_and_says_through_which(
    running: AgentProcess, server: Sshd
) -> None:
    inner = " ".join(ssh(server, "echo inside"))
    done = running.run("ssh", "-A", *server.options, f"{USER}@127.0.0.1", inner)
    assert done.stdout == "inside\n"
    assert running.told.count("Signed: SSH login") == 2
    assert running.told.count("Asked for through the agent that is forwarded to SHA256:") == 1


def test_a_forwarded_agent_does_not_sign_a_web_login(
    running: AgentProcess, server: Sshd, public_key: Path, tmp_path: Path
) -> None:
    """The host that the agent is forwarded to asks for what a web site would accept."""
    thief = tmp_path / "thief.py"
    thief.write_text(f"""
import os, sys
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]!r}
from support.ssh import Client, LIST, listed_keys, sign_request
from jpki.authentication import login_message
message = login_message("https://bank.example.jp", "A" * 44)
with Client(os.environ["SSH_AUTH_SOCK"]) as client:
    (key,) = listed_keys(client.ask(LIST))
    print([client.ask(sign_request(key, message, flags)) for flags in (0, 2, 4)])
""")
    import sys

    command = f"{sys.executable} {thief}"
    done = running.run("ssh", "-A", *server.options, f"{USER}@127.0.0.1", command)
    assert done.stdout == "[b'\\x05', b'\\x05', b'\\x05']\n", done.stderr
    assert running.told.count("somebody tried to misuse the agent") == 2
    assert running.told.count("Signed:") == 1  # the login itself


def test_fifty_logins_at_a_time_all_succeed(running: AgentProcess, server: Sshd) -> None:
    environment = client_environment(running.socket)
    clients = [
        subprocess.Popen(
            ssh(server, f"echo {number}"), env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        )
        for number in range(50)
    ]  # fmt: skip
    ends = [client.communicate(timeout=100) for client in clients]
    assert [out for out, _err in ends] == [f"{number}\n" for number in range(50)], ends
