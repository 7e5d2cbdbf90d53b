"""The card file: one JSON file that holds a virtual card. docs/emulator.md tells the format."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jpki.emulator.card_document import FORMAT, VERSION, document_of, image_of
from jpki.emulator.image import CardImage, PinFile

MAX_SIZE = 1 << 20
"""Of a card file: many times what a card has."""


class CardFileError(ValueError):
    """The file is not a card file, is damaged, or was written by a later version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class CardFile:
    """A card in a file. Each change is on the disk, whole, before the card answers.

    The processes that share a file wait for each other (an advisory lock, where the platform
    has one) and read it again before each PIN command: no wrong try is lost.
    """

    def __init__(self, path: Path) -> None:
        # A link stays a link: what is replaced is the file that it names.
        self._path = _followed(path)
        self._stamp: tuple[int, int, int] | None = None
        self._image = self._read()

    def image(self) -> CardImage:
        """The image as it stands on the disk.

        Raises:
            OSError: the file cannot be read.
            CardFileError: it is no card file any more.
        """
        if _stamp(self._path) != self._stamp:
            self._image = self._read()
        return self._image

    def update_pin(self, aid: bytes, ef_id: int, change: Callable[[PinFile], PinFile]) -> PinFile:
        """Replace a PIN by what change makes of it, on the disk. Returns the old one.

        Raises:
            OSError: the file cannot be read or written.
            CardFileError: it is no card file any more, or the PIN has vanished from it.
        """
        with _locked(self._path):
            image = self.image()
            try:
                old = image.pin(aid, ef_id)
            except KeyError:
                raise CardFileError(self._path, "a PIN has vanished from the file") from None
            new = change(old)
            if new != old:
                self._image = image.with_pin(aid, new)
                write_card_file(self._path, self._image)
                self._stamp = _stamp(self._path)
        return old

    def _read(self) -> CardImage:
        stamp = _stamp(self._path)
        image = read_card_file(self._path)
        self._stamp = stamp
        return image


def _followed(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # a loop of links, before Python 3.13
        raise CardFileError(path, os.strerror(errno.ELOOP)) from None


def read_card_file(path: Path) -> CardImage:
    """Read a card file.

    Raises:
        OSError: it cannot be read.
        CardFileError: it is no card file, damaged, or of a later version.
    """
    with path.open("rb") as stream:
        data = stream.read(MAX_SIZE + 1)  # /dev/zero has no end
    if len(data) > MAX_SIZE:
        raise CardFileError(path, "this is not a virtual card (too large)")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise CardFileError(path, "this is not a virtual card (no JSON)") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CardFileError(path, "this is not a virtual card")
    if document.get("version") != VERSION:
        raise CardFileError(
            path, f"version {document.get('version')} of the format is not known, only {VERSION}"
        )
    try:
        return image_of(document)
    except ValueError as error:
        raise CardFileError(path, str(error)) from None


def write_card_file(path: Path, image: CardImage, *, replace: bool = True) -> None:
    """Write a card file, mode 0600: the old file or the new one, never half.

    Raises:
        FileExistsError: there is a file, and ``replace`` is false.
        OSError: it cannot be written.
    """
    text = json.dumps(document_of(image), ensure_ascii=False, indent=1) + "\n"
    # mkstemp makes the file 0600 whatever the umask says.
    descriptor, name = tempfile.mkstemp(prefix=".jpki-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            Path(name).replace(path)
        else:
            _put_in_an_empty_place(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
    _sync_folder(path.parent)


def _put_in_an_empty_place(new: Path, path: Path) -> None:
    """Give a file its name unless another has it. Raises: FileExistsError, OSError."""
    try:
        # Unlike a rename, this fails when another program has made the file in the meantime.
        path.hardlink_to(new)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this file system
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        new.replace(path)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk. Windows cannot open a folder and needs none of it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file. Without fcntl (Windows) nothing is kept."""
    try:
        import fcntl
    except ModuleNotFoundError:
        yield
        return
    while True:
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            # Whoever held the lock may have put a new file in this one's place.
            if os.fstat(stream.fileno()).st_ino != path.stat().st_ino:
                continue
            yield
            return
