"""What ``jpki auth native-host`` did and found, shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cli.native_host.manifest import Manifest
from cli.printable import printable
from cli.translation import N_, _

WORDS: Final = {
    "installed": N_("installed"),
    "unchanged": N_("was installed already"),
    "removed": N_("removed"),
    "restored": N_("removed; what was there before is back"),
    "missing": N_("not installed"),
    "ours": N_("installed"),
    "broken": N_("broken: {program} is not there or cannot be run; install it again"),
    "other": N_("of another program: {program}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReport:
    """One place where a browser looks, and what became of it."""

    manifest: Manifest
    outcome: str
    """A word of WORDS."""

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        aside = self.manifest.aside
        return {
            "browser": self.manifest.browser.word,
            "scope": self.manifest.scope.value,
            "state": self.outcome,
            "path": str(self.manifest.path),
            "program": self.manifest.program,
            "extensions": list(self.manifest.extensions),
            "kept_aside": str(aside) if aside.exists() else None,
            "sandbox": self.manifest.browser.sandbox(),
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        program = printable(self.manifest.program or "?")
        words = _(WORDS[self.outcome]).format(program=program)
        path = printable(str(self.manifest.path))
        yield f"{self.manifest.browser.word} ({self.manifest.scope.value}): {words}"
        if self.outcome != "missing":
            yield f"    {path}"
        if self.manifest.aside.exists():
            yield "    " + _("kept aside: {path}").format(path=printable(str(self.manifest.aside)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestsResult:
    """All places that a command looked at."""

    reports: tuple[ManifestReport, ...]

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"manifests": [report.as_json() for report in self.reports]}

    def as_text(self) -> Iterator[str]:
        """For people."""
        for report in self.reports:
            yield from report.as_text()
        for browser in dict.fromkeys(report.manifest.browser for report in self.reports):
            if (sandbox := browser.sandbox()) is not None:
                yield _(
                    "{browser} is here as a {sandbox}: its sandbox may keep it from programs"
                    " outside. If a site finds no Web eID application, use the browser of your"
                    " distribution."
                ).format(browser=browser.word, sandbox=sandbox)
