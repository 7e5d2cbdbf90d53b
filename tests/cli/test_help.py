"""`jpki help`: what the residents' guides say to do, in three languages; each text once."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from support.cards import PIN
from support.trial import ENVIRONMENT, NEW_PIN, Trial

from cli.help_layout import columns_of, lines_of
from cli.help_topics import TOPICS, HelpTopic
from cli.root import COMMANDS, root
from jpki.lifecycle import Move
from jpki.unlocking import KIOSK_HOURS

LANGUAGES = ("en", "ja", "zh")
CITY_OFFICE = {"en": "city office", "ja": "窓口", "zh": "窗口"}
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def jpki(*arguments: str) -> Result:
    return CliRunner().invoke(root, arguments, env=ENVIRONMENT)


def every_command(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    command: click.Command | None = root
    for word in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    yield path
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            yield from every_command((*path, word))


def text(topic: str, language: str = "en") -> str:
    run = jpki("--lang", language, "help", topic)
    assert run.exit_code == 0, run.stderr
    assert "{" not in run.stdout
    return run.stdout


def test_help_alone_lists_every_topic_and_names_the_help_of_the_options() -> None:
    shown = jpki("help").stdout
    for topic in HelpTopic:
        assert re.search(rf"^  {topic.value} +\S", shown, re.MULTILINE), topic
    assert "jpki --help" in shown


def test_every_topic_has_its_texts_and_no_text_stands_twice() -> None:
    assert set(TOPICS) == set(HelpTopic)
    texts = [text for topic in TOPICS.values() for text in (topic.title, topic.remedy, *topic.more)]
    assert len(set(texts)) == len(texts)


def test_the_json_of_topics_is_as_documented_and_english() -> None:
    listed = json.loads(jpki("--json", "--lang", "ja", "help").stdout)["topics"]
    assert [entry["topic"] for entry in listed] == [topic.value for topic in HelpTopic]
    for topic in HelpTopic:
        answer = json.loads(jpki("--json", "--lang", "ja", "help", topic.value).stdout)
        assert set(answer) == {"schema", "topic", "title", "text"}
        assert answer["topic"] == topic.value
        assert answer["text"] == [line for line in text(topic.value).splitlines()[1:] if line]


def test_help_of_a_command_is_that_of_the_command() -> None:
    for words in (("sign",), ("pin",), ("pin", "unlock"), ("emulator", "create")):
        assert jpki("help", *words).stdout.strip() == jpki(*words, "--help").stdout.strip()
    answer = json.loads(jpki("--json", "help", "pin", "unlock").stdout)
    assert answer["command"] == "jpki pin unlock"
    assert answer["text"][0] == "Usage: jpki pin unlock [OPTIONS] KIND"


@EVERY_LANGUAGE
def test_every_help_fits_a_terminal_of_80_columns_and_leaves_nothing_out(language: str) -> None:
    for words in every_command():
        shown = jpki("--lang", language, *words, "--help").stdout
        assert shown, words
        lines = shown.splitlines()
        assert [line for line in lines if columns_of(line) > 80] == [], words
        assert [line for line in lines[1:] if line.endswith("...")] == [], words
        assert [line for line in lines if line.lstrip().startswith(tuple("、。）」ー"))] == [], (
            words
        )


@pytest.mark.parametrize(
    ("paragraph", "lines"),
    [
        ("sign FILE-signed.pdf now", ["sign", "FILE-signed.pdf", "now"]),
        ("暗証番号は不要です。", ["暗証番号は", "不要です。"]),
        ("暗証番号とは。次", ["暗証番号と", "は。次"]),
        ("署名名名（本人）の", ["署名名名", "（本人）の"]),
        ("--pin-from で読む", ["--pin-from", "で読む"]),
        ("", [""]),
    ],
)
def test_a_line_of_help_ends_where_the_language_lets_it(paragraph: str, lines: list[str]) -> None:
    assert list(lines_of(paragraph, 11)) == lines


@pytest.mark.parametrize("command", ["--pin-from", "--new-pin-from"])
def test_the_help_tells_the_old_pin_from_the_new_one(command: str) -> None:
    shown = jpki("pin", "change", "--help").stdout
    meaning = shown.partition(f"  {command} SOURCE")[2].partition("\n  --")[0]
    assert ("new PIN" in meaning) is (command == "--new-pin-from")


def test_no_topic_has_the_name_of_a_command() -> None:
    assert not {topic.value for topic in HelpTopic} & set(COMMANDS)


@pytest.mark.parametrize("words", [("1848",), ("lost", "1848"), ("sign", "1848"), ("",)])
def test_what_is_no_topic_is_refused_and_not_repeated(words: tuple[str, ...]) -> None:
    run = jpki("--json", "help", *words)
    assert run.exit_code == 2
    assert json.loads(run.stdout)["error"]["code"] == "usage"
    assert "lost, suspended" in run.stderr
    assert "1848" not in run.stdout + run.stderr


def test_help_touches_no_card(trial: Trial) -> None:
    for topic in HelpTopic:
        assert trial.run("help", topic.value).exit_code == 0
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize("topic", [topic.value for topic in HelpTopic])
def test_each_topic_speaks_each_language(topic: str) -> None:
    found = {language: text(topic, language).splitlines() for language in LANGUAGES}
    assert len({len(lines) for lines in found.values()}) == 1
    for english, japanese, chinese in zip(*found.values(), strict=True):
        assert not english or len({english, japanese, chinese}) == 3, english


# The rules, one by one.


def test_r1_the_holder_changes_a_secret_alone(trial: Trial) -> None:
    run = trial.run("pin", "change", "authentication", answers=[PIN, NEW_PIN, NEW_PIN])
    assert run.exit_code == 0, run.stderr
    assert trial.card.pin_value("authentication") == NEW_PIN
    assert "jpki pin change" in text("blocked")


@EVERY_LANGUAGE
def test_r2_r4_a_blocked_or_forgotten_secret_is_a_matter_for_the_counter(language: str) -> None:
    assert CITY_OFFICE[language] in text("blocked", language)
    for kind in ("signature", "authentication", "text"):
        shown = jpki("--lang", language, "pin", "unlock", kind).stdout
        assert CITY_OFFICE[language] in shown


@EVERY_LANGUAGE
def test_r3_the_kiosk_wants_the_other_secret_within_24_hours(language: str) -> None:
    assert KIOSK_HOURS == 24
    assert "24" in text("blocked", language)
    for kind, other in (
        ("signature", "利用者証明用暗証番号"),
        ("authentication", "署名用パスワード"),
    ):
        shown = jpki("--lang", language, "pin", "unlock", kind).stdout
        assert "24" in shown
        assert other in shown.partition("24")[2] + shown.partition("24")[0]


@EVERY_LANGUAGE
def test_r5_r6_r7_r8_r9_how_long_things_hold_is_told_in_words(language: str) -> None:
    shown = text("expired", language)
    for number in ("10", "5", "18", "20", "2022"):
        assert number in shown, number
    assert CITY_OFFICE[language] in shown


@EVERY_LANGUAGE
def test_r10_r11_r12_the_days_of_a_move_are_told_in_words(language: str) -> None:
    shown = text("moved", language)
    for move in Move:
        assert str(move.days) in shown
    assert {move.days for move in Move} == {90, 30, 14}


@EVERY_LANGUAGE
def test_r13_the_numbers_to_call_for_a_lost_card(language: str) -> None:
    shown = text("lost", language)
    for number in ("0120-95-0178", "0570-783-578", "050-3818-1250"):
        assert number in shown
    assert {"en": "charged", "ja": "有料", "zh": "收费"}[language] in shown
    assert CITY_OFFICE[language] in shown


@EVERY_LANGUAGE
def test_r14_suspended_is_lifted_at_the_counter_and_is_not_revoked(language: str) -> None:
    shown = text("suspended", language)
    assert CITY_OFFICE[language] in shown
    assert {"en": "not revoked", "ja": "失効ではありません", "zh": "不是失效"}[language] in shown


@EVERY_LANGUAGE
def test_r15_r16_a_new_card_has_its_papers_and_fees_and_a_certificate_can_be_given_up(
    language: str,
) -> None:
    shown = text("replacement", language)
    assert "800" in shown
    assert "1,000" in shown
    assert CITY_OFFICE[language] in shown


@EVERY_LANGUAGE
def test_r17_a_face_authentication_card_was_blocked_by_nobody(language: str) -> None:
    shown = text("face-auth", language)
    assert "顔認証マイナンバーカード" in shown
    assert CITY_OFFICE[language] in shown
    for kind in ("signature", "authentication"):
        assert "顔認証マイナンバーカード" in jpki("--lang", language, "pin", "unlock", kind).stdout


@EVERY_LANGUAGE
def test_r18_certificates_on_a_phone_come_through_myna_portal(language: str) -> None:
    shown = text("phone", language)
    assert "マイナポータル" in shown
    assert "Android" in shown


@EVERY_LANGUAGE
def test_r19_the_personal_number_is_for_the_procedures_that_the_law_names(language: str) -> None:
    assert {"en": "the law names", "ja": "法律で定められた", "zh": "法律规定"}[language] in text(
        "number", language
    )


@EVERY_LANGUAGE
def test_r20_heat_bending_liquids_and_magnets_damage_the_card(language: str) -> None:
    words = {
        "en": ("Heat", "bending", "liquids", "magnets"),
        "ja": ("熱", "曲げ", "液体", "磁気"),
        "zh": ("高温", "弯折", "液体", "磁"),
    }
    shown = text("care", language)
    assert [word for word in words[language] if word not in shown] == []
    assert CITY_OFFICE[language] in shown


RULES = {f"R{number}" for number in range(1, 21)}


def test_every_rule_is_named_by_a_test() -> None:
    named: set[str] = set()
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        for name in re.findall(
            r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            named |= {f"R{number}" for number in re.findall(r"(?<=_)r(\d+)(?=_)", name)}
    assert named == RULES


def test_every_rule_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| (R\d+) \|", page, re.MULTILINE)) == RULES
