"""`jpki doctor`: each thing that can be missing is named with its remedy, and no PIN is asked."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from support.cards import PASSWORD, PIN
from support.fake_pcsc import FakePcsc, OtherCard, Reader
from support.operations import with_tries
from support.trial import ENVIRONMENT, Person, Run, Trial, check_nothing_leaked

from cli.context import AppContext
from cli.root import root
from jpki.emulator import CardKeys, Faults, VirtualCard, create_card
from jpki.emulator.card_file import read_card_file

SUBJECTS = ["pcsc", "readers", "card", "kind", "pins", "certificates"]
NO_PIN = {0x24, 0x2A}
"""Instructions that doctor never sends."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakePcsc:
    service = FakePcsc()
    service.install(monkeypatch)
    return service


@pytest.fixture(scope="session")
def keys() -> CardKeys:
    return CardKeys.generate()


@pytest.fixture
def issue(keys: CardKeys, tmp_path: Path, trial: Trial) -> Callable[..., None]:
    """Put another card on the trial's reader."""

    def issue(*, tries: dict[str, int] | None = None, **attributes: object) -> None:
        path = tmp_path / "another.json"
        chosen = {"signature_password": PASSWORD, "authentication_pin": PIN, "keys": keys}
        create_card(path, **(chosen | attributes))  # type: ignore[arg-type]
        trial.card = VirtualCard(with_tries(read_card_file(path), tries or {}))

    return issue


class Report:
    """The checks of one run, in JSON and in words; both must be told by each run."""

    def __init__(self, trial: Trial, *arguments: str, **context: Any) -> None:
        self.run = trial.run(*arguments, "doctor", **context)
        check_run(self.run)
        words = trial.run(*arguments, "doctor", as_json=False, **context)
        assert words.exit_code == self.run.exit_code
        self.text = words.stdout.decode()
        check_nothing_leaked(words)
        self.checks = {check["check"]: check for check in json.loads(self.run.stdout)["checks"]}
        assert list(self.checks) == SUBJECTS
        for check in self.checks.values():
            assert check["detail"] in self.text
        assert trial.card.verify_count == 0
        assert not NO_PIN & {header[1] for header in trial.card.log}

    @property
    def states(self) -> dict[str, str]:
        return {name: check["state"] for name, check in self.checks.items()}

    def problem(self, name: str, exit_code: int) -> str:
        """The detail of the one problem, which hides all that comes behind it if it must."""
        assert self.run.exit_code == exit_code
        check = self.checks[name]
        assert (check["state"], check["exit"]) == ("problem", exit_code)
        before = SUBJECTS[: SUBJECTS.index(name)]
        assert "problem" not in [self.states[other] for other in before]
        return str(check["detail"])


def check_run(run: Run) -> None:
    assert "Traceback" not in run.stderr, run.stderr
    assert "bug in jpki" not in run.stderr, run.stderr
    check_nothing_leaked(run)


def hidden(report: Report, *names: str) -> None:
    assert [report.states[name] for name in names] == ["skipped"] * len(names)


def test_a_sound_virtual_card_needs_no_reader_and_is_all_right(trial: Trial) -> None:
    report = Report(trial)
    assert report.run.exit_code == 0
    assert report.run.stderr == ""
    assert list(report.states.values()) == ["skipped", "skipped", "ok", "ok", "ok", "ok"]
    assert "The card can be used" in report.text


def test_a_sound_card_in_a_reader_is_all_right(trial: Trial, service: FakePcsc) -> None:
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card)]
    report = Report(trial, "--reader", "")
    assert list(report.states.values()) == ["ok"] * 6
    assert "Virtual PCD 00 00" in report.checks["readers"]["detail"]


def test_without_pyscard_its_installation_is_told(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    report = Report(trial, "--reader", "")
    assert "pip install pyscard" in report.problem("pcsc", 3)
    hidden(report, "readers", "card", "kind", "pins", "certificates")


@pytest.mark.parametrize("code", [0x8010001D, 0x8010006A, 0x2787B94B])
def test_without_a_service_the_way_to_start_it_is_told(
    trial: Trial, service: FakePcsc, code: int
) -> None:
    service.calls["SCardEstablishContext"] = code
    detail = Report(trial, "--reader", "").problem("pcsc", 3)
    assert f"0x{code:08X}" in detail


def test_without_a_reader_the_virtual_one_is_named(trial: Trial, service: FakePcsc) -> None:
    report = Report(trial, "--reader", "")
    assert "--reader emulator" in report.problem("readers", 3)
    assert report.states["pcsc"] == "ok"
    hidden(report, "card", "kind", "pins", "certificates")


def test_a_reader_of_another_name_is_told_from_those_there_are(
    trial: Trial, service: FakePcsc
) -> None:
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card)]
    assert "Virtual PCD 00 00" in Report(trial, "--reader", "Gemalto").problem("card", 3)


