"""The commands of docs/tls.md, as a reader copies them, and a terminal to run them at."""

import os
import re
import shlex
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from support.terminal import TerminalProcess
from support.trial import copy_of_environment

TEXT = (Path(__file__).parents[2] / "docs" / "tls.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NAMES = (
    *("install", "tries", "card.cnf", "curl", "s_client", "server"),
    *("ssh-key", "ssh", "nss"),
)
BLOCKS: Mapping[str, str] = dict(
    zip(NAMES, (textwrap.dedent(block[2]) for block in FENCED.finditer(TEXT)), strict=True)
)
"""All of the page's blocks: one that is added is named here, and run by a test."""


def block(name: str, replaced: Mapping[str, str] | None = None) -> str:
    """A block of the page; what a test must put in another's place has to stand there."""
    commands = BLOCKS[name]
    for old, new in (replaced or {}).items():
        assert old in commands, (old, commands)
        commands = commands.replace(old, new)
    return commands


class Desk:
    """A person's folder, also their home, and the reader with their card.

    Args:
        folder: is made; the commands run in it.
        reader: the name of the reader.
    """

    def __init__(self, folder: Path, reader: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.environment = copy_of_environment(
            HOME=str(folder),
            JPKI_READER=reader,
            PATH=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        )

    def type(self, commands: str) -> TerminalProcess:
        """Run commands of a shell at a terminal; the first that fails ends them."""
        script = f"cd {shlex.quote(str(self.folder))}\n{commands}"
        return TerminalProcess("-ec", script, env=self.environment, program=["bash"])

    def run(self, commands: str) -> str:
        """Run commands that ask nothing and succeed -> what stood on the screen."""
        with self.type(commands) as terminal:
            assert terminal.end() == 0, terminal.seen
        return terminal.seen.replace("\r\n", "\n")

    def enter_pin(self, commands: str, question: str, pin: str) -> tuple[int, str]:
        """Run commands that ask one question -> exit code and screen."""
        with self.type(commands) as terminal:
            terminal.wait_for(question)
            terminal.wait_until_echo(on=False)
            terminal.enter(f"{pin}\n")
            exit_code = terminal.end()
        return exit_code, terminal.seen.replace("\r\n", "\n")
