"""The virtual card as `--reader emulator`: its default place, and errors of its file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.errors import CardFileProblemError
from cli.printable import printable
from cli.translation import _

if TYPE_CHECKING:
    from apdu.transports.loopback import LoopbackCard

DEFAULT_NAME: Final = "virtual-card.json"


def default_path() -> Path:
    """Where the card of a bare `--reader emulator` lives."""
    import platformdirs

    return platformdirs.user_data_path("jpki") / DEFAULT_NAME


def default_reader(say: Callable[[str], None]) -> str:
    """The reader of the default card, which is made at its first use and announced with its PINs.

    Raises:
        CardFileProblemError: it cannot be made there.
    """
    path = default_path()
    if not path.exists():
        from jpki.emulator import create_card

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            created = create_card(path)
        except OSError as error:
            raise CardFileProblemError(str(path), error.strerror or str(error)) from error
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


def loader(
    load: "Callable[[Path], LoopbackCard] | None",
) -> "Callable[[Path], LoopbackCard]":
    """What opens a card file, with its errors made ours."""

    def opened(path: Path) -> "LoopbackCard":
        from jpki.emulator import CardFileError, load_card

        try:
            return (load or load_card)(path)
        except CardFileError as error:
            raise CardFileProblemError(str(path), error.reason) from error
        except OSError as error:
            raise CardFileProblemError(str(path), error.strerror or str(error)) from error

    return opened
