"""`jpki verify`: which document a signature is over, and what of it comes out."""

import json
import os
from pathlib import Path

import pytest
from support.cards import PASSWORD
from support.pdf import build, one_page
from support.trial import Run, Trial

from cli import verification_run

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
XML = "<申請 id='A'><氏名>見本</氏名></申請>"
OVER_FILES = ("--format", "xml", "--detached")
SIGNED = {  # a signed document that is no signature beside another one
    "contract-signed.pdf": ("contract.pdf",),
    "form-signed.xml": ("form.xml",),
    "one.asice": ("second.txt", "--format", "asice", "-o", "one.asice"),
}


@pytest.fixture
def desk(trial: Trial) -> Trial:
    (trial.folder / "contract.pdf").write_bytes(build(one_page()))
    (trial.folder / "form.xml").write_text(XML, encoding="utf-8")
    (trial.folder / "second.txt").write_text("second")
    return trial


@pytest.fixture
def trust(ca_folder: Path) -> tuple[str, str]:
    return "--trust", str(ca_folder / "signature-ca.pem")


def sign(desk: Trial, *arguments: str) -> None:
    run = desk.run("sign", *arguments, *SOURCE, pin=PASSWORD)
    assert run.exit_code == 0, run.stderr


def only(run: Run) -> dict[str, object]:
    (file,) = json.loads(run.stdout)["files"]
    return dict(file)


# --- which document it is over ------------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_document_is_no_signature_over_another_whatever_it_is_called(
    desk: Trial, trust: tuple[str, str], name: str
) -> None:
    sign(desk, *SIGNED[name])
    assert only(desk.run("verify", name, *trust))["verdict"] == "passed"
    for suffix in ("p7s", "jws"):
        (desk.folder / f"document.txt.{suffix}").write_bytes((desk.folder / name).read_bytes())
        run = desk.run("verify", f"document.txt.{suffix}", *trust)
        assert (run.exit_code, only(run)["verdict"]) == (10, "failed")


@pytest.mark.parametrize("name", SIGNED)
def test_a_document_is_not_said_to_be_signed_by_what_is_not_over_it(
    desk: Trial, trust: tuple[str, str], name: str
) -> None:
    sign(desk, *SIGNED[name])
    run = desk.run("verify", name, "--content", "document.txt", *trust)
    assert (run.exit_code, run.error["code"]) == (2, "usage")


def test_people_see_over_which_files_a_signature_in_xml_is(
    desk: Trial, trust: tuple[str, str]
) -> None:
    sign(desk, *OVER_FILES, "document.txt", "second.txt", "-o", "both.xml")
    text = desk.run("verify", "both.xml", *trust, as_json=False).stdout.decode()
    assert "document.txt, second.txt" in text


# --- what comes out -----------------------------------------------------------------------------


@pytest.mark.parametrize("files", [("document.txt",), ("document.txt", "second.txt")])
def test_of_xml_over_files_nothing_is_extracted_rather_than_an_empty_file(
    desk: Trial, trust: tuple[str, str], files: tuple[str, ...]
) -> None:
    sign(desk, *OVER_FILES, *files, "-o", "over.xml")
    run = desk.run("verify", "over.xml", *trust, "--extract", "out")
    assert (run.exit_code, run.error["code"]) == (2, "usage")
    assert not (desk.folder / "out").exists()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_a_document_that_comes_through_a_pipe_is_extracted_too(
    desk: Trial, trust: tuple[str, str]
) -> None:
    sign(desk, "document.txt")
    document = (desk.folder / "document.txt").read_bytes()
    reading, writing = os.pipe()
    os.write(writing, document)
    os.close(writing)
    try:
        pipe = ("--content", f"/dev/fd/{reading}")
        run = desk.run("verify", "document.txt.p7s", *pipe, *trust, "--extract", "out")
    finally:
        os.close(reading)
    assert (run.exit_code, only(run)["verdict"]) == (0, "passed")
    assert (desk.folder / "out").read_bytes() == document


@pytest.mark.parametrize(
    ("options", "changed"),
    [((), "document.txt"), (("--attached", "-o", "document.txt.p7s"), "document.txt.p7s")],
)
def test_a_document_that_changed_after_it_was_verified_does_not_come_out(
    desk: Trial,
    trust: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    changed: str,
) -> None:
    sign(desk, "document.txt", *options)
    verify = verification_run.verify_cms

    def verify_and_change(*arguments: object, **named: object) -> object:
        report = verify(*arguments, **named)  # type: ignore[arg-type]
        os.truncate(desk.folder / changed, 5)  # what is mapped would end the process
        return report

    monkeypatch.setattr(verification_run, "verify_cms", verify_and_change)
    run = desk.run("verify", "document.txt.p7s", *trust, "--extract", "out")
    assert (run.exit_code, run.error["code"]) == (2, "content-changed")
    assert not (desk.folder / "out").exists()


def test_what_is_called_a_bare_signature_is_not_read_without_end(
    desk: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(desk, "document.txt", "--format", "raw")
    run = desk.run("cert", "export", "sign", "-o", "signer.pem", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 0, run.stderr
    with (desk.folder / "document.txt.sig").open("r+b") as file:
        file.truncate(1 << 30)
    sizes: list[int] = []
    verify = verification_run.verify_raw

    def measured(signature: bytes, *arguments: object) -> object:
        sizes.append(len(signature))
        return verify(signature, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(verification_run, "verify_raw", measured)
    run = desk.run("verify", "document.txt.sig", "--certificate", "signer.pem")
    assert run.exit_code == 10
    assert max(sizes) < 1 << 20


def test_the_page_and_what_is_extracted_do_not_go_to_one_place(
    desk: Trial, trust: tuple[str, str]
) -> None:
    sign(desk, "document.txt", "--attached")
    both = ("--extract", "out", "--report", "./out", "--force")
    run = desk.run("verify", "document.txt.p7m", *trust, *both)
    assert (run.exit_code, run.error["code"]) == (2, "usage")
    assert not (desk.folder / "out").exists()


@pytest.mark.parametrize("option", ["--extract", "--report"])
def test_an_output_that_is_refused_is_called_by_its_own_option(desk: Trial, option: str) -> None:
    sign(desk, "document.txt")
    run = desk.run("verify", "document.txt.p7s", option, "nowhere/out")
    assert (run.error["code"], run.error["option"]) == ("output-refused", option)
    assert option in run.error["message"]


@pytest.mark.parametrize("option", ["--trust", "--crl", "--ocsp"])
def test_what_is_judged_with_is_not_overwritten_even_by_force(
    desk: Trial, ca_folder: Path, option: str
) -> None:
    sign(desk, "document.txt")
    (desk.folder / "given").write_bytes((ca_folder / "signature-ca.pem").read_bytes())
    before = (desk.folder / "given").read_bytes()
    run = desk.run("verify", "document.txt.p7s", option, "given", "--report", "given", "--force")
    assert run.error["code"] == "output-refused"
    assert (desk.folder / "given").read_bytes() == before


@pytest.mark.parametrize("option", ["--trust", "--certificate", "--crl", "--ocsp"])
def test_nothing_else_is_read_from_where_the_password_of_a_pdf_comes(
    desk: Trial, option: str
) -> None:
    secret = ("--pdf-password-from", "stdin")
    run = desk.run("verify", "contract.pdf", option, "-", *secret, stdin=b"secret\n")
    assert (run.exit_code, run.error["code"]) == (2, "pin-source")
