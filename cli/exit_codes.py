"""What the process tells its caller when it ends."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of ``jpki``; 128 + n for an end by signal n, as shells count."""

    OK = 0
    BUG = 1
    """A mistake in jpki itself."""
    REFUSED = 2
    """Refused before a try was spent: usage, bad input, the last try."""
    NO_READER = 3
    """No PC/SC service, or no reader."""
    NO_CARD = 4
    """No card, not a My Number Card, or the card was removed."""
    CARD_IN_USE = 5
    PIN_INCORRECT = 6
    PIN_BLOCKED = 7
    OUTCOME_UNKNOWN = 8
    """The card went away while it verified a PIN, changed one, or signed."""
    NONSENSE = 9
    """The card's answer makes no sense."""
    VERIFICATION_FAILED = 10
    VERIFICATION_INDETERMINATE = 11
    OUTPUT_NOT_WRITTEN = 12
    SERVER_FAILED = 13
    HUNG_UP = 129
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    """Whoever read the standard output stopped reading."""
    TERMINATED = 143
