"""The knobs of ``emulator serve``: each is an option of its own section in the help."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from cli.options import SECONDS, option
from cli.translation import N_

if TYPE_CHECKING:
    from jpki.emulator import Faults

NTH: Final = click.IntRange(min=1)
SECTION: Final = N_("Faults, for tests (N counts the exchanges from 1)")

_OPTIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("--use-61xx", {"is_flag": True, "help": N_("announce data by 61xx.")}),
    ("--use-6cxx", {"is_flag": True, "help": N_("refuse a wrong Le with 6Cxx.")}),
    ("--no-extended", {"is_flag": True, "help": N_("no extended length.")}),
    (
        "--blocked-sw",
        {
            "type": click.Choice(("6984", "6983", "63C0")),
            "help": N_("what a blocked PIN answers."),
        },
    ),
    (
        "--tries-query",
        {
            "type": click.Choice(("normal", "6983", "stale")),
            "help": N_("what the question for tries is answered with."),
        },
    ),
    (
        "--latency",
        {"type": SECONDS, "metavar": "SECONDS", "help": N_("before each answer.")},
    ),
    (
        "--signature-latency",
        {"type": SECONDS, "metavar": "SECONDS", "help": N_("more before a signature.")},
    ),
    (
        "--pull-before",
        {"type": NTH, "metavar": "N", "help": N_("pulled before exchange N.")},
    ),
    (
        "--pull-after",
        {"type": NTH, "metavar": "N", "help": N_("pulled after N was carried out.")},
    ),
    ("--silent-at", {"type": NTH, "metavar": "N", "help": N_("no answer to exchange N.")}),
    ("--empty-at", {"type": NTH, "metavar": "N", "help": N_("an empty answer to N.")}),
    ("--one-byte-at", {"type": NTH, "metavar": "N", "help": N_("one byte as answer to N.")}),
    ("--truncated-at", {"type": NTH, "metavar": "N", "help": N_("half an answer to N.")}),
    (
        "--oversized-at",
        {"type": NTH, "metavar": "N", "help": N_("65,535 bytes as answer to N.")},
    ),
    (
        "--signature-fault",
        {
            "type": click.Choice(("none", "wrong", "short")),
            "help": N_("what is wrong with signatures."),
        },
    ),
    (
        "--certificate-garbage",
        {"is_flag": True, "help": N_("certificates that are none.")},
    ),
)


def fault_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all knobs."""
    for name, attributes in reversed(_OPTIONS):
        function = option(name, section=SECTION, **attributes)(function)
    return function


def faults_from(knobs: dict[str, Any]) -> "Faults":
    """The emulator's faults for the options that were given."""
    from jpki.emulator import Faults, SignatureFault, TriesQuery

    renamed = {
        "use_61xx": "response_61xx",
        "use_6cxx": "wrong_le_6cxx",
        "latency": "latency_s",
        "signature_latency": "signature_latency_s",
        "signature_fault": "signature",
    }
    given = {renamed.get(name, name): value for name, value in knobs.items() if value is not None}
    converted: dict[str, Any] = {
        "extended_length": not given.pop("no_extended", False),
        "blocked_sw": int(given.pop("blocked_sw", "6984"), 16),
        "tries_query": TriesQuery(given.pop("tries_query", "normal")),
        "signature": SignatureFault(given.pop("signature", "none")),
    }
    return Faults(**given, **converted)
