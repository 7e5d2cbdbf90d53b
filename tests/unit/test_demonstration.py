"""The demonstration site, over TLS: logins, logouts, sessions, and what it refuses."""

import json
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from html.parser import HTMLParser
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.login_site import (
    HOST,
    SESSION,
    TIMEOUT_S,
    Browser,
    Identity,
    LoginSite,
    invented,
    served,
)
from support.pki import AUTHENTICATION_LEAF, AUTHENTICATION_UNIT, build_ca, ca_name, load, load_key
from support.revocation import Crl, distribution_point, scope

from jpki.authentication import verify_token
from jpki.authentication.demonstration import Limits, listen
from jpki.authentication.demonstration.sessions import IDLE_S, LONGEST_S
from jpki.certificates.revocation import RevocationMaterial
from jpki.errors import ServerError

TARO = Identity()


@pytest.fixture(scope="module")
def shared_site() -> Iterator[LoginSite]:
    with served() as site:
        yield site


@pytest.fixture
def site(shared_site: LoginSite) -> Iterator[LoginSite]:
    now = shared_site.now
    yield shared_site
    shared_site.now = now


@pytest.fixture
def browser(site: LoginSite) -> Browser:
    return Browser(site).open()


def subject_of(identity: Identity, site: LoginSite) -> str:
    nonce = "A" * 44
    anchors = [load("authentication-ca")]
    token = identity.token(site.origin, nonce)
    return verify_token(token, site.origin, nonce, anchors, site.now).subject_id


# --- login and logout -----------------------------------------------------------------------------


def test_a_login_and_a_logout(browser: Browser, site: LoginSite) -> None:
    assert browser.subject() is None
    answer = browser.log_in_as(TARO)
    assert (answer.status, answer.json) == (200, {"location": "/account"})
    subject = browser.subject()
    assert subject == subject_of(TARO, site)[:32]

    page = browser.get("/account").text
    assert "Mihon-shi, Mihon-ken" in page
    assert "2030-03-31" in page
    assert "not checked" in page
    assert "test card" in page
    for personal in ("MIHON00000", str(TARO.certificate.serial_number)):
        assert personal not in page

    stolen = dict(browser.cookies)
    goodbye = browser.post_form("/logout")
    assert (goodbye.status, goodbye.headers["Location"]) == (303, "/")
    assert browser.cookies == {}
    assert browser.subject() is None
    browser.cookies = stolen  # the session ended on the site, not only in the browser
    assert browser.subject() is None


def test_who_is_logged_in_is_led_to_his_account(browser: Browser) -> None:
    browser.log_in_as(TARO)
    answer = browser.get("/")
    assert (answer.status, answer.headers["Location"]) == (303, "/account")


def test_the_session_id_changes_at_login(browser: Browser, site: LoginSite) -> None:
    planted = browser.cookies[SESSION]
    csrf = browser.csrf
    assert browser.log_in_as(TARO).status == 200
    assert browser.cookies[SESSION] != planted
    assert browser.subject() is not None
    assert browser.csrf != csrf
    attacker = Browser(site)
    attacker.cookies = {SESSION: planted}
    assert attacker.subject() is None


def test_an_id_that_the_site_never_gave_is_no_session(site: LoginSite) -> None:
    browser = Browser(site)
    browser.cookies = {SESSION: "chosen-by-an-attacker"}
    answer = browser.get("/")
    morsel = answer.cookie()
    assert morsel is not None
    assert morsel.value != "chosen-by-an-attacker"


def test_two_tabs_of_one_browser_may_each_have_a_challenge(browser: Browser) -> None:
    first, second = browser.challenge(), browser.challenge()
    assert browser.log_in(first, TARO.token(browser.site.origin, first)).status == 200
    assert second != first


@pytest.fixture(scope="session")
def people() -> list[Identity]:
    return [invented(number) for number in range(20)]


