"""One thing after the other: the main thread does for the agent's clients what needs the card.

It is the main thread so that Ctrl-C reaches a question or an exchange with the card as it does in
every other command. The clients are served by another thread, and wait for nothing but their own.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Lock
from types import FrameType
from typing import Any, Final, Generic, TypeVar

from cli.errors import TerminatedError

T = TypeVar("T")

WAIT_SLICE_S: Final = 0.5
"""A signal that comes just before the wait begins does not end it, so no wait is without end."""


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

    def run(self, desk: "Desk") -> None:
        """Do it, unless nobody wants it any more; whatever comes of it, nobody waits for ever."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            desk.is_busy = True
            try:
                result = self._work(self.presence)
            finally:
                desk.is_busy = False
            self.future.set_result(result)
        finally:
            if not self.future.done():  # Ctrl-C, or a bug
                self.future.set_exception(asyncio.CancelledError())


class Desk:
    """Takes jobs from all threads; ``run`` does them in the one that calls it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._ending: BaseException | None = None
        self.is_busy = False
        """Whether a job is being done, so that Ctrl-C has something to end."""

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

    def end(self, error: BaseException) -> None:
        """End ``run`` with this error, before any job that waits. May be called by a signal."""
        self._ending = error
        self._jobs.put(_Job(lambda _presence: None))  # it wakes whoever waits

    def run(self) -> bool:
        """Do the next job, if one comes soon -> False at the end. Raises: what the job raises."""
        try:
            job = self._jobs.get(timeout=WAIT_SLICE_S)
        except Empty:
            return True
        if self._ending is not None:
            raise self._ending
        if job is None:
            return False
        job.run(self)
        return True


@contextmanager
def signals_at_desk(desk: Desk, *, interrupt_ends: bool) -> Iterator[None]:
    """Let signals strike at the desk only: they end the job that is being done, and the run.

    Elsewhere, where a socket or a process is being made or cleared away, they are noted.

    Args:
        desk: the main thread's.
        interrupt_ends: whether Ctrl-C ends more than the job.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if desk.is_busy:
            raise KeyboardInterrupt
        if interrupt_ends:
            desk.end(KeyboardInterrupt())

    def terminate(number: int, _frame: FrameType | None) -> None:
        if desk.is_busy:
            raise TerminatedError(number)
        desk.end(TerminatedError(number))

    handlers: dict[int, Callable[[int, FrameType | None], None]] = {signal.SIGINT: interrupt}
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if (number := getattr(signal, name, None)) is not None:
            handlers[number] = terminate
    before = {number: signal.getsignal(number) for number in handlers}
    heeded = [number for number in handlers if before[number] not in {signal.SIG_IGN, None}]
    try:
        for number in heeded:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
