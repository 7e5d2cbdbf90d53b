"""The demonstration site's pages and script, judged by a real Chromium."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect
from support.login_page import chromium, login_page
from support.login_site import Identity, LoginSite, served


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def site() -> Iterator[LoginSite]:
    with served() as site:
        yield site


class Extension:
    """Answers as the real one would, or with the error that it is told; keeps what it was asked."""

    def __init__(
        self, site: LoginSite, error: str | None = None, origin: str | None = None
    ) -> None:
        self.origin = origin or site.origin
        self.error = error
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if self.error is not None:
            return {"error": {"code": self.error, "message": "..."}}
        return dict(json.loads(Identity().token(self.origin, request["challengeNonce"])))


def watched(page: Page) -> list[str]:
    """What the browser complains about on this page: the policy, errors in the script."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def test_a_person_logs_in_chooses_a_language_and_logs_out(
    browser: Browser, site: LoginSite
) -> None:
    extension = Extension(site)
    with login_page(browser, site.origin, extension, locale="en-US") as page:
        complaints = watched(page)
        page.get_by_role("button", name="日本語").click()
        page.get_by_role("button", name="カードでログイン").click()
        expect(page.get_by_role("heading", name="ログインしました")).to_be_visible()
        assert page.url == f"{site.origin}/account"
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="English").click()
        expect(page.get_by_text("Mihon-shi, Mihon-ken")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in with the card")).to_be_enabled()
        page.goto(f"{site.origin}/account")
        assert page.url == f"{site.origin}/"
        assert complaints == []
    (request,) = extension.asked
    assert request["options"] == {"lang": "ja", "userInteractionTimeout": 120_000}
    assert request["libraryVersion"] == "2.0.0"
    assert len(request["challengeNonce"]) == 44


def test_a_link_of_another_site_logs_nobody_out(browser: Browser, site: LoginSite) -> None:
    with login_page(browser, site.origin, Extension(site), locale="en-US") as page:
        page.get_by_role("button", name="Log in with the card").click()
        logged_in = page.get_by_role("heading", name="You are logged in")
        expect(logged_in).to_be_visible()
        for path in ("/", "/account", "/"):
            page.goto(f"data:text/html,<a href='{site.origin}{path}'>a site</a>")
            page.get_by_role("link", name="a site").click()
            expect(logged_in).to_be_visible()
    with login_page(browser, "about:blank", Extension(site), locale="en-US") as page:
        page.goto(f"data:text/html,<a href='{site.origin}/'>a site</a>")
        page.get_by_role("link", name="a site").click()
        page.get_by_role("button", name="Log in with the card").click()
        expect(page.get_by_role("heading", name="You are logged in")).to_be_visible()


@pytest.mark.parametrize(
    ("code", "heading"),
    [
        ("ERR_WEBEID_USER_CANCELLED", "You closed the PIN window"),
        ("ERR_WEBEID_USER_TIMEOUT", "It took too long"),
        ("ERR_WEBEID_NATIVE_UNAVAILABLE", "The program behind the extension is missing"),
        ("ERR_WEBEID_VERSION_MISMATCH", "Extension and program do not fit together"),
        ("ERR_WEBEID_NATIVE_FATAL", "The card could not be used"),
        ("ERR_OF_A_LATER_VERSION", "The card could not be used"),
    ],
)
def test_what_the_extension_says_becomes_a_page(
    browser: Browser, site: LoginSite, code: str, heading: str
) -> None:
    with login_page(browser, site.origin, Extension(site, code), locale="en-US") as page:
        page.get_by_role("button", name="Log in with the card").click()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        page.get_by_role("link", name="Back to the login").click()
        expect(page.get_by_role("button", name="Log in with the card")).to_be_enabled()


def test_a_browser_without_the_extension_is_told_so(browser: Browser, site: LoginSite) -> None:
    with login_page(browser, site.origin, None, locale="en-US") as page:
        page.get_by_role("button", name="Log in with the card").click()
        heading = page.get_by_role("heading", name="The Web eID extension does not answer")
        expect(heading).to_be_visible()


def test_a_token_for_another_site_is_refused_with_a_warning(
    browser: Browser, site: LoginSite
) -> None:
    extension = Extension(site, origin="https://example.com")
    with login_page(browser, site.origin, extension, locale="en-US") as page:
        page.get_by_role("button", name="Log in with the card").click()
        expect(page.get_by_text("do not enter your PIN there")).to_be_visible()


def test_messages_of_another_window_are_not_answers(browser: Browser, site: LoginSite) -> None:
    with login_page(browser, site.origin, None, locale="en-US") as page:
        page.evaluate("""() => {
          window.addEventListener("message", ({data}) => {
            if (data?.action !== "web-eid:authenticate") return;
            const forged = {action: "web-eid:authenticate-failure",
                            error: {code: "ERR_WEBEID_USER_CANCELLED"}};
            window.dispatchEvent(new MessageEvent("message", {
              data: forged, origin: "https://evil.example", source: window}));
            window.dispatchEvent(new MessageEvent("message", {
              data: forged, origin: window.location.origin, source: null}));
          });
        }""")
        page.get_by_role("button", name="Log in with the card").click()
        heading = page.get_by_role("heading", name="The Web eID extension does not answer")
        expect(heading).to_be_visible()


def test_no_other_site_can_show_our_page_in_a_frame(browser: Browser, site: LoginSite) -> None:
    with login_page(browser, "about:blank", None) as page:
        with page.expect_event("requestfailed") as failed:
            page.set_content(f'<iframe src="{site.origin}/"></iframe>')
        assert "BLOCKED" in (failed.value.failure or "")
