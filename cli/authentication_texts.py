"""The messages about logins that depend on more than an error's attributes."""

from typing import TYPE_CHECKING

from cli.printable import printable
from cli.translation import _

if TYPE_CHECKING:
    from jpki.authentication.errors import AgentSocketError, NativeMessageError, TokenError


def token_text(error: "TokenError") -> str:
    """Origin, nonce or token."""
    match error.fault.value:
        case "origin":
            return _(
                "The origin must be https://host or https://host:port in lower case, with no path."
                " Give it with --origin as the site's address bar shows it."
            )
        case "nonce":
            return _(
                "The nonce must be 44 to 128 characters of base64. 'jpki auth challenge' makes one."
            )
        case _:
            return _("The token was refused: {fault}. Log in again with a new challenge.").format(
                fault=error.fault.value
            )


def native_message_text(error: "NativeMessageError | TokenError") -> str:
    """What a site sent by way of a browser's extension."""
    if error.fault.value == "other-certificate":
        return _(
            "The certificate that the site wants is not that of this card. Put on the card whose"
            " certificate you gave it, and try again."
        )
    return _(
        "The site asked in a way that cannot be answered ({fault}); nothing was signed. Tell its"
        " operator."
    ).format(fault=error.fault.value)


def agent_socket_text(error: "AgentSocketError") -> str:
    """The SSH agent has no place to listen."""
    path = printable(error.path)
    match error.fault.value:
        case "in-use":
            return _(
                "Another agent listens at {path} already. Use that one, or give this one another"
                " place with --socket."
            ).format(path=path)
        case "not-a-socket":
            return _(
                "{path} is there and is no socket; it was left alone. Give another place with"
                " --socket."
            ).format(path=path)
        case "folder-not-private":
            return _(
                "The folder {path} is not yours alone. Make it so (chmod 700), or give another"
                " place with --socket."
            ).format(path=path)
        case _:
            return _(
                "The agent cannot listen at {path}: {detail}. Give another place with --socket."
            ).format(path=path, detail=printable(_(error.detail)))
