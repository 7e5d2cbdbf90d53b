"""No service, no reader, no card, another card, several cards, and every error code of PC/SC."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.cards import PASSWORD
from support.fake_pcsc import OK, FakePcsc, OtherCard, Reader
from support.operations import TRIES_BEFORE, with_tries
from support.trial import (
    Run,
    Trial,
    check_failure,
    check_locked,
    check_nothing_leaked,
    copy_of_environment,
)

from jpki.emulator import VirtualCard
from jpki.emulator.card_file import read_card_file

PLAIN_COMMANDS = [("status",), ("pin", "status"), ("cert", "list"), ("cert", "show", "auth")]
SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)
PIN_COMMANDS = [("pin", "verify", "signature"), ("sign",), ("pin", "change", "signature")]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakePcsc:
    """A PC/SC service that has no readers yet."""
    service = FakePcsc()
    service.install(monkeypatch)
    return service


def run(trial: Trial, *command: str, reader: str | None = None) -> Run:
    """Run with PC/SC; commands with a PIN get the right password."""
    if command[0] == "sign":
        command = (*trial.sign(pin_from=None), *command[1:])
    if command[0] == "sign" or command[:2] in {("pin", "verify"), ("pin", "change")}:
        command = (*command, *SOURCE)
    if command[:2] == ("pin", "change"):
        command = (*command, "--new-pin-from", "env:JPKI_TEST_NEW_PIN")
    # Without --reader, `Trial.run` would choose the virtual card of this process.
    chosen = ("--reader", reader) if reader is not None else ("--reader", "")
    return trial.run(*chosen, *command, pin=PASSWORD, new_pin="HANAKO77")


ALL = pytest.mark.parametrize("command", [*PLAIN_COMMANDS, *PIN_COMMANDS, ("readers",)])
WITH_CARD = pytest.mark.parametrize("command", [*PLAIN_COMMANDS, *PIN_COMMANDS])


@ALL
def test_without_any_reader_the_virtual_one_is_named(
    trial: Trial, service: FakePcsc, command: tuple[str, ...]
) -> None:
    result = run(trial, *command)
    trial.refused(result, "no-reader")
    assert "--reader emulator" in result.stderr


@pytest.mark.parametrize("code", [0x8010001D, 0x8010001E, 0x80100018, 0x8010006A, 0x80100027])
@ALL
def test_without_a_service_the_way_to_start_it_is_told(
    trial: Trial, service: FakePcsc, command: tuple[str, ...], code: int
) -> None:
    service.calls["SCardEstablishContext"] = code
    result = run(trial, *command)
    trial.refused(result, "pcsc-unavailable")
    assert f"0x{code:08X}" in result.stderr


@pytest.mark.parametrize("function", ["SCardEstablishContext", "SCardListReaders"])
def test_a_code_that_nobody_has_heard_of_is_shown_in_hex(
    trial: Trial, service: FakePcsc, function: str
) -> None:
    service.calls[function] = 0x2787B94B
    result = run(trial, "status")
    trial.refused(result, "pcsc-unavailable")
    assert "0x2787B94B" in result.stderr


def test_without_pyscard_its_installation_is_told(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    result = run(trial, "status")
    trial.refused(result, "pcsc-unavailable")
    assert "pip install pyscard" in result.stderr


@WITH_CARD
def test_an_empty_reader_is_no_card(
    trial: Trial, service: FakePcsc, command: tuple[str, ...]
) -> None:
    service.readers = [Reader(name="Virtual PCD 00 00")]
    result = run(trial, *command)
    trial.refused(result, "no-card")
    assert "Virtual PCD 00 00" in result.stderr


@WITH_CARD
@pytest.mark.parametrize(
    "answer", [b"\x6a\x82", b"\x6d\x00", b"\x6e\x00", b"\x6a\x86", b"\x69\x99"]
)
def test_a_card_without_the_jpki_application_is_left_as_it_is(
    trial: Trial, service: FakePcsc, command: tuple[str, ...], answer: bytes
) -> None:
    other = OtherCard(answer=answer)
    service.readers = [Reader(name="Virtual PCD 00 00", card=other)]
    result = run(trial, *command)
    trial.refused(result, "not-my-number-card")
    assert [asked[:4] for asked in other.log] == [bytes.fromhex("00A4040C")]
    assert other.powered_off == 0


@WITH_CARD
def test_a_card_of_another_kind_beside_ours_is_passed_over(
    trial: Trial, service: FakePcsc, command: tuple[str, ...]
) -> None:
    other = OtherCard()
    service.readers = [
        Reader(name="Virtual PCD 00 00", card=other),
        Reader(name="Virtual PCD 00 01", card=trial.card),
    ]
    result = run(trial, *command)
    assert result.exit_code == 0, result.stderr
    assert other.powered_off == 0
    check_locked(trial.card)


@WITH_CARD
def test_two_my_number_cards_are_listed_and_none_is_chosen(
    trial: Trial, service: FakePcsc, command: tuple[str, ...], issued_card_path: Path
) -> None:
    second = VirtualCard(read_card_file(issued_card_path))
    service.readers = [
        Reader(name="Virtual PCD 00 00", card=trial.card),
        Reader(name="Virtual PCD 00 01", card=second),
    ]
    result = run(trial, *command)
    trial.refused(result, "several-cards")
    assert result.error["readers"] == ["Virtual PCD 00 00", "Virtual PCD 00 01"]
    assert second.verify_count == 0
    chosen = run(trial, *command, reader="00 01")
    assert chosen.exit_code == 0, chosen.stderr
    assert trial.card.verify_count == 0


@WITH_CARD
@pytest.mark.parametrize("wanted", ["Gemalto", "7", "１", "読取機", "\x1b[2J"])
def test_a_reader_that_is_not_there_is_refused_with_those_that_are(
    trial: Trial, service: FakePcsc, command: tuple[str, ...], wanted: str
) -> None:
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card)]
    result = run(trial, *command, reader=wanted)
    trial.refused(result, "no-reader")
    assert "Virtual PCD 00 00" in result.stderr
    assert "\x1b" not in result.stderr
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize("name", ["読取機　壱号", "R" * 120, "Reader\x1b[2J\u202e 00", "A\tB\x00"])
def test_a_reader_with_a_strange_name_works_and_its_name_moves_no_cursor(
    trial: Trial, service: FakePcsc, name: str
) -> None:
    service.readers = [Reader(name=name, card=trial.card)]
    for command in (("status",), ("readers",), ("pin", "status")):
        for as_json in (True, False):
            result = trial.run("--reader", "0", *command, as_json=as_json)
            assert result.exit_code == 0, result.stderr
            assert not {"\x1b", "\u202e", "\t", "\x00"} & set(
                result.stdout.decode() + result.stderr
            )


@WITH_CARD
def test_a_reader_that_another_program_holds_is_in_use(
    trial: Trial, service: FakePcsc, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jpki.readers.open_card.__kwdefaults__", busy_at_once())
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card, held_exclusively=True)]
    result = run(trial, *command)
    trial.refused(result, "card-in-use")
    assert "Virtual PCD 00 00" in result.stderr
    assert trial.card.exchange_count == 0


def busy_at_once() -> dict[str, object]:
    from jpki.readers import open_card

    return {**(open_card.__kwdefaults__ or {}), "busy_timeout_s": 0.0}


CODES = [
    pytest.param(0x80100069, "card-removed", id="W_REMOVED_CARD"),
    pytest.param(0x8010000C, "card-removed", id="E_NO_SMARTCARD"),
    pytest.param(0x80100017, "card-removed", id="E_READER_UNAVAILABLE"),
    pytest.param(0x80100013, "transport", id="F_COMM_ERROR"),
    pytest.param(0x8010000A, "card-silent", id="E_TIMEOUT"),
    pytest.param(0x80100066, "card-silent", id="W_UNRESPONSIVE_CARD"),
    pytest.param(0x80100003, "transport", id="E_INVALID_HANDLE"),
    pytest.param(0x8010001E, "transport", id="E_SERVICE_STOPPED"),
    pytest.param(0x8010001D, "transport", id="E_NO_SERVICE"),
    pytest.param(0x80100016, "transport", id="E_NOT_TRANSACTED"),
    pytest.param(0xDEADBEEF, "transport", id="nobody's"),
]
RESETS = [
    pytest.param(0x80100068, "card-reset", id="W_RESET_CARD"),
    pytest.param(0x80100067, "card-reset", id="W_UNPOWERED_CARD"),
    pytest.param(0x8010000B, "card-in-use", id="E_SHARING_VIOLATION"),
]
STEPS = {"verify": 4, "change": 5}


def fresh(trial: Trial, service: FakePcsc, issued: Path) -> None:
    trial.card = VirtualCard(with_tries(read_card_file(issued), TRIES_BEFORE))
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card)]
    service.transmitted = 0


@pytest.mark.parametrize(("code", "otherwise"), [*CODES, *RESETS])
@pytest.mark.parametrize("command", [("sign",), ("pin", "change", "signature")], ids=" ".join)
def test_an_error_of_pc_sc_in_place_of_any_exchange_ends_the_command(
    trial: Trial,
    service: FakePcsc,
    issued_card_path: Path,
    command: tuple[str, ...],
    code: int,
    otherwise: str,
    subtests: pytest.Subtests,
) -> None:
    fresh(trial, service, issued_card_path)
    assert run(trial, *command).exit_code == 0
    (trial.folder / "old.sig").write_bytes(b"an earlier signature")
    headers = list(trial.card.log)
    verify = max(n for n, header in enumerate(headers, 1) if header[1] == 0x20)
    once = {verify, *(n for n, header in enumerate(headers, 1) if header[1] in {0x24, 0x2A})}
    refused_before_sending = otherwise in {"card-reset", "card-in-use"}
    for step in range(1, len(headers) + 1):
        with subtests.test(step=step):
            fresh(trial, service, issued_card_path)
            service.transmit_codes = lambda number, step=step: code if number == step else OK  # type: ignore[misc]
            result = run(trial, *command)
            verified = step > verify
            unknown = step in once and not refused_before_sending
            trial.refused(
                result,
                "outcome-unknown" if unknown else otherwise,
                verifies=int(verified),
                tries=TRIES_BEFORE | ({"signature": 5} if verified else {}),
            )


@pytest.mark.parametrize("function", ["SCardDisconnect", "SCardReleaseContext"])
@pytest.mark.parametrize("code", [0x80100003, 0xDEADBEEF])
def test_a_failure_of_the_clean_up_changes_nothing(
    trial: Trial, service: FakePcsc, issued_card_path: Path, function: str, code: int
) -> None:
    fresh(trial, service, issued_card_path)
    service.calls[function] = code
    assert run(trial, "sign").exit_code == 0
    (trial.folder / "old.sig").write_bytes(b"an earlier signature")
    fresh(trial, service, issued_card_path)
    service.transmit_codes = lambda number: 0x80100069 if number == 4 else OK
    trial.refused(run(trial, "sign"), "outcome-unknown", tries=TRIES_BEFORE)


def test_a_transaction_whose_end_fails_still_costs_the_card_its_power(
    trial: Trial, service: FakePcsc, issued_card_path: Path
) -> None:
    fresh(trial, service, issued_card_path)
    service.calls["SCardEndTransaction"] = 0x80100014
    run(trial, "pin", "verify", "signature")
    assert trial.card.verify_count == 1
    check_locked(trial.card)


def jpki(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments],
        env=copy_of_environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes], arguments: tuple[str, ...]) -> Run:
    stdout, stderr = process.communicate(timeout=30)
    return Run(
        arguments=arguments,
        exit_code=process.returncode,
        stdout=stdout,
        stderr=stderr.decode(),
        typed=frozenset({PASSWORD}),
    )


@contextmanager
def a_service_that(path: Path, answer: bytes | None) -> Iterator[threading.Event]:
    """A socket in pcscd's place: it answers once and hangs up, or (None) says nothing at all."""
    came = threading.Event()
    clients: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    client, _address = listener.accept()
                except OSError:
                    return
                clients.append(client)
                came.set()
                if answer is not None:
                    if answer:
                        client.sendall(answer)
                    client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield came
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for client in clients:
                client.close()


