"""What importing the package needs: the standard library, and nothing that one platform lacks."""

import subprocess
import sys

MISSING_SOMEWHERE = ("termios", "fcntl", "tty", "pty", "pwd", "grp", "resource", "readline")

PROGRAM = """
import importlib, pkgutil, sys, os
for name in {missing!r}:
    sys.modules[name] = None  # importing it now raises ImportError
for name in ("getuid", "geteuid", "fork", "setsid", "kill"):
    if hasattr(os, name):
        delattr(os, name)
import apdu
for module in pkgutil.walk_packages(apdu.__path__, "apdu."):
    importlib.import_module(module.name)
    print(module.name)
imported = {{name.partition(".")[0] for name, module in sys.modules.items() if module}}
strangers = imported & {{"smartcard", "jpki", "cli", "click"}}
assert not strangers, strangers
{then}
"""


def _run(then: str, *, missing: tuple[str, ...] = MISSING_SOMEWHERE) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(missing=missing, then=then)],
        capture_output=True,
        timeout=30,
        check=False,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_module_can_be_imported_without_pyscard_and_unix() -> None:
    modules = _run("", missing=(*MISSING_SOMEWHERE, "smartcard")).split()
    assert "apdu.transports.pcsc" in modules
    assert "apdu.channel" in modules


def test_a_missing_pyscard_is_an_error_with_a_name() -> None:
    then = """
from apdu.errors import PcscFault, PcscUnavailableError
from apdu.transports.pcsc import PcscContext
try: PcscContext()
except PcscUnavailableError as error: print(error.reason.name, error)
"""
    last_line = _run(then, missing=(*MISSING_SOMEWHERE, "smartcard")).splitlines()[-1]
    assert last_line == "NO_PYSCARD the Python package pyscard is not installed"
