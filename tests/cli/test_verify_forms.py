"""`jpki verify`: the words of --format, many files at once, the page for people."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from support import pdf
from support.by_pyhanko import signed_pdf
from support.cards import PASSWORD
from support.cms import DOCUMENT, Forgery, signed_data
from support.pki import AT, PKI_DIR, load, load_key
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


def test_of_a_bare_signature_that_does_not_fit_it_is_said_what_that_may_mean(
    signed: Trial, ca_folder: Path
) -> None:
    raw = ("--format", "raw", "--hash", "sha384", "-o", "bare.sig")
    signed.run("sign", "document.txt", *raw, *SOURCE, pin=PASSWORD)
    signed.run("cert", "export", "sign", "-o", "signer.pem", *SOURCE, pin=PASSWORD)
    files = ("--content", "document.txt", "--certificate", "signer.pem", *trusting(ca_folder))
    run = signed.run("verify", "bare.sig", *files, as_json=False)
    assert run.exit_code == 10
    assert "another --hash" in run.stdout.decode()
    run = signed.run("verify", "bare.sig", *files, "--hash", "sha384", as_json=False)
    assert run.exit_code == 0
    assert "another --hash" not in run.stdout.decode()


def trusting(ca_folder: Path) -> tuple[str, str]:
    return "--trust", str(ca_folder / "signature-ca.pem")


def forged(signed: Trial, name: str = "forged.txt") -> str:
    """A signature beside a document that it is not over."""
    signature = (signed.folder / "document.txt.p7s").read_bytes()
    (signed.folder / f"{name}.p7s").write_bytes(signature)
    (signed.folder / name).write_bytes(b"another document")
    return f"{name}.p7s"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_is_not_there_takes_no_verdict_from_the_others(
    signed: Trial, ca_folder: Path, jobs: str
) -> None:
    files = ("document.txt.p7s", "missing.p7s", "document.txt.p7s")
    run = signed.run("verify", *files, "--jobs", jobs, *trusting(ca_folder))
    assert run.exit_code == 2
    first, missing, last = json.loads(run.stdout)["files"]
    assert (first["verdict"], last["verdict"]) == ("passed", "passed")
    assert (missing["file"], missing["verdict"]) == ("missing.p7s", None)
    assert missing["error"]["code"] == "input"
    assert missing["error"]["path"] == "missing.p7s"


def test_people_see_every_verdict_and_the_error_in_its_place(
    signed: Trial, ca_folder: Path
) -> None:
    files = ("document.txt.p7s", "missing.p7s", forged(signed))
    run = signed.run("verify", *files, *trusting(ca_folder), as_json=False)
    assert run.exit_code == 10
    lines = [line for line in run.stdout.decode().splitlines() if not line.startswith(" ")]
    assert [line.split(":")[0] for line in lines] == list(files)
    assert "passed" in lines[0]
    assert lines[1].startswith("missing.p7s: NOT VERIFIED: ")
    assert "FAILED" in lines[2]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_failure_is_worse_than_an_error_and_an_error_worse_than_what_is_undecided(
    signed: Trial, jobs: str
) -> None:
    undecided = "document.txt.p7s"  # without --trust
    for files, expected in {
        (undecided, undecided): 11,
        (undecided, "missing.p7s"): 2,
        ("missing.p7s", undecided, forged(signed)): 10,
        ("missing.p7s", "missing too.p7s"): 2,
    }.items():
        assert signed.run("verify", *files, "--jobs", jobs).exit_code == expected, files


def test_the_only_file_and_its_error_are_as_in_every_command(signed: Trial) -> None:
    run = signed.run("verify", "missing.p7s")
    signed.refused(run, "input", verifies=1)
    assert run.error["path"] == "missing.p7s"


def test_the_page_for_people_shows_the_error_in_its_place(signed: Trial, ca_folder: Path) -> None:
    files = ("document.txt.p7s", "missing.p7s")
    run = signed.run("verify", *files, *trusting(ca_folder), "--report", "page.html")
    assert run.exit_code == 2
    page = (signed.folder / "page.html").read_text(encoding="utf-8")
    assert page.index("document.txt.p7s") < page.index("missing.p7s") < page.index("NOT VERIFIED")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_server_that_fails_is_named_however_many_processes_there_are(
    signed: Trial, ca_folder: Path, jobs: str
) -> None:
    run = signed.run(
        "verify", "document.txt.p7s", "document.txt.p7s", "--jobs", jobs,
        *trusting(ca_folder), "--ocsp", "http://127.0.0.1:9/ocsp",
    )  # fmt: skip
    assert run.exit_code == 13
    for file in json.loads(run.stdout)["files"]:
        assert file["error"]["code"] == "server"
        assert file["error"]["url"] == "http://127.0.0.1:9/ocsp"


def test_ids_of_another_name_are_found_by_the_option(signed: Trial, ca_folder: Path) -> None:
    (signed.folder / "a.xml").write_text("<a><b Nr='7'>1</b></a>", encoding="utf-8")
    options = ("--reference", "#7", "--id-attr", "Nr")
    assert signed.run("sign", "a.xml", *options, *SOURCE, pin=PASSWORD).exit_code == 0

    def verdict(*more: str) -> str:
        run = signed.run("verify", "a-signed.xml", *trusting(ca_folder), *more)
        (file,) = json.loads(run.stdout)["files"]
        return str(file["verdict"])

    assert verdict("--id-attr", "Nr") == "passed"
    assert verdict() == "failed"
    assert verdict("--id-attr", "no name") == "failed"


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


def test_the_weakness_of_old_signatures_is_said_in_every_format(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = signed_pdf(pdf.build(pdf.one_page()), monkeypatch, md_algorithm="sha1")
    (trial.folder / "old.pdf").write_bytes(document)
    forgery = Forgery(digest_algorithm="sha1", signature_algorithm="sha1_rsa")
    (trial.folder / "old.p7s").write_bytes(signed_data(forgery))
    (trial.folder / "old").write_bytes(DOCUMENT)
    names = ("old.pdf", "old.p7s")
    common = ("--trust", str(PKI_DIR / "signature-ca.pem"), "--at", AT.isoformat())
    run = trial.run("verify", *names, *common)
    assert run.exit_code == 10
    for file in json.loads(run.stdout)["files"]:
        assert file["signatures"][0]["reasons"] == ["weak-algorithm"]
        assert file["signatures"][0]["hash"] == "sha1"
    run = trial.run("verify", *names, *common, "--allow-sha1", as_json=False)
    assert run.exit_code == 0
    assert run.stdout.decode().count("SHA-1") == len(names)


def signed_by(trial: Trial, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> str:
    """Who signed, in the words for people, and whether JSON says the same."""
    signature = signed_data(Forgery(certificate=certificate, key=key))
    (trial.folder / "x.p7s").write_bytes(signature)
    (trial.folder / "x").write_bytes(DOCUMENT)
    text = trial.run("verify", "x.p7s", as_json=False).stdout.decode()
    (line,) = [line for line in text.splitlines() if "signed by:" in line]
    (file,) = json.loads(trial.run("verify", "x.p7s").stdout)["files"]
    name = line.split("signed by:")[1].strip()
    assert file["signatures"][0]["signer"]["subject"] == name
    return name


def test_a_signer_who_is_no_holder_is_named_unless_the_name_is_a_card_s(trial: Trial) -> None:
    key = load_key("foreign-ca")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Mihon Seimei K.K.")])
    insurer = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(AT).not_valid_after(AT.replace(year=2030))
        .sign(key, SHA256())
    )  # fmt: skip
    assert signed_by(trial, insurer, key) == "CN=Mihon Seimei K.K."
    card = signed_by(trial, load("authentication"), load_key("authentication"))
    assert card.startswith("CN=***")


def test_a_name_turns_no_text_around_on_the_page(trial: Trial) -> None:
    name = "contract\u202efdp.p7s"
    (trial.folder / name).write_bytes(b"x")
    trial.run("verify", name, "--report", "page.html")
    page = (trial.folder / "page.html").read_text(encoding="utf-8")
    assert "\u202e" not in page
    assert "\\u202e" in page
