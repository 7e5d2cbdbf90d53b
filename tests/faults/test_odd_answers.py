"""Answers that make no sense, at every single exchange: bounded work, a clear end, one VERIFY."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.operations import OPERATIONS, Operation, Sweep
from support.trial import FAILURES, Run, Trial, check_failure, check_locked, check_nothing_leaked

from jpki.emulator import Faults, SignatureFault, TriesQuery

MOST_EXCHANGES = 64 + 20
"""What the longest chain of answers may cost beside the command itself."""


@pytest.fixture(params=OPERATIONS, ids=str)
def sweep(request: pytest.FixtureRequest, issued_card_path: Path, tmp_path: Path) -> Sweep:
    operation: Operation = request.param
    return Sweep(operation, issued_card_path, tmp_path)


def truncated(answer: bytes) -> bytes:
    """Half of the answer, ending so that its last bytes do not look like a sound status word."""
    end = len(answer) // 2
    while end > 2 and answer[end - 2] in {0x61, 0x62, 0x6C, 0x90}:
        end -= 1
    return answer[:end]


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _answer: b"",
    "one byte": lambda answer: answer[:1],
    "truncated": truncated,
    "oversized": lambda answer: b"\xaa" * (65535 - len(answer)) + answer,
    "beyond all bounds": lambda _answer: b"\xaa" * 70_000,
    "one byte too many": lambda answer: answer[:-2] + bytes(257 - len(answer) + 2) + b"\x90\x00",
    "data where none belong": lambda answer: b"\x00" * 300 + answer,
}


@pytest.mark.parametrize("kind", SPOILED)
def test_an_answer_that_is_none_ends_the_command(
    sweep: Sweep, kind: str, subtests: pytest.Subtests
) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):

            def spoil(exchange: int, _command: bytes, answer: bytes, step: int = step) -> bytes:
                return SPOILED[kind](answer) if exchange == step else answer

            trial, run = sweep.run(Faults(hook=spoil))
            verified = step >= sweep.course.verify
            nonsense = ("malformed-response", "unexpected-status-word")
            trial.refused(
                run,
                *(("outcome-unknown",) if step in sweep.course.once else nonsense),
                verifies=int(verified),
                tries=sweep.tries_after(verified=verified),
            )


@pytest.mark.parametrize("endless", [b"\x61\x00", b"\x61\x10", b"\xaa" * 16 + b"\x61\x10"])
def test_61xx_for_ever_ends(sweep: Sweep, endless: bytes, subtests: pytest.Subtests) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):

            def more(exchange: int, command: bytes, answer: bytes, step: int = step) -> bytes:
                if exchange < step:
                    return answer
                # With data only where data may be: else it would be another fault.
                return endless if command[1] in {0xB0, 0x2A, 0xC0} else endless[-2:]

            trial, run = sweep.run(Faults(hook=more))
            assert trial.card.exchange_count < step + MOST_EXCHANGES
            verified = step >= sweep.course.verify
            once = step in sweep.course.once
            trial.refused(
                run,
                "outcome-unknown" if once else "malformed-response",
                verifies=int(verified),
                tries=sweep.tries_after(verified=verified),
            )


@pytest.mark.parametrize("endless", [b"\x6c\x00", b"\x6c\x10", b"\x6c\xff"])
def test_6cxx_for_ever_is_answered_once_and_never_for_a_pin_or_a_signature(
    sweep: Sweep, endless: bytes, subtests: pytest.Subtests
) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):

            def other_le(exchange: int, _command: bytes, answer: bytes, step: int = step) -> bytes:
                return endless if exchange >= step else answer

            trial, run = sweep.run(Faults(hook=other_le))
            assert trial.card.exchange_count <= step + 1
            verified = step >= sweep.course.verify
            once = step in sweep.course.once
            # Before VERIFY it may be the query for tries: a count that is none.
            otherwise = ("unexpected-status-word", "tries-unknown")
            trial.refused(
                run,
                *(("outcome-unknown",) if once else otherwise),
                verifies=int(verified),
                tries=sweep.tries_after(verified=verified),
            )
            if once:
                assert trial.card.exchange_count == step


STATUS_WORDS = (
    *(0x0000, 0x6282, 0x6283, 0x6300, 0x6345, 0x63C0, 0x63C1, 0x63C2, 0x63CF, 0x6400, 0x6581),
    *(0x6700, 0x6882, 0x6900, 0x6981, 0x6982, 0x6983, 0x6984, 0x6985, 0x6986, 0x6999, 0x6A80),
    *(0x6A82, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00, 0x6F00, 0x9001, 0x9100, 0xFFFF),
)
TRIES_OF = {0x63C1: "last-try", 0x63C0: "pin-blocked", 0x6983: "pin-blocked", 0x6984: "pin-blocked"}
NO_APPLICATION = {0x6A82, 0x6A81, 0x6A86, 0x6D00, 0x6E00, 0x6999}


def expected_codes(sweep: Sweep, step: int, sw: int) -> tuple[str, ...]:
    """What may come of the bare status word `sw` in place of the right answer."""
    ins = sweep.course.headers[step - 1][1]
    if step in sweep.course.once:
        return (_of_a_command_sent_once(sweep.course.once[step], sw),)
    if sw >> 12 not in {0x6, 0x9}:  # no status word at all
        return ("malformed-response",)
    if ins == 0x20:
        return (TRIES_OF.get(sw, "tries-unknown"),)
    if ins == 0xA4 and sweep.course.headers[step - 1][2] == 0x04:
        return ("not-my-number-card",) if sw in NO_APPLICATION else ("unexpected-status-word",)
    after_verify = step > sweep.course.verify
    if after_verify and sw == 0x6982:
        return ("pin-required", "unexpected-status-word")
    if after_verify and sw == 0x6A82:
        return ("no-certificate", "unexpected-status-word")
    if ins == 0xB0 and sw == 0x6282:
        return ("malformed-response", "no-certificate")
    return ("unexpected-status-word",)


def _of_a_command_sent_once(once: str, sw: int) -> str:
    if sw >> 12 not in {0x6, 0x9}:
        return "outcome-unknown"
    if once == "verify" and sw in {0x63C0, 0x6983, 0x6984}:
        return "pin-blocked"
    if once == "verify" and sw >> 8 == 0x63:
        return "pin-incorrect"
    if once == "sign" and sw == 0x6982:
        return "pin-required"
    # ISO/IEC 7816-4: the memory has changed with 63 and 65, and with 6F nobody knows.
    if once == "change" and sw >> 8 in {0x62, 0x63, 0x65, 0x6F, 0x90, 0x91}:
        return "outcome-unknown"
    return "unexpected-status-word"


def is_harmless(sweep: Sweep, step: int, sw: int) -> bool:
    """Answers that a card may give and that the command lives with."""
    header = sweep.course.headers[step - 1]
    if header[1] == 0x20 and step != sweep.course.verify:
        return 0x63C2 <= sw <= 0x63C0 + {"signature": 5, "authentication": 3}[sweep.operation.pin]
    # Seen on card: 6F00 to the first command under power. SELECT may be repeated.
    return header[1:3] == b"\xa4\x04" and sw == 0x6F00


def test_a_status_word_in_place_of_an_answer_is_never_success(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    for step in sweep.steps():
        for sw in STATUS_WORDS:
            with subtests.test(step=step, sw=f"{sw:04X}"):
                trial, run = sweep.run(Faults(replaced={step: sw.to_bytes(2)}))
                if is_harmless(sweep, step, sw):
                    assert run.exit_code == 0, run.stderr
                    assert trial.card.verify_count == 1
                    continue
                verified = step >= sweep.course.verify
                trial.refused(
                    run,
                    *expected_codes(sweep, step, sw),
                    verifies=int(verified),
                    tries=sweep.tries_after(verified=verified),
                    notices=1,  # the count is not the one that the person was shown
                )


@pytest.mark.parametrize("sw", [0x6300, 0x6345, 0x63CF, 0x6700, 0x6982, 0x6A82, 0x6F00, 0x9001])
@pytest.mark.parametrize("operation", OPERATIONS[:1], ids=str)
def test_a_strange_answer_to_the_pin_makes_no_count_and_no_advice_to_try_again(
    issued_card_path: Path, tmp_path: Path, operation: Operation, sw: int
) -> None:
    sweep = Sweep(operation, issued_card_path, tmp_path)
    _trial, run = sweep.run(Faults(replaced={sweep.course.verify: sw.to_bytes(2)}))
    assert run.error.get("tries_left") is None
    assert "jpki pin status" in run.stderr
    assert "Try again" not in run.stderr


@pytest.mark.parametrize("sw", [0x6300, 0x6581, 0x6700, 0x6A80, 0x6985, 0x6F00])
def test_a_strange_answer_to_the_new_pin_says_how_to_find_out_which_one_holds(
    issued_card_path: Path, tmp_path: Path, sw: int
) -> None:
    sweep = Sweep(OPERATIONS[2], issued_card_path, tmp_path)
    (change,) = (n for n, what in sweep.course.once.items() if what == "change")
    _trial, run = sweep.run(Faults(replaced={change: sw.to_bytes(2)}))
    assert "jpki pin" in run.stderr
    assert "Try again" not in run.stderr


def test_data_without_success_beside_a_signature_are_no_answer(
    issued_card_path: Path, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    sweep = Sweep(OPERATIONS[0], issued_card_path, tmp_path)
    (sign,) = (n for n, what in sweep.course.once.items() if what == "sign")
    for sw in (0x6982, 0x6A82, 0x6F00, 0x1234):
        with subtests.test(sw=f"{sw:04X}"):
            trial, run = sweep.run(Faults(replaced={sign: b"\xaa" * 127 + sw.to_bytes(2)}))
            trial.refused(
                run, "outcome-unknown", verifies=1, tries=sweep.tries_after(verified=True)
            )


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(b"", id="no bytes"),
        pytest.param(bytes(256), id="zeros"),
        pytest.param(b"\xff" * 256, id="beyond the modulus"),
        pytest.param(b"\xaa" * 255, id="short"),
        pytest.param(b"\xaa" * 128, id="half"),
    ],
)
@pytest.mark.parametrize("operation", [OPERATIONS[0], OPERATIONS[1], OPERATIONS[4]], ids=str)
def test_a_signature_that_does_not_fit_the_certificate_is_not_handed_out(
    issued_card_path: Path, tmp_path: Path, operation: Operation, signature: bytes
) -> None:
    sweep = Sweep(operation, issued_card_path, tmp_path)
    (sign,) = (n for n, what in sweep.course.once.items() if what == "sign")
    trial, run = sweep.run(Faults(replaced={sign: signature + b"\x90\x00"}))
    trial.refused(run, "signature-mismatch", verifies=1, tries=sweep.tries_after(verified=True))


@pytest.mark.parametrize("fault", [SignatureFault.WRONG, SignatureFault.SHORT])
@pytest.mark.parametrize("operation", [OPERATIONS[0], OPERATIONS[1], OPERATIONS[4]], ids=str)
def test_a_signature_with_a_wrong_bit_or_a_byte_too_few_is_not_handed_out(
    issued_card_path: Path, tmp_path: Path, operation: Operation, fault: SignatureFault
) -> None:
    sweep = Sweep(operation, issued_card_path, tmp_path)
    trial, run = sweep.run(Faults(signature=fault))
    trial.refused(run, "signature-mismatch", verifies=1, tries=sweep.tries_after(verified=True))


CERTIFICATES = {
    "garbage": b"\x5a" * 256,
    "all zero": bytes(256),
    "a SEQUENCE of nothing": b"\x30\x00" + b"\xff" * 254,
    "a short SEQUENCE": b"\x30\x03\x02\x01\x00" + b"\xff" * 251,
    "indefinite length": b"\x30\x80" + bytes(254),
    "a length of four bytes": b"\x30\x84\xff\xff\xff\xff" + bytes(250),
    "longer than any certificate": b"\x30\x82\xff\xff" + bytes(252),
    "nested for ever": b"\x30\x82\x01\x00" + b"\x30\x80" * 126,
    "an INTEGER": b"\x02\x01\x00" + b"\xff" * 253,
    "a short header": b"\x30",
}


@pytest.mark.parametrize("content", CERTIFICATES.values(), ids=CERTIFICATES)
@pytest.mark.parametrize("operation", [OPERATIONS[0], OPERATIONS[4]], ids=str)
def test_a_certificate_that_is_none_ends_before_the_signature(
    issued_card_path: Path, tmp_path: Path, operation: Operation, content: bytes
) -> None:
    sweep = Sweep(operation, issued_card_path, tmp_path)

    def spoil(_exchange: int, command: bytes, answer: bytes) -> bytes:
        return content + b"\x90\x00" if command[1] == 0xB0 else answer

    trial, run = sweep.run(Faults(hook=spoil))
    trial.refused(
        run,
        "certificate-malformed",
        "malformed-response",
        verifies=1,
        tries=sweep.tries_after(verified=True),
    )
    assert trial.card.signature_count == 0


@pytest.mark.parametrize("operation", [OPERATIONS[0], OPERATIONS[4]], ids=str)
def test_a_certificate_of_garbage_inside_ends_before_the_signature(
    issued_card_path: Path, tmp_path: Path, operation: Operation
) -> None:
    sweep = Sweep(operation, issued_card_path, tmp_path)
    trial, run = sweep.run(Faults(certificate_garbage=True))
    trial.refused(run, "certificate-malformed", verifies=1, tries=sweep.tries_after(verified=True))
    assert trial.card.signature_count == 0


@pytest.mark.parametrize("arguments", [("status",), ("cert", "list"), ("cert", "show", "auth")])
def test_a_command_without_a_pin_survives_every_odd_answer(
    trial: Trial, arguments: tuple[str, ...], subtests: pytest.Subtests
) -> None:
    """It ends in a documented failure, or tells what it could find out."""
    assert trial.run(*arguments).exit_code == 0
    steps = trial.card.exchange_count
    for step in range(1, steps + 1):
        for kind, spoil in SPOILED.items():
            with subtests.test(step=step, kind=kind):
                outcome_of_one_spoiled_exchange(trial, arguments, step, spoil)


def outcome_of_one_spoiled_exchange(
    trial: Trial, arguments: tuple[str, ...], step: int, spoil: Callable[[bytes], bytes]
) -> None:
    start = trial.card.exchange_count

    def spoiled(exchange: int, _command: bytes, answer: bytes) -> bytes:
        return spoil(answer) if exchange == start + step else answer

    trial.card.faults = Faults(hook=spoiled)
    run = trial.run(*arguments)
    if run.exit_code != 0:
        check_failure(run, *FAILURES)
        assert run.exit_code in {2, 4, 9}
    check_nothing_leaked(run)
    check_locked(trial.card)
    trial.counts()


@pytest.mark.parametrize("arguments", [("pin", "verify", "signature"), ("sign",)])
@pytest.mark.parametrize("person", [False, True], ids=["script", "terminal"])
def test_a_query_for_tries_that_says_blocked_is_believed(
    trial: Trial, arguments: tuple[str, ...], *, person: bool
) -> None:
    trial.card.faults = Faults(tries_query=TriesQuery.SW_6983)
    run = run_with_right_password(trial, arguments, person=person)
    trial.refused(run, "pin-blocked")
    assert trial.person.questions == []


def run_with_right_password(trial: Trial, arguments: tuple[str, ...], *, person: bool) -> Run:
    from support.cards import PASSWORD

    if arguments == ("sign",):
        arguments = trial.sign(pin_from=None)
    if person:
        return trial.run(*arguments, answers=[PASSWORD])
    return trial.run(*arguments, "--pin-from", "env:JPKI_TEST_PIN", pin=PASSWORD)
