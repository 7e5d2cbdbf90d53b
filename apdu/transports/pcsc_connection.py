"""A PC/SC session with the thread that it lives in: its calls, with deadlines and Ctrl-C."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import TypeVar

from apdu.errors import (
    CardError,
    CardSilentError,
    PcscFault,
    PcscUnavailableError,
    TransportError,
)
from apdu.transports.base import Notice
from apdu.transports.pcsc_session import PcscSession
from apdu.transports.worker import Worker, WorkerTimeoutError

T = TypeVar("T")

_CLEAN_UP_S = 1.0
"""How long closing waits for an abandoned call to return, and its thread to cut the power."""


class PcscConnection:
    """A PC/SC session, the thread it lives in, and the process both belong to."""

    def __init__(self, scard: ModuleType, *, call_timeout_s: float) -> None:
        self.session = PcscSession(scard)
        self._worker = Worker(name="pcsc", clean_up=self.session.clean_up)
        self._call_timeout_s = call_timeout_s
        self._pid = os.getpid()
        self._is_open = True
        try:
            self.call(self.session.establish)
        except BaseException:
            self.close(power_off=False)
            raise

    @property
    def is_usable(self) -> bool:
        """Whether a call has a chance: not closed, and no earlier call is stuck."""
        return self._is_open and not self._worker.is_abandoned

    def call(
        self,
        function: Callable[[], T],
        *,
        timeout_s: float | None = None,
        late: CardError | None = None,
    ) -> T:
        """Run a method of the session; raise ``late`` if it takes longer than ``timeout_s``."""
        self._require_open()
        timeout_s = self._call_timeout_s if timeout_s is None else timeout_s
        try:
            return self._worker.call(function, timeout_s=timeout_s)
        except WorkerTimeoutError:
            raise late or PcscUnavailableError(PcscFault.NOT_ANSWERING) from None

    def transmit(
        self, command: bytes, *, timeout_s: float, notify: Callable[[Notice], None]
    ) -> bytes:
        """Exchange one command for its answer, once."""
        self._require_open()
        try:
            return self._worker.exchange(
                partial(self.session.transmit, command), timeout_s=timeout_s, notify=notify
            )
        except WorkerTimeoutError:
            raise CardSilentError from None

    def close(self, *, power_off: bool) -> None:
        """Release everything, in bounded time. Raises nothing: a first failure is not masked."""
        if not self._is_open or os.getpid() != self._pid:
            return
        self._is_open = False
        if not self._worker.is_abandoned:
            release = partial(self.session.release, power_off=power_off)
            with suppress(WorkerTimeoutError):
                self._worker.call(release, timeout_s=self._call_timeout_s)
        self._worker.stop()
        if self._worker.is_abandoned and self.session.may_be_unlocked:
            self._worker.join(timeout_s=_CLEAN_UP_S)

    def _require_open(self) -> None:
        if os.getpid() != self._pid:  # the thread, and the socket's other half, are the parent's
            raise TransportError("the connection belongs to the parent process")
        if not self._is_open:
            raise TransportError("the connection is closed")
