"""One browser for the tests of a module, each with a card and a PIN program as new.

Not for longer: while the driver runs, nothing else of the process can run an event loop.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright
from support.browser import Visitor, visitor
from support.https import https_site


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a site."""
    with https_site(tmp_path_factory.mktemp("site")) as port:
        yield f"https://localhost:{port}"


@pytest.fixture(scope="module")
def _visitor(
    playwright: Playwright, issued_card_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    with visitor(playwright, tmp_path_factory.mktemp("visitor"), issued_card_path) as person:
        yield person


@pytest.fixture
def person(_visitor: Visitor) -> Visitor:
    """Somebody at a browser, with a new card."""
    _visitor.put_new_card()
    return _visitor