def test_of_twenty_logins_at_once_none_is_lost_and_none_mixed_up(
    people: list[Identity], tmp_path: Path
) -> None:
    barrier = threading.Barrier(len(people))

    def log_in(here: LoginSite, identity: Identity) -> tuple[int, str | None]:
        browser = Browser(here).open()
        nonce = browser.challenge()
        token = identity.token(here.origin, nonce)
        barrier.wait(TIMEOUT_S)  # all of them have their token: now
        return browser.log_in(nonce, token).status, browser.subject()

    with served(tmp_path / "sessions", limits=Limits()) as here:
        with ThreadPoolExecutor(len(people)) as threads:
            answers = list(threads.map(partial(log_in, here), people))
        expected = [(200, subject_of(identity, here)[:32]) for identity in people]
    assert answers == expected
    assert len(set(answers)) == len(people)


# --- refusals -------------------------------------------------------------------------------------


def refused(browser: Browser, nonce: str, token: str, status: int = 401) -> str:
    answer = browser.log_in(nonce, token)
    assert answer.status == status, answer.text
    assert answer.cookie() is None
    assert browser.subject() is None
    page = browser.get(answer.json["location"])
    assert page.status == 200
    assert "You were not logged in" in page.text
    return str(answer.json["reason"])


def test_a_replay_is_refused_even_after_a_logout(browser: Browser, site: LoginSite) -> None:
    nonce = browser.challenge()
    token = TARO.token(site.origin, nonce)
    assert browser.log_in(nonce, token).status == 200
    assert browser.subject() is not None
    assert browser.post_form("/logout").status == 303
    browser.open()
    assert refused(browser, nonce, token) == "other-window"  # the session is another one now


def test_a_second_use_in_the_same_session_is_refused(browser: Browser, site: LoginSite) -> None:
    nonce = browser.challenge()
    bad = TARO.token("https://example.com", nonce)
    assert refused(browser, nonce, bad) == "other-site"
    assert refused(browser, nonce, TARO.token(site.origin, nonce)) == "used"


def test_a_nonce_of_another_session_is_refused(browser: Browser, site: LoginSite) -> None:
    nonce = Browser(site).open().challenge()
    assert refused(browser, nonce, TARO.token(site.origin, nonce)) == "other-window"


def test_an_invented_nonce_is_refused(browser: Browser, site: LoginSite) -> None:
    assert refused(browser, "A" * 44, TARO.token(site.origin, "A" * 44)) == "other-window"


def test_an_answer_after_five_minutes_is_refused(browser: Browser, site: LoginSite) -> None:
    nonce = browser.challenge()
    site.now += timedelta(minutes=5, seconds=1)
    assert refused(browser, nonce, TARO.token(site.origin, nonce)) == "too-late"


def test_the_answer_to_another_challenge_is_refused(browser: Browser, site: LoginSite) -> None:
    nonce, other = browser.challenge(), browser.challenge()
    assert refused(browser, nonce, TARO.token(site.origin, other)) == "other-site"


def signer() -> Identity:
    return Identity(key=load_key("signature"), certificate=load("signature"))


def expired() -> Identity:
    return Identity(certificate=load("authentication-expired"))


def stranger() -> Identity:
    person = invented(99)
    return Identity(key=person.key, certificate=load("authentication"))


@pytest.mark.parametrize(
    ("identity", "reason"),
    [(signer, "wrong-certificate"), (expired, "expired"), (stranger, "other-site")],
)
def test_a_certificate_that_may_not_log_in_is_refused(
    browser: Browser, site: LoginSite, identity: object, reason: str
) -> None:
    assert callable(identity)
    nonce = browser.challenge()
    assert refused(browser, nonce, identity().token(site.origin, nonce)) == reason


def test_a_card_of_a_self_made_ca_is_refused(browser: Browser, site: LoginSite) -> None:
    own = build_ca(load_key("foreign-ca"), name=ca_name(AUTHENTICATION_UNIT))
    assert own.subject == load("authentication-ca").subject
    leaf = AUTHENTICATION_LEAF.build(TARO.key.public_key(), load_key("foreign-ca"))
    nonce = browser.challenge()
    token = Identity(certificate=leaf).token(site.origin, nonce)
    assert refused(browser, nonce, token) == "unknown-ca"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", "PS256"])
