"""Sites with Web eID in a real Chromium: page, extension, native messaging, host, card."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from playwright.sync_api import Playwright
from support.browser import Visitor, parent_of, visitor
from support.cards import PASSWORD, PIN
from support.trial import WRONG_PIN
from support.waiting import is_running, wait_until

from jpki.authentication import new_nonce, verify_token
from jpki.authentication.errors import TokenError, TokenFault
from jpki.certificates.loading import load_certificate, load_certificates
from jpki.emulator import export_ca


def login(person: Visitor, site: str, nonce: str, **options: str) -> dict[str, Any]:
    with person.page(site) as page:
        return person.ask(page, "authenticate", challengeNonce=nonce, options=options)


def verify(answer: dict[str, Any], origin: str, nonce: str, card: Path, folder: Path) -> None:
    """The site's own look at the token."""
    token = {name: value for name, value in answer.items() if name != "action"}
    export_ca(card, folder)
    files = [path for path in folder.iterdir() if path.is_file()]
    anchors = [found for path in files for found in load_certificates(path.read_bytes())]
    at = load_certificate(base64.b64decode(token["unverifiedCertificate"])).not_valid_before_utc
    verify_token(json.dumps(token), origin, nonce, anchors, at)


def test_a_login_verifies_for_the_pages_origin_and_for_no_other(
    person: Visitor, site: str, tmp_path: Path
) -> None:
    nonce = new_nonce()
    person.desk.pinentry.will_enter(PIN)
    answer = login(person, site, nonce)
    assert answer["action"] == "web-eid:authenticate-success"
    verify(answer, site, nonce, person.desk.card, tmp_path / "ca")
    for number, (origin, other) in enumerate((("https://localhost", nonce), (site, new_nonce()))):
        with pytest.raises(TokenError) as refused:
            verify(answer, origin, other, person.desk.card, tmp_path / str(number))
        assert refused.value.fault is TokenFault.SIGNATURE
    assert site in person.desk.pinentry.told("SETDESC")
    assert person.desk.pinentry.is_gone()


def test_another_origin_is_named_in_the_window_and_signed(
    person: Visitor, site: str, tmp_path: Path
) -> None:
    nonce = new_nonce()
    other = site.replace("localhost", "127.0.0.1")
    person.desk.pinentry.will_enter(PIN)
    answer = login(person, other, nonce)
    assert other in person.desk.pinentry.told("SETDESC")
    verify(answer, other, nonce, person.desk.card, tmp_path / "ca")
    with pytest.raises(TokenError):
        verify(answer, site, nonce, person.desk.card, tmp_path / "ca2")


def test_the_version_is_told_without_card_and_window(person: Visitor, site: str) -> None:
    person.take_card_away()
    with person.page(site) as page:
        answer = person.ask(page, "status")
    assert answer["action"] == "web-eid:status-success"
    assert answer["nativeApp"].startswith("2.")
    assert person.desk.pinentry.starts == []


def test_a_document_is_signed_with_the_certificate_that_was_given(
    person: Visitor, site: str
) -> None:
    digest = hashlib.sha384(b"document").digest()
    person.desk.pinentry.will_enter(PASSWORD, PASSWORD)
    with person.page(site) as page:
        given = person.ask(page, "get-signing-certificate")["certificate"]
        answer = person.ask(
            page, "sign", certificate=given, hash=base64.b64encode(digest).decode(),
            hashFunction="SHA-384",
        )  # fmt: skip
    assert answer["action"] == "web-eid:sign-success"
    key = load_certificate(base64.b64decode(given), extensions=False).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(answer["signature"])
    key.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA384()))


def test_a_wrong_pin_costs_one_try_and_is_told(person: Visitor, site: str) -> None:
    person.desk.pinentry.will_enter(WRONG_PIN)
    answer = login(person, site, new_nonce(), lang="ja")
    assert answer["action"] == "web-eid:authenticate-failure"
    assert answer["error"]["code"] == "ERR_WEBEID_NATIVE_FATAL"
    assert "残り" in answer["error"]["message"]
    assert "2" in answer["error"]["message"]
    assert person.desk.tries() == {"signature": 5, "authentication": 2}


def test_cancelling_is_told_as_such(person: Visitor, site: str) -> None:
    person.desk.pinentry.will_cancel()
    answer = login(person, site, new_nonce())
    assert answer["error"]["code"] == "ERR_WEBEID_USER_CANCELLED"
    assert person.desk.tries() == {"signature": 5, "authentication": 3}


def test_a_missing_card_is_told(person: Visitor, site: str) -> None:
    person.take_card_away()
    answer = login(person, site, new_nonce())
    assert answer["error"]["code"] == "ERR_WEBEID_NATIVE_FATAL"
    assert "card" in answer["error"]["message"]
    assert person.desk.pinentry.starts == []


def test_closing_the_tab_ends_window_and_host(person: Visitor, site: str) -> None:
    with person.page(site) as page:
        person.begin(page, "authenticate", challengeNonce=new_nonce())
        window = person.desk.pinentry.wait_until_asked()
        host = parent_of(window)
        assert is_running(host)
    wait_until(lambda: not is_running(window), "the end of the window")
    wait_until(lambda: not is_running(host), "the end of the host")
    assert person.desk.tries() == {"signature": 5, "authentication": 3}


def test_closing_the_browser_ends_window_and_host(
    playwright: Playwright, issued_card_path: Path, site: str, tmp_path: Path
) -> None:
    with visitor(playwright, tmp_path, issued_card_path) as person:
        page = person.context.new_page()
        page.goto(site)
        person.begin(page, "authenticate", challengeNonce=new_nonce())
        window = person.desk.pinentry.wait_until_asked()
        host = parent_of(window)
    wait_until(lambda: not is_running(window), "the end of the window")
    wait_until(lambda: not is_running(host), "the end of the host")


def test_an_extension_that_was_not_installed_for_reaches_no_host(
    playwright: Playwright, issued_card_path: Path, site: str, tmp_path: Path
) -> None:
    with visitor(playwright, tmp_path, issued_card_path, allowed=False) as person:
        answer = login(person, site, new_nonce())
    assert answer["error"]["code"] == "ERR_WEBEID_NATIVE_UNAVAILABLE"
    assert "forbidden" in answer["error"]["message"]


def test_the_host_itself_refuses_an_extension_that_only_the_browser_allows(
    playwright: Playwright, issued_card_path: Path, site: str, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    with visitor(playwright, tmp_path / "person", issued_card_path, profile=profile) as person:
        installed = tmp_path / "person/config/chromium/NativeMessagingHosts/eu.webeid.json"
        place = profile / "NativeMessagingHosts" / installed.name
        place.parent.mkdir(parents=True, exist_ok=True)
        installed.rename(place)  # the browser finds it there, and the host does not
        answer = login(person, site, new_nonce())
        assert person.desk.pinentry.starts == []
    assert answer["error"]["code"] == "ERR_WEBEID_NATIVE_UNAVAILABLE"
    assert "exited" in answer["error"]["message"]
