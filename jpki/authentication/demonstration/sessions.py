"""Sessions on the side of the site, in SQLite: the cookie is a random number and nothing else."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from jpki.authentication.clock import Clock, seconds
from jpki.authentication.sqlite_file import SqliteFile
from jpki.authentication.verifier import VerifiedLogin
from jpki.certificates.verdict import Unchecked

ID_BYTES: Final = 32
IDLE_S: Final = 30 * 60.0
LONGEST_S: Final = 8 * 3600.0
SEEN_EVERY_S: Final = 60.0
"""A session's last use is written down no more often than this."""
MAX_SESSIONS: Final = 10_000
"""Beyond that the oldest goes, of those first that nobody has logged in with."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS session (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    opened_s REAL NOT NULL,
    seen_s REAL NOT NULL,
    language TEXT,
    account TEXT
);
CREATE INDEX IF NOT EXISTS session_by_use ON session (seen_s);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What this site keeps of somebody who logged in; the certificate itself it does not keep."""

    subject_id: str
    certificate_id: str
    prefecture: str | None = field(repr=False)
    municipality: str | None = field(repr=False)
    not_valid_after: str  # a day, ISO 8601
    is_test: bool
    revocation_checked: bool

    @classmethod
    def of(cls, login: VerifiedLogin) -> Self:
        """Take from a login what the pages show."""
        return cls(
            subject_id=login.subject_id,
            certificate_id=login.certificate_id,
            prefecture=login.user.prefecture,
            municipality=login.user.municipality,
            not_valid_after=login.user.not_valid_after.date().isoformat(),
            is_test=login.user.is_test,
            revocation_checked=Unchecked.REVOCATION not in login.path.not_checked,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser, from its first page to its logout."""

    id: str = field(repr=False)
    language: str | None = None
    account: Account | None = None

    @property
    def csrf_token(self) -> str:
        """What a page of this session sends with each POST; it does not reveal the session."""
        return hashlib.sha256(f"csrf {self.id}".encode()).hexdigest()


class SessionStore:
    """All sessions. Threads and processes may share the file."""

    def __init__(self, path: str | Path, clock: Clock, limit: int = MAX_SESSIONS) -> None:
        """Open or make the file. Raises: sqlite3.Error, OSError (see ``SqliteFile``)."""
        self._clock = clock
        self._limit = limit
        self._file = SqliteFile(path, SCHEMA)

    def open(self, *, language: str | None = None, account: Account | None = None) -> Session:
        """Begin a session, with an id that nobody has seen before."""
        session = Session(id=secrets.token_urlsafe(ID_BYTES), language=language, account=account)
        now_s = seconds(self._clock)
        kept = None if account is None else json.dumps(asdict(account))
        with self._file.transaction() as database:
            database.execute(
                "DELETE FROM session WHERE seen_s < ? OR opened_s < ?",
                (now_s - IDLE_S, now_s - LONGEST_S),
            )
            (count,) = database.execute("SELECT count(*) FROM session").fetchone()
            database.execute(
                "DELETE FROM session WHERE number IN (SELECT number FROM session"
                " ORDER BY account IS NOT NULL, number LIMIT ?)",
                (max(0, count - self._limit + 1),),
            )
            database.execute(
                "INSERT INTO session (id, opened_s, seen_s, language, account)"
                " VALUES (?, ?, ?, ?, ?)",
                (_digest(session.id), now_s, now_s, language, kept),
            )
        return session

    def find(self, session_id: str) -> Session | None:
        """The session of a cookie, if there is one and it is not over."""
        key, now_s = _digest(session_id), seconds(self._clock)
        with self._file.transaction() as database:
            found = database.execute(
                "SELECT opened_s, seen_s, language, account FROM session WHERE id = ?", (key,)
            ).fetchone()
            if found is None:
                return None
            opened_s, seen_s, language, account = found
            if now_s - seen_s > IDLE_S or now_s - opened_s > LONGEST_S:
                database.execute("DELETE FROM session WHERE id = ?", (key,))
                return None
            if now_s - seen_s > SEEN_EVERY_S:
                database.execute("UPDATE session SET seen_s = ? WHERE id = ?", (now_s, key))
        kept = None if account is None else Account(**json.loads(account))
        return Session(id=session_id, language=language, account=kept)

    def log_in(self, session: Session, account: Account) -> Session:
        """End a session and begin one for this account.

        The id is a new one: whoever planted the old one in the browser has nothing of it.
        """
        self.end(session)
        return self.open(language=session.language, account=account)

    def choose_language(self, session: Session, language: str) -> None:
        """Remember the language of the pages."""
        with self._file.transaction() as database:
            database.execute(
                "UPDATE session SET language = ? WHERE id = ?", (language, _digest(session.id))
            )

    def end(self, session: Session) -> None:
        """End a session here; what the browser still sends is worth nothing."""
        with self._file.transaction() as database:
            database.execute("DELETE FROM session WHERE id = ?", (_digest(session.id),))

    def __len__(self) -> int:
        with self._file.transaction() as database:
            (count,) = database.execute("SELECT count(*) FROM session").fetchone()
        return int(count)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _digest(session_id: str) -> bytes:
    """What is kept: who reads the file cannot take over a session."""
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).digest()
