"""One conversation with a pinentry: the client's half of the Assuan protocol, and its process.

The program may be anything that the person set, so what it says is bounded and checked. On Linux it
cannot outlive us: a window that asks for a PIN nobody waits for would be a trap.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from cli.errors import PinentryCancelledError, PinentryError
from cli.translation import N_

MAX_LINE: Final = 1000
"""Octets of a line without its end. Assuan manual, 2.1."""
MAX_LINES: Final = 1000
"""Of one answer: comments and status lines are no news."""
ESCAPED: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
CANCELLED: Final = frozenset({99, 114, 198})
"""GPG_ERR_CANCELED, GPG_ERR_NOT_CONFIRMED, GPG_ERR_FULLY_CANCELED of libgpg-error."""
TIMED_OUT: Final = 62
GRACE_S: Final = 0.5
FROM_CACHE: Final = b"PASSWORD_FROM_CACHE"
"""The status of an answer that comes from a keyring."""
LAUNCHER: Final = Path(__file__).with_name("child_of.py")


@contextmanager
def started(program: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, which is gone when the block ends, however that is.

    Raises:
        PinentryError: it cannot be started.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # what the person set, or the desktop's
            _command(program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise PinentryError(program, error.strerror or str(error)) from error
    with process:
        try:
            yield process
        except Exception:
            raise
        except BaseException:  # somebody wants us to end, and now
            process.kill()
            raise
        finally:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
            process.kill()


def _command(program: str) -> list[str]:
    """What starts it; on Linux by way of a program that ties its life to ours."""
    if not sys.platform.startswith("linux") or not sys.executable:
        return [program]
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), program]


def _terminal() -> str | None:
    """The terminal for a program that has no window, unless another one reads every key there."""
    name = os.environ.get("GPG_TTY")
    if not name or sys.platform == "win32":
        return name
    import termios

    from cli.terminal import is_read_by_keys

    try:
        descriptor = os.open(name, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        return None if is_read_by_keys(descriptor) else name
    except termios.error:
        return None
    finally:
        os.close(descriptor)


class Dialog:
    """The client's half of the protocol.

    Args:
        process: the pinentry, with pipes.
        program: its name, for errors.
    """

    def __init__(self, process: subprocess.Popen[bytes], program: str) -> None:
        self._process = process
        self._program = program

    def greet(self) -> None:
        """Wait until the program is there. Raises: PinentryError."""
        self._answer()

    def set_options(self) -> None:
        """Tell it where the person is. Older programs refuse some options, and work all the same.

        ``allow-external-password-cache`` is not among them: no keyring gets to keep a PIN.

        Raises:
            PinentryError: it does not answer.
        """
        options = {
            "ttyname": _terminal(),
            "ttytype": os.environ.get("TERM"),
            "lc-ctype": os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or "C.UTF-8",
        }
        for name, value in options.items():
            if value and value.isprintable():
                with suppress(_RefusedError):
                    self.ask(f"OPTION {name}={value}")

    def set(self, command: str, text: str) -> None:
        """Send one text. Raises: PinentryError."""
        self.ask(f"{command} {''.join(ESCAPED.get(letter, letter) for letter in text)}")

    def ask(self, line: str) -> bytes:
        """Send one line -> the data that came back.

        Raises:
            PinentryCancelledError: the person said no, or nothing for too long.
            PinentryError: the program failed.
        """
        encoded = line.encode("utf-8", "replace")
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
        for _number in range(MAX_LINES):
            line = self._read_line()
            word, _space, rest = line.partition(b" ")
            match word:
                case b"OK":
                    return data
                case b"D":
                    data += unquote_to_bytes(rest)
                    if len(data) > MAX_LINE:
                        break
                case b"ERR":
                    raise self._error(rest)
                case b"S" if rest.split(b" ", 1)[0] == FROM_CACHE:
                    # It is not a fresh entry, so it is worth no try.
                    raise PinentryError(self._program, N_("it gave a PIN that it remembered"))
                case _ if word in {b"S", b""} or word.startswith(b"#"):
                    continue
                case _:
                    break
        raise PinentryError(self._program, N_("does not speak the Assuan protocol"))

    def _read_line(self) -> bytes:
        stdout = self._process.stdout
        line = b"" if stdout is None else stdout.readline(MAX_LINE + 2)
        if line.endswith(b"\n"):
            return line.removesuffix(b"\n").removesuffix(b"\r")
        detail = N_("ended early")
        if len(line) > MAX_LINE:
            detail = N_("does not speak the Assuan protocol")
        raise PinentryError(self._program, detail)

    def _error(self, rest: bytes) -> PinentryError | PinentryCancelledError:
        number = rest.split(b" ", 1)[0]
        code = int(number) & 0xFFFF if number.isdigit() else 0
        if code in CANCELLED or code == TIMED_OUT:
            return PinentryCancelledError(timed_out=code == TIMED_OUT)
        return _RefusedError(self._program, f"error {code}")


class _RefusedError(PinentryError):
    """It said ERR to one line, and would listen to another one."""
