"""Signals of a whole run: Ctrl-C once and twice, SIGTERM, SIGHUP. What is ignored stays so."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from cli.errors import TerminatedError
from cli.exit_codes import ExitCode


@contextmanager
def signals_handled(say_ended_at_once: Callable[[], None]) -> Iterator[None]:
    """Handle signals inside the block.

    The first Ctrl-C raises KeyboardInterrupt: whatever is under way ends in order, and a command
    that is with the card may still be answered. The second one ends the process at once; the
    system then takes the card from it.
    """
    interrupts = 0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts > 1:
            say_ended_at_once()
            os._exit(ExitCode.INTERRUPTED)
        raise KeyboardInterrupt

    def terminate(number: int, _frame: FrameType | None) -> NoReturn:
        raise TerminatedError(number)

    before: dict[signal.Signals, Any] = {}
    wanted: list[tuple[signal.Signals, Any]] = [
        (signal.SIGINT, interrupt),
        (signal.SIGTERM, terminate),
    ]
    if hasattr(signal, "SIGHUP"):  # not on Windows
        wanted.append((signal.SIGHUP, terminate))
    try:
        for number, handler in wanted:
            if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
