"""Output files: refused early, written beside their place, and put there whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from cli.errors import OutputExistsError, OutputFault, OutputNotWrittenError, OutputRefusedError

STDOUT: Final = "-"


class Destination(Protocol):
    """Where bytes go: a file, or the standard output."""

    def writing(self) -> AbstractContextManager[BinaryIO]:
        """Write in the block. Raises: OutputNotWrittenError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A file that is going to be written."""

    path: Path
    force: bool = False
    private: bool = False
    """Nobody but the owner may read it, whatever the umask says."""
    option: str = "-o"
    """What the person named it with."""

    def check(self, inputs: Collection[Path] = ()) -> None:
        """Find out what can be known before anything is done.

        Raises:
            OutputRefusedError, OutputExistsError.
        """
        try:
            self._check(inputs)
        except PermissionError as error:
            raise self._refused(OutputFault.FOLDER_READ_ONLY) from error
        except OSError as error:  # a name too long, a loop of links
            raise self._refused(OutputFault.IMPOSSIBLE) from error

    def _check(self, inputs: Collection[Path]) -> None:
        if self.path.is_dir():
            raise self._refused(OutputFault.IS_FOLDER)
        folder = self.place().parent
        if not folder.is_dir():
            raise self._refused(OutputFault.NO_FOLDER)
        exists = os.path.lexists(self.path)
        if self.path.exists() and any(_is_same(self.path, source) for source in inputs):
            raise self._refused(OutputFault.IS_INPUT)
        if self._is_device():
            return
        if exists and not self.force:
            raise OutputExistsError(str(self.path))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise self._refused(OutputFault.FOLDER_READ_ONLY)

    def _refused(self, fault: OutputFault) -> OutputRefusedError:
        return OutputRefusedError(str(self.path), fault, self.option)

    def _is_device(self) -> bool:
        """Whether this is a terminal, a pipe, /dev/full: such a thing is written to as it is."""
        return self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode)

    def place(self) -> Path:
        """Where the bytes go: a link is followed, not replaced."""
        return Path(os.path.realpath(self.path))

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Write in the block; the file is there, whole, once the block ends without an error.

        Raises:
            OutputNotWrittenError: what was there before is untouched.
            OutputExistsError: it appeared meanwhile.
        """
        try:
            if self._is_device():
                with self.path.open("wb") as stream:
                    yield stream
                return
            with self._beside() as stream:
                yield stream
        except OSError as error:
            raise OutputNotWrittenError(str(self.path), error) from error

    @contextmanager
    def _beside(self) -> Iterator[BinaryIO]:
        place = self.place()
        descriptor, name = tempfile.mkstemp(prefix=".jpki-", suffix=".tmp", dir=place.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if not self.private:
                temporary.chmod(_mode_for(place))
            self._check_still_absent()
            temporary.replace(place)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(place.parent)

    def _check_still_absent(self) -> None:
        if not self.force and os.path.lexists(self.path):
            raise OutputExistsError(str(self.path))


def output_file(name: str | None, *, force: bool, private: bool = False) -> OutputFile | None:
    """The file that ``-o`` names; None is the standard output, which ``-`` and no name mean."""
    if name is None or name == STDOUT:
        return None
    return OutputFile(path=Path(name), force=force, private=private)


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def _mode_for(place: Path) -> int:
    """The mode of the file that is replaced; else what the umask leaves."""
    with suppress(OSError):
        return stat.S_IMODE(place.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """Bring the renaming to the disk. Windows cannot open a folder and needs none of it."""
    if os.name == "nt":
        return
    with suppress(OSError):  # some file systems refuse; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
