"""A real sshd of a test, on this machine only, that lets in who has one of the given keys."""

import getpass
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support.web import closed_port

HOST = "example.jp"
"""The name by which ``Sshd.config`` knows it."""
DEADLINE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Sshd:
    """A server that runs; ``ssh -F CONFIG example.jp`` speaks to it, and so does 127.0.0.1."""

    folder: Path
    config: Path
    log: Path
    port: int

    @property
    def options(self) -> tuple[str, ...]:
        """Of ssh, scp and sftp: this server's key, no files of this user's, and his agent."""
        values = ("IdentityAgent=SSH_AUTH_SOCK", "BatchMode=yes", "StrictHostKeyChecking=yes")
        return ("-F", str(self.config), *(part for value in values for part in ("-o", value)))

    def accepted(self) -> int:
        """How many logins by key succeeded so far."""
        return len(re.findall("^Accepted publickey", self.log.read_text(), re.MULTILINE))


@contextmanager
def running_sshd(
    folder: Path, authorized_keys: str, *, host_key_type: str = "ed25519"
) -> Iterator[Sshd]:
    """Serve until the block ends. ``folder`` gets its keys, its configuration and its log."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program is not None, "sshd is missing: scripts/setup installs openssh-server"
    if os.getuid() == 0:  # where there is no systemd nobody has made it
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder.mkdir()
    port = closed_port()
    host_key = folder / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", host_key_type, "-N", "", "-f", host_key], check=True)
    (folder / "authorized_keys").write_text(authorized_keys)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nAuthenticationMethods publickey\n"
        "StrictModes no\nUsePAM no\nLogLevel DEBUG\n"  # the folders of a test lie in /tmp
        "PermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 100\nPrintMotd no\n"
    )
    kind, public_key, *_ = host_key.with_suffix(".pub").read_text().split()
    (folder / "known_hosts").write_text(f"{HOST} {kind} {public_key}\n")
    config = folder / "ssh_config"
    config.write_text(
        f"Host {HOST} 127.0.0.1\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n"
        f" HostKeyAlias {HOST}\n UserKnownHostsFile {folder}/known_hosts\n"
        " GlobalKnownHostsFile none\n"
        " IdentityFile none\n IdentityAgent none\n"
    )
    log = folder / "log"
    with subprocess.Popen(
        [program, "-D", "-E", log, "-f", folder / "sshd_config"], stdin=subprocess.DEVNULL
    ) as process:
        try:
            _wait_until_it_listens(process, log)
            yield Sshd(folder=folder, config=config, log=log, port=port)
        finally:
            process.terminate()


def _wait_until_it_listens(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while "Server listening" not in (log.read_text() if log.exists() else ""):
        # The pause between two looks, cut short when sshd ends by itself.
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
        assert process.returncode is None, f"sshd ended: {log.read_text()}"
        assert time.monotonic() < deadline, "sshd does not listen"
