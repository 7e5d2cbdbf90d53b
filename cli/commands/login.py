"""``jpki auth challenge``, ``respond`` and ``verify``: a login by a token."""

import click

from cli.context import AppContext, pass_app
from cli.input_file import InputFile
from cli.login_token import login_request, login_token
from cli.login_view import ChallengeResult, LoginResult, TokenWrittenResult
from cli.options import Command, option
from cli.output_file import output_file
from cli.pin_options import pin_from, use_last_try
from cli.pin_source import PinSource
from cli.translation import N_
from cli.validation_options import ValidationOptions, validation_options
from jpki.authentication import check_nonce, check_origin, new_nonce, verify_token
from jpki.authentication.errors import TokenError, TokenFault

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
    request = login_request(origin, pin_from, use_last_try=use_last_try)
    token = login_token(app, request, origin, nonce, allow_expired=allow_expired)
    if file is None:
        app.output.write(token.to_json() + "\n")
        return
    with file.writing() as stream:
        stream.write(token.to_json().encode("ascii") + b"\n")
    app.output.show(TokenWrittenResult(output=str(file.path)))


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
