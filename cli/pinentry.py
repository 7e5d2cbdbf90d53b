"""Asking a person in a window: a pinentry program, by the Assuan protocol that GnuPG uses.

Where there is no terminal (a browser starts us, an agent runs in the background) the PIN is asked
for by the desktop's own PIN program. It is a ``Prompter`` as the terminal is, so all that decides
about tries stays where it is. One program is started for each question.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from cli.errors import PinentryCancelledError, PinentryError
from cli.pinentry_dialog import Dialog, started
from cli.prompt import forbid_core_dumps
from cli.translation import N_, _

VARIABLE: Final = "JPKI_PINENTRY"
PROGRAMS: Final = ("pinentry", "pinentry-mac", "pinentry-gnome3", "pinentry-qt", "pinentry-gtk-2")


def pinentry_program(environment: Mapping[str, str] = os.environ) -> str:
    """The program that JPKI_PINENTRY names, else the desktop's -> its path.

    Raises:
        PinentryError: there is none.
    """
    wanted = environment.get(VARIABLE)
    for name in (wanted,) if wanted else PROGRAMS:
        if path := shutil.which(name, path=environment.get("PATH")):
            return path
    raise PinentryError(wanted or PROGRAMS[0], N_("not found"))


class PinentryPrompter:
    """A person in front of a window.

    Args:
        title: of the window.
        program: the pinentry; None: ``pinentry_program`` finds it at the first question.
        timeout_s: how long a question may stand, in whole seconds; 0 is without end.
    """

    def __init__(self, *, title: str, program: str | None = None, timeout_s: int = 0) -> None:
        self._title = title
        self._program = program
        self._timeout_s = timeout_s
        self._description: list[str] = []
        self._news: list[str] = []
        self._asked = False
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def is_there(self) -> bool:
        """Whether there is a program to ask with; whether a person sees it is not known."""
        with suppress(PinentryError):
            return bool(self._program or pinentry_program())
        return False

    def secret(self, prompt: str) -> str:
        """Ask for a secret. Raises: PinentryError, PinentryCancelledError."""
        forbid_core_dumps()
        with self._dialog(prompt) as dialog:
            dialog.set("SETPROMPT", _("PIN:"))
            answer = dialog.ask("GETPIN")
        return answer.decode("utf-8", "replace")

    def confirm(self, question: str) -> bool:
        """Ask yes or no. Raises: PinentryError."""
        try:
            with self._dialog(question) as dialog:
                dialog.ask("CONFIRM")
        except PinentryCancelledError:
            return False
        return True

    def show(self, text: str) -> None:
        """Keep what is said for the next question: above it, or as its error."""
        (self._news if self._asked else self._description).append(text)

    def close(self) -> None:
        """End the window that is open, from any thread, and open no other."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()

    @contextmanager
    def _dialog(self, question: str) -> Iterator[Dialog]:
        if self._closed:
            raise PinentryCancelledError
        program = self._program or pinentry_program()
        with started(program) as process:
            self._process = process
            if self._closed:  # meanwhile, by another thread
                process.kill()
            dialog = Dialog(process, program)
            dialog.greet()
            dialog.set_options()
            dialog.set("SETTIMEOUT", str(self._timeout_s))
            dialog.set("SETTITLE", self._title)
            dialog.set("SETDESC", "\n\n".join([*self._description, question.strip().rstrip(":：")]))
            if self._news:
                dialog.set("SETERROR", "\n".join(self._news))
            dialog.set("SETOK", _("OK"))
            dialog.set("SETCANCEL", _("Cancel"))
            self._asked, self._news = True, []
            yield dialog
