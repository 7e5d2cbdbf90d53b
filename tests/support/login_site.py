"""The demonstration site over TLS, by a real uvicorn; and a browser of the standard library."""

import http.client
import json
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from support.pki import AT, AUTHENTICATION_LEAF, load, load_key

from jpki.authentication import RevocationProvider, TokenValidator, make_token
from jpki.authentication.demonstration import Demonstration, Limits, listen, throw_away
from jpki.authentication.demonstration.server import server_of
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial

HOST = "127.0.0.1"
SESSION = "__Host-session"
PROGRAM = "https://example.org/jpki/0.1.0"
MANY = Limits(sessions=10_000, challenges=10_000, logins=10_000)
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person with a key and a certificate for logging in."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: load_key("authentication"))
    certificate: x509.Certificate = field(default_factory=lambda: load("authentication"))

    def token(self, origin: str, nonce: str) -> str:
        return make_token(origin, nonce, self.key, self.certificate, PROGRAM).to_json()


def invented(number: int) -> Identity:
    """One of many people, each with a key of his own."""
    key = rsa.generate_private_key(65537, 2048)
    common_name = x509.NameAttribute(x509.NameOID.COMMON_NAME, f"MIHON{number:05}TEST99999003A")
    country = x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "JP")
    leaf = replace(
        AUTHENTICATION_LEAF,
        subject=x509.Name([country, common_name]),
        serial_number=0x02000000 + number,
    )
    return Identity(
        key=key, certificate=leaf.build(key.public_key(), load_key("authentication-ca"))
    )


@dataclass(kw_only=True)
class LoginSite:
    """A site that is being served."""

    origin: str
    port: int
    trust: ssl.SSLContext
    log: list[str]
    now: datetime = AT


@contextmanager
def served(
    database: str | Path = ":memory:",
    *,
    limits: Limits = MANY,
    port: int = 0,
    anchors: tuple[x509.Certificate, ...] | None = None,
    now: datetime = AT,
    revocation: RevocationMaterial | RevocationProvider = NOTHING_GIVEN,
) -> Iterator[LoginSite]:
    """Serve the site until the block ends; it trusts the usual CA unless told otherwise."""
    trusted = (load("authentication-ca"),) if anchors is None else anchors
    log: list[str] = []
    with listen(HOST, port) as listener:
        port = listener.getsockname()[1]
        origin = f"https://localhost:{port}"
        tls = throw_away(origin)
        nobody = ssl.create_default_context()
        site = LoginSite(origin=origin, port=port, trust=nobody, log=log, now=now)
        validator = TokenValidator(
            origin=origin, anchors=trusted, revocation=revocation, clock=lambda: site.now
        )
        application = Demonstration(
            validator, database=database, limits=limits, clock=lambda: site.now, log=log.append
        )
        server = server_of(application, tls.context)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            certificate = ssl.get_server_certificate((HOST, port), timeout=TIMEOUT_S)
            site.trust = ssl.create_default_context(cadata=certificate)
            yield site
        finally:
            server.should_exit = True
            thread.join(TIMEOUT_S)
            application.close()
        assert not thread.is_alive()


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def cookie(self, name: str = SESSION) -> Morsel[str] | None:
        for header in self.headers.get_all("Set-Cookie", []):
            cookies = SimpleCookie(header)
            if name in cookies:
                return cookies[name]
        return None


class Browser:
    """Keeps cookies, says where a request comes from, and follows nothing by itself."""

    def __init__(self, site: LoginSite) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """One request; a header of None is left out."""
        usual: dict[str, str | None] = {"Host": self.site.origin.removeprefix("https://")}
        if self.cookies:
            usual["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            usual |= {"Origin": self.site.origin, "Sec-Fetch-Site": "same-origin"}
            usual |= {"Content-Length": str(len(body))}
        sent = {name: value for name, value in (usual | dict(headers or {})).items() if value}
        connection = http.client.HTTPSConnection(
            "localhost", self.site.port, context=self.site.trust, timeout=TIMEOUT_S
        )
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before the end
                connection.endheaders(body)
            response = connection.getresponse()
            answer = Answer(status=response.status, headers=response.headers, body=response.read())
        finally:
            connection.close()
        self._keep(answer)
        return answer

    def get(self, path: str = "/", **headers: str) -> Answer:
        return self.send(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def post_json(self, path: str, body: str = "", **headers: str | None) -> Answer:
        usual = {"Content-Type": "application/json", "X-CSRF-Token": self.csrf}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, body.encode(), usual | given)

    def post_form(self, path: str, **fields: str) -> Answer:
        body = urlencode({"csrf": self.csrf} | fields).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body, kind)

    def open(self) -> "Browser":
        """Look at the first page."""
        assert self.get("/").status == 200
        return self

    def challenge(self) -> str:
        answer = self.post_json("/challenge")
        assert answer.status == 200, answer.text
        return str(answer.json["nonce"])

    def log_in(self, nonce: str, token: str) -> Answer:
        return self.post_json("/login", json.dumps({"nonce": nonce, "token": token}))

    def log_in_as(self, identity: Identity) -> Answer:
        nonce = self.challenge()
        return self.log_in(nonce, identity.token(self.site.origin, nonce))

    def subject(self) -> str | None:
        """Who the site says is logged in here: the beginning of the identifier."""
        answer = self.get("/account")
        if answer.status == 303:
            return None
        found = re.search(r'id="subject">([0-9a-f ]+) …<', answer.text)
        assert found is not None, answer.text
        return found[1].replace(" ", "")

    def _keep(self, answer: Answer) -> None:
        for header in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        page = answer.body.decode("utf-8", "replace")
        if found := re.search(r'name="csrf" value="([0-9a-f]{64})"', page):
            self.csrf = found[1]
