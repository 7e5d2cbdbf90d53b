"""The PC/SC transport on a real pcscd, with cards that do what no sound card does."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from smartcard import scard  # noqa: TID251 (stands for another program)
from support.scripted_card import ATR, ScriptedCard
from support.vpcd import READERS, Vpcd

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import (
    CardInUseError,
    CardRemovedError,
    CardResetError,
    CardSilentError,
    MalformedResponseError,
    NoCardError,
    NoReaderError,
    TransportError,
)
from apdu.transports.pcsc import PcscContext, PcscTransport

pytestmark = pytest.mark.vpcd

READER = READERS[0]
READ = CommandApdu(ins=0xB0, p1=0x00, p2=0x00, ne=256)
OK = b"\x90\x00"
SOON_S = 10.0


@contextmanager
def inserted(vpcd: Vpcd) -> Iterator[ScriptedCard]:
    try:
        with ScriptedCard() as card:
            vpcd.wait_until(0, atr=ATR)
            yield card
    finally:
        vpcd.wait_until(0, atr=None)


@pytest.fixture
def context(vpcd: Vpcd) -> Iterator[PcscContext]:
    with PcscContext() as context:
        yield context


@pytest.fixture
def card(vpcd: Vpcd) -> Iterator[ScriptedCard]:
    with inserted(vpcd) as card:
        yield card


@contextmanager
def connected(context: PcscContext, card: ScriptedCard) -> Iterator[PcscTransport]:
    with context.connect(READER) as transport:
        # pcscd may have cut the power of the card before: nobody used it.
        card.powered_off.clear()
        yield transport


@pytest.fixture
def transport(context: PcscContext, card: ScriptedCard) -> Iterator[PcscTransport]:
    with connected(context, card) as transport:
        yield transport


# Readers and cards


def test_readers_are_listed_with_what_is_in_them(context: PcscContext, card: ScriptedCard) -> None:
    first, second = context.readers()
    assert (first.name, first.card_present, first.in_use, first.atr) == (READER, True, False, ATR)
    assert (second.name, second.card_present, second.in_use, second.atr) == (
        READERS[1],
        False,
        False,
        b"",
    )


def test_an_empty_reader_and_an_unknown_one_are_told_apart(context: PcscContext) -> None:
    with pytest.raises(NoCardError) as no_card:
        context.connect(READER)
    assert no_card.value.readers == (READER,)
    with pytest.raises(NoReaderError):
        context.connect("a reader that is not there " + "読" * 30)


def test_waiting_ends_when_a_card_comes(vpcd: Vpcd, context: PcscContext) -> None:
    context.readers()
    seen: list[bool] = []
    waiting = threading.Thread(
        target=lambda: seen.append(context.wait_for_card([READER], timeout_s=SOON_S))
    )
    waiting.start()
    with inserted(vpcd):
        waiting.join(SOON_S)
        assert seen == [True]


def test_a_card_that_came_before_the_waiting_began_is_not_missed(
    vpcd: Vpcd, context: PcscContext
) -> None:
    context.readers()
    with inserted(vpcd):
        assert context.wait_for_card([READER], timeout_s=SOON_S)


def test_our_own_use_of_a_card_is_no_news(context: PcscContext, card: ScriptedCard) -> None:
    context.readers()
    with context.connect(READER) as transport:
        transport.begin_transaction()
        transport.end_transaction(power_off=True)
    assert not context.wait_for_card([READER], timeout_s=0.1)


# Exchanges


def test_an_exchange_goes_there_and_back(transport: PcscTransport, card: ScriptedCard) -> None:
    card.answer = lambda command: command[::-1] + OK
    assert transport.transmit(b"\x00\x84\x00\x00\x05") == b"\x05\x00\x00\x84\x00" + OK
    assert card.commands == [b"\x00\x84\x00\x00\x05"]
    assert (transport.reader_name, transport.atr) == (READER, ATR)


def test_an_exchange_has_no_avoidable_delay(transport: PcscTransport) -> None:
    durations = []
    transport.begin_transaction()
    for _ in range(300):
        before = time.perf_counter()
        transport.transmit(READ.encode())
        durations.append(time.perf_counter() - before)
    # 0.2 ms where measured; a poll or a delayed ACK anywhere would be 10 ms and more.
    assert statistics.median(durations) < 0.003


def test_the_longest_answer_arrives_and_the_channel_refuses_it(
    transport: PcscTransport, card: ScriptedCard
) -> None:
    card.answer = lambda _: b"\x55" * 65533 + OK
    assert len(transport.transmit(READ.encode())) == 65535
    with pytest.raises(MalformedResponseError):
        Channel(transport).send(READ)


def test_a_status_word_cut_in_half_is_malformed_not_a_pull(
    transport: PcscTransport, card: ScriptedCard
) -> None:
    card.answer = lambda _: b"\x90"
    with pytest.raises(MalformedResponseError):
        Channel(transport).send(READ)
    card.answer = lambda _: OK
    assert Channel(transport).send(READ).sw == 0x9000


def test_a_pull_during_an_exchange_is_a_pull_and_stays_one(
    transport: PcscTransport, card: ScriptedCard
) -> None:
    transport.begin_transaction()
    card.answer = lambda _: "pull"
    for _ in range(2):
        with pytest.raises(CardRemovedError):
            transport.transmit(READ.encode())
    transport.end_transaction(power_off=True)
    with pytest.raises(CardRemovedError):
        transport.begin_transaction()


def test_half_an_answer_is_malformed(transport: PcscTransport, card: ScriptedCard) -> None:
    card.answer = lambda _: "half a frame"
    with pytest.raises(MalformedResponseError):
        Channel(transport).send(READ)


def test_a_pull_between_two_exchanges_is_a_pull(
    vpcd: Vpcd, transport: PcscTransport, card: ScriptedCard
) -> None:
    transport.transmit(READ.encode())
    card.pull()
    vpcd.wait_until(0, atr=None)
    with pytest.raises(CardRemovedError):
        transport.transmit(READ.encode())


def test_a_silent_card_ends_at_the_deadline_and_loses_its_power_when_it_wakes(
    card: ScriptedCard, vpcd: Vpcd
) -> None:
    card.answer = lambda _: "silent"
    with PcscContext(exchange_timeout_s=0.1) as context:
        transport = context.connect(READER)
        card.powered_off.clear()
        transport.begin_transaction()
        with pytest.raises(CardSilentError):
            transport.transmit(READ.encode())
        before = time.monotonic()
        with pytest.raises(CardSilentError):
            transport.transmit(READ.encode())
        assert time.monotonic() - before < 0.1, "the second exchange queued behind the first"
        assert not card.powered_off.is_set()
        card.say(OK)
        assert card.powered_off.wait(SOON_S)
        transport.close()
        assert len(card.commands) == 1
        # The list of readers is another connection, and works on.
        assert context.readers()


# Other programs


def test_a_transaction_keeps_others_out_until_they_give_up(
    context: PcscContext, transport: PcscTransport, card: ScriptedCard
) -> None:
    with context.connect(READER, busy_timeout_s=0.3) as other:
        transport.begin_transaction()
        with pytest.raises(CardInUseError) as caught:
            other.begin_transaction()
        assert caught.value.reader == READER
        with pytest.raises(CardInUseError):
            context.connect(READER, busy_timeout_s=0.3)
        assert context.readers()[0].card_present
    assert transport.transmit(READ.encode()) == OK
    transport.end_transaction(power_off=False)
    # Whoever gave up leaves no trace: this fails if its wait, still under way, reset the card.
    for _ in range(3):
        transport.begin_transaction()
        assert transport.transmit(READ.encode()) == OK
        transport.end_transaction(power_off=False)
    assert not card.powered_off.is_set()


def test_a_transaction_begins_when_the_other_one_ends(
    context: PcscContext, transport: PcscTransport
) -> None:
    with context.connect(READER, busy_timeout_s=SOON_S) as other:
        transport.begin_transaction()
        waiting = threading.Thread(target=other.begin_transaction)
        waiting.start()
        transport.end_transaction(power_off=True)
        waiting.join(SOON_S)
        assert other.transmit(READ.encode()) == OK


def test_power_falls_with_the_end_of_a_transaction_and_others_go_on_afresh(
    context: PcscContext, transport: PcscTransport, card: ScriptedCard
) -> None:
    with context.connect(READER) as other:
        transport.begin_transaction()
        transport.end_transaction(power_off=True)
        assert card.powered_off.wait(SOON_S)
        with pytest.raises(CardResetError):
            other.transmit(READ.encode())
        assert card.commands == []
        other.begin_transaction()
        assert other.transmit(READ.encode()) == OK


def test_a_card_whose_power_another_program_cut_is_switched_on_again(
    context: PcscContext, transport: PcscTransport, card: ScriptedCard
) -> None:
    with context.connect(READER) as other:
        transport.begin_transaction()
        transport.close()
        assert b"\x00" in card.log  # and polls behind it, on a busy machine
        other.begin_transaction()
        assert b"\x01" in card.log[card.log.index(b"\x00") :], "the power is still off"
        assert other.transmit(READ.encode()) == OK


def test_a_reader_held_exclusively_is_named_waited_for_and_then_used(
    context: PcscContext, card: ScriptedCard
) -> None:
    _, foreign_context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    code, handle, _ = scard.SCardConnect(
        foreign_context, READER, scard.SCARD_SHARE_EXCLUSIVE, protocols
    )
    assert code == scard.SCARD_S_SUCCESS
    assert context.readers()[0].in_use
    with pytest.raises(CardInUseError) as caught:
        context.connect(READER, busy_timeout_s=0.1)
    assert caught.value.reader == READER

    release = threading.Timer(0.2, scard.SCardDisconnect, (handle, scard.SCARD_LEAVE_CARD))
    release.start()
    with context.connect(READER, busy_timeout_s=SOON_S) as transport:
        assert transport.transmit(READ.encode()) == OK
    release.join()
    scard.SCardReleaseContext(foreign_context)


# Letting go


def test_closing_leaves_a_card_as_it_is(context: PcscContext, card: ScriptedCard) -> None:
    with connected(context, card):  # and so pcscd leaves it on
        with context.connect(READER) as transport:
            transport.begin_transaction()
            transport.transmit(READ.encode())
            transport.end_transaction(power_off=False)
        with context.connect(READER) as transport:
            transport.transmit(READ.encode())
        assert not card.powered_off.is_set()


def test_closing_inside_a_transaction_cuts_the_power(
    context: PcscContext, card: ScriptedCard
) -> None:
    with connected(context, card) as transport:
        transport.begin_transaction()
    assert card.powered_off.wait(SOON_S)


def test_closed_things_say_so_and_may_be_closed_again(
    context: PcscContext, transport: PcscTransport
) -> None:
    transport.close()
    transport.close()
    with pytest.raises(TransportError, match="closed"):
        transport.transmit(READ.encode())
    with pytest.raises(TransportError, match="closed"):
        transport.begin_transaction()
    transport.end_transaction(power_off=True)
    context.close()
    context.close()
    with pytest.raises(TransportError, match="closed"):
        context.readers()
    with pytest.raises(TransportError, match="closed"):
        context.connect(READER)


def test_a_second_transaction_inside_the_first_is_a_programmers_error(
    transport: PcscTransport,
) -> None:
    transport.begin_transaction()
    with pytest.raises(RuntimeError):
        transport.begin_transaction()


def test_a_card_that_is_gone_does_not_hide_the_first_error(
    context: PcscContext, vpcd: Vpcd, card: ScriptedCard
) -> None:
    def work() -> None:
        with context.connect(READER) as transport:
            transport.begin_transaction()
            card.pull()
            vpcd.wait_until(0, atr=None)
            raise LookupError("the first error")

    with pytest.raises(LookupError):
        work()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_touch_the_connection(
    context: PcscContext, transport: PcscTransport, card: ScriptedCard
) -> None:
    transport.begin_transaction()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: fork with threads
        child = os.fork()
    if child == 0:
        refusals = 0
        for use in (lambda: transport.transmit(READ.encode()), context.readers):
            try:
                use()
            except TransportError:
                refusals += 1
        transport.close()
        context.close()
        os._exit(refusals)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    assert transport.transmit(READ.encode()) == OK
    assert card.commands == [READ.encode()]


# Ctrl-C

PROGRAM = """
import sys
from apdu.errors import ExchangeInterrupted
from apdu.transports.pcsc import PcscContext

