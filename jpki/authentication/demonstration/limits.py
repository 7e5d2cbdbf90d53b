"""How much one address may ask for: token buckets, as many as memory allows and no more."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_ADDRESSES: Final = 10_000
"""Beyond that the address that was quiet for longest is forgotten, and so begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Requests for each minute and address; as many may come at once."""

    sessions: int = 60
    challenges: int = 30
    logins: int = 30


class RateLimit:
    """A bucket of tokens for each address: ``per_minute`` of them, filled at that speed."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = per_minute
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> float:
        """Take one token -> 0, or the seconds until there is one."""
        who, now = _network(address), self._clock()
        with self._lock:
            tokens, filled = self._buckets.pop(who, (float(self._capacity), now))
            tokens = min(self._capacity, tokens + (now - filled) * self._per_second)
            wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
            self._buckets[who] = (tokens if wait_s else tokens - 1, now)
            if len(self._buckets) > MAX_ADDRESSES:
                self._buckets.popitem(last=False)
        return wait_s

    def __len__(self) -> int:
        return len(self._buckets)


def _network(address: str) -> str:
    """An IPv6 customer has a /64 at least, so 2^64 addresses are one person."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed  # at a socket for both kinds
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False).network_address)
