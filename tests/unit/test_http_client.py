"""Fetching over HTTP, against real servers on this machine, most of them bad ones."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from support.pki import AT, PKI_DIR, load, load_key
from support.revocation import Crl, OcspAnswer, der

from jpki import http_client
from jpki.certificates import Revocation
from jpki.certificates.responder import ocsp_responder
from jpki.certificates.revocation import (
    EvidenceFault,
    RevocationMaterial,
    check_revocation,
    load_crls,
)
from jpki.errors import ServerError
from jpki.http_client import fetch, is_url, post, without_credentials

SHORT_S = 0.3
LIMIT = 1 << 16
LEAF, CA = load("signature"), load("signature-ca")

Script = Callable[[socket.socket], None]


@contextmanager
def server(script: Script, *, reads_first: bool = True) -> Iterator[tuple[str, list[bytes]]]:
    """A server that does with each connection what a script says -> its URL, what it was sent."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(10)
                    if reads_first:
                        received.append(request(connection))
                    try:
                        script(connection)
                    except OSError:  # the client has gone, which is what is tested
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mihon.crl", received
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert not thread.is_alive()


def request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(LIMIT)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += connection.recv(LIMIT)
    return head + b"\r\n\r\n" + body


def says(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Script:
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close"]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda connection: connection.sendall(answer)


def drip(before: bytes) -> Script:
    """One byte at a time, each of them in time, for as long as somebody listens."""

    def script(connection: socket.socket) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(b"x")
            # The server's own pace, not a wait for a result: the client is slower than this.
            threading.Event().wait(SHORT_S / 10)

    return script


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(bytes(LIMIT))


def silent(connection: socket.socket) -> None:
    connection.recv(1)  # until the client goes


# --- good ones ----------------------------------------------------------------------------------


def test_a_list_is_fetched_and_counts():
    with server(says(der(Crl(entries=[(LEAF.serial_number, None)]).build()))) as (url, received):
        material = RevocationMaterial(crls=load_crls(fetch(url)))
    assert check_revocation(LEAF, CA, AT, material).status is Revocation.REVOKED
    assert received[0].startswith(b"GET /mihon.crl HTTP/1.1\r\n")


def test_a_chunked_answer_is_put_together():
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with server(lambda connection: connection.sendall(answer)) as (url, _):
        assert fetch(url) == b"abcde"


def test_a_question_is_posted_as_rfc_6960_says():
    with server(says(der(OcspAnswer().build()))) as (url, received):
        material = RevocationMaterial(responder=ocsp_responder(url))
        assert check_revocation(LEAF, CA, AT, material).status is Revocation.GOOD
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST ")
    assert b"content-type: application/ocsp-request" in head.lower()
    question = ocsp.load_der_ocsp_request(body)
    assert question.serial_number == LEAF.serial_number
    assert len(question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce) == 32


def test_no_two_questions_have_one_nonce():
    with server(says(der(OcspAnswer().build()))) as (url, received):
        for _ in range(2):
            check_revocation(LEAF, CA, AT, RevocationMaterial(responder=ocsp_responder(url)))
    first, second = (item.partition(b"\r\n\r\n")[2] for item in received)
    assert first != second


def test_an_answer_to_somebody_elses_question_does_not_count():
    with server(says(der(OcspAnswer(nonce=bytes(32)).build()))) as (url, _):
        finding = check_revocation(LEAF, CA, AT, RevocationMaterial(responder=ocsp_responder(url)))
    assert [item.fault for item in finding.rejected] == [EvidenceFault.NONCE_MISMATCH]


def test_a_web_page_is_no_answer_that_counts():
    with server(says(b"<html>log in first</html>", "Content-Type: text/html")) as (url, _):
        finding = check_revocation(LEAF, CA, AT, RevocationMaterial(responder=ocsp_responder(url)))
    assert finding.status is Revocation.NOT_CHECKED
    assert [item.fault for item in finding.rejected] == [EvidenceFault.MALFORMED]


# --- bad ones -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (says(b"", status="404 Not Found"), "HTTP status 404"),
        (says(b"", status="500 Internal Server Error"), "HTTP status 500"),
        (says(b"", status="204 No Content"), "HTTP status 204"),
        (says(b"abc", length=4), "the connection ended early"),
        (endless, f"more than {LIMIT} bytes"),
        (says(bytes(LIMIT + 1)), f"more than {LIMIT} bytes"),
        (lambda connection: connection.sendall(b"\x00\xff junk\r\n\r\n"), "BadStatusLine"),
        (
            lambda connection: connection.sendall(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nabc"
            ),
            "IncompleteRead",
        ),
    ],
    ids=["404", "500", "204", "cut", "endless", "one too many", "no HTTP", "cut in a chunk"],
)
def test_a_bad_server_is_an_error_of_one_kind(script, detail):
    with server(script) as (url, _), pytest.raises(ServerError) as caught:
        fetch(url, max_bytes=LIMIT)
    assert (caught.value.url, caught.value.detail) == (url, detail)


