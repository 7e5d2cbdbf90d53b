"""`jpki sign` in every format, as a person uses it; programs that are not ours judge."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.cards import PASSWORD
from support.pdf import build, encrypted_pdf, one_page
from support.pki import PKI_DIR
from support.trial import Trial
from support.tsa import running_tsa

from cli.touki_view import RULES
from jpki.emulator import Faults
from jpki.verification.pdf_touki import ToukiRule

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
XML = '<?xml version="1.0" encoding="UTF-8"?>\n<申請 id="A"><氏名>見本</氏名></申請>\n'


@pytest.fixture
def desk(trial: Trial) -> Trial:
    """A desk with a document of each kind."""
    (trial.folder / "contract.pdf").write_bytes(build(one_page()))
    (trial.folder / "form.xml").write_text(XML, encoding="utf-8")
    (trial.folder / "second.txt").write_text("second")
    return trial


def sign(desk: Trial, *arguments: str, **more: Any) -> dict[str, Any]:
    run = desk.run("sign", *arguments, *SOURCE, pin=PASSWORD, **more)
    assert run.exit_code == 0, run.stderr
    return dict(json.loads(run.stdout))


def verdicts(desk: Trial, ca_folder: Path, *arguments: str) -> list[dict[str, Any]]:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = desk.run("verify", *arguments, *trust)
    files: list[dict[str, Any]] = json.loads(run.stdout)["files"]
    return files


def judge(*command: str | Path) -> str:
    run = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode() + run.stderr.decode()


def test_auto_takes_the_format_of_the_content_and_all_judges_agree(desk, ca_folder) -> None:
    answer = sign(desk, "contract.pdf", "form.xml", "document.txt")
    assert [(file["output"], file["format"]) for file in answer["files"]] == [
        ("contract-signed.pdf", "pdf"),
        ("form-signed.xml", "xml"),
        ("document.txt.p7s", "cms"),
    ]
    assert "Signature is Valid" in judge("pdfsig", desk.folder / "contract-signed.pdf")
    ca = ca_folder / "signature-ca.pem"
    judge("xmlsec1", "--verify", "--trusted-pem", ca, desk.folder / "form-signed.xml")
    judge(
        *("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-CAfile", ca),
        *("-in", desk.folder / "document.txt.p7s", "-content", desk.folder / "document.txt"),
    )
    files = verdicts(desk, ca_folder, *(file["output"] for file in answer["files"]))
    assert [(file["format"], file["verdict"]) for file in files] == [
        ("pdf", "passed"),
        ("xml", "passed"),
        ("cms", "passed"),
    ]
    levels = [file["signatures"][0]["level"] for file in files]
    assert levels == ["pades-b-b", "xades-b-b", "cades-b-b"]
    assert {file["signatures"][0]["covers"] for file in files} == {"whole"}


def test_a_container_holds_all_files_under_one_signature(desk, ca_folder) -> None:
    before = desk.card.exchange_count
    answer = sign(desk, "--format", "asice", "document.txt", "second.txt", "-o", "both.asice")
    one = desk.card.exchange_count - before
    assert answer["files"][0]["inputs"] == ["document.txt", "second.txt"]
    (file,) = verdicts(desk, ca_folder, "both.asice")
    assert (file["format"], file["verdict"]) == ("asice", "passed")
    before = desk.card.exchange_count
    sign(desk, "document.txt")
    assert one == desk.card.exchange_count - before  # one signature, whatever the files


def test_a_container_gets_one_more_signature(desk, ca_folder) -> None:
    sign(desk, "--format", "asice", "document.txt", "-o", "one.asice")
    answer = sign(desk, "one.asice")
    assert (answer["files"][0]["format"], answer["files"][0]["output"]) == (
        "asice",
        "one-signed.asice",
    )
    (file,) = verdicts(desk, ca_folder, "one-signed.asice")
    assert file["verdict"] == "passed"
    assert len(file["signatures"]) == 2
    run = desk.run(
        "sign", "--format", "asice", "document.txt", "document.txt", *SOURCE, pin=PASSWORD
    )
    assert run.error["code"] == "document"


@pytest.mark.parametrize("detached", [False, True])
def test_a_jws_is_compact_and_verifies(desk, ca_folder, detached) -> None:
    option = ("--detached",) if detached else ()
    sign(desk, "--format", "jws", "document.txt", *option)
    text = (desk.folder / "document.txt.jws").read_text()
    assert (text.split(".")[1] == "") is detached
    content = ("--content", "document.txt") if detached else ()
    (file,) = verdicts(desk, ca_folder, "document.txt.jws", *content)
    assert (file["format"], file["verdict"]) == ("jws", "passed")


def test_xml_over_files_finds_them_in_its_folder(desk, ca_folder) -> None:
    files = ("document.txt", "second.txt")
    sign(desk, "--format", "xml", "--detached", *files, "-o", "both.xml")
    assert verdicts(desk, ca_folder, "both.xml")[0]["verdict"] == "passed"
    (desk.folder / "second.txt").write_text("changed")
    assert verdicts(desk, ca_folder, "both.xml")[0]["verdict"] == "failed"


def test_touki_is_the_form_that_the_legal_affairs_bureau_takes(desk, ca_folder) -> None:
    sign(desk, "contract.pdf", "--profile", "touki")
    text = judge("pdfsig", desk.folder / "contract-signed.pdf")
    assert "adbe.pkcs7.detached" in text
    (file,) = verdicts(desk, ca_folder, "contract-signed.pdf")
    assert (file["verdict"], file["signatures"][0]["level"]) == ("passed", "pdf")


def test_the_rules_of_touki_are_told_one_by_one(desk, ca_folder) -> None:
    sign(desk, "contract.pdf", "--profile", "touki", "-o", "touki.pdf")
    sign(desk, "contract.pdf", "-o", "pades.pdf")
    (good,) = verdicts(desk, ca_folder, "touki.pdf", "--profile", "touki")
    assert (good["verdict"], good["touki"]["passed"]) == ("passed", True)
    (bad,) = verdicts(desk, ca_folder, "pades.pdf", "--profile", "touki")
    assert (bad["verdict"], bad["touki"]["passed"]) == ("failed", False)
    refused = [rule["rule"] for rule in bad["touki"]["rules"] if not rule["passed"]]
    assert refused == ["subfilter", "name"]
    assert all(rule["rule"] in RULES for rule in bad["touki"]["rules"])
    assert {rule.value for rule in ToukiRule} == set(RULES)


def test_pem_is_what_openssl_reads_as_pem(desk) -> None:
    sign(desk, "document.txt", "--pem")
    sign(desk, "second.txt", "--pem", "--attached")
    common = ("openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "PEM")
    content = ("-content", desk.folder / "document.txt")
    assert "successful" in judge(*common, "-in", desk.folder / "document.txt.p7s", *content)
    assert "second" in judge(*common, "-in", desk.folder / "second.txt.p7m")


@pytest.mark.parametrize("name", ["document.txt", "contract.pdf"], ids=["CAdES", "PAdES"])
def test_a_timestamp_server_that_answers_makes_it_level_t(desk, ca_folder, name, tmp_path) -> None:
    with running_tsa(tmp_path / "tsa", at=datetime.now(UTC)) as server:
        answer = sign(desk, name, "--tsa", server.url())
    output = answer["files"][0]["output"]
    authority = ("--trust", str(PKI_DIR / "signature-ca.pem"))
    (file,) = verdicts(desk, ca_folder, output, *authority)
    (signature,) = file["signatures"]
    assert file["verdict"] == "passed"
    assert signature["level"] in {"cades-b-t", "pades-b-t"}
    assert signature["timestamp"]["verdict"] == "passed"


def test_without_its_timestamp_nothing_is_written_unless_it_was_optional(desk) -> None:
    dead = "http://127.0.0.1:9/tsa"
    run = desk.run("sign", "document.txt", "--tsa", dead, *SOURCE, pin=PASSWORD)
    assert run.exit_code == 13
    assert run.error["code"] == "server"
    assert not (desk.folder / "document.txt.p7s").exists()
    before = desk.card.exchange_count
    optional = ("--tsa", dead, "--tsa-optional")
    run = desk.run("sign", "document.txt", *optional, *SOURCE, pin=PASSWORD)
    assert run.exit_code == 0
    assert "without timestamp" in run.stderr
    with_optional = desk.card.exchange_count - before
    before = desk.card.exchange_count
    sign(desk, "document.txt", "--force")
    assert with_optional == desk.card.exchange_count - before  # the card was not asked twice


@pytest.mark.parametrize(
    ("name", "content", "options", "fault"),
    [
        ("x.pdf", b"no pdf at all", ("--format", "pdf"), "not-pdf"),
        ("x.pdf", b"", ("--format", "pdf"), "empty"),
        ("x.xml", b"<a><b></a>", (), "xml-malformed"),
        ("x.xml", b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', ("--format", "xml"), None),
        ("x.xml", b"<a id='1'><b id='1'/></a>", ("--reference", "#1"), "duplicate-id"),
    ],
)
def test_a_document_that_cannot_be_signed_is_refused_before_the_card(
    desk, name, content, options, fault
) -> None:
    (desk.folder / name).write_bytes(content)
    run = desk.run("sign", name, *options, *SOURCE, pin=PASSWORD)
    assert run.exit_code == 2, run.stdout
    assert run.error["code"] == "document"
    if fault is not None:
        assert run.error["fault"] == fault
    assert desk.card.exchange_count == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--format", "raw", "--attached"),
        ("--format", "pdf", "--profile", "egov"),
        ("--level", "T"),
        ("--level", "B", "--tsa", "http://127.0.0.1:9"),
        ("--tsa-optional",),
        ("--tsa", "not a url"),
        ("--stamp-text", "x"),
        ("--stamp", "nowhere"),
        ("--reference", "A"),
        ("--prefix", "1"),
        ("--reason", "x"),
        ("--id-attr", "x"),
        ("--format", "raw", "--tsa", "http://127.0.0.1:9"),
    ],
    ids=" ".join,
)
def test_options_that_contradict_each_other_are_a_usage_error(desk, options) -> None:
    run = desk.run("sign", "document.txt", *options, *SOURCE, pin=PASSWORD)
    assert run.exit_code == 2
    assert run.error["code"] == "usage"
    assert desk.card.exchange_count == 0


def test_the_password_of_an_encrypted_pdf_is_asked_for_before_the_pin(desk, ca_folder) -> None:
    (desk.folder / "locked.pdf").write_bytes(encrypted_pdf("himitsu"))
    run = desk.run("sign", "locked.pdf", *SOURCE, pin=PASSWORD)
    desk.refused(run, "document")
    run = desk.run("sign", "locked.pdf", answers=["wrong", "himitsu", PASSWORD])
    assert run.exit_code == 0, run.stderr
    first, second, third = desk.person.questions
    assert first == second == "Password of locked.pdf: "
    assert "署名用パスワード" in third
    (desk.folder / "secret").write_text("himitsu\n")
    secret = ("--pdf-password-from", "file:secret")
    assert sign(desk, "locked.pdf", "--force", *secret)["files"][0]["format"] == "pdf"
    (file,) = verdicts(desk, ca_folder, "locked-signed.pdf", *secret)
    assert file["verdict"] == "passed"
    (file,) = verdicts(desk, ca_folder, "locked-signed.pdf")
    assert (file["verdict"], file["reasons"]) == ("indeterminate", ["encrypted"])


def test_a_batch_of_formats_that_the_card_ends_keeps_what_was_finished(desk) -> None:
    sign(desk, "document.txt")
    count = desk.card.exchange_count
    desk.card.faults = Faults(pull_before=2 * count + 1)
    run = desk.run("sign", "contract.pdf", "form.xml", *SOURCE, pin=PASSWORD)
    assert run.exit_code == 8
    assert [file["output"] for file in run.error["files"]] == ["contract-signed.pdf"]
    assert "Signature is Valid" in judge("pdfsig", desk.folder / "contract-signed.pdf")
    assert not (desk.folder / "form-signed.xml").exists()


def test_extract_writes_exactly_what_was_signed(desk, ca_folder) -> None:
    sign(desk, "document.txt", "--attached")
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = desk.run("verify", "document.txt.p7m", *trust, "--extract", "out.txt")
    assert run.exit_code == 0, run.stderr
    assert (desk.folder / "out.txt").read_bytes() == (desk.folder / "document.txt").read_bytes()
    damaged = bytearray((desk.folder / "document.txt.p7m").read_bytes())
    damaged[damaged.index(b"a document")] ^= 1
    (desk.folder / "damaged.p7m").write_bytes(damaged)
    run = desk.run("verify", "damaged.p7m", *trust, "--extract", "never.txt")
    assert run.exit_code == 10
    assert not (desk.folder / "never.txt").exists()


def test_the_report_is_a_page_that_loads_nothing_and_shows_names_as_text(desk, ca_folder) -> None:
    name = "<script>alert(1)<script>.txt"
    (desk.folder / name).write_text("x")
    sign(desk, name)
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = desk.run("verify", f"{name}.p7s", *trust, "--report", "page.html")
    assert run.exit_code == 0
    page = (desk.folder / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#x27;none&#x27;" in page


def test_many_files_in_two_processes_give_the_same_as_one_after_the_other(desk, ca_folder) -> None:
    names = []
    for number in range(6):
        (desk.folder / f"{number}.txt").write_text(str(number))
        names.append(f"{number}.txt")
    sign(desk, *names)
    (desk.folder / "3.txt").write_text("changed")
    signatures = [f"{name}.p7s" for name in names]
    assert verdicts(desk, ca_folder, *signatures, "--jobs", "2") == verdicts(
        desk, ca_folder, *signatures
    )
    verdict = [file["verdict"] for file in verdicts(desk, ca_folder, *signatures)]
    assert verdict == ["passed"] * 3 + ["failed"] + ["passed"] * 2
