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
from urllib.parse import unquote_to_bytes

from cli.errors import PinentryCancelledError, PinentryError
from cli.prompt import forbid_core_dumps
from cli.translation import N_, _

VARIABLE: Final = "JPKI_PINENTRY"
PROGRAMS: Final = ("pinentry", "pinentry-mac", "pinentry-gnome3", "pinentry-qt", "pinentry-gtk-2")
MAX_LINE: Final = 1000
"""Octets of a line without its end. Assuan manual, 2.1."""
ESCAPED: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
CANCELLED: Final = frozenset({99, 114, 198})
"""GPG_ERR_CANCELED, GPG_ERR_NOT_CONFIRMED, GPG_ERR_FULLY_CANCELED of libgpg-error."""
TIMED_OUT: Final = 62
GRACE_S: Final = 0.5


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
    def _dialog(self, question: str) -> Iterator["_Dialog"]:
        program = self._program or pinentry_program()
        with _started(program) as process:
            self._process = process
            if self._closed:  # meanwhile, by another thread
                process.kill()
            dialog = _Dialog(process, program)
            dialog.greet()
            dialog.set_options()
            dialog.set("SETTIMEOUT", str(self._timeout_s))
            dialog.set("SETTITLE", self._title)
            dialog.set("SETDESC", "\n\n".join([*self._description, question]))
            if self._news:
                dialog.set("SETERROR", "\n".join(self._news))
            dialog.set("SETOK", _("OK"))
            dialog.set("SETCANCEL", _("Cancel"))
            self._asked, self._news = True, []
            yield dialog


@contextmanager
def _started(program: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, which is gone when the block ends, however that is."""
    try:
        process = subprocess.Popen(  # noqa: S603  # what the person set, or the desktop's
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        raise PinentryError(program, error.strerror or str(error)) from error
    with process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
            process.kill()


class _Dialog:
    """The client's half of the protocol."""

    def __init__(self, process: subprocess.Popen[bytes], program: str) -> None:
        self._process = process
        self._program = program

    def greet(self) -> None:
        """Wait until the program is there."""
        self._answer()

    def set_options(self) -> None:
        """Tell it where the person is. Older programs refuse some options, and work all the same.

        ``allow-external-password-cache`` is not among them: no keyring gets to keep a PIN.
        """
        options = {
            "ttyname": os.environ.get("GPG_TTY"),
            "ttytype": os.environ.get("TERM"),
            "lc-ctype": os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or "C.UTF-8",
        }
        for name, value in options.items():
            if value and value.isprintable():
                with suppress(PinentryError):
                    self.ask(f"OPTION {name}={value}")

    def set(self, command: str, text: str) -> None:
        """Send one text."""
        self.ask(f"{command} {''.join(ESCAPED.get(letter, letter) for letter in text)}")

    def ask(self, line: str) -> bytes:
        """Send one line -> the data that came back.

        Raises:
            PinentryCancelledError: the person said no, or nothing for too long.
            PinentryError: the program failed.
        """
        encoded = line.encode("utf-8")
        if len(encoded) > MAX_LINE:
            # Cut short it would not say what the person agrees to.
            raise PinentryError(self._program, N_("the text is too long for it"))
        stdin = self._process.stdin
        if stdin is None:  # it is a pipe; this is for the type checker
            raise PinentryError(self._program, N_("ended early"))
        try:
            stdin.write(encoded + b"\n")
            stdin.flush()
        except OSError as error:
            raise PinentryError(self._program, N_("ended early")) from error
        return self._answer()

    def _answer(self) -> bytes:
        data = b""
        while True:
            line = self._read_line()
            word, _space, rest = line.partition(b" ")
            match word:
                case b"OK":
                    return data
                case b"D":
                    data += unquote_to_bytes(rest)
                case b"ERR":
                    raise self._error(rest)
                case _ if word in {b"S", b""} or word.startswith(b"#"):
                    continue
                case _:
                    raise PinentryError(self._program, N_("does not speak the Assuan protocol"))

    def _read_line(self) -> bytes:
        stdout = self._process.stdout
        line = b"" if stdout is None else stdout.readline(MAX_LINE + 2)
        if not line.endswith(b"\n"):
            raise PinentryError(self._program, N_("ended early"))
        return line.removesuffix(b"\n").removesuffix(b"\r")

    def _error(self, rest: bytes) -> PinentryError | PinentryCancelledError:
        number = rest.split(b" ", 1)[0]
        code = int(number) & 0xFFFF if number.isdigit() else 0
        if code in CANCELLED or code == TIMED_OUT:
            return PinentryCancelledError(timed_out=code == TIMED_OUT)
        return PinentryError(self._program, f"error {code}")