def test_another_algorithm_is_refused(browser: Browser, site: LoginSite, algorithm: str) -> None:
    nonce = browser.challenge()
    fields = json.loads(TARO.token(site.origin, nonce)) | {"algorithm": algorithm}
    assert refused(browser, nonce, json.dumps(fields)) == "no-token"


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", '{"nonce": "A"}', '{"nonce": 1, "token": "x"}', "[" * 9000,
     '{"nonce": "\\ud800", "token": {}}'],
    ids=lambda body: body[:20],
)  # fmt: skip
def test_what_is_no_login_is_refused(browser: Browser, body: str) -> None:
    answer = browser.post_json("/login", body)
    assert (answer.status, answer.json["reason"]) == (400, "no-token")


def test_a_lone_surrogate_as_nonce_is_no_bug(browser: Browser) -> None:
    answer = browser.post_json("/login", '{"nonce": "\\ud800", "token": "{}"}')
    assert (answer.status, answer.json["reason"]) == (401, "other-window")


def test_revocation_data_are_looked_at(tmp_path: Path) -> None:
    def newest(certificate: object) -> RevocationMaterial:
        crl = Crl(
            entries=[(TARO.certificate.serial_number, None)],
            issuer=load("authentication-ca").subject,
            key="authentication-ca",
            scope=scope(distribution_point(TARO.certificate)),
        )
        return RevocationMaterial(crls=(crl.build(),))

    with served(revocation=newest) as site:
        browser = Browser(site).open()
        nonce = browser.challenge()
        assert refused(browser, nonce, TARO.token(site.origin, nonce)) == "revoked"


def test_a_responder_that_fails_logs_nobody_in() -> None:
    def responder(_request: bytes) -> bytes:
        raise ServerError("http://ocsp.invalid", "it does not answer")

    with served(revocation=lambda _leaf: RevocationMaterial(responder=responder)) as site:
        browser = Browser(site).open()
        nonce = browser.challenge()
        token = TARO.token(site.origin, nonce)
        assert refused(browser, nonce, token, status=503) == "revocation-unknown"


# --- who may ask, how often, how much -------------------------------------------------------------


@pytest.mark.parametrize("path", ["/challenge", "/login", "/logout", "/language"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"X-CSRF-Token": None},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "あ"},
        {"Cookie": None},
    ],
    ids=str,
)
def test_a_post_that_is_not_of_our_own_page_does_nothing(
    browser: Browser, path: str, headers: dict[str, str | None]
) -> None:
    assert browser.log_in_as(TARO).status == 200
    assert browser.subject() is not None
    usual = {"Content-Type": "application/json", "X-CSRF-Token": browser.csrf}
    sent = {name: None if value is None else value.encode().decode("latin-1")
            for name, value in headers.items()}  # fmt: skip
    answer = browser.send("POST", path, b"", usual | sent)
    assert answer.status == 403
    assert answer.cookie() is None
    assert browser.subject() is not None  # not even logged out


def test_a_link_of_another_site_begins_no_session_in_place_of_the_one_there_is(
    browser: Browser, site: LoginSite
) -> None:
    for where_from in ("cross-site", "same-site"):
        # As browsers do with a Strict cookie, which they have: it is not sent.
        answer = Browser(site).get("/", Sec_Fetch_Site=where_from)
        assert answer.cookie() is None
        assert answer.headers["Refresh"] == "0; url=/?again"
        again = Browser(site)
        assert again.get("/?again", Sec_Fetch_Site=where_from).status == 200  # no more than once
        assert again.challenge()


def test_only_our_origin_in_full_is_ours(browser: Browser) -> None:
    for origin in (
        browser.site.origin + ".evil.example",
        "https://localhost",
        browser.site.origin + "/",
    ):
        assert browser.post_json("/challenge", Origin=origin).status == 403


