"""Documents that cannot be signed as asked, are huge, change meanwhile, or find the disk full."""

import base64
import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import pdf
from support.cards import PASSWORD
from support.containers import AsicContainer, ZipEntry, build_zip
from support.signed_pdf import sign as signed_pdf
from support.terminal import TerminalProcess
from support.trial import Trial, copy_of_environment, is_installed
from support.tsa import running_tsa

from jpki.emulator import Faults
from jpki.signing.pdf_options import Certification

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
PLAIN = pdf.build(pdf.one_page())
XML = "<?xml version='1.0' encoding='{}'?><申請><氏名>見本</氏名></申請>"
GIB = 1 << 30


@pytest.fixture(autouse=True)
def _at_the_desk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "trial" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("trial").folder)


def sign(trial: Trial, *arguments: str, **named: Any) -> dict[str, Any]:
    run = trial.run("sign", *arguments, *SOURCE, pin=PASSWORD, **named)
    assert run.exit_code == 0, run.stderr
    return dict(json.loads(run.stdout))


# --- refused before the card is touched ---------------------------------------------------------


def encrypted() -> bytes:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(PLAIN)))
    writer.encrypt(owner_pass="owner", user_pass="himitsu", pdf_mac=False)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def xfa() -> bytes:
    form = pdf.with_form(form=b"/XFA [(template) 20 0 R]")
    return pdf.build(form | {20: pdf.stream(b"<xdp/>")})


def container(**changes: Any) -> bytes:
    return AsicContainer(**changes).build()


