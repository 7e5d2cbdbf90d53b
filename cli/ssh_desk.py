"""One thing after the other: the main thread does for the agent's clients what needs the card.

It is the main thread so that Ctrl-C reaches a question or an exchange with the card as it does in
every other command. The clients are served by another thread, and wait for nothing but their own.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Presence:
    """Whether the one who asked is still there."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._gone = False
        self._on_leaving: Callable[[], None] | None = None

    @property
    def is_gone(self) -> bool:
        """Nobody waits for the outcome any more."""
        return self._gone

    def on_leaving(self, callback: Callable[[], None]) -> None:
        """Call this when the asker goes away, from another thread; at once if that has happened."""
        with self._lock:
            self._on_leaving = callback
            gone = self._gone
        if gone:
            callback()

    def leave(self) -> None:
        """Note that the asker has gone away."""
        with self._lock:
            self._gone, callback = True, self._on_leaving
        if callback is not None:
            callback()


class _Job(Generic[T]):
    def __init__(self, work: Callable[[Presence], T]) -> None:
        self.future: Future[T] = Future()
        self.presence = Presence()
        self._work = work

    def run(self) -> None:
        """Do it, unless nobody wants it any more; whatever comes of it, nobody waits for ever."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._work(self.presence))
        except BaseException:
            self.future.set_exception(asyncio.CancelledError())
            raise


class Desk:
    """Takes jobs from all threads; ``run`` does them in the one that calls it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self.is_busy = False

    async def do(self, work: Callable[[Presence], T]) -> T:
        """Have something done -> what came of it. If this is cancelled, the asker has gone."""
        job = _Job(work)
        self._jobs.put(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            job.presence.leave()
            raise

    def post(self, work: Callable[[], None]) -> None:
        """Have something done, when its turn comes."""
        self._jobs.put(_Job(lambda _presence: work()))

    def stop(self) -> None:
        """End ``run`` after the jobs that are there."""
        self._jobs.put(None)

    def run(self) -> bool:
        """Do the next job -> False at the end. Raises: what the job raises."""
        job = self._jobs.get()
        if job is None:
            return False
        self.is_busy = True
        try:
            job.run()
        finally:
            self.is_busy = False
        return True
