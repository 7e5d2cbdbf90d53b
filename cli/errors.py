"""What the command itself refuses; the errors of the card and the library come from there.

::

    CliError                       code
    |- UsageProblemError           usage                 also made of click's usage errors
    |- PinSourceError              pin-source            no terminal, or --pin-from does not work
    |- PinOnCommandLineError       pin-on-command-line
    |- PinentryError               pinentry              the PIN program does not work
    |- PinentryCancelledError      cancelled             the person closed its window
    |- OtherCardError              other-card            not the card that holds the wanted key
    |- NewPinDiffersError          new-pin-differs       the two entries of a new PIN
    |- NotConfirmedError           not-confirmed         the person said no
    |- FileProblemError
    |  |- InputError               input                 a file that cannot be read
    |  |- OutputNotWrittenError    output-not-written
    |  `- CardFileProblemError     card-file             the file of a virtual card
    |- OutputRefusedError          output-refused        found before anything was done
    |- OutputExistsError           output-exists
    |- ManifestTakenError          manifest-taken        a browser's way to another program
    |- AddressError                address               a server's own address cannot be had
    |- StdoutClosedError           stdout-closed
    |- InterruptedRunError         interrupted           Ctrl-C
    `- TerminatedError             terminated            SIGTERM or SIGHUP

Attributes are facts: they go into the JSON of the error and into its text, never into ``args``.
"""

import os
from enum import Enum
from typing import ClassVar


class CliError(Exception):
    """Base of what the command refuses by itself."""

    code: ClassVar[str] = "cli"


class UsageProblemError(CliError):
    """The command line does not make sense; ``detail`` is a sentence of the catalogue."""

    code = "usage"

    def __init__(self, detail: str, command: str | None = None, /, **fields: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.command = command
        self.fields = fields


class PinSourceFault(Enum):
    """Why no PIN could be had."""

    NO_TERMINAL = "no-terminal"
    NOT_A_SOURCE = "not-a-source"
    NOT_SET = "not-set"
    UNREADABLE = "unreadable"
    SAME_STREAM = "same-stream"


class PinSourceError(CliError):
    """No PIN came from ``source``; None is the terminal. ``option`` is what would help."""

    code = "pin-source"

    def __init__(
        self,
        fault: PinSourceFault,
        source: str | None = None,
        *,
        option: str = "--pin-from",
        detail: str = "",
    ) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.source = source
        self.option = option
        self.detail = detail


class PinOnCommandLineError(CliError):
    """A PIN was given as the value of an option."""

    code = "pin-on-command-line"


class PinentryError(CliError):
    """The PIN program cannot be started, or fails."""

    code = "pinentry"

    def __init__(self, program: str, detail: str) -> None:
        super().__init__(detail)
        self.program = program
        self.detail = detail


class PinentryCancelledError(CliError):
    """The person closed the window of the PIN program, or did not answer in time."""

    code = "cancelled"

    def __init__(self, *, timed_out: bool = False) -> None:
        super().__init__("timed out" if timed_out else "cancelled")
        self.timed_out = timed_out


class OtherCardError(CliError):
    """Another card is on the reader than the one that holds the key which was asked for."""

    code = "other-card"


class NewPinDiffersError(CliError):
    """The two entries of a new PIN were never the same."""

    code = "new-pin-differs"


class NotConfirmedError(CliError):
    """The person was asked, and said no."""

    code = "not-confirmed"


class FileProblemError(CliError):
    """Base of what is wrong with one file; ``detail`` is the system's word for it, or ours."""

    def __init__(self, path: str, detail: str | OSError) -> None:
        text = detail if isinstance(detail, str) else detail.strerror or str(detail)
        super().__init__(text)
        self.path = path
        self.detail = text


class InputError(FileProblemError):
    """A file that is to be read cannot be."""

    code = "input"


class OutputFault(Enum):
    """Why an output was refused before anything was done."""

    NO_FOLDER = "no-folder"
    FOLDER_READ_ONLY = "folder-read-only"
    IS_FOLDER = "is-folder"
    NOT_FOLDER = "not-folder"
    IS_INPUT = "is-input"
    TWICE = "twice"
    NOT_BESIDE = "not-beside"
    """Not in the folder of the files that it names."""
    IMPOSSIBLE = "impossible"
    """The file system has no place of this name."""


class OutputRefusedError(CliError):
    """The output cannot be written where it is wanted; ``option`` is what named it."""

    code = "output-refused"

    def __init__(self, path: str, fault: OutputFault, option: str = "-o") -> None:
        super().__init__(fault.value)
        self.path = path
        self.fault = fault
        self.option = option


class OutputExistsError(CliError):
    """The output is there already, and --force was not given."""

    code = "output-exists"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class ManifestTakenError(CliError):
    """What tells a browser of its native host belongs to another program."""

    code = "manifest-taken"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class OutputNotWrittenError(FileProblemError):
    """The disk is full, or whatever else keeps bytes from being written."""

    code = "output-not-written"


class AddressError(CliError):
    """The address that a server is to listen on is in use, forbidden, or not this machine's."""

    code = "address"

    def __init__(self, host: str, port: int, error: OSError) -> None:
        # The socket module adds what it was doing; errors of names have numbers of their own.
        number = error.errno or 0
        detail = os.strerror(number) if number > 0 else error.strerror or str(error)
        super().__init__(detail)
        self.host = host
        self.port = port
        self.detail = detail


class StdoutClosedError(CliError):
    """Nobody reads the standard output any more."""

    code = "stdout-closed"


class CardFileProblemError(FileProblemError):
    """The file of a virtual card is not there, damaged, or none."""

    code = "card-file"


class InterruptedRunError(CliError):
    """Ctrl-C. ``outcome`` is the code of what the card's command came to, if one was under way."""

    code = "interrupted"

    def __init__(self, step: str | None = None, outcome: Exception | None = None) -> None:
        super().__init__()
        self.step = step
        self.outcome = outcome


class TerminatedError(BaseException):
    """SIGTERM or SIGHUP: unwinds everything, and is swallowed by nothing that expects an error."""

    code: ClassVar[str] = "terminated"

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal = signal_number