def test_r13_where_there_is_no_card_the_numbers_for_a_lost_one_are_told(
    trial: Trial, service: FakePcsc
) -> None:
    service.readers = [Reader(name="Virtual PCD 00 00")]
    detail = Report(trial, "--reader", "").problem("card", 4)
    assert "Put it on" in detail
    for number in ("0120-95-0178", "0570-783-578", "050-3818-1250"):
        assert number in detail


def test_another_card_is_no_my_number_card_and_stays_as_it_is(
    trial: Trial, service: FakePcsc
) -> None:
    other = OtherCard()
    service.readers = [Reader(name="Virtual PCD 00 00", card=other)]
    assert "not a My Number Card" in Report(trial, "--reader", "").problem("card", 4)
    assert other.powered_off == 0


def test_a_card_that_another_program_uses_is_said_to_be_in_use(
    trial: Trial, service: FakePcsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jpki.readers import open_card

    at_once = {**(open_card.__kwdefaults__ or {}), "busy_timeout_s": 0.0}
    monkeypatch.setattr("jpki.readers.open_card.__kwdefaults__", at_once)
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card, held_exclusively=True)]
    assert "Close it" in Report(trial, "--reader", "").problem("card", 5)


def test_two_my_number_cards_want_a_choice(
    trial: Trial, service: FakePcsc, issued_card_path: Path
) -> None:
    second = VirtualCard(read_card_file(issued_card_path))
    service.readers = [Reader(name="A", card=trial.card), Reader(name="B", card=second)]
    assert "--reader" in Report(trial, "--reader", "").problem("card", 2)
    assert list(Report(trial, "--reader", "B").states.values()) == ["ok"] * 6


@pytest.mark.parametrize("code", [0x80100069, 0x80100066, 0x8010000A, 0x80100013])
@pytest.mark.parametrize("number", [2, 4, 6, 9, 14])
def test_r20_a_card_that_stops_answering_may_be_damaged_and_the_counter_is_named(
    trial: Trial, service: FakePcsc, code: int, number: int
) -> None:
    service.readers = [Reader(name="Virtual PCD 00 00", card=trial.card)]
    service.transmit_codes = lambda sent: code if sent >= number else 0
    report = trial.run("--reader", "", "doctor")
    check_run(report)
    checks = json.loads(report.stdout)["checks"]
    assert [check["check"] for check in checks] == SUBJECTS
    (problem,) = (check for check in checks if check["state"] == "problem")
    assert report.exit_code == problem["exit"] == 4
    assert "Heat, bending, liquids and strong magnets" in problem["detail"]
    assert "counter of your city office" in problem["detail"]


def test_a_card_that_is_pulled_at_any_moment_ends_in_a_report(trial: Trial) -> None:
    whole = trial.run("doctor")
    assert whole.exit_code == 0
    exchanges = trial.card.exchange_count
    for number in range(1, exchanges + 1):
        for faults in (
            Faults(pull_before=number),
            Faults(pull_after=number),
            Faults(silent_at=number),
        ):
            trial.card.power_on()
            trial.card.exchange_count = 0
            trial.card.faults = faults
            run = trial.run("doctor")
            check_run(run)
            checks = json.loads(run.stdout)["checks"]
            assert [check["check"] for check in checks] == SUBJECTS
            if run.exit_code != 0:  # pulled after the last answer, nothing is missing
                assert run.exit_code == 4, run.stdout
                assert [check["state"] for check in checks].count("problem") == 1


@pytest.mark.parametrize("answer", [b"", b"\x90", b"\x6f\x00", b"\x90\x00", b"\xff" * 300])
def test_nonsense_at_any_moment_ends_in_a_report(trial: Trial, answer: bytes) -> None:
    assert trial.run("doctor").exit_code == 0
    for number in range(1, trial.card.exchange_count + 1):
        trial.card.power_on()
        trial.card.exchange_count = 0
        trial.card.faults = Faults(replaced={number: answer})
        run = trial.run("doctor")
        check_run(run)
        assert [check["check"] for check in json.loads(run.stdout)["checks"]] == SUBJECTS
        assert trial.card.verify_count == 0


def test_damaged_certificates_hide_nothing_else(trial: Trial) -> None:
    trial.card.faults = Faults(certificate_garbage=True)
    report = Report(trial)
    assert "Clean the card" in report.problem("certificates", 9)
    assert (report.states["kind"], report.states["pins"]) == ("ok", "ok")


@pytest.mark.parametrize(
    ("attributes", "state", "words"),
    [
        ({"with_signature_certificate": False}, "warning", "No signature certificate"),
        ({"face_authentication": True}, "warning", "perhaps a face-authentication card"),
        ({"label": "JPKIAPGPSETOKEN"}, "warning", "phone"),
        ({"label": "JPKIAPIOSTOKEN"}, "warning", "phone"),
        ({"label": "JPKIAPICCTOKEN"}, "problem", "住基カード"),
    ],
)
def test_the_kind_of_card_is_told(
    trial: Trial, issue: Callable[..., None], attributes: dict[str, Any], state: str, words: str
) -> None:
    issue(**attributes)
    check = Report(trial).checks["kind"]
    assert check["state"] == state
    assert words in check["detail"]


