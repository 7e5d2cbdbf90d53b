"""A real process at a real terminal (a pty), to see what becomes of the terminal's echo."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Self

DEADLINE_S = 30.0
JPKI = (sys.executable, "-c", "from cli.main import main; main()")


class TerminalProcess:
    """A process whose controlling terminal, stdout and stderr are a pty of ours."""

    def __init__(
        self, *arguments: str, env: Mapping[str, str], program: Sequence[str] = JPKI
    ) -> None:
        self._master, self._slave = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=dict(env),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no threads
        )

    @property
    def echo_is_on(self) -> bool:
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def wait_for(self, text: str, times: int = 1) -> None:
        """Read until this stands on the screen."""
        deadline = time.monotonic() + DEADLINE_S
        while self.seen.count(text) < times:
            assert self._read(deadline), f"{text!r} is not on the screen: {self.seen!r}"

    def hang_up(self) -> None:
        """Close the terminal's window: the process gets SIGHUP."""
        self._close()

    def wait_until_echo(self, *, on: bool) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while self.echo_is_on is not on:
            assert time.monotonic() < deadline, f"echo stays; the screen: {self.seen!r}"
            select.select([], [], [], 0.01)

    def enter(self, text: str) -> None:
        os.write(self._master, text.encode())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Read to the end -> the exit code; negative if a signal ended it."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            self._read(min(deadline, time.monotonic() + 0.1))
            assert time.monotonic() < deadline, self.seen
        while self._read(time.monotonic() + 0.1):
            pass
        return self.process.returncode

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            block = os.read(self._master, 65536)
        except OSError:
            return False
        self.seen += block.decode("utf-8", "replace")
        return bool(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self._master >= 0:
            os.close(self._slave)
            os.close(self._master)
        self._slave = self._master = -1
