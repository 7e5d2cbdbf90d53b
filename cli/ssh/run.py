"""A run of the SSH agent: until it is stopped, or for as long as a command runs."""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from cli.context import AppContext
from cli.errors import InterruptedRunError, TerminatedError, UsageProblemError
from cli.failure import describe
from cli.printable import printable
from cli.ssh.card import CardKey
from cli.ssh.desk import Desk
from cli.ssh.keys import DeskKeys
from cli.ssh.words import refusal_text
from cli.translation import N_
from jpki.authentication.ssh import Agent
from jpki.authentication.ssh.listening import listening, private_folder
from jpki.authentication.ssh.server import AgentServer, served_in_thread
from jpki.errors import Interrupted

RUNTIME_VARIABLE: Final = "XDG_RUNTIME_DIR"
SOCKET_VARIABLE: Final = "SSH_AUTH_SOCK"
PID_VARIABLE: Final = "SSH_AGENT_PID"
SOCKET_NAME: Final = "ssh-agent.sock"
END_TIMEOUT_S: Final = 5.0


@contextmanager
def agent_running(
    app: AppContext, desk: Desk, key: CardKey, wanted: str | None, *, alone: bool
) -> Iterator[Path]:
    """Let the agent answer its clients inside the block -> its socket.

    Args:
        app: the surroundings.
        desk: where the card's work is done, by whoever has the block.
        key: the card.
        wanted: the path of the socket; None: one in a private folder.
        alone: let it be a socket that nobody else can have.

    Raises:
        AgentSocketError: there can be no socket.
    """
    with ExitStack() as resources:
        path = Path(wanted) if wanted is not None else _own_path(resources, alone=alone)
        listener = resources.enter_context(listening(path))
        agent = Agent(
            DeskKeys(desk, key), tell=lambda refusal: app.output.notice(refusal_text(refusal))
        )
        resources.enter_context(served_in_thread(AgentServer(agent), listener))
        yield path


def _own_path(resources: ExitStack, *, alone: bool) -> Path:
    runtime = os.environ.get(RUNTIME_VARIABLE)
    if runtime and not alone and Path(runtime).is_dir():
        return private_folder(Path(runtime) / "jpki") / SOCKET_NAME
    folder = tempfile.TemporaryDirectory(prefix="jpki-ssh-")  # 0700
    return Path(resources.enter_context(folder)) / SOCKET_NAME


def run_until_stopped(desk: Desk) -> None:
    """Work until Ctrl-C or SIGTERM, which are how an agent ends.

    Raises:
        Interrupted: Ctrl-C while the card was at work, with the outcome.
        TerminatedError: SIGHUP.
    """
    try:
        while desk.run():
            pass
    except Interrupted:
        raise
    except KeyboardInterrupt:
        return
    except TerminatedError as end:
        if end.signal != signal.SIGTERM:
            raise


def run_command(app: AppContext, desk: Desk, command: Sequence[str], socket_path: Path) -> int:
    """Run a command that finds the agent, and work until it ends -> its exit code.

    Ctrl-C is the command's own matter; here it ends what is being asked or done.

    Raises:
        UsageProblemError: it cannot be started.
        TerminatedError: SIGTERM or SIGHUP; the command gets SIGTERM.
    """
    with _ended(_started(command, socket_path)) as process:
        threading.Thread(target=_wait, args=(process, desk.stop), daemon=True).start()
        while _went_on(app, desk):
            pass
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _started(command: Sequence[str], socket_path: Path) -> subprocess.Popen[bytes]:
    mine = {SOCKET_VARIABLE: str(socket_path), PID_VARIABLE: str(os.getpid())}
    try:
        return subprocess.Popen(list(command), env=os.environ | mine)  # noqa: S603  # it is the person's
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        detail = getattr(error, "strerror", None) or type(error).__name__
        text = N_("{command} cannot be run: {detail}.")
        name = printable(command[0])
        raise UsageProblemError(text, command=name, detail=detail) from error


def _wait(process: subprocess.Popen[bytes], then: Callable[[], None]) -> None:
    process.wait()
    then()


def _went_on(app: AppContext, desk: Desk) -> bool:
    try:
        return desk.run()
    except Interrupted as interrupt:
        error = InterruptedRunError(interrupt.step.value, interrupt.outcome)
        app.output.notice(f"jpki: {describe(error).text}")
        return True
    except KeyboardInterrupt:
        return True


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave no command behind without its agent."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
