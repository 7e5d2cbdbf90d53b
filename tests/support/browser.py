"""A real Chromium with an extension that plays Web eID's part, and the host that `install` gave it.

What a site does with web-eid.js is one call here: `visitor.ask(page, "authenticate", ...)`.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright
from support.chromium import CHROMIUM, FLAGS
from support.native_host import Desk
from support.trial import copy_of_environment

EXTENSION = Path(__file__).parents[1] / "extension"
WITH_EXTENSION = (f"--load-extension={EXTENSION}", f"--disable-extensions-except={EXTENSION}")
ASK = """(request) => new Promise((resolve) => {
  window.addEventListener("message", ({data}) => {
    const ends = [`${request.action}-success`, `${request.action}-failure`];
    if (ends.includes(data.action)) resolve(data);
  });
  window.postMessage(request, window.origin);
})"""


def extension_id() -> str:
    """The id that Chromium makes of the public key in the manifest."""
    key = base64.b64decode(json.loads((EXTENSION / "manifest.json").read_text())["key"])
    digits = hashlib.sha256(key).hexdigest()[:32]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digits)


@dataclass
class Visitor:
    """Somebody at a browser, with a card and a PIN program."""

    desk: Desk
    issued_card: Path
    context: BrowserContext

    def put_new_card(self) -> None:
        """A card that nothing has happened to, and a PIN program that has not been asked."""
        shutil.copyfile(self.issued_card, self.desk.card)
        self.desk.pinentry.forget()

    def take_card_away(self) -> None:
        self.desk.card.unlink()

    @contextmanager
    def page(self, url: str) -> Iterator[Page]:
        """A tab at this address."""
        page = self.context.new_page()
        page.goto(url)
        try:
            yield page
        finally:
            page.close()

    def ask(self, page: Page, action: str, **request: object) -> dict[str, Any]:
        """Do what the page's web-eid.js would do -> what it would get."""
        return dict(page.evaluate(ASK, {"action": f"web-eid:{action}", **request}))

    def begin(self, page: Page, action: str, **request: object) -> None:
        """Ask, and do not wait for what comes of it."""
        request = {"action": f"web-eid:{action}", **request}
        page.evaluate("(request) => window.postMessage(request, window.origin)", request)


@contextmanager
def visitor(
    playwright: Playwright,
    folder: Path,
    issued_card: Path,
    *,
    allowed: bool = True,
    profile: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Visitor]:
    """A browser that is gone when the block ends.

    Args:
        playwright: the driver.
        folder: for the person's files and the browser's.
        issued_card: is copied.
        allowed: whether `install` was told of the tests' extension.
        profile: the browser's folder; None: where a Chromium of this person looks for hosts.
        environment: more of it, for the host and its PIN program.
    """
    desk = Desk.in_folder(folder, folder / "card.json")
    desk.environment |= environment or {}
    surroundings = copy_of_environment(**desk.environment)
    install(surroundings, *(("--allow-extension", extension_id()) if allowed else ()))
    context = playwright.chromium.launch_persistent_context(
        profile or folder / "config" / "chromium",
        executable_path=CHROMIUM,
        headless=True,
        args=[*FLAGS, *WITH_EXTENSION],
        env={**surroundings},
        ignore_https_errors=True,
    )
    try:
        person = Visitor(desk=desk, issued_card=issued_card, context=context)
        person.put_new_card()
        yield person
    finally:
        context.close()


def install(environment: Mapping[str, str], *options: str) -> None:
    """Run the command as a person would."""
    jpki = Path(sys.executable).with_name("jpki")
    subprocess.run(
        [jpki, "auth", "native-host", "install", "--browser", "chromium", *options],
        env=dict(environment),
        check=True,
        capture_output=True,
        timeout=60,
    )


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
