"""A login with the card: the one way of ``jpki auth respond`` and of the native host to a token."""

from typing import Final

from cli.context import AppContext
from cli.pin_entry import PinRequest, unlocked
from cli.pin_source import PinSource
from cli.printable import printable
from cli.translation import _
from jpki._version import __version__
from jpki.authentication import AuthToken, login_message, make_token
from jpki.files import PinKind

APP_VERSION: Final = f"https://jpki.invalid/releases/{__version__}"
"""Informative. The token's format wants a URL; this name can belong to nobody."""


def login_request(
    origin: str, source: PinSource | None = None, *, use_last_try: bool = False
) -> PinRequest:
    """Return what a login asks for: the PIN, once the person has read what the site will learn."""
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


def login_token(
    app: AppContext, request: PinRequest, origin: str, nonce: str, *, allow_expired: bool = False
) -> AuthToken:
    """Ask for the PIN and sign the login -> the token. The key signs this login and nothing else.

    Raises:
        TokenError: ORIGIN or NONCE, before anything is asked.
        All that ``unlocked`` and ``JpkiApplication.authentication_key`` raise.
    """
    message = login_message(origin, nonce)
    with unlocked(app, request) as application:
        key = application.authentication_key(
            lambda data: data == message, at=app.clock(), allow_expired=allow_expired
        )
        return make_token(origin, nonce, key, key.certificate, APP_VERSION)
