"""Verifying many files in several processes: cryptography in Python keeps one core busy."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from cli.errors import InputError, UsageProblemError
from cli.exit_codes import ExitCode
from cli.input_file import STDIN
from cli.verification_run import VerificationPlan
from cli.verification_view import ShownFile, shown_error
from jpki.errors import JpkiError

FORK: Final = "fork"
CHUNK: Final = 16
"""Files that a process takes at once."""
OF_ONE_FILE: Final = (InputError, UsageProblemError, JpkiError)
"""Errors after which the next file can be looked at all the same."""

_plans: list[VerificationPlan] = []
"""That of a child; the parent has none here."""


def verify_files(plan: VerificationPlan, names: Sequence[str], jobs: int) -> Iterator[ShownFile]:
    """Verify files in the order given, in up to so many processes at once.

    Of several each is shown, what could not be verified as well: with its error. One process does
    it where none can be forked (Windows), and where the standard input is among the files: a child
    has none.

    Raises:
        What ``VerificationPlan.verify`` raises, if there is one file only.
    """
    if len(names) == 1:
        yield plan.verify(names[0]).shown()
        return
    can_share = STDIN not in names and FORK in multiprocessing.get_all_start_methods()
    if jobs < 2 or not can_share:
        for name in names:
            yield _shown(plan, name)
        return
    context = multiprocessing.get_context(FORK)  # certificates cannot be sent, only inherited
    with ProcessPoolExecutor(jobs, context, _begin, (plan,)) as pool:
        yield from pool.map(_verify_one, names, chunksize=CHUNK)


def _begin(plan: VerificationPlan) -> None:
    """Be a child: it ends with its parent, to whom Ctrl-C speaks."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _plans.append(plan)


def _end_with_parent() -> None:
    """A child would wait for work for ever: it holds both ends of the pipe that brings it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ExitCode.OK)


def _verify_one(name: str) -> ShownFile:
    return _shown(_plans[-1], name)


def _shown(plan: VerificationPlan, name: str) -> ShownFile:
    try:
        return plan.verify(name).shown()
    except OF_ONE_FILE as error:
        return shown_error(name, error)
