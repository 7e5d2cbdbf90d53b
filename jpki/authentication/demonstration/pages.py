"""Pages out of templates. Whatever goes into one is escaped."""

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from jpki.authentication.demonstration.words import LANGUAGES, NAMES, TEXTS, Texts

PACKAGE: Final = "jpki.authentication.demonstration"
ID_GROUP: Final = 8


class Pages:
    """The templates of the site, ready to be filled in."""

    def __init__(self, *, origin: str) -> None:
        self._environment = Environment(
            loader=PackageLoader(PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"origin": origin, "languages": LANGUAGES, "names": NAMES}
        self._environment.filters["grouped"] = _grouped

    def render(self, template: str, language: str, **values: object) -> str:
        """Render a page in a language."""
        texts: Texts = TEXTS[language]
        return self._environment.get_template(template).render(
            language=language, text=texts, **values
        )


def _grouped(identifier: str) -> str:
    """The beginning of a long identifier, in groups that can be read aloud."""
    return " ".join(identifier[start : start + ID_GROUP] for start in range(0, 32, ID_GROUP))
