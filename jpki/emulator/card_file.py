"""The card file: one JSON file that holds a virtual card. docs/emulator.md tells the format."""

import base64
import binascii
import contextlib
import datetime
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jpki.emulator.image import (
    Alphabet,
    Application,
    CardImage,
    DataFile,
    File,
    Holder,
    KeyFile,
    PinFile,
)

FORMAT = "jpki virtual card"
VERSION = 1


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
        self._path = path.resolve()
        self._stamp: tuple[int, int, int] | None = None
        self._image = self._read()

    def image(self) -> CardImage:
        """The image as it stands on the disk. Raises: OSError, CardFileError."""
        if _stamp(self._path) != self._stamp:
            self._image = self._read()
        return self._image

    def update_pin(self, aid: bytes, ef_id: int, change: Callable[[PinFile], PinFile]) -> PinFile:
        """Replace a PIN by what change makes of it, on the disk. Returns the old one.

        Raises: OSError, CardFileError.
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


def read_card_file(path: Path) -> CardImage:
    """Read a card file. Raises: OSError, CardFileError."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise CardFileError(path, "this is not a virtual card (no JSON)") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CardFileError(path, "this is not a virtual card")
    if document.get("version") != VERSION:
        raise CardFileError(
            path, f"version {document.get('version')} of the format is not known, only {VERSION}"
        )
    try:
        return _image(document)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CardFileError(path, f"the virtual card is damaged ({type(error).__name__})") from None


def write_card_file(path: Path, image: CardImage) -> None:
    """Write a card file, mode 0600: the old file or the new one, never half. Raises: OSError."""
    text = json.dumps(_document(image), ensure_ascii=False, indent=1) + "\n"
    # mkstemp makes the file 0600 whatever the umask says.
    descriptor, name = tempfile.mkstemp(prefix=".jpki-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


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


def _document(image: CardImage) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "notice": "A virtual card for tests. Its keys and PINs are no secrets.",
        "atr": image.atr.hex(),
        "label": image.label,
        "holder": {
            "name": image.holder.name,
            "address": image.holder.address,
            "birth_date": image.holder.birth_date.isoformat(),
            "sex": image.holder.sex,
        },
        "issued": image.issued.isoformat(),
        "expires": image.expires.isoformat(),
        "applications": [
            {
                "name": application.name,
                "aid": application.aid.hex(),
                "files": [_file_document(file) for file in application.files],
            }
            for application in image.applications
        ],
    }


def _file_document(file: File) -> dict[str, Any]:
    match file:
        case PinFile():
            return {
                "ef_id": f"{file.ef_id:04x}",
                "type": "pin",
                "name": file.name,
                "value": file.value.decode("latin-1"),
                "tries_left": file.tries_left,
                "max_tries": file.max_tries,
                "min_length": file.min_length,
                "max_length": file.max_length,
                "alphabet": file.alphabet.value,
            }
        case KeyFile():
            return {
                "ef_id": f"{file.ef_id:04x}",
                "type": "key",
                "private_key": base64.b64encode(file.private_key).decode(),
                "use_after": [f"{ef_id:04x}" for ef_id in file.use_after],
            }
        case DataFile():
            return {
                "ef_id": f"{file.ef_id:04x}",
                "type": "data",
                "content": base64.b64encode(file.content).decode(),
                "size": file.size,
                "read_after": [f"{ef_id:04x}" for ef_id in file.read_after],
            }


def _image(document: dict[str, Any]) -> CardImage:
    """Build the image. Raises many kinds of error on a damaged document; the caller sorts them."""
    holder = document["holder"]
    applications = tuple(
        Application(
            name=_text(entry["name"]),
            aid=bytes.fromhex(entry["aid"]),
            files=tuple(_file(file) for file in entry["files"]),
        )
        for entry in document["applications"]
    )
    if not applications:
        raise ValueError("no application")
    return CardImage(
        atr=bytes.fromhex(document["atr"]),
        label=_text(document["label"]),
        holder=Holder(
            name=_text(holder["name"]),
            address=_text(holder["address"]),
            birth_date=datetime.date.fromisoformat(holder["birth_date"]),
            sex=_text(holder["sex"]),
        ),
        issued=_time(document["issued"]),
        expires=_time(document["expires"]),
        applications=applications,
    )


def _file(entry: dict[str, Any]) -> File:
    ef_id = int(_text(entry["ef_id"]), 16)
    match entry["type"]:
        case "pin":
            return PinFile(
                ef_id=ef_id,
                name=_text(entry["name"]),
                value=entry["value"].encode("latin-1"),
                tries_left=_number(entry["tries_left"], 15),
                max_tries=_number(entry["max_tries"], 15),
                min_length=_number(entry["min_length"], 16),
                max_length=_number(entry["max_length"], 16),
                alphabet=Alphabet(entry["alphabet"]),
            )
        case "key":
            return KeyFile(
                ef_id=ef_id,
                private_key=_binary(entry["private_key"]),
                use_after=tuple(int(name, 16) for name in entry["use_after"]),
            )
        case "data":
            content = _binary(entry["content"])
            return DataFile(
                ef_id=ef_id,
                content=content,
                size=_number(entry["size"], 0x8000, least=len(content)),
                read_after=tuple(int(name, 16) for name in entry["read_after"]),
            )
        case other:
            raise ValueError(f"unknown type of file: {other}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is wanted")
    return value


def _number(value: object, most: int, *, least: int = 0) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError("a number is out of its range")
    return value


def _binary(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _time(value: str) -> datetime.datetime:
    time = datetime.datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("a time without zone")
    return time
