"""What an attack may cost: work, so it is counted in processor time and not by the clock.

A crafted document that gets past a bound takes minutes where these tests allow seconds; how busy
the machine is otherwise says nothing about it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cpu_within(seconds: float) -> Iterator[None]:
    """Fail if the block takes more processor time of this process."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds
