"""The entry point of the process."""

import sys
from typing import NoReturn

from jpki._version import __version__


def main() -> NoReturn:
    """Run ``jpki``; every way to end is an exit code."""
    # Scripts ask for the version at each start, so that answer does not wait for any import.
    if sys.argv[1:] == ["--version"] and _version_was_printed():
        sys.exit(0)
    from cli.root import run_process

    run_process()


def _version_was_printed() -> bool:
    """Print the version; if stdout fails, the command itself is to say so."""
    if sys.stdout is None:
        return False
    try:
        sys.stdout.write(f"jpki {__version__}\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True
