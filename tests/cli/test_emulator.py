"""`jpki emulator`: create and show; serve ends cleanly and says what it does."""

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.trial import ENVIRONMENT, copy_of_environment

from cli.emulator_faults import faults_from
from cli.root import root
from jpki.emulator import SignatureFault, TriesQuery, describe_card


def jpki(*arguments: str) -> Result:
    return CliRunner().invoke(root, arguments, env=ENVIRONMENT)


def test_create_tells_path_and_pins_and_exports_the_cas(tmp_path: Path) -> None:
    path, folder = tmp_path / "card.json", tmp_path / "new" / "ca"
    run = jpki(
        "--json", "emulator", "create", str(path), "--name", "番号花子", "--sex", "female",
        "--birth-date", "1989-03-31", "--issued", "2026-04-02", "--expires", "2030-01-31",
        "--signature-password", "HANAKO89", "--authentication-pin", "2468",
        "--export-ca", str(folder),
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["path"] == str(path)
    assert answer["pins"] == {"signature": "HANAKO89", "authentication": "2468"}
    assert answer["holder"]["name"] == "番号花子"
    assert answer["expires"] == "2030-01-31T14:59:59Z"
    assert answer["ca"] == [str(folder / "signature-ca.pem"), str(folder / "authentication-ca.pem")]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = json.loads(jpki("--json", "emulator", "show", str(path)).stdout)
    assert shown["pins"] == answer["pins"]


def test_drawn_pins_are_told_in_words(tmp_path: Path) -> None:
    run = jpki("emulator", "create", str(tmp_path / "card.json"))
    card = describe_card(tmp_path / "card.json")
    assert card.pin("signature").value in run.stdout
    assert card.pin("authentication").value in run.stdout
    assert "TEST" in run.stdout


def test_an_existing_card_needs_force(card_path: Path) -> None:
    before = card_path.read_bytes()
    run = jpki("--json", "emulator", "create", str(card_path))
    assert run.exit_code == 2
    assert json.loads(run.stdout)["error"]["code"] == "output-exists"
    assert card_path.read_bytes() == before
    assert jpki("emulator", "create", str(card_path), "--force").exit_code == 0
    assert card_path.read_bytes() != before


@pytest.mark.parametrize("place", ["exists", "is-no-folder"])
def test_no_card_is_made_where_its_cas_cannot_be_written(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "ca"
    if place == "exists":
        folder.mkdir()
        (folder / "authentication-ca.pem").write_text("another card's", encoding="ascii")
    else:
        folder.write_text("no folder", encoding="ascii")
    path = tmp_path / "card.json"
    run = jpki("--json", "emulator", "create", str(path), "--export-ca", str(folder))
    error = json.loads(run.stdout)["error"]
    if place == "exists":
        assert (run.exit_code, error["code"]) == (2, "output-exists")
    else:
        assert (run.exit_code, error["code"]) == (2, "output-refused")
        assert (error["fault"], error["option"]) == ("not-folder", "--export-ca")
        assert "--force" not in error["message"]
    assert not path.exists()
    if place == "exists":
        assert (folder / "authentication-ca.pem").read_text(encoding="ascii") == "another card's"
        run = jpki("emulator", "create", str(path), "--export-ca", str(folder), "--force")
        assert run.exit_code == 0, run.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--authentication-pin", "12"), "usage"),
        (("--birth-date", "2999-01-01"), "usage"),
        (("--birth-date", "x"), "usage"),
        (("--kind", "nix"), "usage"),
        (("--kind", "android"), "usage"),
        (("--child",), "usage"),
        (("--face-authentication",), "usage"),
    ],
)
def test_what_cannot_stand_on_a_card_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, options: tuple[str, ...], code: str
) -> None:
    folder = ("--export-ca", str(tmp_path / "new" / "ca"))
    run = jpki("--json", "emulator", "create", str(tmp_path / "card.json"), *folder, *options)
    assert run.exit_code == 2
    assert json.loads(run.stdout)["error"]["code"] == code
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_what_is_no_card_file_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "card.json"
    if content is not None:
        path.write_bytes(content)
    for arguments in (("emulator", "show", str(path)), ("-r", f"emulator:{path}", "status")):
        run = jpki("--json", *arguments)
        assert run.exit_code == 2
        assert json.loads(run.stdout)["error"]["code"] == "card-file"