def notify(notice):
    print(notice.name, flush=True)

with PcscContext(notify=notify, exchange_timeout_s={timeout_s}) as context:
    with context.connect({reader!r}) as transport:
        transport.begin_transaction()
        try:
            transport.transmit(bytes.fromhex("0020008004") + b"1234")
        except ExchangeInterrupted as interrupted:
            print(interrupted.response, flush=True)
            {then}
        finally:
            transport.end_transaction(power_off=True)
"""


@contextmanager
def _program(card: ScriptedCard, **parts: object) -> Iterator[subprocess.Popen[str]]:
    """Run the program until its command is with the card, which is silent."""
    card.answer = lambda _: "silent"
    settings: dict[str, object] = {"reader": READER, "timeout_s": 30, "then": "sys.exit(130)"}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PROGRAM.format(**settings | parts)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert card.command_came.acquire(timeout=SOON_S)
            card.powered_off.clear()
            yield process
        finally:
            process.kill()


def _wake(card: ScriptedCard) -> None:
    """Let pcscd end the exchange of a program that is gone: it then resets the card."""
    card.say(OK)
    assert card.was_reset.wait(SOON_S)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def _end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=SOON_S)
    return process.returncode, stdout, stderr


def test_ctrl_c_is_answered_within_a_second_and_the_result_still_arrives(
    card: ScriptedCard,
) -> None:
    with _program(card) as process:
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert _line(process) == "INTERRUPTED"
        assert time.monotonic() - before < 1
        card.say(b"\x63\xc2")
        assert _line(process) == repr(b"\x63\xc2")
        assert _end(process) == (130, "", "")
    assert card.powered_off.wait(SOON_S)
    assert len(card.commands) == 1


def test_a_second_ctrl_c_ends_at_once_and_the_outcome_is_unknown(card: ScriptedCard) -> None:
    with _program(card) as process:
        process.send_signal(signal.SIGINT)
        assert _line(process) == "INTERRUPTED"
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert _line(process) == "None"
        assert time.monotonic() - before < 1
        assert _end(process) == (130, "", "")
    _wake(card)


def test_after_ctrl_c_a_silent_card_is_waited_for_three_seconds(card: ScriptedCard) -> None:
    with _program(card) as process:
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert [_line(process), _line(process)] == ["INTERRUPTED", "None"]
        assert 2.9 < time.monotonic() - before < 4
        assert _end(process) == (130, "", "")
    _wake(card)


def test_a_slow_card_is_announced_and_then_answers(card: ScriptedCard) -> None:
    with _program(card) as process:
        assert _line(process) == "CARD_SLOW"
        card.say(OK)
        assert _end(process) == (0, "", "")
    assert card.powered_off.wait(SOON_S)
