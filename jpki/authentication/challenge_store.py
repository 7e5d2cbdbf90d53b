"""The challenges that a site has issued: each for one session, taken once, for five minutes.

Web eID architecture, "challenge nonce". The token does not carry its nonce, so the page sends back
which one it answers, and the store says whether that one was issued to this very session.

There is room for ``limit`` challenges, and a new one drives out the oldest: whoever wants to keep a
person from logging in must then ask for all of them while that person enters a PIN, and a limit per
address stops him long before. (Were new ones refused instead, he could take five minutes.)
"""

import hashlib
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from jpki.authentication.challenge import new_nonce
from jpki.authentication.clock import Clock, seconds, utc_now
from jpki.authentication.errors import TokenError, TokenFault
from jpki.authentication.sqlite_file import SqliteFile

LIFETIME_S: Final = 300.0
REMEMBERED_S: Final = 2 * LIFETIME_S
"""For so long it is told whether a nonce was taken or came too late; then it is not known."""
MAX_CHALLENGES: Final = 10_000
"""About 3 MB in memory, 2 MB on the disk."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS challenge (
    number INTEGER PRIMARY KEY,
    nonce BLOB NOT NULL UNIQUE,
    session BLOB NOT NULL,
    issued_s REAL NOT NULL,
    is_taken INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS challenge_by_age ON challenge (issued_s);
"""


class ChallengeStore(Protocol):
    """Issues nonces and takes them back. A session is any text that only its browser knows."""

    def issue(self, session: str) -> str:
        """Return a new nonce for this session."""

    def take(self, nonce: str, session: str) -> None:
        """Take a nonce, for ever. Of several that try at once, one succeeds.

        Raises:
            TokenError: NONCE_UNKNOWN (never issued, or long ago), NONCE_OF_OTHER_SESSION (which may
                still take it), NONCE_TAKEN or NONCE_EXPIRED.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class _Challenge:
    session: bytes
    issued_s: float
    is_taken: bool = False

    def check(self, session: bytes, now_s: float) -> None:
        """Raise if this session may not take it now."""
        if self.session != session:
            raise TokenError(TokenFault.NONCE_OF_OTHER_SESSION)
        if self.is_taken:
            raise TokenError(TokenFault.NONCE_TAKEN)
        # One from the future comes of a clock that was set back: by that much it is trusted too.
        if abs(now_s - self.issued_s) > LIFETIME_S:
            raise TokenError(TokenFault.NONCE_EXPIRED)


def _digest(text: str) -> bytes:
    """What is kept of nonces and sessions: who reads the store learns none that he could use."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class MemoryChallengeStore:
    """Challenges of one process, gone with it."""

    def __init__(self, *, clock: Clock = utc_now, limit: int = MAX_CHALLENGES) -> None:
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._challenges: dict[bytes, _Challenge] = {}  # the oldest first

    def issue(self, session: str) -> str:
        """See ``ChallengeStore``."""
        nonce, now_s = new_nonce(), seconds(self._clock)
        with self._lock:
            self._forget(now_s)
            self._challenges[_digest(nonce)] = _Challenge(session=_digest(session), issued_s=now_s)
        return nonce

    def take(self, nonce: str, session: str) -> None:
        """See ``ChallengeStore``."""
        now_s = seconds(self._clock)
        with self._lock:
            challenge = self._challenges.get(_digest(nonce))
            if challenge is None:
                raise TokenError(TokenFault.NONCE_UNKNOWN)
            challenge.check(_digest(session), now_s)
            self._challenges[_digest(nonce)] = replace(challenge, is_taken=True)

    def __len__(self) -> int:
        return len(self._challenges)

    def _forget(self, now_s: float) -> None:
        """Make room for one, and drop what is too old to be told about."""
        while self._challenges:
            key, oldest = next(iter(self._challenges.items()))
            is_old = now_s - oldest.issued_s > REMEMBERED_S
            if not is_old and len(self._challenges) < self._limit:
                return
            del self._challenges[key]


class SqliteChallengeStore:
    """Challenges in a SQLite file, for several processes and over a restart."""

    def __init__(
        self, path: str | Path, *, clock: Clock = utc_now, limit: int = MAX_CHALLENGES
    ) -> None:
        """Open or make the file. Raises: sqlite3.Error, OSError (see ``SqliteFile``)."""
        self._clock = clock
        self._limit = limit
        self._file = SqliteFile(path, SCHEMA)

    def issue(self, session: str) -> str:
        """See ``ChallengeStore``. Raises: sqlite3.Error."""
        nonce, now_s = new_nonce(), seconds(self._clock)
        with self._file.transaction() as database:
            database.execute("DELETE FROM challenge WHERE issued_s < ?", (now_s - REMEMBERED_S,))
            (count,) = database.execute("SELECT count(*) FROM challenge").fetchone()
            database.execute(
                "DELETE FROM challenge WHERE number IN"
                " (SELECT number FROM challenge ORDER BY number LIMIT ?)",
                (max(0, count - self._limit + 1),),
            )
            database.execute(
                "INSERT INTO challenge (nonce, session, issued_s) VALUES (?, ?, ?)",
                (_digest(nonce), _digest(session), now_s),
            )
        return nonce

    def take(self, nonce: str, session: str) -> None:
        """See ``ChallengeStore``. Raises: sqlite3.Error too."""
        key, now_s = _digest(nonce), seconds(self._clock)
        with self._file.transaction() as database:  # alone: nobody reads it between the two
            found = database.execute(
                "SELECT session, issued_s, is_taken FROM challenge WHERE nonce = ?", (key,)
            ).fetchone()
            if found is None:
                raise TokenError(TokenFault.NONCE_UNKNOWN)
            challenge = _Challenge(session=found[0], issued_s=found[1], is_taken=bool(found[2]))
            challenge.check(_digest(session), now_s)
            database.execute("UPDATE challenge SET is_taken = 1 WHERE nonce = ?", (key,))

    def __len__(self) -> int:
        with self._file.transaction() as database:
            (count,) = database.execute("SELECT count(*) FROM challenge").fetchone()
        return int(count)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
