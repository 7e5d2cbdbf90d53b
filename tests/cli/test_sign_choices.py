"""`jpki sign`: the format of a pipe, the hash of every format, and where XML over files may lie."""

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from support.cards import PASSWORD
from support.pdf import build, encrypted_pdf, one_page
from support.trial import Run, Trial

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
PDF = build(one_page())
XML = "<申請 id='A'><氏名>見本</氏名></申請>".encode()
NO_TEXT = os.fsdecode(b"\xff")
FORBIDDING = "--certify", "none"


@pytest.fixture
def desk(trial: Trial) -> Trial:
    (trial.folder / "contract.pdf").write_bytes(PDF)
    (trial.folder / "form.xml").write_bytes(XML)
    return trial


def sign(desk: Trial, *arguments: str, **more: Any) -> Run:
    run = desk.run("sign", *arguments, *SOURCE, pin=PASSWORD, **more)
    assert run.exit_code == 0, run.stderr
    return run


def verdict_of(desk: Trial, ca_folder: Path, *arguments: str) -> dict[str, Any]:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    (file,) = json.loads(desk.run("verify", *arguments, *trust).stdout)["files"]
    return dict(file)


# --- a pipe is signed as a file of the same content is ------------------------------------------

PIPES = {"pdf": PDF, "xml": XML, "cms": b"anything else", "asice": b""}


@pytest.fixture
def content(request: pytest.FixtureRequest, desk: Trial) -> bytes:
    if request.param != "asice":
        return PIPES[request.param]
    sign(desk, "--format", "asice", "document.txt", "-o", "one.asice")
    return (desk.folder / "one.asice").read_bytes()


@pytest.mark.parametrize(
    ("content", "form"), list(zip(PIPES, PIPES, strict=True)), indirect=["content"]
)
def test_the_format_of_the_standard_input_follows_its_content(
    desk: Trial, ca_folder: Path, content: bytes, form: str
) -> None:
    run = sign(desk, "-", stdin=content)
    (desk.folder / "signed").write_bytes(run.stdout)
    (desk.folder / "content").write_bytes(content)
    more = ("--content", "content") if form == "cms" else ()
    file = verdict_of(desk, ca_folder, "signed", *more)
    assert (file["format"], file["verdict"]) == (form, "passed")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(("name", "form"), [("pipe.pdf", "pdf"), ("pipe.txt", "cms")])
def test_the_format_of_a_named_pipe_follows_its_content(
    desk: Trial, ca_folder: Path, name: str, form: str
) -> None:
    pipe = desk.folder / name
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PIPES[form],), daemon=True)
    writer.start()
    run = sign(desk, name, "-o", "signed")
    writer.join(10)
    assert json.loads(run.stdout)["files"][0]["format"] == form
    (desk.folder / "content").write_bytes(PIPES[form])
    more = ("--content", "content") if form == "cms" else ()
    assert verdict_of(desk, ca_folder, "signed", *more)["verdict"] == "passed"


@pytest.mark.parametrize("form", [(), ("--format", "raw"), ("--attached",)])
def test_a_long_pipe_is_signed_to_its_last_byte(
    desk: Trial, ca_folder: Path, form: tuple[str, ...]
) -> None:
    content = bytes(range(256)) * 20_000
    run = sign(desk, "-", *form, stdin=content)
    (desk.folder / "content").write_bytes(content)
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify"]
    command += ["-content", str(desk.folder / "content")] * (form == ())
    if form == ("--format", "raw"):
        key = desk.folder / "signer.pem"
        desk.run("cert", "export", "sign", "-o", str(key), *SOURCE, pin=PASSWORD)
        public = subprocess.run(
            ["openssl", "x509", "-in", str(key), "-noout", "-pubkey"],
            capture_output=True, check=True,
        )  # fmt: skip
        (desk.folder / "key").write_bytes(public.stdout)
        (desk.folder / "sig").write_bytes(run.stdout)
        command = ["openssl", "dgst", "-sha256", "-verify", str(desk.folder / "key")]
        command += ["-signature", str(desk.folder / "sig"), str(desk.folder / "content")]
    subprocess.run(command, input=run.stdout, capture_output=True, check=True)


@pytest.mark.parametrize(
    ("content", "options", "fault"),
    [
        (b"%PDF-1.7 and nothing else", (), "pdf-broken"),
        (b"no PDF", ("--format", "pdf"), "not-pdf"),
        (b"", ("--format", "pdf"), "empty"),
        (b"<a><b></a>", (), "xml-malformed"),
        (b"<a id='1'><b id='1'/></a>", ("--reference", "#1"), "duplicate-id"),
        (b"", ("--format", "xml"), "empty"),
    ],
)
def test_what_comes_through_a_pipe_is_refused_before_the_card_too(
    desk: Trial, content: bytes, options: tuple[str, ...], fault: str
) -> None:
    run = desk.run("sign", "-", *options, *SOURCE, pin=PASSWORD, stdin=content)
    desk.refused(run, "document")
    assert run.error["fault"] == fault
    assert desk.card.exchange_count == 0


