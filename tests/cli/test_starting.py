"""What a start costs, and the options of `jpki` itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import pdf
from support.pki import AT, load, load_key
from support.trial import ENVIRONMENT, Trial, copy_of_environment

from cli.root import root
from jpki import __version__
from jpki.signing import sign_cms

REPORT = (
    "import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr));"
    "from cli.main import main; main()"
)
HEAVY = {
    "pyhanko",
    "lxml",
    "asn1crypto",
    "cryptography",
    "platformdirs",
    "smartcard",
    "pyhanko_certvalidator",
}


def modules_of(*arguments: str, exit_code: int = 0, **environment: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", REPORT, *arguments],
        env=copy_of_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == exit_code, run.stderr
    return set(run.stderr.split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_import_click_and_next_to_nothing(option: str) -> None:
    found = modules_of(option)
    assert not HEAVY & found
    assert not {name for name in found if name.startswith(("apdu", "cli.commands."))}
    assert {name for name in found if name.split(".")[0] == "jpki"} == {"jpki", "jpki._version"}


def test_status_imports_neither_pyhanko_nor_lxml_nor_asn1crypto(card_path: Path) -> None:
    found = modules_of("status", JPKI_READER=f"emulator:{card_path}")
    assert not {"pyhanko", "lxml", "asn1crypto", "pyhanko_certvalidator"} & found


def test_a_pdf_is_looked_into_without_what_only_writes_signatures(tmp_path: Path) -> None:
    document = tmp_path / "contract.pdf"
    document.write_bytes(pdf.build(pdf.one_page()))
    arguments = ("sign", str(document), "--pin-from", "env:PASSWORD")
    nowhere = f"emulator:{tmp_path}/no-card.json"
    found = modules_of(*arguments, exit_code=2, JPKI_READER=nowhere, PASSWORD="ABC123")
    assert "pyhanko.pdf_utils.reader" in found
    assert not {"pyhanko.sign", "aiohttp", "fontTools"} & found


def test_verifying_a_signature_imports_nothing_of_cards_and_nothing_that_signs(
    tmp_path: Path,
) -> None:
    document = tmp_path / "contract.txt"
    document.write_bytes(b"contract")
    with document.open("rb") as content:
        signed = sign_cms(content, load_key("signature"), load("signature"), signing_time=AT)
    signature = tmp_path / "contract.txt.p7s"
    signature.write_bytes(signed)
    found = modules_of("verify", str(signature), "--at", AT.isoformat(), exit_code=11)
    assert not {"apdu", "smartcard", "pyhanko", "lxml", "asn1crypto"} & found


def jpki(*arguments: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(root, arguments, env=ENVIRONMENT | environment)
    return result.exit_code, result.stdout, result.stderr


def test_the_version_is_the_packages() -> None:
    assert jpki("--version") == (0, f"jpki {__version__}\n", "")


def test_no_command_shows_the_help_on_stderr() -> None:
    exit_code, stdout, stderr = jpki()
    assert (exit_code, stdout) == (2, "")
    assert "Commands:" in stderr


@pytest.mark.parametrize("noun", ["pin", "cert", "trust", "auth", "emulator"])
def test_a_noun_alone_shows_its_help_on_stderr_line_by_line(noun: str) -> None:
    exit_code, stdout, stderr = jpki(noun)
    assert (exit_code, stdout) == (2, "")
    assert stderr.startswith(f"Usage: jpki {noun} ")
    assert "\nCommands:\n" in stderr


@pytest.mark.parametrize("arguments", [("--json",), ("--json", "pin")])
def test_no_command_with_json_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    exit_code, stdout, _ = jpki(*arguments)
    assert exit_code == 2
    error = json.loads(stdout)["error"]
    assert error["code"] == "usage"
    assert "missing" in error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "--nix"),
        ("--json", "nix"),
        ("status", "--json", "--nix"),
        ("--json", "sign"),
        ("--json", "--wait", "soon", "status"),
        ("--json", "--lang", "fr", "status"),
        ("--json", "emulator"),
        ("pin", "verify", "--json"),
    ],
)
def test_usage_errors_come_as_json_too(arguments: tuple[str, ...]) -> None:
    exit_code, stdout, stderr = jpki(*arguments)
    assert exit_code == 2
    assert json.loads(stdout)["error"]["code"] == "usage"
    assert stderr.startswith("jpki: ")
    assert stderr.count("\n") == 1


def test_options_of_jpki_stand_before_or_behind_the_command(card_path: Path) -> None:
    before = jpki("--reader", f"emulator:{card_path}", "--json", "pin", "status")
    behind = jpki("pin", "status", "--json", "-r", f"emulator:{card_path}")
    by_variable = jpki("pin", "status", "--json", JPKI_READER=f"emulator:{card_path}")
    assert before == behind == by_variable
    assert before[0] == 0


def test_the_option_beats_the_variable(card_path: Path) -> None:
    run = jpki("-r", f"emulator:{card_path}", "status", JPKI_READER="emulator:/nonexistent")
    assert run[0] == 0


def test_a_log_of_exchanges_is_private_and_has_no_pin(trial: Trial) -> None:
    log = trial.folder / "log"
    run = trial.run(
        "--apdu-log", str(log), "pin", "verify", "auth", "--pin-from", "env:JPKI_TEST_PIN",
        pin="1848",
    )  # fmt: skip
    assert run.exit_code == 0
    text = log.read_text()
    assert "00 20 00 80 [redacted]" in text
    assert "31383438" not in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_on_stderr_leaves_stdout_alone(trial: Trial) -> None:
    run = trial.run("--apdu-log", "-", "pin", "status")
    assert json.loads(run.stdout)["pins"]
    assert "> 00 A4 04 0C" in run.stderr


def test_a_log_that_cannot_be_written_ends_the_run(trial: Trial) -> None:
    run = trial.run("--apdu-log", "/nonexistent/log", "pin", "status")
    trial.refused(run, "output-refused")
    assert "/nonexistent/log cannot be written" in run.stderr
    assert "--apdu-log" in run.stderr
    trial.refused(trial.run("--apdu-log", ".", "pin", "status"), "output-refused")
    trial.refused(trial.run("--apdu-log", "a" * 300, "pin", "status"), "output-refused")


def test_vv_shows_headers_and_status_words_only(trial: Trial) -> None:
    run = trial.run("-vv", "pin", "verify", "auth", "--pin-from", "env:JPKI_TEST_PIN", pin="1848")
    assert "00 20 00 80 -> 9000" in run.stderr
    assert "31 38 34 38" not in run.stderr
    assert "1848" not in run.stderr
    assert "00 20" not in trial.run("pin", "status").stderr


def test_completion_knows_the_commands() -> None:
    environment = {**os.environ, "_JPKI_COMPLETE": "bash_complete", "COMP_WORDS": "jpki s",
                   "COMP_CWORD": "1"}  # fmt: skip
    program = [sys.executable, "-c", "from cli.main import main; main()"]
    run = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert {"plain,status", "plain,sign"} == set(run.stdout.split())


@pytest.mark.parametrize("seconds", ["nan", "-1", "inf", "soon"])
def test_a_time_to_wait_is_a_bounded_number(trial: Trial, seconds: str) -> None:
    run = trial.run("--wait", seconds, "status")
    assert run.error["code"] == "usage"
    assert trial.card.exchange_count == 0
