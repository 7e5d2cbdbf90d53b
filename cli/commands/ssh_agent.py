"""``jpki auth ssh-agent``: the card as the key of SSH."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import click

from cli.context import AppContext, pass_app
from cli.options import SECONDS, Command, option
from cli.pin_entry import read_pin
from cli.pin_options import pin_from
from cli.pin_source import PinSource
from cli.prompt import forbid_core_dumps
from cli.translation import N_
from jpki.files import PinKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResult:
    """Where the agent is."""

    socket: str
    csh: bool

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"socket": self.socket}

    def as_text(self) -> Iterator[str]:
        """For a shell, as ssh-agent says it."""
        path = shlex.quote(self.socket)
        if self.csh:
            yield f"setenv SSH_AUTH_SOCK {path};"
        else:
            yield f"SSH_AUTH_SOCK={path}; export SSH_AUTH_SOCK;"


@click.command(
    cls=Command,
    context_settings={"allow_interspersed_args": False},
    help=N_(
        "Be an SSH agent whose key is the card's authentication key, until Ctrl-C or SIGTERM; with"
        " a COMMAND, for as long as that runs.\n\n"
        "It signs SSH logins and SSH signatures (git, ssh-keygen -Y), and nothing else. The PIN is"
        " asked for at each use: at the terminal that the agent is in the foreground of, else by"
        " the PIN program (JPKI_PINENTRY). 'jpki auth ssh-key' prints the public key."
    ),
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@option("-a", "--socket", metavar="PATH", help=N_("Where it listens, if not in a private folder."))
@option(
    "--cache",
    default=0.0,
    type=SECONDS,
    metavar="SECONDS",
    help=N_("Keep a PIN that was right for so long; else it is asked for at each use."),
)
@option("--confirm", is_flag=True, help=N_("Ask before each use, also where no PIN is asked for."))
@option("--comment", metavar="TEXT", help=N_("What 'ssh-add -l' shows beside the key."))
@option("--allow-expired", is_flag=True, help=N_("Sign outside the certificate's validity too."))
@option(
    "-c/-s", "csh", default=False, help=N_("Print the socket for csh, or for sh (the default).")
)
@pin_from()
@pass_app
def ssh_agent(
    app: AppContext,
    *,
    command: tuple[str, ...],
    socket: str | None,
    cache: float,
    confirm: bool,
    comment: str | None,
    allow_expired: bool,
    csh: bool,
    pin_from: PinSource | None,
) -> int:
    """Listen, and work."""
    from cli.ssh.card import CardKey, Terms
    from cli.ssh.comment import checked_comment
    from cli.ssh.desk import Desk, signals_at_desk
    from cli.ssh.kept_pin import KeptPin
    from cli.ssh.prompter import choose_prompter, require_prompter
    from cli.ssh.run import agent_running, run_command, run_until_stopped

    terms = Terms(
        comment=checked_comment(comment),
        cache_s=cache,
        confirm=confirm,
        allow_expired=allow_expired,
        tell_use=not command,
    )
    if pin_from is None or confirm:
        require_prompter()
    forbid_core_dumps()  # a PIN may be kept for a long time
    given = None if pin_from is None else read_pin(app, PinKind.AUTHENTICATION, pin_from)
    desk = Desk()
    pin = KeptPin(given, cache, desk.post)
    key = CardKey(app, terms, pin, choose_prompter)
    desk.post(key.look)
    try:
        with (
            signals_at_desk(desk, interrupt_ends=not command),
            agent_running(app, desk, key, socket, alone=bool(command)) as path,
        ):
            if command:
                return run_command(app, desk, command, path)
            app.output.show(AgentResult(socket=str(path), csh=csh))
            run_until_stopped(desk)
            return 0
    finally:
        pin.forget()