def test_the_csrf_token_of_another_session_is_none(browser: Browser, site: LoginSite) -> None:
    browser.csrf = Browser(site).open().csrf
    assert browser.post_json("/challenge").status == 403


def test_a_browser_without_fetch_metadata_is_served(browser: Browser) -> None:
    assert browser.post_json("/challenge", Sec_Fetch_Site=None).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1:{port}", ""])
def test_another_host_name_is_not_served(browser: Browser, host: str) -> None:
    answer = browser.send("GET", "/", headers={"Host": host.format(port=browser.site.port) or None})
    assert answer.status in {400, 421}
    assert answer.cookie() is None


def test_too_many_requests_of_one_address_are_refused_and_told_when_to_come_again() -> None:
    with served(limits=Limits(sessions=5, challenges=3, logins=2)) as site:
        browser = Browser(site).open()
        nonces = [browser.challenge() for _ in range(3)]
        answer = browser.post_json("/challenge")
        assert (answer.status, answer.json["reason"]) == (429, "too-many")
        assert 1 <= int(answer.headers["Retry-After"]) <= 20
        for nonce in nonces[:2]:
            assert browser.log_in(nonce, "{}").status == 401
        answer = browser.log_in(nonces[2], "{}")
        assert (answer.status, answer.json["location"]) == (429, "/refused/too-many")
        # What a client says of its own address is not believed.
        pages = [
            Browser(site).get("/", X_Forwarded_For=f"192.0.2.{number}").status
            for number in range(6)
        ]
        assert pages == [200] * 4 + [429] * 2


def test_a_body_is_bounded(browser: Browser, site: LoginSite) -> None:
    nonce = browser.challenge()
    token = TARO.token(site.origin, nonce)
    assert browser.log_in(nonce, token + " " * 100_000).status == 413
    assert browser.post_form("/logout", more="x" * 5000).status == 413
    assert browser.post_json("/challenge", "x").status == 413
    padded = token[:-1] + " " * (10_000 - len(token)) + "}"
    assert browser.log_in(nonce, padded).status == 200  # the longest token that there may be


def test_a_body_without_an_announced_length_is_bounded_too(browser: Browser) -> None:
    connection = HTTPSConnection(
        "localhost", browser.site.port, context=browser.site.trust, timeout=TIMEOUT_S
    )
    headers = {
        "Cookie": f"{SESSION}={browser.cookies[SESSION]}",
        "Origin": browser.site.origin,
        "Content-Type": "application/json",
        "X-CSRF-Token": browser.csrf,
    }

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 1024

    connection.request("POST", "/login", endless(), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(browser: Browser, method: str) -> None:
    headers = {"Origin": browser.site.origin}
    assert browser.send(method, "/login", headers=headers).status == 405


# --- cookies, headers, languages ------------------------------------------------------------------


def test_the_cookie_is_as_strict_as_cookies_get(site: LoginSite) -> None:
    browser = Browser(site)
    for answer in (browser.get("/"), browser.log_in_as(TARO)):
        (header,) = answer.headers.get_all("Set-Cookie", [])
        name, *attributes = header.split("; ")
        assert name.startswith("__Host-session=")
        assert {attribute.lower() for attribute in attributes} == {
            "path=/", "secure", "httponly", "samesite=strict",
        }  # fmt: skip
        assert len(name) >= len("__Host-session=") + 43  # 256 bits


@pytest.mark.parametrize(
    "path", ["/", "/account", "/refused/used", "/nix", "/static/login.js", "/static/", "/login"]
)
def test_every_answer_has_the_strict_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] in {"no-store", "no-cache"}
    assert "Strict-Transport-Security" not in headers  # localhost is not ours alone
    assert "Server" not in headers


