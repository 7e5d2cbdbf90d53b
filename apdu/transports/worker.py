"""A daemon thread for calls that may never return, and patience with a limit for those who wait.

A call into a PC/SC library cannot be interrupted: Python delivers Ctrl-C only when it returns, and
a hung reader or service may keep it for ever. So such calls run here, and the caller waits outside,
where Ctrl-C and deadlines work. A thread that is stuck is abandoned: nothing queues behind its call
any more, and should the call ever return, the thread clears up after itself. Being a daemon, it
keeps no interpreter from ending.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, NoReturn, TypeVar

from apdu.errors import ExchangeInterrupted
from apdu.transports.base import Notice

T = TypeVar("T")

SLOW_AFTER_S = 2.0
"""When a person is told that the card is slow. A signature takes about a second."""

GRACE_S = 3.0
"""How long an exchange under way may still answer after Ctrl-C."""

_WAIT_SLICE_S = 0.2
"""Ctrl-C is seen between two slices of a wait, at the latest.

A signal ends a wait by itself only where the platform has that (Windows has not), and only if the
system hands it to the waiting thread. An answer ends a slice at once, so no exchange is slower.
"""


class WorkerTimeoutError(Exception):
    """The call did not return before its deadline, or an earlier one did not."""


class Worker:
    """Runs calls one after the other in a thread of its own.

    Args:
        name: of the thread, for debuggers.
        clean_up: runs in the thread, as its last call, if it was abandoned. Must not raise.
    """

    def __init__(self, *, name: str, clean_up: Callable[[], None]) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._clean_up = clean_up
        self._abandoned = False
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def is_abandoned(self) -> bool:
        """Whether a call was given up: then every other one fails at once."""
        return self._abandoned

    def call(self, function: Callable[[], T], *, timeout_s: float) -> T:
        """Run ``function`` in the thread and return what it returns, or raise what it raises.

        Raises:
            WorkerTimeoutError: it did not return in time.
            KeyboardInterrupt: Ctrl-C, at once. If the call was running, the worker is abandoned.
        """
        future: Future[T] = Future()
        try:
            return self._run(future, function, timeout_s=timeout_s)
        except KeyboardInterrupt:
            if not future.cancel() and not future.done():
                self.abandon()
            raise

    def exchange(
        self,
        function: Callable[[], bytes],
        *,
        timeout_s: float,
        notify: Callable[[Notice], None],
    ) -> bytes:
        """As ``call``, for an exchange with a card: its answer matters even after Ctrl-C.

        Raises:
            WorkerTimeoutError: no answer in time.
            ExchangeInterrupted: Ctrl-C. The answer is waited for, for a while; a second Ctrl-C ends
                that.
            KeyboardInterrupt: Ctrl-C before the card got anything.
        """
        future: Future[bytes] = Future()
        try:
            return self._run(future, function, timeout_s=timeout_s, notify=notify)
        except KeyboardInterrupt:
            if future.cancel():
                raise
            self._interrupt(future, notify)

    def abandon(self) -> None:
        """Give up the call under way: never wait for it, never queue behind it."""
        self._abandoned = True
        self._jobs.put(None)

    def stop(self) -> None:
        """Let the thread end after the calls it has."""
        self._jobs.put(None)

    def join(self, *, timeout_s: float) -> None:
        """Wait for the thread to end, clean-up included, but not for long."""
        self._thread.join(timeout_s)

    def _run(
        self,
        future: Future[T],
        function: Callable[[], T],
        *,
        timeout_s: float,
        notify: Callable[[Notice], None] | None = None,
    ) -> T:
        if self._abandoned:
            raise WorkerTimeoutError
        self._jobs.put((future, function))
        if notify and timeout_s > SLOW_AFTER_S and not _wait(future, SLOW_AFTER_S):
            notify(Notice.CARD_SLOW)
            timeout_s -= SLOW_AFTER_S
        if not _wait(future, timeout_s):
            self.abandon()
            raise WorkerTimeoutError
        return future.result()

    def _interrupt(self, future: Future[bytes], notify: Callable[[Notice], None]) -> NoReturn:
        try:
            if not future.done():
                notify(Notice.INTERRUPTED)
                _wait(future, GRACE_S)
        except KeyboardInterrupt:  # the person means it
            self.abandon()
            raise ExchangeInterrupted from None
        if not future.done():
            self.abandon()
            raise ExchangeInterrupted from None
        failure = future.exception()
        raise ExchangeInterrupted(None if failure else future.result()) from failure

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001  # raised where it is awaited
                future.set_exception(error)
            del job, future, function  # or the last result would live until the next call
        if self._abandoned:
            self._clean_up()


def _wait(future: Future[Any], timeout_s: float) -> bool:
    """Wait until ``future`` is done; False if the time is up first."""
    deadline = time.monotonic() + timeout_s
    while not future.done():
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return False
        try:
            future.exception(timeout=min(left_s, _WAIT_SLICE_S))
        except TimeoutError:
            continue
    return True
