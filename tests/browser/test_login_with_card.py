"""The whole way of a login: site, page, extension, native messaging, PIN window, card, and back."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect
from support.browser import Visitor
from support.cards import PIN
from support.trial import WRONG_PIN, copy_of_environment

from jpki.emulator import export_ca

LOG_IN = "Log in with the card"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The command as a developer starts it."""

    origin: str
    log: Path

    def visited(self, page: Page) -> Page:
        page.goto(self.origin)
        english = page.get_by_role("button", name="English")
        if english.is_visible():
            english.click()
        return page


@pytest.fixture(scope="module")
def shop(issued_card_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`jpki auth serve`, which trusts the card's CA."""
    folder = tmp_path_factory.mktemp("shop")
    export_ca(issued_card_path, folder)
    serve = (
        Path(sys.executable).with_name("jpki"), "--json", "auth", "serve", "--port", "0",
        "--trust", folder / "authentication-ca.pem",
    )  # fmt: skip
    log = folder / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            serve, stdout=subprocess.PIPE, stderr=errors, env=copy_of_environment()
        ) as server,
    ):
        assert server.stdout is not None
        announced = b""
        while not announced.endswith(b"\n}\n"):
            line = server.stdout.readline()
            assert line, log.read_text()
            announced += line
        yield Site(origin=json.loads(announced)["origin"], log=log)
        server.terminate()
        assert server.wait(30) == 0


def test_a_person_logs_in_with_the_card_and_out_again(person: Visitor, shop: Site) -> None:
    person.desk.pinentry.will_enter(PIN)
    with person.page(shop.origin) as page:
        shop.visited(page).get_by_role("button", name=LOG_IN).click()
        expect(page.get_by_role("heading", name="You are logged in")).to_be_visible()
        assert page.url == f"{shop.origin}/account"
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name=LOG_IN)).to_be_visible()
        page.goto(f"{shop.origin}/account")
        assert page.url == f"{shop.origin}/"
    assert shop.origin in person.desk.pinentry.told("SETDESC")
    assert person.desk.tries() == {"signature": 5, "authentication": 3}
    assert person.desk.pinentry.is_gone()
    log = shop.log.read_text()
    assert "POST /login 200" in log
    for secret in ("unverifiedCertificate", "nonce=", PIN, "MIHON"):
        assert secret not in log


def test_the_same_card_is_the_same_user_each_time(person: Visitor, shop: Site) -> None:
    users = []
    for _time in range(2):
        person.desk.pinentry.will_enter(PIN)
        with person.page(shop.origin) as page:
            shop.visited(page).get_by_role("button", name=LOG_IN).click()
            users.append(page.locator("#subject").text_content())
            page.get_by_role("button", name="Log out").click()
            expect(page.get_by_role("button", name=LOG_IN)).to_be_visible()
    assert re.fullmatch(r"[0-9a-f ]+ …", users[0] or "")
    assert users[0] == users[1]


def test_a_wrong_pin_logs_nobody_in_and_costs_one_try(person: Visitor, shop: Site) -> None:
    person.desk.pinentry.will_enter(WRONG_PIN)
    with person.page(shop.origin) as page:
        shop.visited(page).get_by_role("button", name=LOG_IN).click()
        expect(page.get_by_role("heading", name="The card could not be used")).to_be_visible()
        page.goto(f"{shop.origin}/account")
        assert page.url == f"{shop.origin}/"
    assert person.desk.tries() == {"signature": 5, "authentication": 2}


def test_cancelling_logs_nobody_in_and_costs_nothing(person: Visitor, shop: Site) -> None:
    person.desk.pinentry.will_cancel()
    with person.page(shop.origin) as page:
        shop.visited(page).get_by_role("button", name=LOG_IN).click()
        expect(page.get_by_role("heading", name="You closed the PIN window")).to_be_visible()
    assert person.desk.tries() == {"signature": 5, "authentication": 3}


def test_a_missing_card_logs_nobody_in_and_opens_no_window(person: Visitor, shop: Site) -> None:
    person.take_card_away()
    with person.page(shop.origin) as page:
        shop.visited(page).get_by_role("button", name=LOG_IN).click()
        expect(page.get_by_role("heading", name="The card could not be used")).to_be_visible()
    assert person.desk.pinentry.starts == []


def test_a_site_that_passes_the_challenge_on_gets_a_token_that_is_worth_nothing(
    person: Visitor, shop: Site, site: str
) -> None:
    """A stranger's page asks for a token with the nonce that the true site gave it."""
    person.desk.pinentry.will_enter(PIN)
    with person.page(shop.origin) as page, person.page(site) as stranger:
        csrf = shop.visited(page).locator("#log-in").get_attribute("data-csrf") or ""
        nonce = post(page, "/challenge", csrf, "")["nonce"]
        answer = person.ask(stranger, "authenticate", challengeNonce=nonce)
        assert answer["action"] == "web-eid:authenticate-success"
        token = json.dumps({key: value for key, value in answer.items() if key != "action"})
        refused = post(page, "/login", csrf, json.dumps({"nonce": nonce, "token": token}))
    assert refused == {"reason": "other-site", "location": "/refused/other-site"}
    assert site in person.desk.pinentry.told("SETDESC")


def test_a_token_that_logged_in_does_not_log_in_again(person: Visitor, shop: Site) -> None:
    person.desk.pinentry.will_enter(PIN)
    sent: list[str] = []

    def keep(response: Response) -> None:
        if response.url.endswith("/login"):
            sent.append(response.request.post_data or "")

    with person.page(shop.origin) as page:
        page.on("response", keep)
        shop.visited(page).get_by_role("button", name=LOG_IN).click()
        expect(page.get_by_role("heading", name="You are logged in")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name=LOG_IN)).to_be_visible()
        csrf = page.locator("#log-in").get_attribute("data-csrf") or ""
        (login,) = sent
        refused = post(page, "/login", csrf, login)
        page.goto(f"{shop.origin}/account")
        assert page.url == f"{shop.origin}/"
    assert refused["reason"] in {"used", "other-window"}


def post(page: Page, path: str, csrf: str, body: str) -> dict[str, str]:
    """Send what the page's own script sends."""
    script = """async ({path, csrf, body}) => {
      const headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf};
      return (await fetch(path, {method: "POST", headers, body})).json();
    }"""
    return dict(page.evaluate(script, {"path": path, "csrf": csrf, "body": body}))
