"""Where a script's PIN comes from."""

import os
from pathlib import Path

import pytest

from cli.errors import PinSourceError
from cli.pin_source import PinSource


def source(text: str) -> PinSource:
    return PinSource.parse(text, "--pin-from")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"1848", "1848"),
        (b"1848\n", "1848"),
        (b"1848\r\n", "1848"),
        (b"1848\n\n", "1848\n"),
        (b"1848\r", "1848\r"),
        (b" 1848 ", " 1848 "),
        (b"1848\n9999\n", "1848\n9999"),
        (b"", ""),
        (b"\n", ""),
        (b"\xef\xbb\xbf1848", "\ufeff1848"),
        (b"18\xff48", "18\ufffd48"),
    ],
)
def test_exactly_one_line_end_is_removed(tmp_path: Path, content: bytes, text: str) -> None:
    place = tmp_path / "pin"
    place.write_bytes(content)
    assert source(f"file:{place}").read() == text
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    assert source(f"fd:{reader}").read() == text


def test_a_variable_is_gone_after_it_was_read() -> None:
    environment = {"PIN": "1848\n"}
    assert source("env:PIN").read(environment) == "1848"
    assert environment == {}


def test_the_real_environment_is_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPKI_TEST_PIN", "1848")
    assert source("env:JPKI_TEST_PIN").read() == "1848"
    assert "JPKI_TEST_PIN" not in os.environ


def test_an_endless_source_is_cut_off() -> None:
    assert len(source("file:/dev/zero").read()) == 4096


@pytest.mark.parametrize(
    "text", ["env:JPKI_ABSENT", "file:/nonexistent", "file:/", "fd:987", "fd:99999999999999"]
)
def test_a_source_that_gives_nothing_is_named(text: str) -> None:
    with pytest.raises(PinSourceError) as caught:
        source(text).read()
    assert caught.value.source == text


@pytest.mark.parametrize(
    "text", ["", "env:", "file:", "fd:", "fd:x", "fd:²", "fd:-1", "stdin:", "pass:1848", "1848"]
)
def test_what_is_no_source_is_refused_and_not_kept(text: str) -> None:
    with pytest.raises(PinSourceError) as caught:
        source(text)
    assert caught.value.source is None
    assert "1848" not in str(vars(caught.value))
