"""How a running demonstration site is announced."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.printable import printable
from cli.translation import _


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingResult:
    """Where the site is, and how to know that it is this one."""

    origin: str
    host: str
    port: int
    certificate_sha256: str  # lower-case hex
    is_throw_away: bool
    trusted: int

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "origin": self.origin,
            "host": self.host,
            "port": self.port,
            "certificate_sha256": self.certificate_sha256,
            "throw_away": self.is_throw_away,
            "trust": self.trusted,
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("Demonstration site: {origin}").format(origin=self.origin)
        yield _("  listens on:   {host}, port {port}").format(
            host=printable(self.host), port=self.port
        )
        certificate = (
            _("made for this run, so browsers warn of it")
            if self.is_throw_away
            else _("the one you gave")
        )
        yield _("  certificate:  {certificate}").format(certificate=certificate)
        yield _("  its SHA-256:  {fingerprint}").format(fingerprint=self.certificate_sha256)
        yield _("  trusted CAs:  {count}").format(count=self.trusted)
        yield _("Stop it with Ctrl-C.")
