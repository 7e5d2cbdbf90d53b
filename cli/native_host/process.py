"""``jpki-native-host``: what a browser starts so that sites can ask the card (Web eID's protocol).

One process answers one command. The browser holds the two ends of its pipes; when it lets go of
them (the tab was closed, the time was up) nobody wants the answer any more, and host, PIN window
and card are let go at once: a browser kills after two seconds, and at its own end not at all.
"""

import os
import re
import signal
import sys
import time
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn

from cli.context import AppContext, Settings
from cli.exit_codes import ExitCode
from cli.native_host.manifest import PROGRAM, allowed_callers
from cli.output import Output, make_streams_lossless
from cli.pinentry import PinentryPrompter
from cli.translation import LANGUAGES, _, install, use_language

if TYPE_CHECKING:
    from jpki.authentication.errors import NativeMessageError

READER_VARIABLE: Final = "JPKI_READER"
CHROME_ORIGIN: Final = re.compile(r"chrome-extension://[^/]*/")
GRACE_S: Final = 1.0
"""How long a card at work may hold up the end; the browser kills after two seconds."""
SLICE_S: Final = 0.05
DRAINED: Final = 4096
"""Octets at a time of what comes after the one command."""


def main() -> NoReturn:
    """Serve the browser that started this process, and end."""
    install()
    make_streams_lossless()
    if caller(sys.argv[1:]) not in set(allowed_callers()):
        _complain(_("Only a browser with the Web eID extension starts {program}."))
        sys.exit(ExitCode.REFUSED)
    try:
        requests, answers = _take_streams()
    except OSError:
        _complain(_("{program} needs the pipes of a browser."))
        sys.exit(ExitCode.REFUSED)
    Host(requests, answers).run()
    sys.exit(ExitCode.OK)


def caller(arguments: list[str]) -> str | None:
    """The extension that a browser names: Chromium by its origin, Firefox behind its manifest."""
    match [argument for argument in arguments if not argument.startswith("--")]:
        case [origin] if CHROME_ORIGIN.fullmatch(origin):
            return origin
        case [_manifest, extension]:
            return extension
        case _:
            return None


def _complain(text: str) -> None:
    command = "jpki auth native-host install"
    advice = _("'{command}' tells a browser of it.").format(command=command)
    Output().notice(f"{text.format(program=PROGRAM)} {advice}")


def _take_streams() -> tuple[BinaryIO, int]:
    """Keep the browser's pipes to ourselves: what else reads or prints here finds nothing there."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return requests, answers


class _QuietOutput(Output):
    """Notices of a terminal. Here stderr is the browser's log, which nobody looks into."""

    def notice(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""


class _BrowserGoneError(BaseException):
    """The end of input, or a signal: unwinds everything."""


class Host:
    """The conversation with a browser.

    Args:
        requests: the browser's messages.
        answers: the descriptor where ours go.
    """

    def __init__(self, requests: BinaryIO, answers: int) -> None:
        self._requests = requests
        self._answers = answers
        self._inbox: SimpleQueue[bytes | NativeMessageError | None] = SimpleQueue()
        self._prompter: PinentryPrompter | None = None
        self._over = False

    def run(self) -> None:
        """Say hello, answer one command. Whoever leaves meanwhile ends it at once."""
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._leave)
            self._converse()
        except (_BrowserGoneError, OSError):  # of the pipe
            pass
        finally:
            self._over = True

    def _converse(self) -> None:
        from jpki.authentication.native_messaging import hello

        self._send(hello())
        Thread(target=self._listen, name="browser", daemon=True).start()
        request = self._inbox.get()
        if request is not None:
            self._send(self._answer(request))

    def _send(self, message: dict[str, Any]) -> None:
        from jpki.authentication.native_messaging import encode_message

        content = encode_message(message)
        while content:
            content = content[os.write(self._answers, content) :]

    def _answer(self, request: "bytes | NativeMessageError") -> dict[str, Any]:
        from cli.native_host.texts import answer_for

        if isinstance(request, Exception):
            return answer_for(request)
        try:
            return self._ask(request)
        except Exception as error:  # noqa: BLE001  # the last line of defence
            return answer_for(error)

    def _ask(self, request: bytes) -> dict[str, Any]:
        from cli.native_host.answers import answer
        from jpki.authentication.native_messaging_commands import Quit, parse_command

        command = parse_command(request)
        if isinstance(command, Quit):
            return {}
        _speak(command.language)
        self._prompter = PinentryPrompter(title=command.origin)
        app = AppContext(
            settings=Settings(reader=os.environ.get(READER_VARIABLE) or None, wait=0.0),
            prompter=self._prompter,
            output=_QuietOutput(),
        )
        return answer(app, command)

    def _listen(self) -> None:
        """Read the command, then wait for the browser's leaving; in a thread of its own."""
        from jpki.authentication.errors import NativeMessageError
        from jpki.authentication.native_messaging import read_message

        try:
            self._inbox.put(read_message(self._requests))
        except (NativeMessageError, OSError) as error:
            self._inbox.put(error if isinstance(error, NativeMessageError) else None)
        with suppress(OSError):
            while os.read(self._requests.fileno(), DRAINED):
                pass
        if self._prompter is not None:
            self._prompter.close()
        self._end_main_thread()
        os._exit(ExitCode.OK)

    def _end_main_thread(self) -> None:
        """Interrupt whatever it is at, and give it some time to let go of the card."""
        identity, deadline = main_thread().ident, time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            # Again and again: a signal that comes just before a wait in C does not end that wait.
            if identity is not None and not self._over:
                signal.pthread_kill(identity, signal.SIGTERM)
            time.sleep(SLICE_S)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        if not self._over:
            self._over = True  # once: what is being put right must not be interrupted
            raise _BrowserGoneError


def _speak(language: str | None) -> None:
    """Speak the site's language if it is one of ours, else the person's own."""
    word = (language or "").replace("_", "-").split("-")[0].lower()
    if word in LANGUAGES:
        use_language(word)
