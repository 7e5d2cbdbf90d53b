"""A PIN that outlives one use: a script's, or one that was entered and is kept for a time."""

import time
from collections.abc import Callable
from threading import Timer

from jpki.pins import Pin


class KeptPin:
    """The PIN while it is kept: given for good, or entered and kept for a time.

    All of it happens in one thread, so that no PIN is overwritten while it is on its way.
    """

    def __init__(
        self, given: Pin | None, cache_s: float, later: Callable[[Callable[[], None]], None]
    ) -> None:
        self._pin = given
        self._cache_s = cache_s
        self._later = later
        self._until: float | None = None

    @property
    def is_given(self) -> bool:
        """Whether it is a script's, which nobody can enter anew."""
        return self._pin is not None and self._until is None

    def current(self) -> Pin | None:
        """The PIN, if there is one now."""
        self._expire()
        return self._pin

    def keep(self, pin: Pin) -> None:
        """Keep a PIN that was right for as long as was said; without a time it is overwritten."""
        self.forget()
        if self._cache_s <= 0:
            pin.wipe()
            return
        self._pin, self._until = pin, _now_s() + self._cache_s
        timer = Timer(self._cache_s, lambda: self._later(self._expire))
        timer.daemon = True
        timer.start()

    def forget(self) -> None:
        """Overwrite it."""
        if self._pin is not None:
            self._pin.wipe()
        self._pin = self._until = None

    def _expire(self) -> None:
        if self._until is not None and _now_s() >= self._until:
            self.forget()


def _now_s() -> float:
    """Seconds that also pass while the machine sleeps: it must not wake up with an old PIN."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.monotonic() if clock is None else time.clock_gettime(clock)
