"""Streams: what cannot be shown degrades, what is closed is no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.trial import copy_of_environment

from cli.printable import json_printable, printable

PROGRAM = (sys.executable, "-c", "from cli.main import main; main()")


def jpki(
    card_path: Path, *arguments: str, stdout: int = subprocess.PIPE, **environment: Any
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        env=copy_of_environment(JPKI_READER=f"emulator:{card_path}", **environment),
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
        check=False,
    )


ASCII: dict[str, Any] = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LANGUAGE": "ja",
}


@pytest.mark.parametrize("language", ["ja", "en", "zh"])
def test_an_ascii_terminal_gets_escapes_and_no_traceback(card_path: Path, language: str) -> None:
    run = jpki(card_path, "--lang", language, "status", **ASCII)
    assert run.returncode == 0, run.stderr
    assert b"\\u" in run.stdout
    assert run.stdout.isascii()
    failed = jpki(card_path, "--lang", language, "pin", "verify", "auth", **ASCII)
    assert failed.returncode == 2
    assert b"Traceback" not in failed.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "latin-1", "utf-8"])
def test_json_stays_json_in_every_encoding(card_path: Path, encoding: str) -> None:
    run = jpki(card_path, "--json", "emulator", "show", str(card_path), PYTHONIOENCODING=encoding)
    assert json.loads(run.stdout.decode(encoding))["holder"]["name"] == "見本　太郎"


def test_a_reader_that_stops_reading_is_no_error_message(card_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = jpki(card_path, "status", stdout=writer)
    os.close(writer)
    assert run.returncode == 141
    assert run.stderr == b""


@pytest.mark.parametrize("arguments", [("status",), ("--json", "status"), ("auth", "challenge")])
def test_a_full_disk_behind_stdout_is_output_not_written(
    card_path: Path, arguments: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("wb") as full:
        run = jpki(card_path, *arguments, stdout=full.fileno())
    assert run.returncode == 12
    assert run.stderr.count(b"\n") == 1
    assert b"No space left" in run.stderr


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_without_a_traceback(card_path: Path, streams: str) -> None:
    command = f'"$0" -c "from cli.main import main; main()" status {streams}'
    run = subprocess.run(
        ["sh", "-c", command, sys.executable],
        env=copy_of_environment(JPKI_READER=f"emulator:{card_path}"),
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    assert run.returncode == (12 if ">&-" in streams.replace("2>&-", "") else 0)
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("番号　花子", "番号　花子"),
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("line\nline\r\u2028", "line\\x0aline\\x0d\\u2028"),
        ("\udcff", "\\udcff"),
        ("𠮷髙", "𠮷髙"),
        ("\x9b", "\\x9b"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_text_of_strangers_is_made_harmless(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["a\u202eb", "\x9b", "\U000e0001", "\n", "𠮷"])
def test_the_same_in_json_reads_back_as_it_was(text: str) -> None:
    document = json_printable(json.dumps({"name": text}, ensure_ascii=False))
    assert json.loads(document) == {"name": text}
    assert "\u202e" not in document
    assert "\x9b" not in document
