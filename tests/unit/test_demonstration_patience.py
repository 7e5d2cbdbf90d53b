"""The demonstration site and clients that take their time: a few of them keep nobody else out."""

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
from cryptography import x509
from support.login_site import HOST, TIMEOUT_S, Browser, Identity, LoginSite, served
from support.waiting import wait_until

from jpki.authentication.demonstration import server
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial

PATIENCE_S = 1.0
HEAD = b"GET /static/style.css HTTP/1.1\r\nHost: localhost:%d\r\n"


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE_S", PATIENCE_S)


@pytest.fixture
def site() -> Iterator[LoginSite]:
    with served() as site:
        yield site


@pytest.fixture
def client(site: LoginSite) -> Iterator[ssl.SSLSocket]:
    plain = socket.create_connection((HOST, site.port), timeout=TIMEOUT_S)
    with site.trust.wrap_socket(plain, server_hostname="localhost") as client:
        yield client


def is_let_go(client: ssl.SSLSocket) -> bool:
    """Whether nothing more comes; waits for that."""
    try:
        while client.recv(4096):
            pass
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize("said", [b"", b"GET / HT", HEAD], ids=["nothing", "half a line", "half"])
def test_who_does_not_finish_a_request_is_let_go(client: ssl.SSLSocket, said: bytes) -> None:
    client.sendall(said)
    assert is_let_go(client)


def test_a_request_in_drops_is_not_waited_for(client: ssl.SSLSocket) -> None:
    end = time.monotonic() + TIMEOUT_S
    client.sendall(HEAD)
    while not select.select([client], [], [], PATIENCE_S / 10)[0]:
        client.sendall(b"x")
        assert time.monotonic() < end
    assert is_let_go(client)


def test_the_rest_of_a_refused_body_in_drops_is_not_waited_for(client: ssl.SSLSocket) -> None:
    end = time.monotonic() + TIMEOUT_S
    client.sendall(b"POST /login HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 9999\r\n\r\n")
    client.settimeout(PATIENCE_S / 10)
    ended = False
    while not ended:
        assert time.monotonic() < end
        try:
            client.sendall(b"x")
            ended = client.recv(4096) == b""
        except TimeoutError:
            continue
        except OSError:
            ended = True


def test_who_does_not_read_is_let_go(client: ssl.SSLSocket, site: LoginSite) -> None:
    request = HEAD % site.port + b"\r\n"

    def ask_on_and_on() -> None:
        while True:
            client.sendall(request)

    with pytest.raises((ConnectionError, ssl.SSLError)):
        ask_on_and_on()
    assert Browser(site).get("/").status == 200


def test_who_goes_away_in_the_middle_of_a_body_is_no_bug(
    client: ssl.SSLSocket, site: LoginSite, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"Host: localhost:{site.port}\r\nOrigin: {site.origin}\r\nContent-Length: 99\r\n\r\n"
    client.sendall(b"POST /login HTTP/1.1\r\n" + head.encode() + b"some")
    client.close()
    wait_until(lambda: bool(site.log), "the line of the log")
    assert site.log == ["POST /login 400"]
    assert caplog.records == []


def test_a_second_request_has_its_own_time(client: ssl.SSLSocket, site: LoginSite) -> None:
    for _ in range(4):
        client.sendall(HEAD % site.port + b"\r\n")
        answer = b""
        while not answer.endswith(b"}\n"):
            answer += client.recv(4096)
        select.select([client], [], [], PATIENCE_S / 3)


def test_an_answer_that_takes_longer_is_waited_for() -> None:
    def slowly(_leaf: x509.Certificate) -> RevocationMaterial:
        threading.Event().wait(1.5 * PATIENCE_S)
        return NOTHING_GIVEN

    with served(revocation=slowly) as site:
        assert Browser(site).open().log_in_as(Identity()).status == 200
