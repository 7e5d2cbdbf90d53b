"""Verifying many files in several processes: cryptography in Python keeps one core busy."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from cli.verification_run import VerificationPlan
from cli.verification_view import ShownFile

FORK: Final = "fork"
CHUNK: Final = 16
"""Files that a process takes at once."""

_plans: list[VerificationPlan] = []
"""What the children inherit: certificates cannot be sent from process to process."""


def verify_files(plan: VerificationPlan, names: Sequence[str], jobs: int) -> Iterator[ShownFile]:
    """Verify files in the order given, in up to so many processes at once.

    Where a process cannot be forked (Windows), or standard input is among the files, one does it.

    Raises:
        What ``VerificationPlan.verify`` raises.
    """
    if jobs < 2 or len(names) < 2 or FORK not in multiprocessing.get_all_start_methods():
        for name in names:
            yield plan.verify(name).shown()
        return
    _plans.append(plan)
    try:
        context = multiprocessing.get_context(FORK)
        with ProcessPoolExecutor(max_workers=jobs, mp_context=context) as pool:
            yield from pool.map(_verify_one, names, chunksize=CHUNK)
    finally:
        _plans.pop()


def _verify_one(name: str) -> ShownFile:
    return _plans[-1].verify(name).shown()
