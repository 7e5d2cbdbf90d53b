"""What every command gets: the options of ``jpki`` itself, and the way to card and person."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO

import click

from cli.errors import OutputNotWrittenError
from cli.output import Output
from cli.prompt import Prompter, TerminalPrompter
from cli.translation import use_language

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from apdu.trace import Trace
    from apdu.transports.loopback import LoopbackCard
    from jpki.card import MyNumberCard
    from jpki.pins import RefusedPins

WAIT_AT_TERMINAL_S: Final = 10.0
STDIO: Final = "-"
EMULATOR: Final = "emulator"


@dataclass(slots=True, kw_only=True)
class Settings:
    """The options of ``jpki`` itself. They may stand before or behind the command."""

    reader: str | None = None
    wait: float | None = None
    json: bool = False
    language: str | None = None
    apdu_log: str | None = None
    apdu_log_data: bool = False


def _now() -> "datetime":
    from datetime import UTC, datetime

    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class AppContext:
    """What surrounds a command. Tests replace ``prompter``, ``load_emulator`` and ``clock``."""

    settings: Settings = field(default_factory=Settings)
    prompter: Prompter = field(default_factory=TerminalPrompter)
    load_emulator: "Callable[[Path], LoopbackCard] | None" = None
    clock: "Callable[[], datetime]" = _now
    output: Output = field(default_factory=Output)
    error_facts: dict[str, object] = field(default_factory=dict)
    """What is to be told beside an error: where the PIN came from, what was finished before."""
    log_begun: bool = False
    """Whether this run has written exchanges already; some commands open the card repeatedly."""

    def speak(self, environment: str) -> None:
        """Use the language that was chosen, or that of the environment, from now on."""
        use_language(self.settings.language or environment)

    @property
    def is_emulator(self) -> bool:
        """Whether the card is a virtual one of this process."""
        reader = self.settings.reader or ""
        return reader == EMULATOR or reader.startswith(f"{EMULATOR}:")

    @contextmanager
    def card(
        self, *, refused: "RefusedPins | None" = None, wait_s: float | None = None
    ) -> "Iterator[MyNumberCard]":
        """Open the card that is meant, for as long as the block lasts.

        Args:
            refused: see ``MyNumberCard``.
            wait_s: how long it may take to appear, if not as the person said.

        Raises:
            CardError, JpkiError: see ``jpki.readers.open_card``.
            CardFileProblemError, OutputRefusedError, OutputNotWrittenError.
        """
        from cli.notices import Notices
        from cli.virtual_card import default_reader, loader
        from jpki.readers import open_card

        with ExitStack() as resources:
            trace = self._open_trace(resources)
            reader = self.settings.reader
            if reader == EMULATOR:
                reader = default_reader(self.output.notice)
            yield resources.enter_context(
                open_card(
                    reader,
                    wait_s=self.wait_s if wait_s is None else wait_s,
                    trace=trace,
                    refused=refused,
                    notify=Notices(self.output.notice),
                    load_emulator=loader(self.load_emulator),
                )
            )

    @property
    def wait_s(self) -> float:
        """How long a card may take to appear: a script does not wait unless told to."""
        if self.settings.wait is not None:
            return self.settings.wait
        at_terminal = sys.stderr is not None and sys.stderr.isatty()
        return WAIT_AT_TERMINAL_S if at_terminal else 0.0

    def _open_trace(self, resources: ExitStack) -> "Trace | None":
        path = self.settings.apdu_log
        if path is None:
            return None
        from apdu.trace import Trace

        stream: TextIO = sys.stderr
        if path != STDIO:
            stream = _open_private(path, append=self.log_begun)
            self.log_begun = True
            resources.callback(_close_quietly, stream)
        return Trace(stream, include_data=self.settings.apdu_log_data)


def _open_private(name: str, *, append: bool) -> TextIO:
    """Open a file for writing that nobody else may read: even lengths say something of a person.

    Raises:
        OutputRefusedError, OutputNotWrittenError.
    """
    from pathlib import Path

    from cli.output_file import OutputFile

    OutputFile(path=Path(name), force=True, option="--apdu-log").check()
    try:
        begin = os.O_APPEND if append else os.O_TRUNC
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | begin, 0o600)
    except OSError as error:
        raise OutputNotWrittenError(name, error) from error
    return os.fdopen(descriptor, "w", encoding="utf-8")


def _close_quietly(stream: TextIO) -> None:
    """Close a log; that it could not be written must not undo what was logged."""
    with suppress(OSError):
        stream.close()


pass_app = click.make_pass_decorator(AppContext, ensure=True)