REAL_COMMANDS = [("--json", "status"), ("--json", "pin", "verify", "signature", *SOURCE)]


@pytest.mark.parametrize("command", REAL_COMMANDS, ids=["status", "verify"])
def test_where_no_pcscd_runs_the_real_library_says_so(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    socket_path = str(tmp_path / "none")
    process = jpki(*command, PCSCLITE_CSOCK_NAME=socket_path, JPKI_TEST_PIN=PASSWORD)
    result = ended(process, command)
    check_failure(result, "pcsc-unavailable")
    check_nothing_leaked(result)
    assert "not running" in result.stderr


@pytest.mark.parametrize("answer", [b"", bytes(range(256))], ids=["hangs up", "junk"])
def test_a_service_that_is_none_is_unavailable(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "pcscd"
    command = REAL_COMMANDS[1]
    with a_service_that(path, answer):
        process = jpki(*command, PCSCLITE_CSOCK_NAME=str(path), JPKI_TEST_PIN=PASSWORD)
        result = ended(process, command)
    check_failure(result, "pcsc-unavailable")
    check_nothing_leaked(result)


def test_a_service_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "pcscd"
    command = REAL_COMMANDS[1]
    with a_service_that(path, None):
        process = jpki(*command, PCSCLITE_CSOCK_NAME=str(path), JPKI_TEST_PIN=PASSWORD)
        result = ended(process, command)
    check_failure(result, "pcsc-unavailable")
    check_nothing_leaked(result)


def test_ctrl_c_while_the_service_says_nothing_ends_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "pcscd"
    command = REAL_COMMANDS[0]
    with a_service_that(path, None) as came:
        process = jpki(*command, PCSCLITE_CSOCK_NAME=str(path))
        assert came.wait(30)
        started = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        result = ended(process, command)
        assert time.monotonic() - started < 1.5  # one second, and the end of an interpreter
    check_failure(result, "interrupted")
