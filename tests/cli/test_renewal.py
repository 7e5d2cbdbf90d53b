"""`jpki renewal`: dates with a card, without one, and in a calendar."""

import json
from datetime import date
from pathlib import Path

import pytest
from icalendar import Calendar
from support.trial import Trial

BY_RULE = ("renewal", "--issued", "2026-11-23", "--birth-date", "1985-05-10")


def test_without_a_card_the_dates_follow_from_issue_and_birth(trial: Trial) -> None:
    answer = json.loads(trial.run(*BY_RULE).stdout)
    assert answer["card_valid_until"] == "2036-05-10"
    assert answer["certificate_valid_until"] == "2031-05-10"
    assert answer["renewal_opens"] == "2031-02-11"
    assert trial.card.exchange_count == 0


def test_a_foreign_resident_s_stay_ends_card_and_certificates(trial: Trial) -> None:
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


def test_the_text_says_when_to_go_where_and_what_stops_working(trial: Trial) -> None:
    text = trial.run(*BY_RULE, as_json=False).stdout.decode()
    assert "renews them from 2031-02-11 on, free of charge" in text
    assert "no doctor's or pharmacy" in text


def test_an_open_renewal_and_an_expiry_are_said_as_such(trial: Trial) -> None:
    arguments = ("renewal", "--issued", "2016-11-23", "--birth-date", "1985-05-10")
    text = trial.run(*arguments, as_json=False).stdout.decode()
    assert "expired on 2021-05-10" in text
    assert "renews them now" in text


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


@pytest.mark.parametrize(
    "arguments",
    [
        ("--issued", "2026-11-23"),
        ("--birth-date", "1985-05-10"),
        ("--resident-until", "2028-01-31"),
        ("--issued", "2026-11-23", "--birth-date", "2026-11-24"),
        ("--issued", "2026-02-30", "--birth-date", "1985-05-10"),
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
    assert trial.card.exchange_count == 0
