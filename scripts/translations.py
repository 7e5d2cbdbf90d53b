"""The catalogues of the command: extract, update, compile. See `translations` beside this."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
LANGUAGES = {"ja": "Japanese", "zh": "Chinese (simplified)"}
KEYWORDS = {"_": None, "N_": None, "nN_": (1, 2)}
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""In the header: a catalogue changes when its texts do, and at no other time."""


def extracted() -> dict[str | tuple[str, ...], None]:
    """The texts in the code, in order."""
    found = extract_from_dir(str(ROOT / "cli"), keywords=KEYWORDS)
    return dict.fromkeys(sorted((message for _, _, message, *_ in found), key=str))


def catalogue_path(language: str) -> Path:
    """The .po file; the .mo file is beside it."""
    return ROOT / "cli" / "locale" / language / "LC_MESSAGES" / "jpki.po"


def update(language: str) -> list[str]:
    """Write both files of a language -> the texts that have no translation yet."""
    path = catalogue_path(language)
    with path.open("rb") as stream:
        old = read_po(stream, locale=language)
    new = Catalog(
        locale=language,
        project="jpki",
        version="1",
        header_comment=f"# {LANGUAGES[language]} texts of the command. See scripts/translations.",
        creation_date=NO_DATE,
        revision_date=NO_DATE,
        last_translator="",
        language_team="",
        msgid_bugs_address="",
        fuzzy=False,
    )
    for text in extracted():
        known = old.get(text[0] if isinstance(text, tuple) else text)
        new.add(text, known.string if known is not None else "")
    with path.open("wb") as stream:
        write_po(stream, new, width=0)
    with path.with_suffix(".mo").open("wb") as stream:
        write_mo(stream, new)
    return [str(message.id) for message in new if message.id and not _is_translated(message.string)]


def _is_translated(string: str | Sequence[str] | None) -> bool:
    return bool(string) if string is None or isinstance(string, str) else all(string)


def main() -> int:
    """Update all languages."""
    missing = [f"{language}: {text}" for language in LANGUAGES for text in update(language)]
    for line in missing:
        print(line)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
