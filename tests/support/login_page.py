"""The demonstration site in a real Chromium, where the test itself plays the Web eID extension.

The page's own script, policy and forms are the real ones. (The whole way, with an extension, the
native host and a card, is another test's.)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Playwright
from support.chromium import CHROMIUM, FLAGS

# Runs before the page's script, like an extension's content script, and says the same messages.
EXTENSION = """
window.addEventListener("message", async (event) => {
  const request = event.data;
  if (event.source !== window || request?.action !== "web-eid:authenticate") return;
  const say = (message) => window.postMessage(message, event.origin);
  say({ action: "web-eid:authenticate-ack" });
  const answer = await window.answerOfTheExtension(request);
  if (answer.error) say({ action: "web-eid:authenticate-failure", error: answer.error });
  else say({ action: "web-eid:authenticate-success", ...answer });
});
"""

Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""The page's request -> a token, or {"error": {"code": ...}}."""


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def login_page(
    browser: Browser, origin: str, answer: Answer | None, **context_options: Any
) -> Iterator[Page]:
    """A fresh profile at the first page; with ``answer`` there is an extension in it."""
    context = browser.new_context(ignore_https_errors=True, **context_options)
    try:
        if answer is not None:
            context.expose_function("answerOfTheExtension", answer)
            context.add_init_script(EXTENSION)
        page = context.new_page()
        page.goto(origin)
        yield page
    finally:
        context.close()
