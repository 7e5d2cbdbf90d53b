"""A question on /dev/tty, POSIX 11 (General Terminal Interface), after readpassphrase(3).

``getpass`` leaves the echo off when SIGTERM, SIGHUP or SIGQUIT ends the program at the prompt, and
on when it is stopped and continued. Here a signal only ends the waiting; the terminal is put right,
and then the signal is sent again, to whoever handled it before.
"""

import errno
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

from cli.errors import PinSourceError, PinSourceFault

TERMINAL: Final = "/dev/tty"
MAX_LINE: Final = 4096
SIGNALS: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
STOPPING: Final = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})


def has_terminal() -> bool:
    """Whether this process has a terminal that a person may sit at."""
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    os.close(descriptor)
    return True


def is_read_by_keys(descriptor: int) -> bool:
    """Whether some program reads every key of a terminal, as ssh does for a session.

    A PIN that is typed there would go to the server.

    Raises:
        termios.error: it is no terminal.
    """
    return not termios.tcgetattr(descriptor)[3] & termios.ICANON


def ask(prompt: str, *, echo: bool) -> str:
    """Print the prompt on the terminal and read one line; "" at its end (Ctrl-D).

    Raises:
        PinSourceError: there is no terminal.
        What the program's own handlers of signals raise, once the terminal is as it was.
    """
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        raise PinSourceError(PinSourceFault.NO_TERMINAL) from None
    try:
        while True:
            line, interruption = _ask_once(descriptor, prompt, echo=echo)
            if interruption is None:
                return _decode(line)
            signal.raise_signal(interruption)
            if interruption not in STOPPING:
                # Its handler did not end anything: somebody ignores this signal on purpose.
                continue
    finally:
        os.close(descriptor)


def _ask_once(descriptor: int, prompt: str, *, echo: bool) -> tuple[bytes, signal.Signals | None]:
    """One try at the question -> the line, or the signal that ended it."""
    line = b""
    with _signals_noted() as (noted, wakeup):
        try:
            with _echo_set(descriptor, echo=echo):
                _write(descriptor, prompt)
                line = _read_line(descriptor, noted, wakeup)
        except termios.error:
            if not noted:  # SIGTTOU: a job in the background may not touch the terminal
                raise
        interruption = noted[0] if noted else None
    if not echo or interruption:
        _write(descriptor, "\n")
    return line, interruption


def _read_line(descriptor: int, noted: list[signal.Signals], wakeup: int) -> bytes:
    line = b""
    while not noted and not line.endswith(b"\n") and len(line) < MAX_LINE:
        ready, _, _ = select.select([descriptor, wakeup], [], [])
        if noted or wakeup in ready:
            break
        try:
            block = os.read(descriptor, MAX_LINE)
        except OSError as error:
            if error.errno != errno.EIO:  # the terminal is gone: the end of input
                raise
            block = b""
        if not block:
            break
        line += block
    return line


@contextmanager
def _signals_noted() -> Iterator[tuple[list[signal.Signals], int]]:
    """Let signals be written down and wake ``select``, and do nothing else, inside the block."""
    noted: list[signal.Signals] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(signal.Signals(number))

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread is told of signals.
        try:
            yield noted, reader
        finally:
            os.close(reader)
            os.close(writer)
        return
    before: dict[signal.Signals, Any] = {}
    old_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, note)
        yield noted, reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(old_wakeup)
        os.close(reader)
        os.close(writer)


@contextmanager
def _echo_set(descriptor: int, *, echo: bool) -> Iterator[None]:
    # FLUSH: what was typed before the question was not meant as its answer.
    if echo:
        termios.tcflush(descriptor, termios.TCIFLUSH)
        yield
        return
    before = termios.tcgetattr(descriptor)
    silent = list(before)
    silent[3] &= ~(termios.ECHO | termios.ECHONL)
    try:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, silent)
        yield
    finally:
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _write(descriptor: int, text: str) -> None:
    encoding = sys.stderr.encoding if sys.stderr is not None else "utf-8"
    content = text.encode(encoding or "utf-8", "backslashreplace")
    with suppress(OSError):
        while content:
            content = content[os.write(descriptor, content) :]


def _decode(line: bytes) -> str:
    """The line without its end. What is not UTF-8 becomes a character that no PIN has."""
    return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")
