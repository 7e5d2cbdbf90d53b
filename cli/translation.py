"""English, Japanese and Chinese texts through gettext; click's own texts come along.

The message ids are the English texts. The language is what gettext takes from LANGUAGE, LC_ALL,
LC_MESSAGES and LANG, at each call: so ``--lang`` and the English of ``--json`` are a matter of
setting LANGUAGE for as long as they hold.
"""

import gettext
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

DOMAIN: Final = "jpki"
LANGUAGES: Final = ("ja", "en", "zh")
NO_CATALOGUE: Final = "C"
"""The language of the message ids, as a value of LANGUAGE."""
LOCALE_FOLDER: Final = os.path.join(os.path.dirname(__file__), "locale")  # noqa: PTH118, PTH120  # pathlib is slow to import


def install() -> None:
    """Make our catalogue the one that gettext, and click with it, looks into."""
    gettext.bindtextdomain(DOMAIN, LOCALE_FOLDER)
    gettext.textdomain(DOMAIN)


def _(message: str) -> str:
    """Translate a text into the language of the moment."""
    if os.environ.get("LANGUAGE") == NO_CATALOGUE:  # gettext would look for one all the same
        return message
    return gettext.gettext(message)


def N_(message: str) -> str:  # noqa: N802  # the name that every extractor knows
    """Mark a text for translation that is translated where it is shown."""
    return message


def nN_(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802  # as N_
    """Mark a text with a plural."""
    return singular, plural


def use_language(language: str) -> None:
    """Speak this language from now on; of several (``de:ja_JP``) the first that there is.

    gettext looks for a catalogue in every place that the value allows, at each text: so the value
    is the name of one catalogue, or C for none.
    """
    os.environ["LANGUAGE"] = next(_catalogues(language), NO_CATALOGUE)


def _catalogues(languages: str) -> Iterator[str]:
    for language in languages.split(":"):
        name = re.split("[_.@]", language, maxsplit=1)[0]
        if name in {NO_CATALOGUE, *LANGUAGES}:
            yield NO_CATALOGUE if name == "en" else name


def languages_of_environment() -> str:
    """What LANGUAGE, or else the locale, asks for, as a value for ``use_language``."""
    variables = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return next((value for name in variables if (value := os.environ.get(name))), "C")


@contextmanager
def language_kept() -> Iterator[None]:
    """Let what is set inside not outlive the block: a process may run more than one command."""
    before = os.environ.get("LANGUAGE")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("LANGUAGE", None)
        else:
            os.environ["LANGUAGE"] = before


@contextmanager
def english() -> Iterator[None]:
    """Speak English inside the block, for what programs read."""
    with language_kept():
        use_language("en")
        yield