def test_a_pdf_that_forbids_more_signatures_is_refused_through_a_pipe_too(desk: Trial) -> None:
    sign(desk, "contract.pdf", *FORBIDDING)
    verifies = desk.card.verify_count
    certified = (desk.folder / "contract-signed.pdf").read_bytes()
    run = desk.run("sign", "-", *SOURCE, pin=PASSWORD, stdin=certified)
    desk.refused(run, "document", verifies=verifies)
    assert run.error["fault"] == "pdf-forbids-signatures"


# --- the hash -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("contract.pdf", "pdf"),
        ("document.txt", "jws"),
        ("form.xml", "xml"),
        ("document.txt", "cms"),
        ("document.txt", "asice"),
    ],
)
def test_every_format_is_signed_with_the_hash_that_was_asked_for(
    desk: Trial, ca_folder: Path, name: str, form: str, hash_name: str
) -> None:
    sign(desk, name, "--format", form, "--hash", hash_name, "-o", "signed")
    more = ("--content", name) if form == "cms" else ()
    file = verdict_of(desk, ca_folder, "signed", *more)
    assert (file["format"], file["verdict"]) == (form, "passed")
    assert file["signatures"][0]["hash"] == hash_name


def test_other_programs_see_that_hash(desk: Trial) -> None:
    sign(desk, "contract.pdf", "--hash", "sha512")
    shown = subprocess.run(
        ["pdfsig", str(desk.folder / "contract-signed.pdf")], capture_output=True, check=False
    ).stdout.decode()
    assert "Signature is Valid" in shown
    assert "SHA-512" in shown


@pytest.mark.parametrize("profile", ["touki", "egov"])
def test_a_form_that_has_one_hash_takes_no_other(desk: Trial, profile: str) -> None:
    run = desk.run("sign", "contract.pdf", "--profile", profile, "--hash", "sha512", *SOURCE)
    desk.refused(run, "usage")
    assert "SHA-256" in run.stderr


# --- XML over files lies beside them ------------------------------------------------------------


@pytest.fixture
def folders(desk: Trial) -> Trial:
    for name in ("here", "there"):
        (desk.folder / name).mkdir()
        (desk.folder / name / f"{name}.txt").write_text(name)
    return desk


DETACHED = ("--format", "xml", "--detached")


@pytest.mark.parametrize("output", ["there/signed.xml", "signed.xml", "here/../signed.xml"])
def test_xml_over_files_is_refused_in_another_folder(folders: Trial, output: str) -> None:
    run = folders.run("sign", "here/here.txt", *DETACHED, "-o", output, *SOURCE, pin=PASSWORD)
    folders.refused(run, "output-refused")
    assert run.error["fault"] == "not-beside"
    assert folders.card.exchange_count == 0


def test_files_of_several_folders_can_have_no_xml_beside_all_of_them(folders: Trial) -> None:
    files = ("here/here.txt", "there/there.txt")
    for output in ((), ("-o", "here/signed.xml")):
        folders.refused(folders.run("sign", *files, *DETACHED, *output, *SOURCE), "usage")


@pytest.mark.parametrize("output", [(), ("-o", "here/signed.xml"), ("-o", "there/../here/x.xml")])
def test_xml_over_files_verifies_where_it_was_put(
    folders: Trial, ca_folder: Path, output: tuple[str, ...]
) -> None:
    answer = json.loads(sign(folders, "here/here.txt", *DETACHED, *output).stdout)
    name = answer["files"][0]["output"]
    assert verdict_of(folders, ca_folder, name)["verdict"] == "passed"


def test_xml_over_files_on_the_standard_output_goes_wherever_it_is_put(
    folders: Trial, ca_folder: Path
) -> None:
    run = sign(folders, "here/here.txt", *DETACHED, "-o", "-")
    (folders.folder / "here" / "x.xml").write_bytes(run.stdout)
    assert verdict_of(folders, ca_folder, "here/x.xml")["verdict"] == "passed"


def test_an_application_to_egov_lies_beside_its_files_too(folders: Trial) -> None:
    structure = "<DataRoot><構成情報 ID='x'/></DataRoot>"
    (folders.folder / "here" / "kousei.xml").write_text(structure, encoding="utf-8")
    egov = ("--profile", "egov")
    files = ("here/kousei.xml", "there/there.txt")
    folders.refused(folders.run("sign", *files, *egov, *SOURCE), "output-refused")
    sign(folders, "here/kousei.xml", "here/here.txt", *egov)
    assert (folders.folder / "here" / "kousei-signed.xml").exists()


def test_xml_that_auto_finds_lies_beside_its_files_too(folders: Trial) -> None:
    (folders.folder / "here" / "form.xml").write_bytes(XML)
    auto = ("--detached", *SOURCE)
    folders.refused(
        folders.run("sign", "here/form.xml", *auto, "-o", "there/x.xml", pin=PASSWORD),
        "output-refused",
    )
    folders.refused(folders.run("sign", "-", *auto, pin=PASSWORD, stdin=XML), "usage")
    assert folders.card.exchange_count == 0