REFUSED: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...], str]] = {
    "no PDF": ("x.pdf", lambda: b"no PDF", ("--format", "pdf"), "not-pdf"),
    "zero bytes": ("x.pdf", lambda: b"", ("--format", "pdf"), "empty"),
    "zero bytes of XML": ("x.xml", lambda: b"", ("--format", "xml"), "empty"),
    "encrypted": ("x.pdf", encrypted, (), "encrypted-pdf"),
    "broken xref": (
        "x.pdf", lambda: PLAIN.replace(b"startxref\n", b"startxref\n9"), (), "pdf-broken",
    ),
    "xref that points elsewhere": (
        "x.pdf", lambda: PLAIN.replace(b"0000000015", b"0000000099", 1), (), "pdf-broken",
    ),
    "half a PDF": ("x.pdf", lambda: PLAIN[: len(PLAIN) // 2], (), "pdf-broken"),
    "XFA": ("x.pdf", xfa, (), "xfa-form"),
    "DocMDP P=1": (
        "x.pdf",
        lambda: signed_pdf(PLAIN, certify=Certification.NONE),
        (),
        "pdf-forbids-signatures",
    ),
    "certified twice": (
        "x.pdf", lambda: signed_pdf(PLAIN), ("--certify", "fill"), "pdf-already-signed",
    ),
    "no such field": ("x.pdf", lambda: PLAIN, ("--field", "甲"), "field-missing"),
    "no such page": ("x.pdf", lambda: PLAIN, ("--stamp", "9:top-left"), "page-missing"),
    "a glyph that no font has": (
        "x.pdf", lambda: PLAIN, ("--stamp", "top-left", "--stamp-text", "\U000e0000"),
        "glyphs-missing",
    ),
    "no XML": ("x.xml", lambda: b"<a><b></a>", (), "xml-malformed"),
    "DTD": ("x.xml", lambda: b"<?xml version='1.0'?><!DOCTYPE a><a/>", (), "xml-has-dtd"),
    "several ids": (
        "x.xml", lambda: b"<a id='1'><b id='1'/></a>", ("--reference", "#1"), "duplicate-id",
    ),
    "no such id": ("x.xml", lambda: b"<a/>", ("--reference", "#1"), "reference-missing"),
    "unknown encoding": (
        "x.xml", lambda: b"<?xml version='1.0' encoding='ebcdic-cp-us'?><a/>", (), "xml-encoding",
    ),
    "UTF-16 that says UTF-8": (
        "x.xml", lambda: XML.format("UTF-8").encode("utf-16"), (), "xml-encoding",
    ),
    "Shift_JIS that is none": (
        "x.xml", lambda: XML.format("Shift_JIS").encode(), (), "xml-encoding",
    ),
    "container with a missing file": (
        "x.asice", lambda: container(signed={"contract.txt": b"", "gone.txt": b"x"}), (),
        "not-asice",
    ),
    "container with two files of one name": (
        "x.asice", lambda: container(more=[ZipEntry(name="CONTRACT.TXT")]), (), "not-asice",
    ),
    "container with a path": (
        "x.asice", lambda: container(more=[ZipEntry(name="../x")]), (), "not-asice",
    ),
    "container that is damaged": (
        "x.asice", lambda: container().replace(b"a contract", b"a contrast"), (), "not-asice",
    ),
    "a ZIP file that says it is a container": (
        "x.asice",
        lambda: build_zip([ZipEntry(name="mimetype", content=b"application/vnd.etsi.asic-e+zip")]),
        (),
        "empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_signed_is_refused_before_the_card_is_touched(
    trial: Trial, case: str
) -> None:
    name, make, options, fault = REFUSED[case]
    (trial.folder / name).write_bytes(make())
    run = trial.run("sign", name, *options, *SOURCE, pin=PASSWORD)
    trial.refused(run, "document")
    assert run.error["fault"] == fault
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize("form", [("--format", "asice"), ("--format", "xml", "--detached"), ()])
def test_a_file_that_is_missing_is_named_before_the_card_is_touched(
    trial: Trial, form: tuple[str, ...]
) -> None:
    run = trial.run("sign", *form, "document.txt", "missing.txt", *SOURCE, pin=PASSWORD)
    trial.refused(run, "input")
    assert run.error["path"] == "missing.txt"
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize(
    "content",
    [
        XML.format("UTF-8").encode("utf-8-sig"),
        XML.format("UTF-16").encode("utf-16"),
        XML.format("Shift_JIS").encode("shift_jis"),
        XML.format("EUC-JP").encode("euc_jp"),
    ],
    ids=["BOM", "UTF-16", "Shift_JIS", "EUC-JP"],
)
def test_xml_of_the_encodings_that_there_are_is_signed(trial: Trial, content: bytes) -> None:
    (trial.folder / "form.xml").write_bytes(content)
    (file,) = sign(trial, "form.xml")["files"]
    assert file["format"] == "xml"
    run = trial.run("verify", file["output"])
    assert json.loads(run.stdout)["files"][0]["signatures"][0]["reasons"] == ["no-anchor"]


def test_a_file_of_no_bytes_is_signed_as_what_it_is(trial: Trial) -> None:
    (trial.folder / "empty.txt").write_bytes(b"")
    (file,) = sign(trial, "empty.txt")["files"]
    run = trial.run("verify", file["output"])
    assert json.loads(run.stdout)["files"][0]["signatures"][0]["reasons"] == ["no-anchor"]


# --- size ---------------------------------------------------------------------------------------


@pytest.fixture
def huge(trial: Trial) -> str:
    """5 GiB, of which the disk holds nothing."""
    with (trial.folder / "huge").open("wb") as file:
        file.truncate(5 * GIB)
    trial.files = dict  # type: ignore[method-assign]  # it compares what all of them hold
    return "huge"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--attached",), "content-too-large", "without --attached"),
        (("--format", "xml"), "input", "too large"),
        (("--format", "jws"), "input", "too large"),
        (("--format", "jws", "--detached"), "input", "too large"),
    ],
    ids=["attached", "XML", "JWS", "detached JWS"],
)
def test_what_is_too_large_for_its_form_is_refused_before_the_card_is_touched(
    trial: Trial, huge: str, options: tuple[str, ...], code: str, words: str
) -> None:
    run = trial.run("sign", huge, *options, *SOURCE, pin=PASSWORD)
    assert (run.exit_code, run.error["code"]) == (2, code)
    assert words in run.error["message"]
    assert trial.card.exchange_count == 0


def test_a_pipe_that_was_too_long_is_refused_before_the_card_is_touched_too(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.signing_plan.MAX_ATTACHED_SIZE", 1000)
    run = trial.run("sign", "-", "--attached", *SOURCE, pin=PASSWORD, stdin=bytes(1000))
    assert (run.exit_code, run.error["code"]) == (2, "content-too-large")
    assert trial.card.exchange_count == 0


def test_a_gibibyte_is_signed_and_verified_in_little_memory(trial: Trial, huge: str) -> None:
    os.truncate(huge, GIB)  # `scripts/bench` takes four
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sign(trial, huge)
    run = trial.run("verify", f"{huge}.p7s")
    assert json.loads(run.stdout)["files"][0]["signatures"][0]["reasons"] == ["no-anchor"]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150 << 10  # KiB


def test_a_large_document_is_attached_as_text_in_little_memory(trial: Trial, huge: str) -> None:
    os.truncate(huge, GIB // 4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sign(trial, huge, "--attached", "--pem", "-o", "out.pem")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150 << 10  # KiB
    with (trial.folder / "out.pem").open("rb") as file:
        assert len(file.read(200).splitlines()[1]) == 64  # RFC 7468 2


# --- what changes while it is signed ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.pdf", ()),
        ("x.xml", ()),
        ("x.txt", ("--format", "jws")),
        ("x.txt", ("--format", "asice")),
        ("x.txt", ("--attached",)),
        ("x.txt", ()),
    ],
    ids=["PDF", "XML", "JWS", "ASiC-E", "attached", "detached"],
)
def test_a_file_that_changes_while_it_is_signed_is_never_half_old_and_half_new(
    trial: Trial, name: str, options: tuple[str, ...]
) -> None:
    """Either nothing is written, or what was written is a signature over one state of the file."""
    contents = {"x.pdf": PLAIN, "x.xml": b"<a>100 YEN</a>", "x.txt": b"100 YEN"}
    path = trial.folder / name
    path.write_bytes(contents[name])

    def change(exchange: int, _command: bytes, answer: bytes) -> bytes:
        if exchange == 4:
            path.write_bytes(contents[name].replace(b"100 YEN", b"900000 YEN"))
        return answer

    trial.card.faults = Faults(hook=change)
    run = trial.run("sign", name, *options, "-o", "out", *SOURCE, pin=PASSWORD)
    trial.card.faults = Faults()
    assert "900000" in path.read_bytes().decode("latin-1")
    if run.exit_code:
        assert run.error["code"] in {"content-changed", "document"}
        assert not (trial.folder / "out").exists()
        return
    assert "changed while it was being signed" in run.stderr
    more: tuple[str, ...] = ()
    if not options:
        (trial.folder / "before").write_bytes(contents[name])
        more = ("--content", "before") if name == "x.txt" else ()
    (file,) = json.loads(trial.run("verify", "out", *more).stdout)["files"]
    assert file["signatures"][0]["reasons"] == ["no-anchor"]


# --- the disk -----------------------------------------------------------------------------------

ON_A_SMALL_DISK = """
mkdir small && mount -t tmpfs -o size=32k tmpfs small
for case in "large.pdf" "large.xml" "large.bin --format jws" "large.bin --format asice" \
            "large.bin --attached"; do
    "$@" sign $case -o small/out > out.txt 2>> said
    echo "$? $(ls -A small | wc -l)"
    TMPDIR=$PWD/small "$@" sign $case -o out > out.txt 2>> said
    echo "$? $(ls -A small | wc -l)"
    rm -f out
done
"""


def can_mount() -> bool:
    if os.getuid() != 0 or not all(map(is_installed, ("unshare", "mount"))):
        return False
    probe = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def test_on_a_full_disk_nothing_is_left_of_any_form(tmp_path: Path, issued_card_path: Path) -> None:
    if not can_mount():
        pytest.skip("needs root and namespaces")
    (tmp_path / "large.pdf").write_bytes(pdf.build(pdf.one_page(text="x" * 200_000)))
    (tmp_path / "large.xml").write_bytes(b"<a>" + b"x" * 200_000 + b"</a>")
    (tmp_path / "large.bin").write_bytes(bytes(200_000))
    environment = copy_of_environment(
        JPKI_READER=f"emulator:{issued_card_path}", JPKI_TEST_PIN=PASSWORD
    )
    program = [sys.executable, "-c", "from cli.main import main; main()"]
    script = ON_A_SMALL_DISK.replace(" sign $case", f" sign $case {' '.join(SOURCE)}")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *program],
        cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    lines = done.stdout.decode().split("\n")[:-1]
    said = (tmp_path / "said").read_text()
    assert lines[::2] == ["12 0"] * 5, said
    assert set(lines[1::2]) <= {"12 0", "0 0"}, said  # not every form needs a temporary file
    assert lines[1] == lines[7] == "12 0", said
    assert "Traceback" not in said
    assert "bug in jpki" not in said


