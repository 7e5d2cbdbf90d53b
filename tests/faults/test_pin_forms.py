"""PINs that cannot be right, from every source: refused before the card hears anything."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cards import PASSWORD, PIN
from support.trial import NEW_PASSWORD, Run, Trial

BOTH = {
    "empty": b"",
    "a lone line end": b"\n",
    "spaces": b"    ",
    "full width": "１２３４".encode(),
    "superscripts": "³²¹".encode(),
    "arabic digits": "١٢٣٤".encode(),
    "three digits": b"123",
    "five characters": b"TARO2",
    "seventeen characters": b"TARO2026TARO20267",
    "long": b"A" * 10_000,
    "no UTF-8": b"\xff\xfe18",
    "an emoji": "18\N{GRINNING FACE}48".encode(),
}
FORMS: dict[str, dict[str, bytes]] = {
    "signature": BOTH
    | {
        "four digits": b"1848",
        "a trailing space": b"TARO2026 ",
        "a leading space": b" TARO2026",
        "a space inside": b"TARO 2026",
        "a trailing tab": b"TARO2026\t",
        "two lines": b"TARO2026\nTARO2026\n",
        "two line ends": b"TARO2026\n\n",
        "a carriage return": b"TARO2026\r",
        "full-width letters": "ＴＡＲＯ２０２６".encode(),
        "long s": "TAROſ2026".encode(),
        "sharp s": "TAROß2026".encode(),
        "a ligature": "ﬁTARO2026".encode(),
        "a byte order mark": b"\xef\xbb\xbfTARO2026",
        "an escape": b"TARO\x1b2026",
        "a NUL": b"TARO\x002026",
        "a hyphen first": b"-TARO2026",
    },
    "authentication": BOTH
    | {
        "a signature password": b"TARO2026",
        "six digits": b"184800",
        "a trailing space": b"1848 ",
        "a leading space": b" 1848",
        "a sign": b"+184",
        "two lines": b"1848\n1848\n",
        "two line ends": b"1848\n\n",
        "a carriage return": b"1848\r",
        "a byte order mark": b"\xef\xbb\xbf1848",
        "a NUL": b"18\x0048",
        "letters": b"18AB",
        "hexadecimal": b"0x1848",
    },
}


def from_environment(trial: Trial, content: bytes, *arguments: str) -> Run:
    pin = content.decode("utf-8", "surrogateescape")
    return trial.run(*arguments, "--pin-from", "env:JPKI_TEST_PIN", pin=pin)


def from_file(trial: Trial, content: bytes, *arguments: str) -> Run:
    path = trial.folder / "pin"
    path.write_bytes(content)
    return trial.run(*arguments, "--pin-from", f"file:{path}")


def from_descriptor(trial: Trial, content: bytes, *arguments: str) -> Run:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        stream.write(content)
    return trial.run(*arguments, "--pin-from", f"fd:{reader}")


def from_stdin(trial: Trial, content: bytes, *arguments: str) -> Run:
    return trial.run(*arguments, "--pin-from", "stdin", stdin=content)


SOURCES = {
    "env:JPKI_TEST_PIN": from_environment,
    "file:": from_file,
    "fd:": from_descriptor,
    "stdin": from_stdin,
}
Source = Callable[..., Run]
sources = pytest.mark.parametrize(
    ("name", "source"), SOURCES.items(), ids=["env", "file", "fd", "stdin"]
)


CASES = [
    pytest.param(kind, form, *source, id=f"{kind}-{name}-{source[0]}")
    for kind, forms in FORMS.items()
    for name, form in forms.items()
    for source in SOURCES.items()
    if not (b"\0" in form and source[1] is from_environment)  # no variable holds a NUL
]


def typed(run: Run, content: bytes) -> Run:
    """The same run, with what was given as its PIN among the secrets."""
    text = content.decode("utf-8", "replace")
    secrets = {text, text.strip(), *text.split()} - {""}
    return Run(
        arguments=run.arguments,
        exit_code=run.exit_code,
        stdout=run.stdout,
        stderr=run.stderr,
        typed=run.typed | secrets,
    )


@pytest.mark.parametrize(("kind", "content", "name", "source"), CASES)
def test_a_pin_of_an_impossible_form_never_reaches_the_card(
    trial: Trial, kind: str, content: bytes, name: str, source: Source
) -> None:
    run = typed(source(trial, content, "pin", "verify", kind), content)
    trial.refused(run, "pin-format")
    assert trial.card.exchange_count == 0
    assert run.error["source"].startswith(name)
    assert name in run.stderr  # the source, so that the person knows where to look


@pytest.mark.parametrize(
    "content", [b"", b"1848", "１２３４".encode(), b"TARO2026 ", b"TARO2026\nTARO2026\n"]
)
@sources
def test_sign_refuses_an_impossible_password_before_the_card(
    trial: Trial, content: bytes, name: str, source: Source
) -> None:
    run = typed(source(trial, content, *trial.sign(pin_from=None)), content)
    trial.refused(run, "pin-format")
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize("content", [b"", b"TARO2026", "１２３４".encode(), b"1848\n1848\n"])
@sources
def test_a_login_refuses_an_impossible_pin_before_the_card(
    trial: Trial, content: bytes, name: str, source: Source
) -> None:
    run = typed(source(trial, content, *respond(trial)), content)
    trial.refused(run, "pin-format")
    assert trial.card.exchange_count == 0


def respond(trial: Trial) -> tuple[str, ...]:
    return ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)


@pytest.mark.parametrize("content", [b"", b"1848", "１２３４".encode(), b"TARO2026 "])
@sources
def test_a_change_refuses_an_impossible_old_password_before_the_card(
    trial: Trial, content: bytes, name: str, source: Source
) -> None:
    new = trial.folder / "new"
    new.write_text(NEW_PASSWORD)
    change = ("pin", "change", "signature", "--new-pin-from", f"file:{new}")
    run = typed(source(trial, content, *change), content)
    trial.refused(run, "pin-format")
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("signature", PASSWORD, ""),
        ("signature", PASSWORD, "1848"),
        ("signature", PASSWORD, "ABCDEFGH"),
        ("signature", PASSWORD, "97531864"),
        ("signature", PASSWORD, "HANAKO77 "),
        ("signature", PASSWORD, "ＨＡＮＡＫＯ７７"),
        ("authentication", PIN, ""),
        ("authentication", PIN, "739"),
        ("authentication", PIN, "７３９１"),
        ("authentication", PIN, "7391\n7391"),
    ],
)
def test_a_change_refuses_an_impossible_new_pin_before_the_card(
    trial: Trial, kind: str, old: str, new: str
) -> None:
    change = ("pin", "change", kind, "--pin-from", "env:JPKI_TEST_PIN")
    run = trial.run(*change, "--new-pin-from", "env:JPKI_TEST_NEW_PIN", pin=old, new_pin=new)
    trial.refused(run, "pin-format")
    assert trial.card.exchange_count == 0
    assert run.error["source"] == "env:JPKI_TEST_NEW_PIN"


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
@sources
def test_one_line_end_is_no_part_of_the_pin(
    trial: Trial, ending: bytes, name: str, source: Source
) -> None:
    run = source(trial, PIN.encode() + ending, "pin", "verify", "authentication")
    assert run.exit_code == 0, run.stderr
    assert trial.card.verify_count == 1
    trial.counts()


@sources
def test_a_password_in_lower_case_is_the_same_password(
    trial: Trial, name: str, source: Source
) -> None:
    run = source(trial, PASSWORD.lower().encode(), "pin", "verify", "signature")
    assert run.exit_code == 0, run.stderr
    assert trial.card.verify_count == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("pin", "verify", "signature", "--pin", PASSWORD),
        ("pin", "verify", "signature", f"--pin={PASSWORD}"),
        ("pin", "verify", "signature", "--password", PASSWORD),
        ("--pin", PASSWORD, "status"),
    ],
)
def test_a_pin_as_the_value_of_an_option_is_refused_and_not_repeated(
    trial: Trial, arguments: tuple[str, ...]
) -> None:
    run = trial.run(*arguments)
    trial.refused(run, "pin-on-command-line")
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("pin", "verify", "signature", PASSWORD),
        ("pin", "verify", PASSWORD),
        ("pin", PASSWORD),
        (PASSWORD,),
        ("pin", "change", "signature", PASSWORD, NEW_PASSWORD),
    ],
)
def test_a_pin_where_no_pin_belongs_is_not_repeated(
    trial: Trial, arguments: tuple[str, ...]
) -> None:
    run = trial.run(*arguments)
    trial.refused(run, "usage")
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize(
    "source",
    [
        PASSWORD,
        f"pass:{PASSWORD}",
        "env",
        "env:",
        "env:JPKI_NO_SUCH_VARIABLE",
        "file:",
        "file:/nonexistent/pin",
        "file:/",
        "fd:",
        "fd:ten",
        "fd:9999",
        "fd:99999999999999999999",
        "fd:-1",
        "fd:１",
        "stdin:0",
        "",
    ],
)
def test_a_source_that_gives_no_pin_is_refused_before_the_card(trial: Trial, source: str) -> None:
    run = trial.run("pin", "verify", "signature", "--pin-from", source)
    trial.refused(run, "pin-source")
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "-", "--format", "raw", "--pin-from", "stdin"),
        ("sign", "-", "--format", "raw", "--pin-from", "fd:0"),
        ("pin", "change", "signature", "--pin-from", "stdin", "--new-pin-from", "stdin"),
    ],
)
def test_stdin_is_not_read_for_two_things(trial: Trial, arguments: tuple[str, ...]) -> None:
    run = trial.run(*arguments, stdin=PASSWORD.encode())
    trial.refused(run, "pin-source")
    assert trial.card.exchange_count == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("pin", "verify", "signature"),
        ("pin", "verify", "authentication"),
        ("pin", "change", "signature"),
        ("pin", "change", "signature", "--pin-from", "env:JPKI_TEST_PIN"),
        ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44),
    ],
)
def test_without_a_terminal_nobody_is_asked(trial: Trial, arguments: tuple[str, ...]) -> None:
    run = trial.run(*arguments, pin=PASSWORD, stdin=PASSWORD.encode() + b"\n")
    trial.refused(run, "pin-source")
    assert trial.card.exchange_count == 0


def test_the_variable_with_the_pin_is_gone_before_the_card_is_opened(
    trial: Trial, tmp_path: Path
) -> None:
    seen: list[str | None] = []

    def look(_exchange: int, _command: bytes, answer: bytes) -> bytes:
        seen.append(os.environ.get("JPKI_TEST_PIN"))
        return answer

    from jpki.emulator import Faults

    trial.card.faults = Faults(hook=look)
    run = trial.run("pin", "verify", "signature", "--pin-from", "env:JPKI_TEST_PIN", pin=PASSWORD)
    assert run.exit_code == 0
    assert set(seen) == {None}


@pytest.mark.parametrize(("kind", "right"), [("signature", PASSWORD), ("authentication", PIN)])
def test_an_impossible_entry_at_the_terminal_may_be_repeated_and_costs_nothing(
    trial: Trial, kind: str, right: str
) -> None:
    run = trial.run("pin", "verify", kind, answers=["１２３４", "12", right])
    assert run.exit_code == 0, run.stderr
    assert trial.card.verify_count == 1
    assert len(trial.person.questions) == 3
    trial.counts()


@pytest.mark.parametrize(
    "answers", [[""], ["１２３４", ""], ["１２３４", "12", "123456789012345678"]]
)
@pytest.mark.parametrize("kind", ["signature", "authentication"])
def test_a_person_who_enters_nothing_possible_is_sent_away(
    trial: Trial, kind: str, answers: list[str]
) -> None:
    run = trial.run("pin", "verify", kind, answers=answers)
    trial.refused(run, "pin-format")
