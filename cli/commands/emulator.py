"""``jpki emulator``: a virtual card, made, served behind a real pcscd, and shown."""

import os
from pathlib import Path
from typing import Any

import click

from cli.context import AppContext, pass_app
from cli.emulator_faults import fault_options, faults_from
from cli.emulator_view import CardResult, CreatedResult
from cli.errors import OutputFault, OutputRefusedError, UsageProblemError
from cli.options import SECONDS, Group, day_option, option
from cli.output_file import OutputFile
from cli.printable import printable
from cli.translation import N_, _
from cli.virtual_card import card_file_errors, default_path, output_errors
from jpki.files import CardKind

CA_FILES = ("signature-ca.pem", "authentication-ca.pem")
KINDS: dict[str, dict[str, object]] = {
    "card": {},
    "face-auth": {"face_authentication": True},
    "child": {"with_signature_certificate": False},
    "smartphone": {"label": CardKind.ANDROID.label},
    "iphone": {"label": CardKind.IPHONE.label},
    "juki": {"label": CardKind.JUKI.label},
}
"""What ``create_card`` is told for each word of --kind."""


@click.group(cls=Group, help=N_("A virtual TEST card: make one, serve it to pcscd, show it."))
def emulator() -> None:
    """The virtual card."""


@emulator.command(help=N_("Make the virtual card PATH with a CA of its own, and tell its PINs."))
@click.argument("path", metavar="PATH")
@option("--name", help=N_("The holder's name."))
@option("--address", help=N_("The holder's address."))
@day_option("--birth-date", help=N_("The holder's birth date."))
@option("--sex", type=click.Choice(("male", "female", "unknown")), help=N_("The holder's sex."))
@day_option("--issued", help=N_("Day of issue (today)."))
@day_option("--expires", help=N_("Last day of the certificates."))
@option("--signature-password", metavar="TEXT", help=N_("No secret; drawn if not given."))
@option("--authentication-pin", metavar="DIGITS", help=N_("No secret; drawn if not given."))
@option("--prefecture", metavar="NAME", help=N_("Place of issue, such as Tokyo-to."))
@option("--municipality", metavar="NAME", help=N_("Place of issue, such as Chiyoda-ku."))
@option("--municipality-code", metavar="DIGITS", help=N_("Its five digits."))
@option(
    "--kind",
    type=click.Choice(tuple(KINDS)),
    default="card",
    help=N_(
        "card; face-auth: both PINs blocked from the start; child: no signature certificate;"
        " smartphone, iphone: certificates behind their PINs; juki: an old card."
    ),
)
@option(
    "--without-signature-certificate",
    is_flag=True,
    help=N_("Any kind of card without a signature certificate."),
)
@option("--export-ca", metavar="DIR", help=N_("Write the CA certificates there, for --trust."))
@option("--force", is_flag=True, help=N_("Replace a card that exists."))
@pass_app
def create(
    app: AppContext,
    /,
    *,
    path: str,
    export_ca: str | None,
    force: bool,
    **attributes: Any,  # noqa: ANN401  # one for each option that describes the card
) -> None:
    """Personalise a card file."""
    from jpki.emulator import create_card
    from jpki.emulator import export_ca as write_ca

    OutputFile(path=Path(path), force=force, private=True, option="PATH").check()
    if export_ca is not None:
        _check_folder(Path(export_ca), force=force)
    try:
        with output_errors(path):
            card = create_card(path, overwrite=force, **_given(attributes))
    except ValueError as error:  # its text is for people, and in English
        raise UsageProblemError("{text}.", "jpki emulator create", text=str(error)) from error
    authorities: tuple[Path, ...] = ()
    if export_ca is not None:
        with output_errors(export_ca):
            authorities = write_ca(path, export_ca)
    app.output.show(CreatedResult(card=card, authorities=authorities))


def _check_folder(folder: Path, *, force: bool) -> None:
    """Look whether the CA certificates can be written there; the folder is made with them."""
    if fault := _folder_fault(folder):
        raise OutputRefusedError(str(folder), fault, "--export-ca")
    if folder.is_dir():
        for name in CA_FILES:
            OutputFile(path=folder / name, force=force, option="--export-ca").check()


def _folder_fault(folder: Path) -> OutputFault | None:
    """Why this cannot be, or become, a folder that is written to."""
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:  # a name too long, a loop of links
        return OutputFault.IMPOSSIBLE
    if not place.is_dir():
        return OutputFault.NOT_FOLDER
    return None if os.access(place, os.W_OK | os.X_OK) else OutputFault.FOLDER_READ_ONLY


def _given(attributes: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``create_card`` for the options that were given."""
    given = {name: value for name, value in attributes.items() if value not in {None, False}}
    given |= KINDS[given.pop("kind")]
    if given.pop("without_signature_certificate", False):
        given["with_signature_certificate"] = False
    return given


@emulator.command(help=N_("Show a virtual card with its PINs; without PATH, the default one."))
@click.argument("path", required=False, metavar="[PATH]")
@pass_app
def show(app: AppContext, *, path: str | None) -> None:
    """Tell what is in a card file."""
    from jpki.emulator import describe_card

    place = Path(path) if path is not None else default_path()
    with card_file_errors(place):
        card = describe_card(place)
    app.output.show(CardResult(card=card))


@emulator.command(
    help=N_("Be the card in a virtual reader of pcscd (vpcd) until Ctrl-C or SIGTERM.")
)
@click.argument("path", metavar="PATH")
@option("--host", default="127.0.0.1", metavar="HOST", help=N_("Where vpcd listens (127.0.0.1)."))
@option(
    "--port",
    default=35963,
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help=N_("35963 is the first virtual reader, 35964 the second."),
)
@option(
    "--reinsert-after",
    type=SECONDS,
    metavar="SECONDS",
    help=N_("Put a pulled card back; else serve ends."),
)
@fault_options
@pass_app
def serve(
    app: AppContext,
    /,
    *,
    path: str,
    host: str,
    port: int,
    reinsert_after: float | None,
    **knobs: Any,  # noqa: ANN401  # one for each fault
) -> None:
    """Serve until stopped."""
    from jpki.emulator import ServeEvent, load_card
    from jpki.emulator import serve as serve_card

    place = Path(path)
    with card_file_errors(place):
        card = load_card(place, faults=faults_from(knobs))
    texts = {
        ServeEvent.WAITING: _("Waiting for pcscd with vpcd at {host}:{port} ..."),
        ServeEvent.INSERTED: _("The TEST card is in the reader at {host}:{port}."),
        ServeEvent.DROPPED: _("The reader at {host}:{port} let go of the card."),
        ServeEvent.PULLED: _("The card was pulled out of the reader at {host}:{port}."),
        ServeEvent.STOPPED: _("Stopped."),
    }

    def tell(event: ServeEvent) -> None:
        app.output.notice(texts[event].format(host=printable(host), port=port))

    serve_card(card, host=host, port=port, on_event=tell, reinsert_after_s=reinsert_after)
