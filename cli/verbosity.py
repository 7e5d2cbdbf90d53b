"""``-v`` and ``-vv``: the library's log on stderr, with headers and status words, never data."""

import logging
from typing import Final

NAMES: Final = ("apdu", "jpki", "cli")
FORMAT: Final = "%(levelname).1s %(name)s: %(message)s"


def log_to_stderr(verbosity: int) -> None:
    """Show INFO (1) or DEBUG (2 and more) of our packages, and of ours only."""
    silence()
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    for name in NAMES:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO if verbosity == 1 else logging.DEBUG)
        logger.addHandler(handler)


def is_debugging() -> bool:
    """Whether -vv was given."""
    return logging.getLogger(NAMES[0]).level == logging.DEBUG


def silence() -> None:
    """Take the handlers away again: a process may run the command more than once."""
    for name in NAMES:
        logger = logging.getLogger(name)
        logger.setLevel(logging.NOTSET)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
