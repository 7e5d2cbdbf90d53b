"""Every command at its most talkative: no PIN and nothing of the holder in any log."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.cards import HOLDER, PASSWORD, PIN
from support.operations import NONCE
from support.trial import (
    NEW_PASSWORD,
    NEW_PIN,
    PERSONAL,
    WRONG_PASSWORD,
    WRONG_PIN,
    Run,
    Trial,
    check_nothing_leaked,
    copy_of_environment,
)

from jpki.emulator import Faults

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
NEW_SOURCE = ("--new-pin-from", "env:JPKI_TEST_NEW_PIN")
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", NONCE)

COMMANDS: dict[str, tuple[tuple[str, ...], str | None, str | None]] = {
    # name: (arguments, right PIN, new PIN)
    "status": (("status",), None, None),
    "pin status": (("pin", "status"), None, None),
    "verify the password": (("pin", "verify", "signature", *SOURCE), PASSWORD, None),
    "verify the PIN": (("pin", "verify", "authentication", *SOURCE), PIN, None),
    "change the password": (
        ("pin", "change", "signature", *SOURCE, *NEW_SOURCE),
        PASSWORD,
        NEW_PASSWORD,
    ),
    "change the PIN": (("pin", "change", "authentication", *SOURCE, *NEW_SOURCE), PIN, NEW_PIN),
    "cert list": (("cert", "list"), None, None),
    "cert show signature": (("cert", "show", "signature", *SOURCE), PASSWORD, None),
    "cert show authentication": (("cert", "show", "authentication"), None, None),
    "sign raw": (("sign", "DOCUMENT", "--format", "raw", *SOURCE), PASSWORD, None),
    "sign cms": (("sign", "DOCUMENT", "--format", "cms", *SOURCE), PASSWORD, None),
    "sign attached": (("sign", "DOCUMENT", "--attached", *SOURCE), PASSWORD, None),
    "log in": ((*LOGIN, *SOURCE), PIN, None),
}
commands = pytest.mark.parametrize("command", COMMANDS)
WRONG = {PASSWORD: WRONG_PASSWORD, PIN: WRONG_PIN}


def run(trial: Trial, command: str, *options: str, wrong: bool = False) -> Run:
    arguments, pin, new_pin = COMMANDS[command]
    filled = (trial.document if argument == "DOCUMENT" else argument for argument in arguments)
    given = WRONG[pin] if wrong and pin is not None else pin
    return trial.run(*options, *filled, pin=given, new_pin=new_pin)


@commands
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_the_most_talkative_run_tells_no_secret(
    trial: Trial, command: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, wrong: bool
) -> None:
    log = tmp_path / "apdu.log"
    result = run(trial, command, "-vv", "--apdu-log", str(log), wrong=wrong)
    assert result.exit_code in {0, 6}, result.stderr
    written = log.read_text(encoding="utf-8")
    assert written.count("\n") >= 2 * trial.card.exchange_count
    check_nothing_leaked(result, written, caplog.text)
    assert "00 20 00 80 Lc=" not in written or "[redacted]" in written
    assert log.stat().st_mode & 0o077 == 0


@commands
def test_the_log_with_data_shows_no_pin(trial: Trial, command: str, tmp_path: Path) -> None:
    """It may show the certificate, that is what it is for; the PIN not even then."""
    log = tmp_path / "apdu.log"
    result = run(trial, command, "-vv", "--apdu-log", str(log), "--apdu-log-data")
    assert result.exit_code == 0, result.stderr
    written = log.read_text(encoding="utf-8")
    for pin in (PASSWORD, PIN, NEW_PASSWORD, NEW_PIN):
        # In hex only: four digits alone are found by chance among a signature's.
        for form in (pin.encode().hex(), pin.encode().hex(" "), pin.encode().hex(":")):
            assert form not in written.lower()
    assert PASSWORD not in written
    assert NEW_PASSWORD not in written


@commands
def test_the_log_on_stderr_tells_no_secret(trial: Trial, command: str) -> None:
    result = run(trial, command, "-vv", "--apdu-log", "-")
    assert result.exit_code == 0, result.stderr
    assert "> 00 A4 04 0C" in result.stderr
    check_nothing_leaked(result)


@commands
@pytest.mark.parametrize("step", range(1, 12))
def test_a_bug_in_the_middle_shows_neither_pin_nor_holder(
    trial: Trial, command: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the traceback that is asked for by JPKI_DEBUG has frames, but no values."""

    def crash(exchange: int, command: bytes, answer: bytes) -> bytes:
        if exchange == step:
            raise ZeroDivisionError(f"{command!r} {answer!r} {PASSWORD} {PIN} {HOLDER}")
        return answer

    trial.card.faults = Faults(hook=crash)
    result = run(trial, command)
    if result.exit_code == 0:
        assert trial.card.exchange_count < step
        return
    assert result.exit_code == 1
    assert result.error["code"] == "bug"
    assert "Traceback" not in result.stderr
    check_nothing_leaked(result)


@pytest.mark.parametrize("command", ["verify the password", "log in", "sign raw"])
def test_a_log_that_cannot_be_opened_is_refused_before_the_pin_is_sent(
    trial: Trial, command: str
) -> None:
    result = run(trial, command, "--apdu-log", str(trial.folder / "no" / "log"))
    trial.refused(result, "input", "output-refused", "output-not-written", exit_code=None)
    assert trial.card.exchange_count == 0


def test_a_log_on_a_full_disk_does_not_stop_the_signature(trial: Trial) -> None:
    result = run(trial, "sign raw", "--apdu-log", "/dev/full")
    assert result.exit_code == 0, result.stderr
    check_nothing_leaked(result)


def test_no_secret_is_left_in_any_file_of_the_folder(trial: Trial) -> None:
    for command in COMMANDS:
        if "change" not in command:
            run(trial, command, "--apdu-log", str(trial.folder / f"{command}.log"))
    for path, content in trial.files().items():
        for secret in (PASSWORD, PASSWORD.lower(), PASSWORD.encode().hex()):
            assert secret.encode() not in content, path
    for path, content in trial.files().items():
        if path.endswith(".log"):
            for personal in PERSONAL:
                assert personal.encode() not in content, path
                assert personal.encode().hex() not in content.decode().lower(), path


def test_the_pin_is_in_no_child_s_environment_and_in_no_argument(
    issued_card_path: Path, tmp_path: Path
) -> None:
    """What others see of the process: /proc/self/cmdline, and what a child would inherit."""
    card = tmp_path / "card.json"
    card.write_bytes(issued_card_path.read_bytes())
    program = (
        "import atexit, os, pathlib; from cli.main import main;"
        "atexit.register(lambda: print(pathlib.Path('/proc/self/cmdline').read_bytes(),"
        " dict(os.environ)));"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "pin", "verify", "signature", *SOURCE],
        env=copy_of_environment(JPKI_READER=f"emulator:{card}", JPKI_TEST_PIN=PASSWORD),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"cli.main" in done.stdout
    assert PASSWORD.encode() not in done.stdout + done.stderr
