"""`jpki verify`: the words of --format, many files at once, the page for people."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from support.cards import PASSWORD
from support.trial import Trial

from cli.signature_format import FORMAT_WORDS

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")


@pytest.fixture
def signed(trial: Trial) -> Trial:
    """The desk with a signature beside the document."""
    assert trial.run("sign", "document.txt", *SOURCE, pin=PASSWORD).exit_code == 0
    return trial


def test_verify_takes_every_format_that_sign_writes(signed: Trial) -> None:
    for word in FORMAT_WORDS:
        run = signed.run("verify", "document.txt.p7s", "--format", word, "--certificate", "none")
        signed.refused(run, "input", verifies=1)  # not for the word: for the certificate


@pytest.mark.parametrize("word", ["sig", "other"])
def test_verify_refuses_words_that_are_no_format(signed: Trial, word: str) -> None:
    signed.refused(signed.run("verify", "document.txt.p7s", "--format", word), "usage", verifies=1)


def test_a_bare_signature_of_any_name_is_verified_as_raw(signed: Trial, ca_folder: Path) -> None:
    raw = ("--format", "raw", "-o", "bare")
    signed.run("sign", "document.txt", *raw, *SOURCE, pin=PASSWORD)
    signed.run("cert", "export", "sign", "-o", "signer.pem", *SOURCE, pin=PASSWORD)
    run = signed.run(
        "verify", "bare", "--format", "raw", "--content", "document.txt",
        "--certificate", "signer.pem", "--trust", str(ca_folder / "signature-ca.pem"),
    )  # fmt: skip
    (file,) = json.loads(run.stdout)["files"]
    assert (file["format"], file["verdict"]) == ("raw", "passed")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_is_not_there_is_named_however_many_processes_there_are(
    signed: Trial, jobs: str
) -> None:
    run = signed.run("verify", "document.txt.p7s", "missing.p7s", "--jobs", jobs)
    signed.refused(run, "input", verifies=1)
    assert run.error["path"] == "missing.p7s"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_server_that_fails_is_named_however_many_processes_there_are(
    signed: Trial, ca_folder: Path, jobs: str
) -> None:
    run = signed.run(
        "verify", "document.txt.p7s", "document.txt.p7s", "--jobs", jobs,
        "--trust", str(ca_folder / "signature-ca.pem"), "--ocsp", "http://127.0.0.1:9/ocsp",
    )  # fmt: skip
    signed.refused(run, "server", verifies=1)
    assert run.error["url"] == "http://127.0.0.1:9/ocsp"


def test_the_standard_input_is_read_with_many_processes_too(signed: Trial, ca_folder: Path) -> None:
    run = signed.run("sign", "document.txt", "--attached", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 0
    attached = (signed.folder / "document.txt.p7m").read_bytes()
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = signed.run("verify", "document.txt.p7s", "-", *trust, "--jobs", "2", stdin=attached)
    assert [file["verdict"] for file in json.loads(run.stdout)["files"]] == ["passed"] * 2


def test_the_page_says_that_a_test_card_signs_for_nobody(signed: Trial, ca_folder: Path) -> None:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = signed.run("verify", "document.txt.p7s", *trust, "--report", "page.html")
    assert run.exit_code == 0
    page = (signed.folder / "page.html").read_text(encoding="utf-8")
    assert "<strong>passed the checks that were made, but it is a TEST card&#x27;s" in page


def test_no_process_outlives_the_one_that_began_it(tmp_path: Path) -> None:
    pipes = [tmp_path / "a.p7s", tmp_path / "b.p7s"]
    for pipe in pipes:
        os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()",
         "verify", "--jobs", "2", *map(str, pipes)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as parent:  # fmt: skip
        with pipes[0].open("wb"):  # opens once a child reads, and keeps it waiting
            parent.kill()
            assert parent.stdout is not None
            ended, _, _ = select.select([parent.stdout], [], [], 20)
        assert ended, "a child still holds the standard output"
        assert parent.stdout.read() == b""
