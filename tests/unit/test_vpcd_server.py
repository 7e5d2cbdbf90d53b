"""The card behind vpcd: its side of the wire, and the whole way through a real pcscd."""

import contextlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartcard import scard  # noqa: TID251 - the judge is PC/SC itself
from support import vpcd as support
from support.vpcd import Vpcd

from jpki.emulator import (
    CardSilentError,
    Faults,
    ServeEvent,
    StopSignal,
    VirtualCard,
    serve,
)
from jpki.emulator.card_file import read_card_file

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
READ_TOKEN_INFO = bytes.fromhex("00B0860000")
DEADLINE_S = 10.0


class FakeReader:
    """The reader's side of vpcd's protocol on a port of its own."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE_S)
        self.port = self.listener.getsockname()[1]
        self.connection: socket.socket | None = None

    def accept(self) -> None:
        self.drop()
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(DEADLINE_S)

    def drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def send(self, message: bytes) -> None:
        assert self.connection is not None
        self.connection.sendall(struct.pack(">H", len(message)) + message)

    def receive(self) -> bytes:
        (length,) = struct.unpack(">H", self._exactly(2))
        return self._exactly(length)

    def exchange(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def is_dropped_by_the_card(self) -> bool:
        assert self.connection is not None
        return self.connection.recv(1) == b""

    def _exactly(self, count: int) -> bytes:
        assert self.connection is not None
        data = b""
        while len(data) < count:
            part = self.connection.recv(count - len(data))
            assert part, "the card has closed the connection"
            data += part
        return data


@pytest.fixture
def reader() -> Iterator[FakeReader]:
    fake = FakeReader()
    yield fake
    fake.drop()
    fake.listener.close()


@contextlib.contextmanager
def served(
    card: VirtualCard, port: int, *, reinsert_after_s: float | None = None
) -> Iterator[list[ServeEvent]]:
    events: list[ServeEvent] = []
    with StopSignal() as stop:
        thread = threading.Thread(
            target=serve,
            args=(card,),
            kwargs={
                "port": port,
                "stop": stop,
                "on_event": events.append,
                "reinsert_after_s": reinsert_after_s,
            },
        )
        thread.start()
        try:
            yield events
        finally:
            stop.set()
            thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_orders_and_commands_are_answered(reader: FakeReader, jpki_card: VirtualCard) -> None:
    with served(jpki_card, reader.port) as events:
        reader.accept()
        reader.send(b"\x01")
        assert reader.exchange(b"\x04") == jpki_card.atr
        assert reader.exchange(SELECT_JPKI) == b"\x90\x00"
        assert reader.exchange(READ_TOKEN_INFO)[:15] == b"JPKIAPICCTOKEN2"
        reader.send(b"\x02")
        assert reader.exchange(READ_TOKEN_INFO)[-2:] == b"\x90\x00"
        reader.send(b"\x00")
        reader.send(b"\x01")
        assert reader.exchange(READ_TOKEN_INFO) == b"\x6a\x82"
    assert events == [ServeEvent.INSERTED, ServeEvent.STOPPED]


def test_message_in_small_pieces_is_put_together(
    reader: FakeReader, jpki_card: VirtualCard
) -> None:
    with served(jpki_card, reader.port):
        reader.accept()
        assert reader.connection is not None
        reader.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in struct.pack(">H", len(SELECT_JPKI)) + SELECT_JPKI:
            reader.connection.sendall(bytes([byte]))
        assert reader.receive() == b"\x90\x00"


def test_unknown_order_is_ignored(reader: FakeReader, jpki_card: VirtualCard) -> None:
    with served(jpki_card, reader.port):
        reader.accept()
        reader.send(b"\x09")
        assert reader.exchange(b"\x04") == jpki_card.atr


def test_card_comes_back_when_the_reader_drops_it_and_has_lost_power(
    reader: FakeReader, jpki_card: VirtualCard
) -> None:
    with served(jpki_card, reader.port) as events:
        reader.accept()
        assert reader.exchange(SELECT_JPKI) == b"\x90\x00"
        reader.accept()
        reader.send(b"\x01")
        assert reader.exchange(READ_TOKEN_INFO) == b"\x6a\x82"
    assert events[:3] == [ServeEvent.INSERTED, ServeEvent.DROPPED, ServeEvent.INSERTED]


def test_card_waits_for_a_reader_that_is_not_there_yet(jpki_card: VirtualCard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    waiting = threading.Event()
    events: list[ServeEvent] = []

    def note(event: ServeEvent) -> None:
        events.append(event)
        waiting.set()

    with StopSignal() as stop:
        options = {"port": port, "stop": stop, "on_event": note}
        thread = threading.Thread(target=serve, args=(jpki_card,), kwargs=options)
        thread.start()
        assert waiting.wait(DEADLINE_S)
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(DEADLINE_S)
            connection, _ = listener.accept()
            connection.close()
            stop.set()
            thread.join(DEADLINE_S)
    assert events[:2] == [ServeEvent.WAITING, ServeEvent.INSERTED]
    assert events[-1] is ServeEvent.STOPPED


def test_pulled_card_stays_out(reader: FakeReader, jpki_card: VirtualCard) -> None:
    jpki_card.faults = Faults(pull_before=1)
    with served(jpki_card, reader.port) as events:
        reader.accept()
        reader.send(SELECT_JPKI)
        assert reader.is_dropped_by_the_card()
    assert events == [ServeEvent.INSERTED, ServeEvent.PULLED, ServeEvent.STOPPED]


def test_pulled_card_is_put_back_when_told(reader: FakeReader, jpki_card: VirtualCard) -> None:
    jpki_card.faults = Faults(pull_after=1)
    with served(jpki_card, reader.port, reinsert_after_s=0.0):
        reader.accept()
        reader.send(SELECT_JPKI)
        assert reader.is_dropped_by_the_card()
        reader.accept()
        reader.send(b"\x01")
        assert reader.exchange(READ_TOKEN_INFO) == b"\x6a\x82"


def test_empty_answer_drops_the_connection_because_vpcd_would_hang(
    reader: FakeReader, jpki_card: VirtualCard
) -> None:
    jpki_card.faults = Faults(empty_at=1)
    with served(jpki_card, reader.port):
        reader.accept()
        reader.send(SELECT_JPKI)
        assert reader.is_dropped_by_the_card()
        reader.accept()
        assert reader.exchange(b"\x04") == jpki_card.atr


def test_answer_that_no_message_can_hold_drops_the_connection(
    reader: FakeReader, jpki_card: VirtualCard
) -> None:
    jpki_card.faults = Faults(replaced={1: b"\xaa" * 65536})
    with served(jpki_card, reader.port):
        reader.accept()
        reader.send(SELECT_JPKI)
        assert reader.is_dropped_by_the_card()


def test_silent_card_can_be_stopped_and_says_nothing(
    reader: FakeReader, jpki_card: VirtualCard
) -> None:
    jpki_card.faults = Faults(silent_at=1)
    with served(jpki_card, reader.port) as events:
        reader.accept()
        reader.send(SELECT_JPKI)
        reader.send(b"\x04")
        assert reader.connection is not None
        reader.connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            reader.connection.recv(1)
    assert events[-1] is ServeEvent.STOPPED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_cleanly_on_a_signal_and_prints_nothing(
    reader: FakeReader, jpki_card_path: Path, number: signal.Signals
) -> None:
    program = (
        "import signal, sys\n"
        "from jpki.emulator import load_card, serve\n"
        "before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]\n"
        "serve(load_card(sys.argv[1]), port=int(sys.argv[2]))\n"
        "assert before == [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]\n"
    )
    strict_python = [sys.executable, "-X", "dev", "-W", "error"]
    process = subprocess.Popen(
        [*strict_python, "-c", program, jpki_card_path, str(reader.port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    reader.accept()
    assert reader.exchange(SELECT_JPKI) == b"\x90\x00"
    process.send_signal(number)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, output) == (0, b"")


def test_reader_that_is_not_virtual_ends_the_suite() -> None:
    with pytest.raises(pytest.exit.Exception, match="not virtual"):
        support._check_readers(("Virtual PCD 00 00", "ACME Reader 01 00"))


@pytest.mark.parametrize("variable", ["CI", "JPKI_REQUIRE_VPCD"])
def test_pcscd_without_virtual_reader_fails_where_it_is_required_and_skips_elsewhere(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("CI", "JPKI_REQUIRE_VPCD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.skip.Exception, match="scripts/setup"):
        support._check_readers(())
    monkeypatch.setenv(variable, "1")
    with pytest.raises(pytest.fail.Exception, match="scripts/setup"):
        support._check_readers(())


@contextlib.contextmanager
def connected(reader_name: str) -> Iterator[tuple[int, int]]:
    """A plain PC/SC client: card handle and protocol; it leaves the card as it is."""
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert code == 0
    code, handle, protocol = scard.SCardConnect(
        context, reader_name, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_ANY
    )
    assert code == 0, scard.SCardGetErrorMessage(code)
    try:
        yield handle, protocol
    finally:
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(context)


def transmit(connection: tuple[int, int], command: bytes) -> bytes:
    handle, protocol = connection
    code, answer = scard.SCardTransmit(handle, protocol, list(command))
    assert code == 0, scard.SCardGetErrorMessage(code)
    return bytes(answer)


@pytest.mark.vpcd
def test_round_trip_through_pcscd_takes_less_than_a_millisecond(
    vpcd: Vpcd, jpki_card: VirtualCard
) -> None:
    with vpcd.insert(jpki_card) as name, connected(name) as connection:
        fastest = min(_seconds_per_exchange(connection) for _ in range(5))
    assert fastest < 0.001


def _seconds_per_exchange(connection: tuple[int, int]) -> float:
    start = time.perf_counter()
    for _ in range(100):
        assert transmit(connection, SELECT_JPKI) == b"\x90\x00"
    return (time.perf_counter() - start) / 100


@pytest.mark.vpcd
def test_two_cards_are_in_two_slots(vpcd: Vpcd, jpki_card: VirtualCard) -> None:
    with vpcd.insert(jpki_card, slot=1) as name, connected(name) as connection:
        assert transmit(connection, SELECT_JPKI) == b"\x90\x00"
        assert transmit(connection, READ_TOKEN_INFO)[:15] == b"JPKIAPICCTOKEN2"


@pytest.mark.vpcd
def test_oversized_answer_passes_through_pcscd(vpcd: Vpcd, jpki_card: VirtualCard) -> None:
    jpki_card.faults = Faults(oversized_at=1)
    with vpcd.insert(jpki_card) as name, connected(name) as connection:
        assert len(transmit(connection, SELECT_JPKI)) == 65535


@pytest.mark.vpcd
def test_pull_shows_as_success_without_bytes(vpcd: Vpcd, jpki_card: VirtualCard) -> None:
    jpki_card.faults = Faults(pull_before=1)
    with vpcd.insert(jpki_card) as name, connected(name) as connection:
        assert transmit(connection, SELECT_JPKI) == b""
        vpcd.wait_until(0, atr=None)


class SilentCard(VirtualCard):
    """A card that tells when it has been asked, and says nothing."""

    def execute(self, command: bytes, /) -> bytes:
        self.asked.set()
        raise CardSilentError

    def __init__(self, path: Path) -> None:
        super().__init__(read_card_file(path))
        self.asked = threading.Event()


@pytest.mark.vpcd
def test_silent_card_frees_pcscd_when_it_is_taken_out(
    vpcd: Vpcd, jpki_card: VirtualCard, jpki_card_path: Path
) -> None:
    silent = SilentCard(jpki_card_path)
    answers: list[bytes] = []

    def ask(connection: tuple[int, int]) -> None:
        handle, protocol = connection
        answers.append(bytes(scard.SCardTransmit(handle, protocol, list(SELECT_JPKI))[1]))

    with contextlib.ExitStack() as client:
        with vpcd.insert(silent) as name:
            connection = client.enter_context(connected(name))
            thread = threading.Thread(target=ask, args=(connection,))
            thread.start()
            assert silent.asked.wait(DEADLINE_S)
            assert answers == []
        thread.join(DEADLINE_S)
    assert answers == [b""]
    with vpcd.insert(jpki_card) as name, connected(name) as connection:
        assert transmit(connection, SELECT_JPKI) == b"\x90\x00"


@pytest.mark.vpcd
def test_security_status_survives_disconnect_but_not_unpower(
    vpcd: Vpcd, jpki_card: VirtualCard
) -> None:
    verify = bytes.fromhex("0020009804") + jpki_card.pin_value("authentication").encode()
    sign = bytes.fromhex("802A0097013000")
    with vpcd.insert(jpki_card) as name:
        with connected(name) as connection:
            transmit(connection, SELECT_JPKI)
            assert transmit(connection, verify) == b"\x90\x00"
        with connected(name) as connection:
            assert transmit(connection, sign)[-2:] == b"\x90\x00"
            handle, _ = connection
            mode = scard.SCARD_SHARE_SHARED
            for way in (scard.SCARD_RESET_CARD, scard.SCARD_UNPOWER_CARD):
                code, _ = scard.SCardReconnect(handle, mode, scard.SCARD_PROTOCOL_ANY, way)
                assert code == 0
                transmit(connection, SELECT_JPKI)
                expected = b"\x90\x00" if way == scard.SCARD_RESET_CARD else b"\x69\x82"
                assert transmit(connection, sign)[-2:] == expected
