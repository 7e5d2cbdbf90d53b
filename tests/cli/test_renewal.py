"""`jpki renewal`: dates with a card, without one, and in a calendar."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from support.process import finish, start
from support.trial import Trial

from jpki.emulator import CardKeys, VirtualCard, create_card
from jpki.emulator.card_file import read_card_file

BY_RULE = ("renewal", "--issued", "2026-11-23", "--birth-date", "1985-05-10")


def test_without_a_card_the_dates_follow_from_issue_and_birth(trial: Trial) -> None:
    answer = json.loads(trial.run(*BY_RULE).stdout)
    assert answer["card_valid_until"] == "2036-05-10"
    assert answer["certificate_valid_until"] == "2031-05-10"
    assert answer["renewal_opens"] == "2031-02-11"
    assert trial.card.exchange_count == 0


def test_r8_a_foreign_resident_s_stay_ends_card_and_certificates(trial: Trial) -> None:
    answer = json.loads(trial.run(*BY_RULE, "--resident-until", "2028-01-31").stdout)
    assert answer["card_valid_until"] == answer["certificate_valid_until"] == "2028-01-31"


def test_the_card_tells_when_its_certificates_end_and_is_asked_for_no_pin(trial: Trial) -> None:
    answer = json.loads(trial.run("renewal").stdout)
    certificates = json.loads(trial.run("status").stdout)["certificates"]
    (authentication,) = (c for c in certificates if c["name"] == "authentication")
    assert answer["renewal_opens"] == authentication["renewal_opens"]
    assert authentication["not_valid_after"].startswith(answer["certificate_valid_until"])
    assert answer["card_valid_until"] is None
    assert trial.card.verify_count == 0


@pytest.mark.parametrize(
    ("option", "last_safe_day", "lapses"),
    [
        ("--moved-out", "2026-04-30", "2026-05-01"),
        ("--moved-in", "2026-04-14", "2026-04-15"),
        ("--notified", "2026-06-29", "2026-06-30"),
    ],
)
def test_a_step_of_moving_house_has_its_deadline(
    trial: Trial, option: str, last_safe_day: str, lapses: str
) -> None:
    (deadline,) = json.loads(trial.run("renewal", option, "2026-04-01").stdout)["deadlines"]
    assert deadline == {
        "move": option[2:],
        "start": "2026-04-01",
        "last_safe_day": last_safe_day,
        "lapses": lapses,
    }
    text = trial.run("renewal", option, "2026-04-01", as_json=False).stdout.decode()
    assert last_safe_day in text
    assert lapses in text


def test_r9_the_text_says_when_to_go_where_and_what_stops_working(trial: Trial) -> None:
    text = trial.run(*BY_RULE, as_json=False).stdout.decode()
    assert "renews them from 2031-02-11 on, free of charge" in text
    assert "no doctor's or pharmacy" in text


def test_an_open_renewal_and_an_expiry_are_said_as_such(trial: Trial) -> None:
    arguments = ("renewal", "--issued", "2016-11-23", "--birth-date", "1985-05-10")
    text = trial.run(*arguments, as_json=False).stdout.decode()
    assert "expired on 2021-05-10" in text
    assert "renews them now" in text


def test_an_expired_card_is_said_to_be_one(trial: Trial) -> None:
    arguments = ("renewal", "--issued", "2016-05-09", "--birth-date", "1980-05-10")
    text = trial.run(*arguments, as_json=False).stdout.decode()
    assert "The card expired on 2025-05-10." in text
    assert "The card is valid" not in text
    sound = trial.run(*BY_RULE, as_json=False).stdout.decode()
    assert "The card is valid until 2036-05-10" in sound


def test_the_leap_day_is_explained_to_whom_it_concerns(trial: Trial) -> None:
    arguments = ("renewal", "--issued", "2026-11-23", "--birth-date", "1988-02-29")
    assert "29 February" in trial.run(*arguments, as_json=False).stdout.decode()
    assert "29 February" not in trial.run(*BY_RULE, as_json=False).stdout.decode()


def test_the_calendar_holds_the_same_days(trial: Trial) -> None:
    path = trial.folder / "dates.ics"
    run = trial.run(*BY_RULE, "--moved-in", "2026-04-01", "--ics", str(path))
    assert run.exit_code == 0
    calendar = Calendar.from_ical(path.read_bytes())
    days = {str(event["UID"]).split("-2")[0]: event.decoded("DTSTART") for event in calendar.events}
    assert days == {
        "renewal-opens": date(2031, 2, 11),
        "certificate-expiry": date(2031, 5, 10),
        "card-expiry": date(2036, 5, 10),
        "moved-in": date(2026, 4, 14),
    }


def test_a_calendar_that_exists_is_kept(trial: Trial) -> None:
    path = trial.folder / "dates.ics"
    path.write_text("mine")
    assert trial.run(*BY_RULE, "--ics", str(path)).error["code"] == "output-exists"
    assert Path(path).read_text() == "mine"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_calendar_on_stdout_is_alone_there(trial: Trial, *, as_json: bool) -> None:
    (trial.folder / "-").write_text("mine")
    run = trial.run(*BY_RULE, "--ics", "-", as_json=as_json)
    assert (run.exit_code, run.stderr) == (0, "")
    assert len(list(Calendar.from_ical(run.stdout).events)) == 3
    assert run.stdout.endswith(b"END:VCALENDAR\r\n")
    assert (trial.folder / "-").read_text() == "mine"


def test_the_calendar_is_one_that_rfc_5545_allows(trial: Trial) -> None:
    path = trial.folder / "dates.ics"
    moves = ("--moved-out", "2026-03-30", "--moved-in", "2026-04-01", "--notified", "2026-04-02")
    run = trial.run("--lang", "ja", *BY_RULE, *moves, "--ics", str(path))
    assert run.exit_code == 0, run.stderr
    content = path.read_bytes()
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(len(line) for line in lines) <= 75
    calendar = Calendar.from_ical(content)
    assert calendar["VERSION"] == "2.0"
    assert calendar["PRODID"]
    events = list(calendar.events)
    assert len({event["UID"] for event in events}) == len(events) == 6
    for event in events:
        start = event.decoded("DTSTART")
        assert isinstance(start, date)
        assert not isinstance(start, datetime)  # the whole day, in whatever zone
        assert event["DTSTART"].params["VALUE"] == "DATE"
        assert event["TRANSP"] == "TRANSPARENT"  # nobody is busy all day
        assert "マイナンバーカード" in str(event["SUMMARY"])
    assert len(re.findall(rb"\r\nDTSTAMP:\d{8}T\d{6}Z\r\n", content)) == 6
    assert calendar.to_ical() == content


@pytest.fixture(scope="session")
def keys() -> CardKeys:
    return CardKeys.generate()


@pytest.fixture
def expiring(keys: CardKeys, tmp_path: Path, trial: Trial) -> Callable[[date], None]:
    """Put a card on the reader whose certificates have this last day."""

    def expiring(expires: date, **more: Any) -> None:
        path = tmp_path / "expiring.json"
        create_card(path, issued=date(2026, 11, 1), expires=expires, keys=keys, **more)
        trial.card = VirtualCard(read_card_file(path))

    return expiring


def test_r7_three_months_before_31_may_is_explained(
    trial: Trial, expiring: Callable[[date], None]
) -> None:
    expiring(date(2031, 5, 31))
    now = datetime(2031, 1, 1, tzinfo=UTC)
    text = trial.run("renewal", as_json=False, clock=lambda: now).stdout.decode()
    assert "from 2031-03-01 on" in text
    assert "2031-02-28, is taken, and renewal opens on the day after, 2031-03-01" in text
    answer = json.loads(trial.run("renewal", clock=lambda: now).stdout)
    assert (answer["renewal_opens"], answer["remarks"]) == ("2031-03-01", ["month-end"])
    assert answer["days_left"] == 150


@pytest.mark.parametrize(
    ("now", "words"),
    [
        # Midnight in Japan is 15:00 UTC of the day before.
        (datetime(2031, 2, 10, 14, 59, 59, tzinfo=UTC), "renews them from 2031-02-11 on"),
        (datetime(2031, 2, 10, 15, 0, 0, tzinfo=UTC), "renews them now"),
        (datetime(2031, 5, 10, 14, 59, 59, tzinfo=UTC), "valid until 2031-05-10; days left: 0"),
        (datetime(2031, 5, 10, 15, 0, 0, tzinfo=UTC), "expired on 2031-05-10"),
    ],
)
def test_r7_the_day_changes_at_midnight_in_japan(
    trial: Trial, expiring: Callable[[date], None], now: datetime, words: str
) -> None:
    expiring(date(2031, 5, 10))
    assert words in trial.run("renewal", as_json=False, clock=lambda: now).stdout.decode()
    assert words in trial.run(*BY_RULE, as_json=False, clock=lambda: now).stdout.decode()


def test_the_dates_of_the_card_are_said_to_be_those_of_one_certificate(trial: Trial) -> None:
    text = trial.run("renewal", as_json=False).stdout.decode()
    assert "days of the authentication certificate" in text
    assert "jpki cert show signature" in text


@pytest.mark.parametrize(
    ("arguments", "words", "edge"),
    [
        (("--issued", "2026-11-23", "--birth-date", "1988-02-29"), "29 February", "leap-day"),
        (
            ("--issued", "2026-05-09", "--birth-date", "2008-05-10"),
            "That is an interpretation",
            "of-age-next-day",
        ),
        (("--issued", "2026-11-23", "--birth-date", "1985-05-31"), "2031-03-01", "month-end"),
        (
            ("--issued", "2026-06-01", "--birth-date", "2015-05-10",
             "--resident-until", "2031-05-20"),
            "would end on 2031-05-10",
            "stay-past-birthday",
        ),
        (
            ("--issued", "2015-12-31", "--birth-date", "1985-05-10"),
            "before 2016-01-01",
            "before-first-card",
        ),
    ],
)  # fmt: skip
def test_each_edge_is_told_where_it_applies(
    trial: Trial, arguments: tuple[str, ...], words: str, edge: str
) -> None:
    run = trial.run("renewal", *arguments)
    assert run.exit_code == 0, run.stderr
    assert json.loads(run.stdout)["remarks"] == [edge]
    text = trial.run("renewal", *arguments, as_json=False).stdout.decode()
    assert words in text
    for option in (BY_RULE, ("renewal", "--moved-in", "2026-04-01")):
        assert words not in trial.run(*option, as_json=False).stdout.decode()


def test_r5_who_turns_18_on_the_day_after_issue_counts_as_17_and_is_told_the_other_reading(
    trial: Trial,
) -> None:
    arguments = ("renewal", "--issued", "2026-05-09", "--birth-date", "2008-05-10")
    assert json.loads(trial.run(*arguments).stdout)["card_valid_until"] == "2030-05-10"
    text = trial.run(*arguments, as_json=False).stdout.decode()
    assert "taken to be 17" in text
    assert "年齢計算ニ関スル法律" in text
    assert "2035-05-10" in text


def test_r5_permanent_residents_and_highly_skilled_professionals_follow_the_birthdays(
    trial: Trial,
) -> None:
    shown = trial.run("renewal", "--help", as_json=False).stdout.decode()
    assert "not for permanent residents" in " ".join(shown.split())
    assert json.loads(trial.run(*BY_RULE).stdout)["card_valid_until"] == "2036-05-10"


@pytest.mark.parametrize(
    ("issued", "birth_date", "dates"),
    [
        ("2016-01-01", "1985-05-10", ("2025-05-10", "2020-05-10", "2020-02-11")),
        ("2190-06-01", "2150-05-10", ("2200-05-10", "2195-05-10", "2195-02-11")),
        ("2199-12-31", "2199-12-31", ("2204-12-31", "2204-12-31", "2204-10-01")),
        ("2020-02-29", "2000-02-29", ("2030-02-28", "2025-02-28", "2024-11-29")),
    ],
)
def test_early_and_far_days_are_days_as_any(
    trial: Trial, issued: str, birth_date: str, dates: tuple[str, ...]
) -> None:
    run = trial.run("renewal", "--issued", issued, "--birth-date", birth_date)
    answer = json.loads(run.stdout)
    keys = ("card_valid_until", "certificate_valid_until", "renewal_opens")
    assert tuple(answer[key] for key in keys) == dates


def test_r10_r11_r12_a_missed_day_and_a_notice_in_time_are_said(trial: Trial) -> None:
    def text(*options: str) -> str:
        now = datetime(2026, 4, 20, tzinfo=UTC)
        run = trial.run("renewal", *options, as_json=False, clock=lambda: now)
        assert run.exit_code == 0, run.stderr
        return run.stdout.decode()

    assert "missed" not in text("--moved-out", "2026-04-01")
    assert "missed" in text("--moved-in", "2026-04-01")
    in_time = text("--moved-in", "2026-04-01", "--notified", "2026-04-14")
    assert "The moving-in notice of 2026-04-14 was in time" in in_time
    assert "missed" not in in_time
    assert "missed" in text("--moved-in", "2026-04-01", "--notified", "2026-04-15")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_the_days_are_the_same_in_every_time_zone(card_path: Path, zone: str) -> None:
    create_card(card_path, issued=date(2026, 11, 1), expires=date(2031, 5, 31), overwrite=True)
    arguments = ("renewal", "--json", "--issued", "2026-11-23", "--birth-date", "1985-05-31")
    by_rule = finish(start(*arguments, environment={"TZ": zone}))
    card = finish(start("renewal", "--json", card=card_path, environment={"TZ": zone}))
    for run in (by_rule, card):
        answer = json.loads(run.stdout)
        assert answer["certificate_valid_until"] == "2031-05-31"
        assert answer["renewal_opens"] == "2031-03-01"
    status = finish(start("status", card=card_path, environment={"TZ": zone}))
    assert "valid until 2031-05-31 23:59:59 JST" in status.stdout.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--issued", "2026-11-23"),
        ("--birth-date", "1985-05-10"),
        ("--resident-until", "2028-01-31"),
        ("--issued", "2026-11-23", "--birth-date", "2026-11-24"),
        ("--issued", "2026-02-30", "--birth-date", "1985-05-10"),
        ("--issued", "2026-11-23", "--birth-date", "2001-02-29"),
        ("--issued", "2100-02-29", "--birth-date", "1985-05-10"),
        ("--issued", "2026-11-31", "--birth-date", "1985-05-10"),
        ("--issued", "2026-13-01", "--birth-date", "1985-05-10"),
        ("--issued", "2200-01-01", "--birth-date", "1985-05-10"),
        ("--issued", "2026-11-23", "--birth-date", "1985-05-10", "--resident-until", "2026-11-22"),
        ("--issued", "23.11.2026", "--birth-date", "1985-05-10"),
        ("--moved-in", "yesterday"),
        ("--moved-in", "9999-12-31"),
        ("--issued", "0001-01-01", "--birth-date", "0001-01-01"),
    ],
)
def test_dates_that_cannot_be_are_refused(trial: Trial, arguments: tuple[str, ...]) -> None:
    run = trial.run("renewal", *arguments)
    assert run.exit_code == 2
    assert run.error["code"] == "usage"
    assert re.fullmatch(r".*[^.]\. See 'jpki renewal --help'\.", run.error["message"])
    assert trial.card.exchange_count == 0
