"""The card is pulled before or after every single exchange; it falls silent; Ctrl-C comes."""

from pathlib import Path

import pytest
from support.operations import OPERATIONS, Operation, Sweep

from jpki.emulator import Faults


@pytest.fixture(params=OPERATIONS, ids=str)
def sweep(request: pytest.FixtureRequest, issued_card_path: Path, tmp_path: Path) -> Sweep:
    operation: Operation = request.param
    return Sweep(operation, issued_card_path, tmp_path)


def asserted(sweep: Sweep, faults: Faults, step: int, otherwise: str, *, executed: bool) -> None:
    """Run with these faults at `step`; `executed`: the card did what it was told in that step."""
    trial, run = sweep.run(faults)
    verified = step > sweep.course.verify or (executed and step == sweep.course.verify)
    once = sweep.course.once.get(step)
    trial.refused(
        run,
        "outcome-unknown" if once else otherwise,
        verifies=int(verified),
        tries=sweep.tries_after(verified=verified),
        notices=0,
    )
    if once:
        assert run.error["step"] == once
        assert run.error["pin"] == sweep.operation.pin
    operation = sweep.operation
    changed = once == "change" and executed
    holds = operation.new if changed and operation.new else operation.old
    assert trial.card.pin_value(operation.pin) == holds
    asked = [question for question in trial.person.questions if "New" not in question]
    assert len(asked) <= 1, "the PIN was asked for a second time"


def test_a_card_pulled_before_an_exchange_ends_the_command(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):
            asserted(sweep, Faults(pull_before=step), step, "card-removed", executed=False)


def test_a_card_pulled_before_its_answer_ends_the_command(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):
            asserted(sweep, Faults(pull_after=step), step, "card-removed", executed=True)


def test_a_card_that_falls_silent_ends_the_command(sweep: Sweep, subtests: pytest.Subtests) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):
            asserted(sweep, Faults(silent_at=step), step, "card-silent", executed=True)


def test_a_card_that_answers_by_get_response_is_pulled(
    issued_card_path: Path, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """With 61xx the signature comes in a second exchange; lost there, it is lost all the same."""
    sweep = Sweep(OPERATIONS[0], issued_card_path, tmp_path)
    trial, run = sweep.run(Faults(response_61xx=True))
    assert run.exit_code == 0
    headers = list(trial.card.log)
    signature = next(n for n, header in enumerate(headers, 1) if header[1] == 0x2A)
    assert headers[signature][1] == 0xC0
    for step in (signature, signature + 1):
        for faults in (
            Faults(response_61xx=True, pull_before=step),
            Faults(response_61xx=True, pull_after=step),
        ):
            with subtests.test(step=step, faults=faults):
                trial, run = sweep.run(faults)
                trial.refused(
                    run, "outcome-unknown", verifies=1, tries=sweep.tries_after(verified=True)
                )


def test_ctrl_c_during_an_exchange_tells_what_it_came_to(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    for step in sweep.steps():
        with subtests.test(step=step):

            def interrupt(exchange: int, command: bytes, answer: bytes, step: int = step) -> bytes:
                if exchange == step:
                    raise KeyboardInterrupt
                return answer

            trial, run = sweep.run(Faults(hook=interrupt))
            verified = step >= sweep.course.verify
            trial.refused(
                run,
                "interrupted",
                verifies=int(verified),
                tries=sweep.tries_after(verified=verified),
            )
            words = {
                "verify": "jpki pin status",
                "change": "either the old or the new one holds",
                "sign": "may have made a signature",
            }
            once = sweep.course.once.get(step)
            assert words.get(once or "", "Nothing is under way") in run.stderr
