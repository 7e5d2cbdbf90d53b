"""``jpki auth``: what the authentication certificate (利用者証明用電子証明書) is good for."""

from typing import Final

import click

from cli.options import LazyGroup
from cli.translation import N_

COMMANDS: Final = {
    "challenge": (
        "cli.commands.login:challenge",
        N_("Print a new challenge (nonce), as a site would send it."),
    ),
    "respond": (
        "cli.commands.login:respond",
        N_("Answer a site's challenge: print the token that logs you in there."),
    ),
    "verify": (
        "cli.commands.login:verify",
        N_("Verify a token as the site does; '-' is the standard input."),
    ),
    "native-host": (
        "cli.commands.native_host:native_host",
        N_("Let browsers find the card: sites with Web eID log you in and have you sign."),
    ),
    "serve": (
        "cli.commands.serve:serve",
        N_("Serve a demonstration site that logs people in with their card."),
    ),
    "ssh-key": (
        "cli.commands.ssh_key:ssh_key",
        N_("Print the authentication key as a line for authorized_keys."),
    ),
    "ssh-agent": (
        "cli.commands.ssh_agent:ssh_agent",
        N_("Log in by SSH, and sign commits, with the authentication key."),
    ),
}


@click.command(
    cls=LazyGroup,
    lazy=COMMANDS,
    help=N_("Log in with the authentication certificate: on the web (Web eID), by SSH."),
)
def auth() -> None:
    """Logins."""
