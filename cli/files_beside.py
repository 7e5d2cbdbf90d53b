"""The files in the folder of a signature that it may refer to by name."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from cli.input_file import InputFile

SEPARATORS: Final = frozenset("/\\:\0")


class FilesBeside(Mapping[str, BinaryIO]):
    """Name -> content, opened when it is asked for; only names without a folder in them.

    Args:
        source: the signature; the standard input has nothing beside it.
        resources: closes what was opened.
    """

    def __init__(self, source: InputFile, resources: ExitStack) -> None:
        self._folder = None if source.is_stdin else source.path.parent
        self._resources = resources

    def __getitem__(self, name: str) -> BinaryIO:
        """Open a file. Raises: KeyError: there is none, or it lies elsewhere. OSError."""
        path = self._path(name)
        if path is None:
            raise KeyError(name)
        return self._resources.enter_context(path.open("rb"))

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a file; it is not opened."""
        return isinstance(name, str) and self._path(name) is not None

    def __iter__(self) -> Iterator[str]:
        """Iterate over nothing: what lies in the folder is nobody's business until it is named."""
        return iter(())

    def __len__(self) -> int:
        """Count nothing, for the same reason."""
        return 0

    def _path(self, name: str) -> Path | None:
        if self._folder is None or not name.strip(".") or SEPARATORS & set(name):
            return None
        path = self._folder / name
        try:
            return path if path.is_file() else None
        except OSError:  # a name too long
            return None
