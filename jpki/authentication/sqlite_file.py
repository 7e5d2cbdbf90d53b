"""A SQLite file that several threads and several processes write to."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlite3 import Connection

IN_MEMORY: Final = ":memory:"
BUSY_TIMEOUT_S: Final = 10.0
"""How long a process waits for another one; a transaction here takes about a millisecond."""


class SqliteFile:
    """One connection, used by one thread at a time. Another process has one of its own.

    A commit is on the disk when it returns (``synchronous=FULL``): what was taken stays taken,
    whatever the machine does next.
    """

    def __init__(self, path: str | Path, schema: str) -> None:
        """Open or make the file.

        Args:
            path: where it is; only its owner may read a new one. ``:memory:`` is gone with the
                process.
            schema: ``CREATE ... IF NOT EXISTS`` statements.

        Raises:
            sqlite3.Error, OSError: it cannot be opened, or is no SQLite file.
        """
        import sqlite3  # a holder's commands are not to wait for what a site needs

        if str(path) != IN_MEMORY:
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")
        except sqlite3.Error:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """Hold the file alone, from before the first read until the block has ended.

        Raises:
            sqlite3.Error: the disk is full, another process held it too long, and the like.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:  # not where SQLite itself went back, disk full
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()