# --- progress and servers -----------------------------------------------------------------------


def test_a_batch_shows_how_far_it_is_on_one_line_of_a_terminal(
    tmp_path: Path, issued_card_path: Path
) -> None:
    files = []
    for number in range(3):
        files.append(str(tmp_path / f"{number}.txt"))
        Path(files[-1]).write_text(str(number))
    environment = copy_of_environment(
        JPKI_READER=f"emulator:{issued_card_path}", JPKI_TEST_PIN=PASSWORD
    )
    with TerminalProcess("sign", *files, *SOURCE, env=environment) as run:
        assert run.end() == 0
        assert "\rsigned: 1 of 3" in run.seen
        assert "\rsigned: 2 of 3" in run.seen


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("place", ["environment", "netrc", "address", "nowhere"])
def test_a_timestamp_server_gets_its_password_from_where_it_was_put(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    if place == "environment":
        monkeypatch.setenv("JPKI_TSA_USER", "taro")
        monkeypatch.setenv("JPKI_TSA_PASSWORD", "geheim")
    if place == "netrc":
        (home / ".netrc").write_text("machine 127.0.0.1 login taro password geheim\n")
        (home / ".netrc").chmod(0o600)
    if place == "address":  # which says more than what is for all servers
        (home / ".netrc").write_text("default login hanako password another\n")
        (home / ".netrc").chmod(0o600)
    now = datetime.now(UTC)
    with running_tsa(tmp_path / "tsa", at=now, credentials=basic("taro:geheim")) as site:
        url = site.url()
        if place == "address":
            url = url.replace("//", "//taro:geheim@", 1)
        run = trial.run("sign", "document.txt", "--tsa", url, *SOURCE, pin=PASSWORD, as_json=False)
    assert "geheim" not in run.stderr + run.stdout.decode()
    if place == "nowhere":
        assert run.exit_code == 13
        assert not (trial.folder / "document.txt.p7s").exists()
        return
    assert run.exit_code == 0, run.stderr
    (file,) = json.loads(trial.run("verify", "document.txt.p7s").stdout)["files"]
    assert file["signatures"][0]["level"] == "cades-b-t"


@pytest.mark.parametrize("name", ["x.pdf", "document.txt", "x.asice"])
def test_a_timestamp_server_that_fails_leaves_nothing_of_any_form(trial: Trial, name: str) -> None:
    (trial.folder / "x.pdf").write_bytes(PLAIN)
    sign(trial, "document.txt", "--format", "asice", "-o", "x.asice")
    before = sorted(path.name for path in trial.folder.iterdir())
    run = trial.run("sign", name, "--tsa", "http://127.0.0.1:9/", *SOURCE, pin=PASSWORD)
    assert (run.exit_code, run.error["code"]) == (13, "server")
    assert sorted(path.name for path in trial.folder.iterdir()) == before
    assert zipfile.is_zipfile(trial.folder / "x.asice")
