"""Verifying many files in several processes: cryptography in Python keeps one core busy."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

from cli.errors import CliError
from cli.exit_codes import ExitCode
from cli.input_file import STDIN
from cli.verification_run import VerificationPlan
from cli.verification_view import ShownFile
from jpki.errors import JpkiError

FORK: Final = "fork"
CHUNK: Final = 16
"""Files that a process takes at once."""

_plans: list[VerificationPlan] = []
"""That of a child; the parent has none here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """An error on its way to the parent; pickle alone would call its class with other arguments."""

    kind: type[CliError | JpkiError]
    args: tuple[object, ...]
    facts: dict[str, object]

    @classmethod
    def of(cls, error: CliError | JpkiError) -> Self:
        return cls(kind=type(error), args=error.args, facts=vars(error))

    def error(self) -> Exception:
        error = self.kind.__new__(self.kind, *self.args)
        vars(error).update(self.facts)
        return error


def verify_files(plan: VerificationPlan, names: Sequence[str], jobs: int) -> Iterator[ShownFile]:
    """Verify files in the order given, in up to so many processes at once.

    One process does it where none can be forked (Windows), and where the standard input is among
    the files: a child has none.

    Raises:
        What ``VerificationPlan.verify`` raises.
    """
    can_share = STDIN not in names and FORK in multiprocessing.get_all_start_methods()
    if jobs < 2 or len(names) < 2 or not can_share:
        for name in names:
            yield plan.verify(name).shown()
        return
    context = multiprocessing.get_context(FORK)  # certificates cannot be sent, only inherited
    with ProcessPoolExecutor(jobs, context, _begin, (plan,)) as pool:
        for found in pool.map(_verify_one, names, chunksize=CHUNK):
            if isinstance(found, _Refusal):
                raise found.error()
            yield found


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


def _verify_one(name: str) -> ShownFile | _Refusal:
    try:
        return _plans[-1].verify(name).shown()
    except (CliError, JpkiError) as error:
        return _Refusal.of(error)
