"""`jpki sign` and `jpki verify`: names that collide, names that are missing, and `-` everywhere."""

import json
from pathlib import Path

import pytest
from support.cards import PASSWORD
from support.pdf import build, one_page
from support.pki import PKI_DIR
from support.trial import Trial

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
KOUSEI = "<DataRoot><構成情報 ID='構成情報'/><署名情報/></DataRoot>"


@pytest.fixture
def desk(trial: Trial) -> Trial:
    for folder in ("one", "two"):
        (trial.folder / folder).mkdir()
        (trial.folder / folder / "same.txt").write_text(folder)
    (trial.folder / "kousei.xml").write_text(KOUSEI, encoding="utf-8")
    (trial.folder / "contract.pdf").write_bytes(build(one_page()))
    return trial


@pytest.fixture
def trust(ca_folder: Path) -> tuple[str, str]:
    return "--trust", str(ca_folder / "signature-ca.pem")


@pytest.mark.parametrize(
    "options", [("--format", "xml", "--detached"), ("--profile", "egov", "kousei.xml")]
)
def test_xml_over_two_files_of_one_name_is_refused_since_one_would_not_be_signed(
    desk: Trial, options: tuple[str, ...]
) -> None:
    names = ("one/same.txt", "two/same.txt")
    run = desk.run("sign", *options, *names, "-o", "out.xml", *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert "same.txt" in run.error["message"]
    assert desk.card.exchange_count == 0
    run = desk.run("sign", *options, names[0], "-o", "one/out.xml", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 0, run.stderr


def test_xml_over_the_standard_input_is_refused_since_it_has_no_name(desk: Trial) -> None:
    options = ("--format", "xml", "--detached", *SOURCE)
    run = desk.run("sign", *options, "-", pin=PASSWORD, stdin=b"x")
    desk.refused(run, "usage")


def test_the_document_of_a_batch_that_cannot_be_signed_is_named(desk: Trial) -> None:
    (desk.folder / "bad.pdf").write_bytes(b"%PDF-1.7\nbroken")
    run = desk.run("sign", "contract.pdf", "bad.pdf", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 2
    assert run.error["code"] == "document"
    assert run.error["input"] == "bad.pdf"
    assert run.error["message"].startswith("bad.pdf: ")
    assert "jpki: bad.pdf: " in run.stderr
    assert desk.card.exchange_count == 0


def test_a_detached_jws_finds_its_document_beside_it_and_an_attached_one_needs_none(
    desk: Trial, trust: tuple[str, str]
) -> None:
    jws = ("sign", "--format", "jws", "document.txt", *SOURCE)
    assert desk.run(*jws, "--detached", pin=PASSWORD).exit_code == 0
    run = desk.run("verify", "document.txt.jws", *trust)
    assert run.exit_code == 0
    assert json.loads(run.stdout)["files"][0]["content"] == "document.txt"
    assert desk.run(*jws, "--force", pin=PASSWORD).exit_code == 0
    (desk.folder / "document.txt").write_text("written on after signing")
    run = desk.run("verify", "document.txt.jws", *trust)
    assert run.exit_code == 0
    assert json.loads(run.stdout)["files"][0]["content"] is None


def test_what_is_extracted_goes_to_stdout_alone_and_the_verdict_to_stderr(
    desk: Trial, trust: tuple[str, str]
) -> None:
    run = desk.run("sign", "document.txt", "--attached", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 0, run.stderr
    document = (desk.folder / "document.txt").read_bytes()
    run = desk.run("verify", "document.txt.p7m", *trust, "--extract", "-")
    assert (run.exit_code, run.stdout) == (0, document)
    assert "document.txt.p7m: passed" in run.stderr
    damaged = bytearray((desk.folder / "document.txt.p7m").read_bytes())
    damaged[damaged.index(b"a document")] ^= 1
    (desk.folder / "document.txt.p7m").write_bytes(damaged)
    run = desk.run("verify", "document.txt.p7m", *trust, "--extract", "-")
    assert (run.exit_code, len(run.stdout)) == (10, 0)
    assert "document.txt.p7m: FAILED" in run.stderr
    assert not (desk.folder / "-").exists()


def test_the_report_goes_to_stdout_if_nothing_else_does(
    desk: Trial, trust: tuple[str, str]
) -> None:
    assert desk.run("sign", "document.txt", *SOURCE, pin=PASSWORD).exit_code == 0
    run = desk.run("verify", "document.txt.p7s", *trust, "--report", "-")
    assert run.exit_code == 0
    assert run.stdout.startswith(b"<!DOCTYPE html>")
    run = desk.run("verify", "document.txt.p7s", "--report", "-", "--extract", "-")
    assert (run.exit_code, run.error["code"]) == (2, "usage")


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (("sign", "-"), SOURCE),
        (("sign", "contract.pdf"), ("--pin-from", "stdin")),
        (("verify", "-"), ()),
        (("verify", "contract.pdf", "--content", "-"), ()),
    ],
)
def test_the_password_of_a_pdf_does_not_share_the_standard_input(
    desk: Trial, command: tuple[str, ...], more: tuple[str, ...]
) -> None:
    options = ("--pdf-password-from", "stdin", *more)
    run = desk.run(*command, *options, pin=PASSWORD, stdin=b"secret\n")
    assert run.exit_code == 2
    assert run.error["code"] == "pin-source"
    assert desk.card.exchange_count == 0


@pytest.mark.parametrize("url", ["ftp://tsa.example/", "file:///etc/hosts", "tsa.example"])
def test_an_address_that_is_no_timestamp_server_is_refused_before_the_card(
    desk: Trial, url: str
) -> None:
    run = desk.run("sign", "document.txt", "--tsa", url, *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert desk.card.exchange_count == 0


@pytest.mark.parametrize("option", ["--report", "--extract"])
@pytest.mark.parametrize("target", ["document.txt", "document.txt.p7s", "signer.pem"])
def test_nothing_that_was_read_is_overwritten_even_by_force(
    desk: Trial, option: str, target: str
) -> None:
    assert desk.run("sign", "document.txt", *SOURCE, pin=PASSWORD).exit_code == 0
    (desk.folder / "signer.pem").write_bytes((PKI_DIR / "signature.pem").read_bytes())
    before = (desk.folder / target).read_bytes()
    others = ("--certificate", "signer.pem", option, target, "--force")
    run = desk.run("verify", "document.txt.p7s", *others)
    assert (run.exit_code, run.error["code"]) == (2, "output-refused")
    assert (desk.folder / target).read_bytes() == before