def test_a_child_s_card_and_a_phone_can_be_used(trial: Trial, issue: Callable[..., None]) -> None:
    for attributes in ({"with_signature_certificate": False}, {"label": "JPKIAPGPSETOKEN"}):
        issue(**attributes, overwrite=True)
        report = Report(trial)
        assert report.run.exit_code == 0
        assert report.states["pins"] == "ok"


@pytest.mark.parametrize("certificate", [True, False])
def test_r17_both_pins_blocked_are_explained_and_nobody_is_said_to_have_mistyped(
    trial: Trial, issue: Callable[..., None], *, certificate: bool
) -> None:
    issue(face_authentication=True, with_signature_certificate=certificate)
    report = Report(trial)
    detail = report.problem("pins", 7)
    assert "blocked from the start" in detail
    assert "can turn it back" in detail
    assert "wrong" not in report.text.lower()


@pytest.mark.parametrize("pin", ["signature", "authentication"])
def test_r2_one_blocked_pin_is_a_matter_for_the_counter(
    trial: Trial, issue: Callable[..., None], pin: str
) -> None:
    issue(tries={pin: 0})
    report = Report(trial)
    detail = report.problem("pins", 7)
    assert f"jpki pin unlock {pin}" in detail
    assert "counter of your city office" in detail
    assert "face-authentication" not in report.text


@pytest.mark.parametrize(
    ("tries", "state"),
    [
        ({"signature": 3}, "ok"),
        ({"signature": 2}, "warning"),
        ({"authentication": 2}, "ok"),
        ({"authentication": 1}, "warning"),
    ],
)
def test_few_tries_are_a_warning(
    trial: Trial, issue: Callable[..., None], tries: dict[str, int], state: str
) -> None:
    issue(tries=tries)
    report = Report(trial)
    assert report.states["pins"] == state
    assert report.run.exit_code == 0


def test_an_unknown_count_is_a_warning(trial: Trial) -> None:
    def uncounted(_exchange: int, command: bytes, answer: bytes) -> bytes:
        return b"\x63\x00" if command[1] == 0x20 else answer

    trial.card.faults = Faults(hook=uncounted)
    report = Report(trial)
    assert report.states["pins"] == "warning"
    assert "unknown" in report.checks["pins"]["detail"]


@pytest.mark.parametrize(
    ("now", "state", "exit_code", "words"),
    [
        (datetime(2031, 1, 31, tzinfo=UTC), "ok", 0, "renews it from 2031-02-11 on"),
        (datetime(2031, 2, 11, tzinfo=UTC), "warning", 0, "days left: 88"),
        (datetime(2031, 5, 11, tzinfo=UTC), "problem", 2, "expired on 2031-05-10"),
        (datetime(2020, 1, 1, tzinfo=UTC), "problem", 2, "Check this computer's clock"),
    ],
)
def test_r7_certificates_are_warned_of_in_time(
    trial: Trial,
    issue: Callable[..., None],
    now: datetime,
    state: str,
    exit_code: int,
    words: str,
) -> None:
    issue(issued=date(2026, 11, 23), expires=date(2031, 5, 10))
    report = Report(trial, clock=lambda: now)
    assert report.run.exit_code == exit_code
    assert report.states["certificates"] == state
    assert words in report.checks["certificates"]["detail"]


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_virtual_card_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "card.json"
    if content is not None:
        path.write_bytes(content)
    app = AppContext(prompter=Person(None))
    arguments = ["--json", "-r", f"emulator:{path}", "doctor"]
    run = CliRunner().invoke(root, arguments, obj=app, env=ENVIRONMENT)
    assert run.exit_code == 2, run.stderr
    checks = {check["check"]: check for check in json.loads(run.stdout)["checks"]}
    assert "jpki emulator create" in checks["card"]["detail"]


def test_a_log_that_cannot_be_written_is_named(trial: Trial) -> None:
    detail = Report(trial, "--apdu-log", "/nonexistent/log").problem("card", 2)
    assert "/nonexistent/log" in detail


def test_json_is_english_and_words_are_those_of_the_person(trial: Trial) -> None:
    run = trial.run("--lang", "ja", "doctor")
    details = [check["detail"] for check in json.loads(run.stdout)["checks"]]
    assert "It answers in emulator:card." in details


def test_doctor_does_not_wait_for_a_card_unless_told_to(
    trial: Trial, service: FakePcsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    from apdu.transports.pcsc import PcscContext

    def wait(_self: PcscContext, _names: object, *, timeout_s: float) -> bool:
        waited.append(timeout_s)
        service.readers[0].card = trial.card  # somebody puts it on
        return True

    monkeypatch.setattr(PcscContext, "wait_for_card", wait)
    terminal = SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("cli.context.sys", terminal)
    service.readers = [Reader(name="Virtual PCD 00 00")]
    assert trial.run("--reader", "", "doctor").exit_code == 4
    assert waited == []
    for command in (("--wait", "3", "doctor"), ("status",)):
        service.readers = [Reader(name="Virtual PCD 00 00")]
        assert trial.run("--reader", "", *command).exit_code == 0
    assert len(waited) == 2
