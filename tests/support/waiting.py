"""Waiting for what another process does, with an end to patience."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
DEADLINE_S = 30.0


def wait_until(found: Callable[[], T], what: str) -> T:
    """Ask again and again until the answer is true -> the answer."""
    deadline = time.monotonic() + DEADLINE_S
    while not (answer := found()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.005)
    return answer


def is_running(pid: int) -> bool:
    """Whether a process of this id is there, and not only its exit code."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
