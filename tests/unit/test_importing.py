"""What importing costs, and where it works: without PC/SC, on Windows, on macOS."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import apdu
import cli
import jpki

ROOT = Path(__file__).parents[2]
FOUND = [
    module
    for package in (apdu, jpki, cli)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]
MODULES = sorted(module.name for module in FOUND)
ELSEWHERE = {
    "cli.terminal",  # the POSIX half of cli.prompt, imported there and on POSIX only
    "jpki.emulator.pytest_plugin",  # pytest itself needs more of the system
}
PACKAGES = sorted(["apdu", "jpki", "cli", *(module.name for module in FOUND if module.ispkg)])


def run_python(script: str) -> str:
    """Run a script in a fresh interpreter -> what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a statement brings into a fresh interpreter."""
    out = run_python(f"{statement}\nimport sys\nprint(*sorted(sys.modules))")
    return {name.split(".")[0] for name in out.split()}


def test_importing_jpki_loads_nothing_heavy() -> None:
    heavy = {"smartcard", "cryptography", "asn1crypto", "pyhanko", "lxml", "click", "apdu"}
    assert not heavy & loaded_after("import jpki")


def test_a_login_loads_nothing_of_a_site() -> None:
    of_a_site = {"starlette", "uvicorn", "jinja2", "anyio", "sqlite3"}
    assert not of_a_site & loaded_after("import jpki.authentication, cli.commands.login")


def test_every_module_can_be_imported_where_pcsc_and_posix_are_missing() -> None:
    run_python(f"""
import importlib, os, sys
for name in ("smartcard", "termios", "tty", "fcntl", "pwd", "grp", "resource", "readline"):
    sys.modules[name] = None
for name in ("getuid", "geteuid", "fork", "fchmod", "uname"):
    if hasattr(os, name):
        delattr(os, name)
for name in {sorted(set(MODULES) - ELSEWHERE)!r}:
    importlib.import_module(name)
""")


def test_jpki_offers_the_names_that_it_lists() -> None:
    for name in jpki.__all__:
        assert getattr(jpki, name) is not None


def test_an_unknown_name_of_jpki_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        jpki.nonsense  # noqa: B018


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_exports_exists(name: str) -> None:
    package = import_module(name)
    for export in getattr(package, "__all__", ()):
        assert hasattr(package, export)