class Inline(HTMLParser):
    """Finds what the policy would not let run: scripts and styles in the page itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]


def test_no_page_has_a_script_or_a_style_of_its_own(browser: Browser) -> None:
    assert Inline("<p onclick=x style=y><script>z</script>").found
    browser.log_in_as(TARO)
    for path in ("/", "/account", "/refused/used", "/nix"):
        assert Inline(browser.get(path).text).found == []


@pytest.mark.parametrize(
    "path", ["/nix", "/refused/nix", "/static/nix", "/static/../application.py"]
)
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 404


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("de,ja;q=0.2", "ja"),
        ("de", "en"),
        ("", "en"),
        ("ja;q=0", "en"),
        ("en;q=0.1, ja;q=0.9", "ja"),
        ("ja;q=2,;;,*" + ",x" * 5000, "en"),
    ],
)
def test_the_page_speaks_the_browsers_language(
    site: LoginSite, accepted: str, language: str
) -> None:
    assert f'<html lang="{language}">' in Browser(site).get("/", Accept_Language=accepted).text


def test_the_switch_chooses_a_language_that_stays_after_the_login(browser: Browser) -> None:
    answer = browser.post_form("/language", language="ja", back="/refused/used")
    assert (answer.status, answer.headers["Location"]) == (303, "/refused/used")
    assert "マイナンバーカードでログイン" in browser.get("/", Accept_Language="en").text
    assert browser.log_in_as(TARO).status == 200
    assert "ログインしました" in browser.get("/account").text


@pytest.mark.parametrize("back", ["https://example.com", "//example.com", "/\\example.com", "nix"])
def test_the_switch_leads_to_our_own_pages_only(browser: Browser, back: str) -> None:
    answer = browser.post_form("/language", language="xx", back=back)
    assert answer.headers["Location"] == "/"


# --- time, restart, log ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step_s", "steps"), [(IDLE_S + 1, 1), (IDLE_S - 100, int(LONGEST_S // 1600))]
)
def test_a_session_ends_when_idle_and_at_the_latest_after_hours(
    browser: Browser, site: LoginSite, step_s: float, steps: int
) -> None:
    browser.log_in_as(TARO)
    seen = []
    for _ in range(steps):
        seen.append(browser.subject() is not None)
        site.now += timedelta(seconds=step_s)
    assert seen[0]
    assert browser.subject() is None


def test_a_restart_keeps_sessions_and_challenges(tmp_path: Path) -> None:
    database = tmp_path / "sessions"
    with served(database) as site:
        browser, other = Browser(site).open(), Browser(site).open()
        browser.log_in_as(TARO)
        subject = browser.subject()
        nonce = other.challenge()
    with served(database, port=site.port) as again:
        browser.site = other.site = again
        assert browser.subject() == subject
        assert other.log_in(nonce, TARO.token(again.origin, nonce)).status == 200
    assert browser.cookies[SESSION].encode() not in database.read_bytes()
    assert TARO.certificate.public_bytes(Encoding.DER) not in database.read_bytes()


def test_the_log_has_no_personal_data(site: LoginSite) -> None:
    before = len(site.log)
    browser = Browser(site).open()
    browser.get("/?name=secret")
    browser.get("/secret-path?token=secret", Referer="https://secret.example")
    browser.log_in_as(TARO)
    assert browser.subject() is not None
    nonce = browser.challenge()
    browser.log_in(nonce, expired().token(site.origin, nonce))
    lines = site.log[before:]
    assert lines[:3] == ["GET / 200", "GET / 200", "GET - 404"]
    assert "POST /login 200" in lines
    assert lines[-1].startswith("POST /login 401 (certificate: expired")
    text = "\n".join(lines)
    for secret in ("secret", HOST, "MIHON", nonce, *browser.cookies.values()):
        assert secret not in text


def test_the_address_is_bound_and_given_back() -> None:
    with listen(HOST, 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen(HOST, port)
    listen(HOST, port).close()


def test_old_tls_is_not_spoken(site: LoginSite) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    connection = HTTPSConnection("localhost", site.port, context=context, timeout=TIMEOUT_S)
    with pytest.raises((ssl.SSLError, OSError)):
        connection.request("GET", "/")
    connection.close()
