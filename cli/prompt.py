"""Asking a person at the terminal, with the terminal put right again however that ends."""

import sys
from typing import Final, Protocol

from cli.errors import PinSourceError, PinSourceFault
from cli.output import Output

PR_SET_DUMPABLE: Final = 4


class Prompter(Protocol):
    """A person who can be asked. Tests put a scripted one in its place."""

    def is_there(self) -> bool:
        """Whether anybody can be asked at all."""

    def secret(self, prompt: str) -> str:
        """Ask for a secret, unseen; empty at the end of input. Raises: PinSourceError."""

    def confirm(self, question: str) -> bool:
        """Ask yes or no; no is the answer of silence. Raises: PinSourceError."""

    def show(self, text: str) -> None:
        """Say something to the person, on the terminal where the next question will be."""


class TerminalPrompter:
    """The terminal of the process (``/dev/tty``, the console), wherever its streams go."""

    def is_there(self) -> bool:
        """Whether there is a terminal."""
        if sys.platform == "win32":
            return sys.stdin is not None and sys.stdin.isatty()
        from cli.terminal import has_terminal

        return has_terminal()

    def secret(self, prompt: str) -> str:
        """Ask for a secret with the echo off."""
        forbid_core_dumps()
        if sys.platform == "win32":
            import getpass

            return getpass.getpass(prompt) if self.is_there() else _no_terminal()
        from cli.terminal import ask

        return ask(prompt, echo=False)

    def confirm(self, question: str) -> bool:
        """Ask yes or no."""
        if sys.platform == "win32":
            answer = input(question) if self.is_there() else _no_terminal()
        else:
            from cli.terminal import ask

            answer = ask(question, echo=True)
        return answer.strip().casefold() in {"y", "yes", "はい", "是"}

    def show(self, text: str) -> None:
        """Say something on stderr, where prompts are read as well; it may be closed."""
        Output().notice(text)


def _no_terminal() -> str:
    raise PinSourceError(PinSourceFault.NO_TERMINAL)


def forbid_core_dumps() -> None:
    """A crash must not write a PIN to a file. Not every platform has the limit.

    On Linux the limit does not count for a program that collects cores, core(5), so this process
    has none to give; no other one of the same user can read its memory then, prctl(2).
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    try:
        import resource
    except ImportError:
        return
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return
