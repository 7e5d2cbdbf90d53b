"""The lock of an agent (``ssh-add -x`` and ``-X``), RFC 9987 section 3.7."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

DELAY_STEP_S: Final = 0.1
MAX_DELAY_S: Final = 10.0
"""OpenSSH's: a tenth of a second more for each wrong password, up to ten seconds."""


class Lock:
    """Locked with a password, of which a digest is kept.

    Args:
        pause: waits for some seconds.
    """

    def __init__(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._pause = pause
        self._salt = b""
        self._digest: bytes | None = None
        self._failures = 0
        self._turn = asyncio.Lock()
        self._penalty: asyncio.Future[None] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the agent is locked."""
        return self._digest is not None

    def close(self, password: bytes) -> bool:
        """Lock; False if it is locked already."""
        if self._digest is not None:
            return False
        self._salt = secrets.token_bytes(16)
        self._digest = _digest(password, self._salt)
        self._failures = 0
        return True

    async def open(self, password: bytes) -> bool:
        """Unlock; False if it is not locked, or not by this password.

        One try after the other, whoever makes them, and each wrong one makes the next ones wait,
        also if the one who made it does not stay to hear so.
        """
        async with self._turn:
            if self._penalty is not None:
                await asyncio.shield(self._penalty)
            if self._digest is None:
                return False
            if hmac.compare_digest(self._digest, _digest(password, self._salt)):
                self._digest = None
                return True
            self._failures += 1
            delay_s = min(self._failures * DELAY_STEP_S, MAX_DELAY_S)
            self._penalty = asyncio.ensure_future(self._pause(delay_s))
            await asyncio.shield(self._penalty)
            return False


def _digest(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=1 << 13, r=8, p=1)
