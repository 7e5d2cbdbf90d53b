"""Programs run as a user would run them, and the rows of the table."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
PKI = ROOT / "fixtures" / "pki"


def row(what: str, measured: str, bound: str = "") -> None:
    print(f"| {what} | {measured} | {bound} |", flush=True)


def run(*arguments: str | Path, **environment: str) -> tuple[float, int]:
    """Run a program -> wall time in seconds, peak resident memory in KiB. It must succeed."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [str(argument) for argument in arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{arguments} ended with {child.returncode}")
    return elapsed, usage.ru_maxrss


def best_of(times: int, *arguments: str | Path, **environment: str) -> tuple[float, int]:
    """The fastest of several runs, and the largest peak of memory."""
    results = [run(*arguments, **environment) for _ in range(times)]
    return min(seconds for seconds, _ in results), max(memory for _, memory in results)


def each_of(times: int, action: Callable[[], object]) -> float:
    """Seconds of one action, the fastest of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(times // 5):
            action()
        rounds.append((time.perf_counter() - started) / (times // 5))
    return min(rounds)
