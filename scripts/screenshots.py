"""Pictures of the demonstration site, made with a virtual card that nobody has."""

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from support.login_page import chromium, login_page  # noqa: E402

from jpki import Pin, PinKind, open_card  # noqa: E402
from jpki.authentication import TokenValidator, login_message, make_token  # noqa: E402
from jpki.authentication.clock import utc_now  # noqa: E402
from jpki.authentication.demonstration import Demonstration, listen, throw_away  # noqa: E402
from jpki.authentication.demonstration.server import server_of  # noqa: E402
from jpki.certificates import load_certificates  # noqa: E402
from jpki.emulator import create_card, export_ca  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
PIN = "2468"
SIZE = {"width": 960, "height": 760}
LOCALES = {"ja": "ja-JP", "en": "en-US"}


@contextmanager
def serving(card_folder: Path) -> Iterator[str]:
    """The site on a free port, trusting the virtual card's CA -> its origin."""
    anchors = load_certificates((card_folder / "authentication-ca.pem").read_bytes())
    with listen("127.0.0.1", 0) as listener:
        origin = f"https://localhost:{listener.getsockname()[1]}"
        site = Demonstration(TokenValidator(origin=origin, anchors=tuple(anchors)))
        server = server_of(site, throw_away(origin).context)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield origin
        finally:
            server.should_exit = True
            thread.join()
            site.close()


def token(card: Path, origin: str, nonce: str) -> dict[str, Any]:
    """What the native host would make of the virtual card."""
    message = login_message(origin, nonce)
    with (
        Pin(PinKind.AUTHENTICATION, PIN) as pin,
        open_card(f"emulator:{card}") as opened,
        opened.transaction() as application,
    ):
        application.verify(pin)
        key = application.authentication_key(lambda data: data == message, at=utc_now())
        made = make_token(origin, nonce, key, key.certificate, "https://jpki.invalid/")
    return dict(json.loads(made.to_json()))


def take(browser: Browser, origin: str, card: Path, language: str) -> None:
    """Every page in one language."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        return token(card, origin, request["challengeNonce"])

    options = {"locale": LOCALES[language], "viewport": SIZE}
    with login_page(browser, origin, answer, **options) as page:

        def shoot(name: str) -> None:
            page.screenshot(path=FOLDER / f"{name}-{language}.png", full_page=True)

        page.wait_for_load_state("networkidle")
        shoot("start")
        page.locator("#log-in").click()
        page.wait_for_url(f"{origin}/account")
        shoot("logged-in")
        page.goto(f"{origin}/refused/other-site")
        shoot("refused")
        page.goto(f"{origin}/no-such-page")
        shoot("missing")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        card = folder / "card.json"
        create_card(card, name="番号花子", authentication_pin=PIN)
        export_ca(card, folder)
        with serving(folder) as origin, sync_playwright() as driver, chromium(driver) as browser:
            for language in LOCALES:
                take(browser, origin, card, language)
    for path in sorted(FOLDER.iterdir()):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
