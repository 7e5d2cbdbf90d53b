"""Where the agent asks: at its own terminal while that is in the foreground, else in a window."""

import os
from typing import Final

from cli.errors import PinSourceError, PinSourceFault
from cli.pinentry import PinentryPrompter
from cli.prompt import Prompter, TerminalPrompter
from cli.translation import _

TERMINAL: Final = "/dev/tty"


def choose_prompter() -> Prompter:
    """Who can be asked at this moment.

    A shell that runs beside the agent has taken the terminal: a question there would be read by
    the shell, and would stop the agent. An ssh session for which the agent was started has not, but
    reads every key: a PIN that is typed there would go to the server.
    """
    if _may_ask_at_terminal():
        return TerminalPrompter()
    return PinentryPrompter(title=_("SSH agent for the My Number Card"))


def require_prompter() -> None:
    """Refuse to start where nobody could be asked. Raises: PinSourceError."""
    if not choose_prompter().is_there():
        raise PinSourceError(PinSourceFault.NO_TERMINAL)


def _may_ask_at_terminal() -> bool:
    import termios  # Windows has none, and no agent

    from cli.terminal import is_read_by_keys

    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        is_in_foreground = os.tcgetpgrp(descriptor) == os.getpgrp()
        return is_in_foreground and not is_read_by_keys(descriptor)
    except (OSError, termios.error):
        return False
    finally:
        os.close(descriptor)
