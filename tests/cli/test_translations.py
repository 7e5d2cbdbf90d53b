"""Every text in Japanese and Chinese, the catalogues as compiled, and which language is spoken."""

import ast
import gettext
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner
from support.trial import ENVIRONMENT

from cli.root import root
from cli.translation import LOCALE_FOLDER as LOCALES

LOCALE_FOLDER = Path(LOCALES)
SCRIPT = Path(__file__).parents[2] / "scripts" / "translations.py"
LANGUAGES = ("ja", "zh")
FIELD = re.compile(r"\{[^}]*\}")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("translations", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def catalogue(language: str) -> dict[Any, Any]:
    path = LOCALE_FOLDER / language / "LC_MESSAGES" / "jpki.po"
    with path.open("rb") as stream:
        return {message.id: message.string for message in read_po(stream) if message.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_other_is(script: ModuleType, language: str) -> None:
    translations = catalogue(language)
    assert set(translations) == set(script.extracted()), "run scripts/translations"
    assert [text for text, translation in translations.items() if not translation] == []


def test_no_text_hides_in_an_f_string_where_it_is_not_found() -> None:
    for path in sorted(LOCALE_FOLDER.parent.rglob("*.py")):
        strings = [
            node
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, ast.JoinedStr)
        ]
        hidden = [
            ast.unparse(call)
            for string in strings
            for call in ast.walk(string)
            if isinstance(call, ast.Call)
            and ast.unparse(call.func) in {"_", "N_", "nN_"}
            and isinstance(call.args[0], ast.Constant)
        ]
        assert hidden == [], path


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_fields_of_its_text(language: str) -> None:
    for text, translation in catalogue(language).items():
        if isinstance(text, str) and isinstance(translation, str):
            assert sorted(set(FIELD.findall(text))) == sorted(set(FIELD.findall(translation)))
            assert not text.endswith(" ") or translation.endswith((" ", "："))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    compiled = gettext.translation("jpki", LOCALE_FOLDER, [language])
    for text, translation in catalogue(language).items():
        if isinstance(text, tuple):
            assert isinstance(translation, tuple)
            assert compiled.ngettext(text[0], text[1], 2) == translation[0]
        else:
            assert compiled.gettext(text) == translation, "run scripts/translations"


def test_the_words_are_those_of_the_city_office() -> None:
    japanese = catalogue("ja")
    assert (
        japanese["signature password (署名用パスワード)"]
        == "署名用パスワード（署名用電子証明書の暗証番号）"
    )
    assert japanese["authentication PIN (利用者証明用暗証番号)"] == "利用者証明用暗証番号"


@pytest.mark.parametrize(
    ("options", "environment", "word"),
    [
        ((), {}, "To have the"),
        ((), {"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, "設定し直すには"),
        ((), {"LC_ALL": "zh_CN.UTF-8"}, "重新设置"),
        ((), {"LC_ALL": "ja_JP.UTF-8", "LANGUAGE": "zh"}, "重新设置"),
        (("--lang", "ja"), {"LC_ALL": "zh_CN.UTF-8"}, "設定し直すには"),
        (("--lang", "en"), {"LANGUAGE": "ja"}, "To have the"),
        ((), {"LANGUAGE": "fr"}, "To have the"),
        ((), {"LANGUAGE": "fr:ja_JP:zh"}, "設定し直すには"),
        ((), {"LANGUAGE": "en_US:ja"}, "To have the"),
    ],
)
def test_the_language_is_that_of_the_option_or_of_the_environment(
    options: tuple[str, ...], environment: dict[str, str], word: str
) -> None:
    run = CliRunner().invoke(
        root, [*options, "pin", "unlock", "signature"], env=ENVIRONMENT | environment
    )
    assert word in run.stdout


def test_the_help_is_translated_with_clicks_own_words() -> None:
    run = CliRunner().invoke(root, ["--lang", "ja", "sign", "--help"], env=ENVIRONMENT)
    assert "使い方:" in run.stdout
    assert "オプション" in run.stdout
    assert "署名用パスワード" in run.stdout
    assert "この説明を表示して終わる" in run.stdout


def test_the_language_of_one_run_is_not_that_of_the_next() -> None:
    CliRunner().invoke(root, ["--lang", "ja", "pin", "unlock", "text"], env=ENVIRONMENT)
    run = CliRunner().invoke(root, ["pin", "unlock", "text"], env=ENVIRONMENT)
    assert "To have the" in run.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("pin", "verify", "auth", "--pin-from", "env:JPKI_ABSENT"),
        ("sign", "/nonexistent", "--pin-from", "env:JPKI_ABSENT"),
        ("status", "--wait", "soon"),
        ("nix",),
        ("--nix",),
        ("auth", "serve", "--host", ""),
        ("auth", "native-host", "install", "--browser", "firefox", "--allow-extension", "x"),
        ("auth", "ssh-key", "--comment", "\n"),
        ("auth", "ssh-agent", "--pin-from", "file:/dev/null/x"),
        ("auth", "verify", "-", "--origin", "https://a.jp", "--nonce", "A" * 44, "--at", "x"),
        ("cert", "show", "nix"),
        ("help", "nix"),
        ("sign", "a", "--pem", "--format", "pdf"),
    ],
)
def test_the_message_in_json_is_english_whatever_is_spoken(arguments: tuple[str, ...]) -> None:
    for environment in ({"LANGUAGE": "ja"}, {}):
        everything = ["--json", "--lang", "ja", "-r", "emulator:/nonexistent", *arguments]
        run = CliRunner().invoke(root, everything, env=ENVIRONMENT | environment)
        assert run.exit_code == 2
        assert json.loads(run.stdout)["error"]["message"].isascii()


def test_with_json_the_person_still_hears_the_chosen_language() -> None:
    arguments = ["--json", "--lang", "ja", "sign", "/nonexistent"]
    run = CliRunner().invoke(root, arguments, env=ENVIRONMENT)
    assert "読めません" in run.stderr


@pytest.mark.parametrize("language", ["ja", "zh"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "nowhere"),
        ("cert", "verify", "/"),
        ("pin", "status", "--reader", "emulator:nowhere"),
        ("pin", "status", "--reader", "emulator:/"),
        ("pin", "status", "--reader", "emulator:/dev/null"),
        ("pin", "verify", "auth", "--pin-from", "file:nowhere"),
        ("auth", "serve", "--host", "192.0.2.1", "--port", "0"),
        ("auth", "ssh-agent", "--pin-from", "env:PIN", "--socket", "/nowhere/socket"),
        ("auth", "native-host", "install"),
    ],
)
def test_what_the_system_says_is_translated_as_well(
    arguments: tuple[str, ...], language: str
) -> None:
    run = CliRunner().invoke(root, ["--lang", language, *arguments], env={"PIN": "2468"})
    assert run.exit_code == 2
    named = re.compile(r"emulator|socket|nowhere|--?[a-z-]+|「[^」]*」|“[^”]*”")
    assert not re.search(r"[a-z]+ [a-z]+", named.sub("", run.stderr)), run.stderr
