"""The command as a process of its own, with a virtual card in a file."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from support.trial import Run, copy_of_environment

PROGRAM = "from cli.main import main; main()"
DEADLINE_S = 60.0


def start(
    *arguments: str,
    card: Path | None = None,
    pin: str | None = None,
    program: str = PROGRAM,
    environment: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
    closed: tuple[int, ...] = (),
    ignored: tuple[signal.Signals, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start `jpki`, with descriptors closed and signals ignored by whoever starts it."""

    def prepare() -> None:
        for descriptor in closed:
            os.close(descriptor)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    mine = dict(environment or {})
    if card is not None:
        mine["JPKI_READER"] = f"emulator:{card}"
    if pin is not None:
        mine["JPKI_TEST_PIN"] = pin
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=copy_of_environment(**mine),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=prepare,  # noqa: PLW1509 - it only closes descriptors and sets signals
    )


def finish(process: subprocess.Popen[bytes], *arguments: str, typed: str | None = None) -> Run:
    """Wait for the end -> what came of it."""
    stdout, stderr = process.communicate(timeout=DEADLINE_S)
    return Run(
        arguments=arguments,
        exit_code=process.returncode,
        stdout=stdout or b"",
        stderr=(stderr or b"").decode("utf-8", "replace"),
        typed=frozenset(() if typed is None else {typed}),
    )
