"""Inputs: looked at before anything is done, and hashed in the background from the first moment."""

import os
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, Self

from cli.errors import InputError
from cli.kept_content import BegunContent, KeptContent, WholeContent
from cli.translation import N_
from jpki.signing.digest import HashAlgorithm, hash_stream

STDIN: Final = "-"
SPOOL_BYTES: Final = 1 << 24
"""What is kept of a pipe in memory before it goes to a temporary file."""
COPY_BYTES: Final = 1 << 20
SHORT_WAIT_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A document by its name; ``-`` is the standard input."""

    name: str
    kept: KeptContent | None = field(default=None, repr=False, compare=False)
    """What was read already of what can be read once."""

    @property
    def is_stdin(self) -> bool:
        """Whether this is the standard input."""
        return self.name == STDIN

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.name)

    def check(self) -> None:
        """Refuse what cannot be read. Raises: InputError."""
        if self.is_stdin:
            if sys.stdin is None:
                raise InputError(self.name, N_("standard input is closed"))
            return
        try:
            mode = self.path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise InputError(self.name, N_("it is a folder"))
            if stat.S_ISREG(mode):
                self.path.open("rb").close()
            elif not stat.S_ISFIFO(mode):
                raise InputError(self.name, N_("it is no regular file"))
        except OSError as error:
            raise InputError(self.name, error) from error

    def size(self) -> int | None:
        """The bytes of it; None where only reading tells. Raises: InputError."""
        if self.kept is not None:
            return self.kept.size
        if self.is_stdin:
            return None
        status = self._stat()
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def stamp(self) -> tuple[int, int] | None:
        """What changes when the file does; a pipe has nothing of it. Raises: InputError."""
        if self.is_stdin:
            return None
        status = self._stat()
        return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None

    def _stat(self) -> os.stat_result:
        try:
            return self.path.stat()
        except OSError as error:
            raise InputError(self.name, error) from error

    def read(self, most: int) -> bytes:
        """Its first bytes, one more than ``most`` at most. Raises: InputError."""
        self.check()
        stream = self.open()
        try:
            return stream.read(most + 1)
        except OSError as error:
            raise InputError(self.name, error) from error
        finally:
            if not self.is_stdin:
                stream.close()

    def open(self) -> BinaryIO:
        """Open it for reading. Raises: InputError."""
        if self.kept is not None:
            return self.kept.open()
        if self.is_stdin:
            return _own_stdin()
        try:
            return self.path.open("rb")
        except OSError as error:
            raise InputError(self.name, error) from error

    def begun(self, most: int) -> tuple[Self, bytes]:
        """Look at the first bytes of a pipe -> what reads it all from then on, and those bytes.

        Raises:
            InputError.
        """
        stream = self.open()
        try:
            head = stream.read(most)
        except OSError as error:
            raise InputError(self.name, error) from error
        return replace(self, kept=BegunContent(head, stream, owned=not self.is_stdin)), head

    def whole(self, resources: ExitStack) -> Self:
        """Read all of a pipe -> what can be read at any place and again, until resources close.

        Raises:
            InputError.
        """
        stream = self.open()
        try:
            spool = resources.enter_context(spooled(stream))
        except OSError as error:
            raise InputError(self.name, error) from error
        finally:
            if not self.is_stdin:
                stream.close()
        return replace(self, kept=WholeContent(spool))


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedInput:
    """A document's digest, and its content where that could not be read a second time."""

    source: InputFile
    digest: bytes
    size: int
    stamp: tuple[int, int] | None
    spool: BinaryIO | None

    def open(self) -> BinaryIO:
        """The content again, from its first byte. Raises: InputError."""
        if self.spool is None:
            return self.source.open()
        self.spool.seek(0)
        return self.spool

    def has_changed(self) -> bool:
        """Whether the file is not what it was when it was hashed."""
        try:
            return self.source.stamp() != self.stamp
        except InputError:
            return True


class BackgroundHash:
    """Hashes inputs one after the other in a thread, and runs a preparation in another one.

    hashlib gives the interpreter away while it works, so a person can type, and a large library
    can be imported, meanwhile. The import alone would keep us from the card, so it begins when it
    is told to, or when there is hashing to wait for.
    """

    def __init__(
        self,
        inputs: Sequence[InputFile],
        algorithm: HashAlgorithm,
        *,
        keep_content: bool,
        prepare: Callable[[], None],
    ) -> None:
        self._inputs = inputs
        self._algorithm = algorithm
        self._keep_content = keep_content
        self._results: list[HashedInput] = []
        self._errors: list[BaseException] = []
        # Daemons: Ctrl-C does not wait for the end of a pipe.
        self._hashing, self._preparing = (
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._hash_all, prepare)
        )
        self._hashing.start()

    def prepare(self) -> None:
        """Let the preparation begin, if it has not."""
        if self._preparing.ident is None:
            self._preparing.start()

    def wait(self) -> None:
        """Wait until all is hashed; the preparation may go on while the card works.

        Raises:
            InputError.
        """
        self._hashing.join(SHORT_WAIT_S)
        while self._hashing.is_alive():
            self.prepare()
            self._hashing.join(0.2)  # with a limit, or Windows would not see Ctrl-C
        if self._errors:
            raise self._errors[0]

    def results(self) -> Sequence[HashedInput]:
        """The digests in the order of the inputs, after ``wait``."""
        return self._results

    def close(self) -> None:
        """Let go of what was kept of pipes."""
        for result in self._results:
            if result.spool is not None:
                result.spool.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # raised again by wait(), in the main thread
            self._errors.append(error)

    def _hash_all(self) -> None:
        for source in self._inputs:
            self._results.append(self._hash(source))

    def _hash(self, source: InputFile) -> HashedInput:
        stamp, size = source.stamp(), source.size()
        stream = source.open()
        try:
            if size is None and self._keep_content:
                spool = spooled(stream)
                size = spool.tell()
                spool.seek(0)
                digest = hash_stream(spool, self._algorithm)
            else:
                spool = None
                digest = hash_stream(stream, self._algorithm)
        except OSError as error:
            raise InputError(source.name, error) from error
        finally:
            if not source.is_stdin:
                stream.close()
        return HashedInput(source=source, digest=digest, size=size or 0, stamp=stamp, spool=spool)


def _own_stdin() -> BinaryIO:
    """The standard input by a handle of its own.

    A thread that still waits for a pipe when the command ends would hold the lock of Python's own
    one, and the interpreter, which closes that at its end, would abort.
    """
    try:
        descriptor = os.dup(sys.stdin.fileno())
    except (OSError, ValueError):  # no file, as in a program that runs the command in itself
        return sys.stdin.buffer
    return open(descriptor, "rb")  # noqa: PTH123  # ends with the process


def spooled(stream: BinaryIO) -> BinaryIO:
    """Copy what can be read only once; on the disk it has no name, so nobody else reads it."""
    spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115  # lives as long as its input
    while block := stream.read(COPY_BYTES):
        spool.write(block)
    return spool  # type: ignore[return-value]  # it has every method of one
