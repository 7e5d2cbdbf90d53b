"""The verification as a page for a person: one HTML file that needs nothing beside it."""

from datetime import datetime
from html import escape
from typing import Final

from cli.printable import printable
from cli.times import japan_time
from cli.translation import _
from cli.verification_view import ShownFile, VerifyResult
from jpki._version import __version__
from jpki.certificates import Verdict

COLOURS: Final = {
    None: "#a3141e",
    Verdict.PASSED: "#1a6b2f",
    Verdict.FAILED: "#a3141e",
    Verdict.INDETERMINATE: "#7a5600",
}
# Nothing is loaded and no script runs, whatever a file's name or a signer's says.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
STYLE: Final = """
body { font: 16px/1.6 sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
section { border-left: 0.4rem solid; padding: 0.2rem 1rem; margin: 1.5rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; color: black; }
footer { color: #555; font-size: 0.85rem; }
"""


def page_of(result: VerifyResult, now: datetime) -> bytes:
    """Render what was found -> HTML in UTF-8, in the language of the person."""
    language = _("en")  # the code of the language that the texts are in
    title = escape(_("Verification of signatures"))
    made = _("Made by jpki {version} at {time}. Whoever gets this page should verify again.")
    footer = escape(made.format(version=__version__, time=japan_time(now)))
    sections = "".join(_section(file) for file in result.files)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n'
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"{sections}<footer>{footer}</footer>\n</body>\n</html>\n"
    ).encode()


def _section(file: ShownFile) -> str:
    colour = COLOURS[file.verdict]
    name = escape(printable(file.file))
    lines = "".join(f"<pre>{escape(line.strip())}</pre>\n" for line in file.lines)
    return (
        f'<section style="color: {colour}">\n<h2>{name}</h2>\n'
        f"<p><strong>{escape(file.headline)}</strong></p>\n{lines}</section>\n"
    )