@pytest.mark.parametrize("options", [DETACHED, ("--profile", "egov")])
def test_xml_over_a_file_whose_name_is_no_text_is_refused_before_the_card(
    desk: Trial, options: tuple[str, ...]
) -> None:
    structure = "<DataRoot><構成情報 ID='x'/></DataRoot>"
    (desk.folder / "kousei.xml").write_text(structure, encoding="utf-8")
    name = f"{NO_TEXT}.txt"
    (desk.folder / name).write_text("x")
    run = desk.run("sign", "kousei.xml", name, *options, *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert desk.card.exchange_count == 0


def test_a_container_takes_no_file_without_a_name(desk: Trial) -> None:
    container = ("--format", "asice", "-o", "out.asice", *SOURCE)
    for files in (("-",), ("document.txt", "-")):
        run = desk.run("sign", *files, *container, pin=PASSWORD, stdin=b"nameless")
        desk.refused(run, "usage")
    assert desk.card.exchange_count == 0


# --- what is refused before the card ------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("contract.pdf", "--detached"),
        ("document.txt", "--format", "asice", "--detached"),
        ("document.txt", "--attached", "--detached"),
        ("form.xml", "--detached", "--reference", "#A"),
        ("form.xml", "--format", "xml", "--detached", "--parent", "/*"),
        ("form.xml", "--profile", "egov", "--detached"),
        ("form.xml", "--profile", "egov", "--reference", "#A"),
    ],
    ids=" ".join,
)
def test_what_contradicts_detached_is_refused_rather_than_passed_over(
    desk: Trial, arguments: tuple[str, ...]
) -> None:
    run = desk.run("sign", *arguments, *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert desk.card.exchange_count == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:0/",
        "http://exa mple/",
        "http://127.0.0.1:9/時刻",
        "http://tsa..example/",
        f"http://{NO_TEXT}/",
    ],
)
def test_an_address_that_no_server_can_have_is_refused_before_the_card(
    desk: Trial, url: str
) -> None:
    run = desk.run("sign", "document.txt", "--tsa", url, *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert desk.card.exchange_count == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("contract.pdf", ("--reason", NO_TEXT)),
        ("contract.pdf", ("--location", NO_TEXT)),
        ("form.xml", ("--parent", f"//{NO_TEXT}")),
        ("form.xml", ("--reference", "#A", "--id-attr", NO_TEXT)),
    ],
    ids=lambda value: str(value[0]),
)
def test_a_word_that_is_no_text_is_refused_before_the_card(
    desk: Trial, name: str, options: tuple[str, ...]
) -> None:
    run = desk.run("sign", name, *options, *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert options[-2] in run.error["message"]
    run = desk.run("verify", name, "--id-attr", NO_TEXT)
    assert (run.exit_code, run.error["code"]) == (2, "usage")


def test_a_user_of_a_timestamp_server_with_a_colon_is_refused_before_the_card(
    desk: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPKI_TSA_USER", "a:b")
    tsa = ("--tsa", "http://127.0.0.1:9/")
    run = desk.run("sign", "document.txt", *tsa, *SOURCE, pin=PASSWORD)
    desk.refused(run, "usage")
    assert desk.card.exchange_count == 0


@pytest.mark.parametrize("reference", [(), ("--reference", "#A")])
def test_xml_in_which_no_signature_has_a_canonical_form_is_refused_before_the_card(
    desk: Trial, reference: tuple[str, ...]
) -> None:
    text = "<r xml:base='http://example.jp/'><a id='A' xml:base='x'/></r>"
    (desk.folder / "base.xml").write_text(text)
    run = desk.run("sign", "base.xml", "--c14n", "c14n11", *reference, *SOURCE, pin=PASSWORD)
    assert (run.exit_code, run.error["fault"]) == (2, "xml-not-canonical")
    assert desk.card.exchange_count == 0


def test_pdfs_with_passwords_of_their_own_are_signed_with_one_pin(
    desk: Trial, ca_folder: Path
) -> None:
    for name in ("alpha", "beta"):
        (desk.folder / f"{name}.pdf").write_bytes(encrypted_pdf(name))
    (desk.folder / "again.pdf").write_bytes(encrypted_pdf("alpha"))
    files = ("alpha.pdf", "beta.pdf", "again.pdf")
    run = desk.run("sign", *files, answers=["alpha", "beta", PASSWORD])
    assert run.exit_code == 0, run.stderr
    asked = ["Password of alpha.pdf: ", "Password of beta.pdf: "]
    assert desk.person.questions[:2] == asked  # and not of one that a known one opens
    for name, password in zip(files, ("alpha", "beta", "alpha"), strict=True):
        (desk.folder / "secret").write_text(password)
        signed = name.replace(".pdf", "-signed.pdf")
        secret = ("--pdf-password-from", "file:secret")
        assert verdict_of(desk, ca_folder, signed, *secret)["verdict"] == "passed"
