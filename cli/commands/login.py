"""``jpki auth challenge``, ``respond`` and ``verify``: a login by a token."""

import click

from cli.context import AppContext, pass_app
from cli.input_file import InputFile
from cli.login_view import ChallengeResult, LoginResult, TokenWrittenResult
from cli.options import Command, option
from cli.output_file import output_file
from cli.pin_entry import PinRequest, unlocked
from cli.pin_options import pin_from, use_last_try
from cli.pin_source import PinSource
from cli.printable import printable
from cli.translation import N_, _
from cli.validation_options import ValidationOptions, validation_options
from jpki._version import __version__
from jpki.authentication import (
    AuthToken,
    check_nonce,
    check_origin,
    login_message,
    make_token,
    new_nonce,
    verify_token,
)
from jpki.authentication.errors import TokenError, TokenFault
from jpki.files import PinKind

APP_VERSION = f"https://jpki.invalid/releases/{__version__}"
"""Informative. The token's format wants a URL; this name can belong to nobody."""
MAX_TOKEN_FILE = 1 << 16

ORIGIN_HELP = N_("The site: https://host or https://host:port.")
NONCE_HELP = N_("The site's challenge, 44 to 128 characters.")


@click.command(cls=Command, help=N_("Print a new challenge (nonce), as a site would send it."))
@pass_app
def challenge(app: AppContext) -> None:
    """Make a nonce; no card is needed."""
    app.output.show(ChallengeResult(nonce=new_nonce()))


@click.command(
    cls=Command, help=N_("Answer a site's challenge: print the token that logs you in there.")
)
@option("--origin", required=True, metavar="URL", help=ORIGIN_HELP)
@option("--nonce", required=True, metavar="TEXT", help=NONCE_HELP)
@option("-o", "--output", metavar="OUT", help=N_("Where the token goes instead of stdout."))
@option("--force", is_flag=True, help=N_("Replace an output that exists."))
@option("--allow-expired", is_flag=True, help=N_("Sign outside the certificate's validity too."))
@pin_from()
@use_last_try()
@pass_app
def respond(
    app: AppContext,
    *,
    origin: str,
    nonce: str,
    output: str | None,
    force: bool,
    allow_expired: bool,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> None:
    """Check the challenge, then ask for the PIN, then sign it."""
    check_origin(origin)
    check_nonce(nonce)
    file = output_file(output, force=force, private=True)
    if file is not None:
        file.check()
    token = _token(
        app,
        _request(origin, pin_from, use_last_try=use_last_try),
        origin,
        nonce,
        allow_expired=allow_expired,
    )
    if file is None:
        app.output.write(token.to_json() + "\n")
        return
    with file.writing() as stream:
        stream.write(token.to_json().encode("ascii") + b"\n")
    app.output.show(TokenWrittenResult(output=str(file.path)))


def _request(origin: str, source: PinSource | None, *, use_last_try: bool) -> PinRequest:
    return PinRequest(
        kind=PinKind.AUTHENTICATION,
        source=source,
        use_last_try=use_last_try,
        disclosure=_(
            "{origin} asks you to log in. It gets your authentication certificate: no name and no"
            " address, but a number that is the same at every site, and the municipality that"
            " issued the card."
        ).format(origin=printable(origin)),
    )


def _token(
    app: AppContext, request: PinRequest, origin: str, nonce: str, *, allow_expired: bool
) -> AuthToken:
    message = login_message(origin, nonce)
    with unlocked(app, request) as application:
        key = application.authentication_key(
            lambda data: data == message, at=app.clock(), allow_expired=allow_expired
        )
        return make_token(origin, nonce, key, key.certificate, APP_VERSION)


@click.command(cls=Command, help=N_("Verify a token as the site does; '-' is the standard input."))
@click.argument("token_file", metavar="TOKENFILE|-")
@option("--origin", required=True, metavar="URL", help=ORIGIN_HELP)
@option("--nonce", required=True, metavar="TEXT", help=NONCE_HELP)
@validation_options
@pass_app
def verify(
    app: AppContext,
    *,
    token_file: str,
    origin: str,
    nonce: str,
    validation: ValidationOptions,
) -> int:
    """Verify, and end with 10 or 11 if it does not pass."""
    check_origin(origin)
    check_nonce(nonce)
    checks = validation.load(app, inputs=[token_file])
    content = InputFile(name=token_file).read(MAX_TOKEN_FILE)
    try:
        login = verify_token(content, origin, nonce, checks.anchors, checks.at, checks.revocation)
        result = LoginResult(login=login, refusal=None)
    except TokenError as error:
        if error.fault in {TokenFault.ORIGIN, TokenFault.NONCE}:
            raise
        result = LoginResult(login=None, refusal=error)
    app.output.show(result)
    return result.exit_code
