"""The virtual card as ``--reader emulator``: its default place, and errors of its file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.errors import CardFileProblemError, OutputExistsError, OutputNotWrittenError
from cli.printable import printable
from cli.translation import _

if TYPE_CHECKING:
    from apdu.transports.loopback import LoopbackCard
    from jpki.emulator import CardDescription

DEFAULT_NAME: Final = "virtual-card.json"


def default_path() -> Path:
    """Where the card of a bare ``--reader emulator`` lives."""
    import platformdirs

    return platformdirs.user_data_path("jpki") / DEFAULT_NAME


def default_reader(say: Callable[[str], None]) -> str:
    """The reader of the default card, which is made at its first use and announced with its PINs.

    Raises:
        OutputNotWrittenError: it cannot be made there.
    """
    path = default_path()
    created = _created_unless_there(path)
    if created is not None:
        say(
            _(
                "A virtual TEST card was made in {path}. Signature password: {password};"
                " authentication PIN: {pin}. 'jpki emulator show' tells them again."
            ).format(
                path=printable(str(path)),
                password=created.pin("signature").value,
                pin=created.pin("authentication").value,
            )
        )
    return f"emulator:{path}"


def _created_unless_there(path: Path) -> "CardDescription | None":
    try:
        if path.exists():
            return None
        from jpki.emulator import create_card

        path.parent.mkdir(parents=True, exist_ok=True)
        return create_card(path)
    except FileExistsError:  # another program was faster
        return None
    except OSError as error:
        raise OutputNotWrittenError(str(path), error) from error


def loader(
    load: "Callable[[Path], LoopbackCard] | None",
) -> "Callable[[Path], LoopbackCard]":
    """What opens a card file, with its errors made ours."""

    def opened(path: Path) -> "LoopbackCard":
        with card_file_errors(path):
            if load is not None:
                return load(path)
            from jpki.emulator import load_card

            return load_card(path)

    return opened


@contextmanager
def card_file_errors(path: Path) -> Iterator[None]:
    """Make the errors of a card file ours. Raises: CardFileProblemError."""
    from jpki.emulator import CardFileError

    try:
        yield
    except CardFileError as error:
        raise CardFileProblemError(str(path), error.reason) from error
    except OSError as error:
        raise CardFileProblemError(str(path), error) from error


@contextmanager
def output_errors(path: str) -> Iterator[None]:
    """Make the errors of writing ours. Raises: OutputExistsError, OutputNotWrittenError."""
    try:
        yield
    except FileExistsError as error:
        raise OutputExistsError(path) from error
    except OSError as error:
        raise OutputNotWrittenError(path, error) from error
