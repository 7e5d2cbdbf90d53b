"""From the start of a program to its end, or to the first APDU."""

import os
import subprocess
import time
from pathlib import Path

from benchmarks.cards import PASSWORD, new_card
from benchmarks.measuring import BIN, best_of, row

RUNS = 7


def measure_start(_folder: Path) -> None:
    bare_s, _ = best_of(15, BIN / "python", "-c", "pass")
    version_s, _ = best_of(15, BIN / "jpki", "--version")
    row(
        "jpki --version beside python -c pass",
        f"{version_s * 1000:.0f} ms / {bare_s * 1000:.0f} ms = {version_s / bare_s:.1f}",
        "5",
    )


def first_apdu(*arguments: str | Path) -> float:
    """Run a command that signs -> seconds from its start to the line of its first APDU."""
    started, first = time.perf_counter(), None
    with subprocess.Popen(
        [str(argument) for argument in (BIN / "jpki", "--apdu-log", "-", *arguments)],
        env={**os.environ, "PASSWORD": PASSWORD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        for line in child.stderr or ():
            if first is None and line.startswith(">"):
                first = time.perf_counter() - started
    if child.returncode != 0 or first is None:
        raise SystemExit(f"{arguments} ended with {child.returncode}")
    return first


def measure_first_apdu(folder: Path) -> None:
    """From the start of ``jpki sign`` to the first APDU, each document looked into before."""
    from support import pdf

    card = new_card(folder)
    documents = {
        "cms": b"contract\n",
        "pdf": pdf.build(pdf.one_page()),
        "xml": b"<contract><party/></contract>",
        "jws": b"contract\n",
        "asice": b"contract\n",
    }
    for name, content in documents.items():
        document = folder / f"contract.{name}"
        document.write_bytes(content)
        sign = ("--reader", f"emulator:{card}", "sign", "--format", name, "--force")
        fastest = min(
            first_apdu(*sign, "--pin-from", "env:PASSWORD", document) for _ in range(RUNS)
        )
        row(f"start of jpki sign --format {name} to the first APDU", f"{fastest:.2f} s", "0.5 s")