@pytest.mark.parametrize(
    ("path", "fault"),
    [("missing/card.json", "no-folder"), (".", "is-folder"), ("a" * 300, "impossible")],
)
def test_a_place_that_cannot_be_is_refused_without_naming_an_option_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = jpki("--json", "emulator", "create", path)
    error = json.loads(run.stdout)["error"]
    assert (error["code"], error["fault"], error["option"]) == ("output-refused", fault, "PATH")
    assert "-o" not in error["message"].replace(path, "").split()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("folder", "fault"),
    [("file/ca", "not-folder"), ("a" * 300, "impossible"), ("loop", "impossible")],
)
def test_a_folder_that_cannot_be_made_is_refused_before_the_card_is(
    tmp_path: Path, folder: str, fault: str
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="ascii")
    (tmp_path / "loop").symlink_to("loop")
    path = tmp_path / "card.json"
    arguments = ("emulator", "create", str(path), "--export-ca", str(tmp_path / folder))
    error = json.loads(jpki("--json", *arguments).stdout)["error"]
    assert (error["code"], error["fault"]) == ("output-refused", fault)
    assert not path.exists()


@pytest.mark.parametrize(
    ("kind", "label", "tries", "certificate"),
    [
        ("card", "JPKIAPICCTOKEN2", [5, 3], True),
        ("face-auth", "JPKIAPICCTOKEN2", [0, 0], True),
        ("child", "JPKIAPICCTOKEN2", [0, 3], False),
        ("smartphone", "JPKIAPGPSETOKEN", [5, 3], True),
        ("iphone", "JPKIAPIOSTOKEN", [5, 3], True),
        ("juki", "JPKIAPICCTOKEN", [5, 3], True),
    ],
)
def test_each_kind_of_card_is_made(
    tmp_path: Path, kind: str, label: str, tries: list[int], *, certificate: bool
) -> None:
    path = tmp_path / "card.json"
    run = jpki("emulator", "create", str(path), "--kind", kind)
    assert run.exit_code == 0, run.stderr
    card = describe_card(path)
    assert card.label == label
    assert [pin.tries_left for pin in card.pins] == tries
    assert card.has_signature_certificate is certificate


@pytest.mark.parametrize("kind", ["card", "face-auth", "smartphone"])
def test_a_kind_of_card_can_be_without_a_signature_certificate(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "card.json"
    options = ("--kind", kind, "--without-signature-certificate")
    assert jpki("emulator", "create", str(path), *options).exit_code == 0
    card = describe_card(path)
    assert not card.has_signature_certificate
    assert card.pin("signature").tries_left == 0
    assert card.pin("authentication").tries_left == (0 if kind == "face-auth" else 3)


def test_each_fault_reaches_the_card() -> None:
    knobs = {
        "use_61xx": True, "use_6cxx": False, "no_extended": True, "blocked_sw": "63C0",
        "tries_query": "stale", "latency": 0.5, "signature_latency": None, "pull_before": 7,
        "signature_fault": "wrong", "certificate_garbage": True,
    }  # fmt: skip
    faults = faults_from(knobs)
    assert faults.response_61xx
    assert not faults.extended_length
    assert faults.blocked_sw == 0x63C0
    assert faults.tries_query is TriesQuery.STALE
    assert faults.latency_s == 0.5
    assert faults.signature_latency_s == 0.0
    assert faults.pull_before == 7
    assert faults.signature is SignatureFault.WRONG
    assert faults.certificate_garbage


def test_serve_waits_for_a_reader_and_ends_on_sigterm(card_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()",
         "emulator", "serve", str(card_path), "--port", "9"],
        env=copy_of_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert b"Waiting for pcscd" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert stdout == b""
    assert stderr == b"Stopped.\n"


def test_the_faults_stand_in_a_section_of_their_own() -> None:
    text = jpki("emulator", "serve", "--help").stdout
    assert text.index("--port") < text.index("Faults, for tests") < text.index("--pull-before")