def test_an_answer_as_large_as_may_be_is_taken():
    with server(says(bytes(LIMIT))) as (url, _):
        assert len(fetch(url, max_bytes=LIMIT)) == LIMIT


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status):
    with server(says(b"elsewhere")) as (other, asked):
        redirect = says(b"", f"Location: {other}", status=f"{status} Moved")
        with server(redirect) as (url, _):
            for ask in (fetch, lambda address: post(address, b"?", "application/ocsp-request")):
                with pytest.raises(ServerError, match=f"HTTP status {status}"):
                    ask(url)
        assert asked == []


@pytest.mark.parametrize(
    "script",
    [silent, drip(b"HTTP/1.1 200 OK\r\nX-Drip: "), drip(b"HTTP/1.1 200 OK\r\n\r\n")],
    ids=["silent", "headers by drops", "body by drops"],
)
def test_no_server_keeps_us_waiting(script, monkeypatch):
    monkeypatch.setattr(http_client, "TOTAL_S", 4 * SHORT_S)
    with server(script) as (url, _):
        started = time.monotonic()
        with pytest.raises(ServerError):
            fetch(url, timeout_s=SHORT_S)
        assert time.monotonic() - started < 20 * SHORT_S


def test_a_port_where_nobody_listens_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerError, match="refused"):
        fetch(f"http://127.0.0.1:{port}/")


# --- https --------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path) -> tuple[ssl.SSLContext, Path]:
    """A server's side for 127.0.0.1, and the file of the CA that vouches for it."""
    key = load_key("signature")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, PKI_DIR / "signature.key")
    return context, path


def over_tls(context: ssl.SSLContext, received: list[bytes]) -> Script:
    def script(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            received.append(request(secured))
            says(b"list")(secured)

    return script


def test_a_server_that_nobody_vouches_for_is_refused_over_https(tls, monkeypatch):
    context, ca = tls
    asked: list[bytes] = []
    with server(over_tls(context, asked), reads_first=False) as (plain, _):
        url = plain.replace("http://", "https://")
        with pytest.raises(ServerError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(url)
        assert asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
        assert fetch(url) == b"list"
    assert len(asked) == 1


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "ftp://127.0.0.1/x",
        "data://x",
        "http://[::1",
        "http://",
        "mihon.crl",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(url):
    with pytest.raises(ServerError):
        fetch(url)


@pytest.mark.parametrize("word", ["mihon.crl", "/tmp/http", "file:///x", "C:\\x", "", "http:x"])
def test_a_file_is_no_url(word):
    assert not is_url(word)
    assert is_url("HTTP://127.0.0.1/")


def test_no_error_tells_the_password_of_a_url():
    with server(says(b"", status="401 Unauthorized")) as (url, received):
        secret = url.replace("http://", "http://mihon:himitsu@") + "?token=himitsu#himitsu"
        with pytest.raises(ServerError) as caught:
            fetch(secret)
    assert received
    assert "himitsu" not in f"{caught.value!s} {caught.value!r} {caught.value.args}"
    assert "himitsu" not in without_credentials(secret)
    assert caught.value.url == url
