"""`jpki sign`: what is refused before a PIN is asked for, and what is written."""

import json
import os
import stat
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.cards import PASSWORD
from support.trial import ENVIRONMENT, READER, Person, Trial

from cli.context import AppContext
from cli.root import root
from jpki.emulator import Faults

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")


def signed(trial: Trial, *arguments: str, **more: Any) -> dict[str, Any]:
    run = trial.run("sign", *arguments, *SOURCE, pin=PASSWORD, **more)
    assert run.exit_code == 0, run.stderr
    return dict(json.loads(run.stdout)) if run.stdout[:1] == b"{" else {}


def openssl_verifies(signature: Path, content: Path | None) -> None:
    detached = [] if content is None else ["-content", str(content), "-binary"]
    subprocess.run(
        ["openssl", "cms", "-verify", "-inform", "DER", "-in", str(signature), "-noverify",
         *detached, "-out", os.devnull],
        check=True,
        capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "suffix"),
    [((), ".p7s"), (("--attached",), ".p7m"), (("--format", "raw"), ".sig")],
)
def test_each_format_has_its_own_suffix(
    trial: Trial, options: tuple[str, ...], suffix: str
) -> None:
    answer = signed(trial, "document.txt", *options)
    assert answer["files"][0]["output"] == f"document.txt{suffix}"
    assert answer["test"] is True
    assert (trial.folder / f"document.txt{suffix}").stat().st_size >= 256


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_every_hash_detached_and_attached(trial: Trial, algorithm: str) -> None:
    signed(trial, "document.txt", "--hash", algorithm)
    signed(trial, "document.txt", "--hash", algorithm, "--attached")
    openssl_verifies(trial.folder / "document.txt.p7s", trial.folder / "document.txt")
    openssl_verifies(trial.folder / "document.txt.p7m", None)


def test_a_document_on_stdin_is_signed_to_stdout_and_nothing_else_is_there(trial: Trial) -> None:
    run = trial.run("sign", "-", "--attached", *SOURCE, pin=PASSWORD, stdin=b"from a pipe")
    assert run.exit_code == 0, run.stderr
    place = trial.folder / "pipe.p7m"
    place.write_bytes(run.stdout)
    openssl_verifies(place, None)
    assert b"from a pipe" in run.stdout


def test_several_files_get_a_signature_each(trial: Trial) -> None:
    (trial.folder / "second.txt").write_text("second")
    answer = signed(trial, "document.txt", "second.txt")
    assert [file["output"] for file in answer["files"]] == ["document.txt.p7s", "second.txt.p7s"]
    for name in ("document.txt", "second.txt"):
        openssl_verifies(trial.folder / f"{name}.p7s", trial.folder / name)


def test_a_batch_that_the_card_ends_keeps_what_was_signed(trial: Trial) -> None:
    (trial.folder / "second.txt").write_text("second")
    run = trial.run("sign", "document.txt", *SOURCE, pin=PASSWORD)
    count = trial.card.exchange_count
    trial.card.faults = Faults(pull_before=2 * count + 1)  # the second file's signature
    run = trial.run("sign", "document.txt", "second.txt", "--force", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 8
    assert [file["input"] for file in run.error["files"]] == ["document.txt"]
    openssl_verifies(trial.folder / "document.txt.p7s", trial.folder / "document.txt")
    assert not (trial.folder / "second.txt.p7s").exists()


def test_what_exists_is_replaced_with_force_only_and_keeps_its_mode(trial: Trial) -> None:
    place = trial.folder / "out"
    place.write_text("old")
    place.chmod(0o640)
    run = trial.run("sign", "document.txt", "-o", "out", *SOURCE, pin=PASSWORD)
    trial.refused(run, "output-exists")
    signed(trial, "document.txt", "-o", "out", "--force")
    assert place.read_bytes()[:1] == b"\x30"
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def test_a_link_as_output_stays_a_link(trial: Trial) -> None:
    target = trial.folder / "target"
    target.write_text("old")
    (trial.folder / "link").symlink_to("target")
    signed(trial, "document.txt", "-o", "link", "--force")
    assert (trial.folder / "link").is_symlink()
    assert target.read_bytes()[:1] == b"\x30"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("absent.txt",), "input"),
        (("folder",), "input"),
        (("/dev/zero",), "input"),
        (("document.txt", "-o", "absent/out"), "output-refused"),
        (("document.txt", "-o", "folder"), "output-refused"),
        (("document.txt", "-o", ""), "output-refused"),
        (("document.txt", "-o", "document.txt", "--force"), "output-refused"),
        (("document.txt", "-o", "x" * 300), "output-refused"),
        (("document.txt", "document.txt"), "output-refused"),
        (("document.txt", "old.sig", "-o", "out"), "usage"),
        (("document.txt", "--attached", "--format", "raw"), "usage"),
        ((), "usage"),
    ],
)
def test_a_run_that_cannot_succeed_ends_before_the_card_is_touched(
    trial: Trial, arguments: tuple[str, ...], code: str
) -> None:
    (trial.folder / "folder").mkdir(exist_ok=True)
    run = trial.run("sign", *arguments, *SOURCE, pin=PASSWORD)
    trial.refused(run, code)


def test_pin_and_document_do_not_both_come_from_stdin(trial: Trial) -> None:
    for source in ("stdin", "fd:0"):
        run = trial.run("sign", "-", "--pin-from", source, stdin=b"x")
        trial.refused(run, "pin-source")


def test_an_expired_certificate_is_refused_unless_it_is_said_to_be_all_right(
    trial: Trial,
) -> None:
    def later() -> datetime:
        return datetime(2045, 1, 1, tzinfo=UTC)

    run = trial.run("sign", "document.txt", *SOURCE, pin=PASSWORD, clock=later)
    trial.refused(run, "certificate-expired", verifies=1)
    assert run.error["not_valid_after"].endswith("T14:59:59Z")
    signed(trial, "document.txt", "--allow-expired", clock=later)


def test_a_file_that_changes_while_the_person_types_is_warned_of(trial: Trial) -> None:
    class Typist(Person):
        def secret(self, prompt: str) -> str:
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and thread.daemon:
                    thread.join(30)  # the document has been hashed by now
            (trial.folder / "document.txt").write_text("something else")
            return super().secret(prompt)

    app = AppContext(load_emulator=lambda _path: trial.card, prompter=Typist([PASSWORD]))
    arguments = [*READER, "sign", "document.txt"]
    result = CliRunner().invoke(root, arguments, obj=app, env=ENVIRONMENT)
    assert result.exit_code == 0, result.stderr
    assert "document.txt changed while it was being signed" in result.stderr


def test_attached_content_that_changed_is_not_written(trial: Trial) -> None:
    class Typist(Person):
        def secret(self, prompt: str) -> str:
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and thread.daemon:
                    thread.join(30)
            (trial.folder / "document.txt").write_text("something else")
            return super().secret(prompt)

    app = AppContext(load_emulator=lambda _path: trial.card, prompter=Typist([PASSWORD]))
    arguments = [*READER, "sign", "document.txt", "--attached"]
    result = CliRunner().invoke(root, arguments, obj=app, env=ENVIRONMENT)
    assert result.exit_code == 2, result.stderr
    assert not list(trial.folder.glob("*.p7m"))
    assert not list(trial.folder.glob(".jpki-*"))
