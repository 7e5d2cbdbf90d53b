"""The files of a container: read as streams while a signature is verified, and written out after.

What is written out must be what was verified, so each is hashed again on its way.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, BinaryIO, Final

from jpki.certificates.verdict import Reason
from jpki.errors import ContentChangedError
from jpki.signing.digest import CHUNK_SIZE, HashAlgorithm
from jpki.verification.asic_container import FREE_SIZE, Container, ContainerError
from jpki.verification.asic_manifest import FileReference

TIMES: Final = 10
"""How often all files together may be read beside what is free: once for each signature of them."""


class Member(io.RawIOBase):
    """A file of a container as a stream; damage ends in a ContainerError."""

    def __init__(self, container: Container, name: str) -> None:
        self._name = name
        self._chunks = container.chunks(name, CHUNK_SIZE)
        self._left = memoryview(b"")
        self._hasher = HashAlgorithm.SHA256.new()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # any writable buffer
        """Read the next bytes."""
        if not self._left:
            chunk = next(self._chunks, b"")
            self._hasher.update(chunk)
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def read_so_far(self) -> FileReference:
        """Return what was read, to be found again."""
        digest = self._hasher.digest()
        return FileReference(name=self._name, algorithm=HashAlgorithm.SHA256, digest=digest)


class DataFiles(Mapping[str, BinaryIO]):
    """Name -> content: the files that a container is for, for signatures that name them.

    Each file of signatures reads what it names anew, so all of it together is bounded.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._members: dict[str, Member] = {}
        self._names = dict.fromkeys(container.data_names)
        size = sum(container.entry(name).file_size for name in self._names)
        self._left = FREE_SIZE + TIMES * size

    def __getitem__(self, name: str) -> BinaryIO:
        """Open a file.

        Raises:
            KeyError: there is none of this name.
            ContainerError: too much was read already.
        """
        if name not in self._names:
            raise KeyError(name)
        if self._left < 0:
            raise ContainerError("signatures that read too much", Reason.LIMIT_EXCEEDED)
        self._left -= self._container.entry(name).file_size
        self._members[name] = Member(self._container, name)
        return io.BufferedReader(self._members[name], CHUNK_SIZE)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a file; it is not opened."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._names)

    def read_so_far(self, names: Sequence[str]) -> tuple[FileReference, ...]:
        """Return what was read of these files, to be found again."""
        return tuple(self._members[name].read_so_far() for name in dict.fromkeys(names))


def write_files(
    container: Container, references: Sequence[FileReference], output: BinaryIO
) -> None:
    """Write the file that a signature covers; several in a ZIP file without anything else.

    Raises:
        ContentChangedError: the container is not what it was when it was verified.
    """
    if len(references) == 1:
        _copy(container, references[0], output)
        return
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for reference in references:
            info = zipfile.ZipInfo(reference.name)
            info.file_size = container.entry(reference.name).file_size
            with archive.open(info, "w") as target:
                _copy(container, reference, target)


def _copy(container: Container, reference: FileReference, output: IO[bytes]) -> None:
    hasher = reference.algorithm.new()
    try:
        for chunk in container.chunks(reference.name, CHUNK_SIZE):
            hasher.update(chunk)
            output.write(chunk)
    except ContainerError as error:
        raise ContentChangedError from error
    if hasher.digest() != reference.digest:
        raise ContentChangedError
