"""`jpki verify`: three states, and what was not checked."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.cards import HOLDER, PASSWORD
from support.trial import Run, Trial

from cli.verdict_words import NOT_CHECKED, REASONS
from jpki.certificates import Reason, Unchecked


@pytest.fixture
def signed(trial: Trial) -> Trial:
    """The desk with signatures of every kind on the document."""
    for options in ((), ("--attached",), ("--format", "raw")):
        run = trial.run(
            "sign", "document.txt", *options, "--pin-from", "env:JPKI_TEST_PIN", pin=PASSWORD
        )
        assert run.exit_code == 0
    trial.run(
        "cert", "export", "sign", "-o", "signer.pem", "--pin-from", "env:JPKI_TEST_PIN",
        pin=PASSWORD,
    )  # fmt: skip
    return trial


def signature_of(run: Run) -> dict[str, Any]:
    (file,) = json.loads(run.stdout)["files"]
    (signature,) = file["signatures"]
    return dict(signature)


def test_a_signature_passes_with_what_was_not_checked_beside_it(
    signed: Trial, ca_folder: Path
) -> None:
    run = signed.run("verify", "document.txt.p7s", "--trust", str(ca_folder / "signature-ca.pem"))
    assert run.exit_code == 0
    file = json.loads(run.stdout)["files"][0]
    assert (file["file"], file["verdict"]) == ("document.txt.p7s", "passed")
    signature = signature_of(run)
    assert signature["verdict"] == "passed"
    assert signature["reasons"] == []
    assert signature["covers"] == "whole"
    assert signature["anchor"] == "test"
    assert signature["revocation"] == "not-checked"
    assert signature["signer"]["holder"]["name"] == HOLDER
    assert signature["signer"]["holder"]["address"] == "***"


def test_in_words_it_says_who_when_test_and_what_is_missing(signed: Trial, ca_folder: Path) -> None:
    run = signed.run(
        "verify", "document.txt.p7s", "--trust", str(ca_folder / "signature-ca.pem"), as_json=False
    )
    text = run.stdout.decode()
    assert HOLDER in text
    assert "TEST" in text
    assert "by the signer's own clock" in text
    assert "not checked:  revocation" in text
    assert "valid" not in text.replace("invalid", "").split("not checked")[0]


def test_attached_and_raw_pass_too(signed: Trial, ca_folder: Path) -> None:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    assert signed.run("verify", "document.txt.p7m", *trust).exit_code == 0
    raw = signed.run("verify", "document.txt.sig", "--certificate", "signer.pem", *trust)
    assert raw.exit_code == 0, raw.stderr
    assert signature_of(raw)["level"] == "raw"


def test_raw_without_a_certificate_cannot_be_asked_for(signed: Trial) -> None:
    run = signed.run("verify", "document.txt.sig")
    assert run.exit_code == 2
    assert "--certificate" in run.stderr


def test_without_an_anchor_it_is_undecided(signed: Trial) -> None:
    run = signed.run("verify", "document.txt.p7s")
    assert run.exit_code == 11
    assert signature_of(run)["reasons"] == ["no-anchor"]
    assert signature_of(run)["anchor"] is None


def test_another_document_fails(signed: Trial, ca_folder: Path) -> None:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = signed.run("verify", "document.txt.p7s", "--content", "old.sig", *trust)
    assert run.exit_code == 10
    assert signature_of(run)["reasons"] == ["digest-mismatch"]


def test_a_missing_document_fails_and_is_asked_for(signed: Trial) -> None:
    (signed.folder / "document.txt").unlink()
    run = signed.run("verify", "document.txt.p7s", as_json=False)
    assert run.exit_code == 10
    assert "--content FILE" in run.stdout.decode()


def test_the_worst_file_decides_and_failed_is_worse_than_undecided(signed: Trial) -> None:
    (signed.folder / "broken.p7s").write_bytes(b"nothing")
    run = signed.run("verify", "document.txt.p7s", "broken.p7s")
    assert run.exit_code == 10
    verdicts = [file["verdict"] for file in json.loads(run.stdout)["files"]]
    assert verdicts == ["indeterminate", "failed"]


@pytest.mark.parametrize(("time", "exit_code"), [("2100-01-01", 10), ("1999-12-31T00:00:00Z", 10)])
def test_the_time_of_the_check_can_be_given(
    signed: Trial, ca_folder: Path, time: str, exit_code: int
) -> None:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = signed.run("verify", "document.txt.p7s", "--at", time, *trust)
    assert run.exit_code == exit_code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("absent.p7s",), "input"),
        (("a" * 300 + ".p7s",), "input"),
        (("document.txt.p7s", "--trust", "document.txt"), "input"),
        (("document.txt.p7s", "--trust", "absent"), "input"),
        (("document.txt.p7s", "--at", "noon"), "usage"),
        (("document.txt.p7s", "--at", "0001-01-01"), "usage"),
        (("document.txt.p7s", "document.txt.p7m", "--content", "document.txt"), "usage"),
        (("-", "--content", "-"), "usage"),
        (("document.txt.p7s", "--content", "."), "input"),
    ],
)
def test_what_cannot_be_verified_at_all_is_bad_input(
    signed: Trial, arguments: tuple[str, ...], code: str
) -> None:
    run = signed.run("verify", *arguments)
    assert run.exit_code == 2
    assert run.error["code"] == code


def test_a_signature_comes_on_stdin(signed: Trial, ca_folder: Path) -> None:
    content = (signed.folder / "document.txt.p7s").read_bytes()
    run = signed.run(
        "verify", "-", "--content", "document.txt",
        "--trust", str(ca_folder / "signature-ca.pem"), stdin=content,
    )  # fmt: skip
    assert run.exit_code == 0


def test_every_reason_and_every_omission_has_its_words() -> None:
    assert set(REASONS) == set(Reason)
    assert set(NOT_CHECKED) == set(Unchecked)


@pytest.mark.parametrize("name", ["document.txt.p7s", "document.txt.p7m"])
def test_a_certificate_beside_a_cms_signature_does_not_make_it_a_raw_one(
    signed: Trial, ca_folder: Path, name: str
) -> None:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = signed.run("verify", name, *trust, "--certificate", "signer.pem")
    assert run.exit_code == 0
    assert signature_of(run)["level"] == "cades-b-b"
