"""``jpki auth serve``: a demonstration of a site that logs people in with their card."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from cli.context import AppContext, pass_app
from cli.errors import AddressError, InputError, TerminatedError, UsageProblemError
from cli.input_file import InputFile
from cli.options import Command, option
from cli.serving_view import ServingResult
from cli.translation import N_, _
from cli.validation_options import (
    Validation,
    ValidationOptions,
    standing_validation_options,
)

if TYPE_CHECKING:
    from jpki.authentication.demonstration import Demonstration, ServerCertificate

HOST: Final = "127.0.0.1"
PORT: Final = 8443
HTTPS_PORT: Final = 443
SECTION: Final = N_("Server")


@click.command(
    cls=Command,
    help=N_(
        "Serve a demonstration site that logs people in with their card.\n\n"
        "It speaks the Web eID protocol with the page, over HTTPS, on this machine only unless told"
        " otherwise, and runs until Ctrl-C."
    ),
)
@option(
    "--port",
    type=click.IntRange(0, 0xFFFF),
    default=PORT,
    metavar="PORT",
    section=SECTION,
    help=N_("Where to listen (8443); 0: any free port."),
)
@option(
    "--host",
    default=HOST,
    metavar="HOST",
    section=SECTION,
    help=N_("The address to listen on (127.0.0.1)."),
)
@option(
    "--origin",
    metavar="URL",
    section=SECTION,
    help=N_("What browsers call the site (https://localhost:PORT)."),
)
@option(
    "--certificate",
    metavar="FILE",
    section=SECTION,
    help=N_("Its TLS certificate chain, PEM; else one is made for this run."),
)
@option("--key", metavar="FILE", section=SECTION, help=N_("The key of --certificate, PEM."))
@option(
    "--database",
    metavar="FILE",
    section=SECTION,
    help=N_("Keep sessions there (SQLite) over a restart; else in memory."),
)
@standing_validation_options
@pass_app
def serve(
    app: AppContext,
    *,
    port: int,
    host: str,
    origin: str | None,
    certificate: str | None,
    key: str | None,
    database: str | None,
    validation: ValidationOptions,
) -> None:
    """Take the port, say where the site is, and serve until stopped."""
    from jpki.authentication import check_origin
    from jpki.authentication.demonstration import listen
    from jpki.authentication.demonstration import serve as serve_site

    if (certificate is None) != (key is None):
        raise UsageProblemError(N_("--certificate and --key belong together."), "jpki auth serve")
    if not host:  # to the system that is every address of this machine
        raise UsageProblemError(N_("--host is empty; leave it out."), "jpki auth serve")
    checks = validation.load(app, inputs=[])
    try:
        listener = listen(host, port)
    except OSError as error:
        raise AddressError(host, port, error) from error
    with listener:
        port = listener.getsockname()[1]
        origin = origin or _local_origin(port)
        check_origin(origin)
        tls = _tls(origin, certificate, key)
        site = _site(app, origin, database, checks)
        try:
            with _until_stopped():
                _announce(app, origin, host, port, tls, checks)
                serve_site(site, listener, tls.context)
        finally:
            site.close()
    app.output.notice(_("Stopped."))


@contextmanager
def _until_stopped() -> Iterator[None]:
    """The usual end of a server is no failure, not even in the moment before it serves."""
    try:
        yield
    except KeyboardInterrupt:
        return
    except TerminatedError as end:
        if end.signal != signal.SIGTERM:
            raise


def _local_origin(port: int) -> str:
    return "https://localhost" if port == HTTPS_PORT else f"https://localhost:{port}"


def _tls(origin: str, certificate: str | None, key: str | None) -> "ServerCertificate":
    from jpki.authentication.demonstration import load_certificate, throw_away

    if certificate is None or key is None:
        return throw_away(origin)
    for name in (certificate, key):
        InputFile(name=name).check()  # the ssl module does not say which of the two it was
    try:
        return load_certificate(certificate, key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        words = N_("it is no PEM certificate with its key, or the key has a password")
        if isinstance(error, OSError) and error.filename is not None:
            raise InputError(str(error.filename), error) from error
        raise InputError(certificate, words) from error


def _site(
    app: AppContext, origin: str, database: str | None, checks: Validation
) -> "Demonstration":
    from sqlite3 import Error as SqliteError

    from jpki.authentication import TokenValidator
    from jpki.authentication.demonstration import Demonstration
    from jpki.authentication.sqlite_file import IN_MEMORY

    validator = TokenValidator(
        origin=origin,
        anchors=checks.anchors,
        revocation=checks.revocation,
        clock=app.clock,
    )
    place = IN_MEMORY if database is None else database
    try:
        return Demonstration(validator, database=place, clock=app.clock, log=app.output.notice)
    except (OSError, SqliteError) as error:
        detail = error if isinstance(error, OSError) else N_("it is no SQLite file for this")
        raise InputError(place, detail) from error


def _announce(
    app: AppContext,
    origin: str,
    host: str,
    port: int,
    tls: "ServerCertificate",
    checks: Validation,
) -> None:
    if not checks.anchors:
        app.output.warn(
            _(
                "no CA is trusted, so nobody can log in; give one with --trust FILE, or run"
                " 'jpki trust fetch'."
            )
        )
    app.output.show(
        ServingResult(
            origin=origin,
            host=host,
            port=port,
            certificate_sha256=tls.fingerprint_sha256,
            is_throw_away=tls.is_throw_away,
            trusted=len(checks.anchors),
        )
    )
