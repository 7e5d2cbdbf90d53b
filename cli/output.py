"""What is printed where: the result on stdout, as text or one JSON object; all else on stderr."""

import errno
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, TextIO

from cli.errors import OutputNotWrittenError, StdoutClosedError
from cli.printable import json_printable
from cli.translation import _

if TYPE_CHECKING:
    from cli.failure import Failure

SCHEMA: Final = 1


class Result(Protocol):
    """What a command found out or did: a dataclass that can show itself in two ways."""

    def as_text(self) -> Iterable[str]:
        """Lines for a person, translated, with strangers' text made printable."""

    def as_json(self) -> Mapping[str, object]:
        """The object of docs/json.md, without ``schema``."""


def render_text(result: Result) -> str:
    """A result for people."""
    return "".join(f"{line}\n" for line in result.as_text())


def render_json(value: Mapping[str, object]) -> str:
    """A result for programs: one object."""
    import json

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # What the encoding lacks would be written as \x.., which is no JSON.
    ascii_only = not encoding.lower().replace("-", "").startswith("utf8")
    text = json.dumps({"schema": SCHEMA, **value}, ensure_ascii=ascii_only, indent=2)
    return json_printable(text) + "\n"


class Output:
    """The two streams of a run. They are looked up when they are used: tests put others there."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._stdout_is_content = False

    def show(self, result: Result) -> None:
        """Print the result of the command.

        Raises:
            StdoutClosedError, OutputNotWrittenError.
        """
        if self._stdout_is_content:
            return
        self.write(render_json(result.as_json()) if self.as_json else render_text(result))

    def write(self, text: str) -> None:
        """Write text to stdout. Raises: StdoutClosedError, OutputNotWrittenError."""
        stream = _stdout()
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            raise _stdout_failed(error) from error

    def keep_stdout_for_content(self) -> None:
        """Whatever comes of the command, stdout gets a document or nothing; results on stderr."""
        self._stdout_is_content = True

    @contextmanager
    def content(self) -> Iterator[BinaryIO]:
        """Write a document to stdout, which from then on is that document and nothing else.

        Raises:
            StdoutClosedError, OutputNotWrittenError.
        """
        self._stdout_is_content = True
        stream = _stdout()
        try:
            stream.flush()
            yield stream.buffer
            stream.buffer.flush()
        except OSError as error:
            raise _stdout_failed(error) from error

    def notice(self, text: str) -> None:
        """Tell the person something beside the result."""
        _stderr_line(text)

    def progress(self, text: str, *, is_last: bool) -> None:
        """Show how far a long run is, on one line of a terminal; nothing where there is none."""
        stream = sys.stderr
        if stream is None or not stream.isatty():
            return
        with suppress(OSError, ValueError):
            stream.write("\r\x1b[K" if is_last else f"\r{text}\x1b[K")
            stream.flush()

    def warn(self, text: str) -> None:
        """Tell the person something that may matter."""
        _stderr_line(_("Warning: {text}").format(text=text))

    def failure(self, failure: "Failure") -> None:
        """Say why the command ends: on stderr and, with --json, in one object on stdout."""
        if failure.code == "stdout-closed":
            return
        _stderr_line(f"jpki: {failure.text}")
        if self.as_json and not self._stdout_is_content:
            error = {"code": failure.code, "message": failure.message, **failure.facts}
            # The exit code is that of the failure itself, whatever becomes of its JSON.
            try:
                self.write(render_json({"error": error}))
            except (OutputNotWrittenError, StdoutClosedError):
                return


def _stdout() -> TextIO:
    if sys.stdout is None:  # closed by whoever started us
        raise OutputNotWrittenError("<stdout>", os.strerror(errno.EBADF))
    return sys.stdout


def _stdout_failed(error: OSError) -> Exception:
    _silence(sys.stdout)
    if error.errno in {errno.EPIPE, errno.ESHUTDOWN} or isinstance(error, BrokenPipeError):
        return StdoutClosedError()
    return OutputNotWrittenError("<stdout>", error)


def _silence(stream: TextIO) -> None:
    """Send what is still in the buffers to nowhere.

    The interpreter would fail on it at its end, with an exit code of its own (120).
    """
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        return


def _stderr_line(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # there is nowhere left to complain
        _silence(sys.stderr)


def make_streams_lossless() -> None:
    r"""Let characters that the terminal's encoding lacks appear as \u7f72 instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
