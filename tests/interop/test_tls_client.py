"""Logins over TLS with the card through OpenSC, by the commands of docs/tls.md.

The server is OpenSSL's, which trusts the CA of the virtual card.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.tls_page import TEXT, Desk, block
from support.vpcd import Vpcd

from jpki.emulator import VirtualCard
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN as PIN

pytestmark = pytest.mark.vpcd

WRONG = "9630"
QUESTION = "Enter PKCS#11 token PIN for JPKI (User Authentication PIN):"
NSS_QUESTION = "Enter Password or Pin"
PKCS1_ONLY = "ClientSignatureAlgorithms = RSA+SHA256"


class Server:
    """`openssl s_server`, whose page shows the certificate that the client logged in with."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port = port
        self._process = process

    def log(self) -> str:
        """End it -> what it said."""
        self._process.terminate()
        return self._process.communicate(timeout=30)[0]


@pytest.fixture
def desk(vpcd: Vpcd, jpki_card: VirtualCard, tmp_path: Path) -> Iterator[Desk]:
    with vpcd.insert(jpki_card) as reader:
        yield Desk(tmp_path / "desk", reader)


@pytest.fixture
def certificate(desk: Desk) -> str:
    """The authentication certificate as the server's page shows it."""
    pem = desk.run("jpki cert export authentication")
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.PEM).decode()


@pytest.fixture
def server(desk: Desk) -> Iterator[Server]:
    """The page's server; `curl` finds it under the page's name."""
    desk.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc"
        " -keyout server.key -out server.pem"
        " -subj /CN=example.jp -addext subjectAltName=DNS:example.jp 2>&1"
    )
    export, command = block("server", {"-accept 8443": "-accept 127.0.0.1:0"}).split("\n", 1)
    desk.run(export)
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=desk.folder,
        env=desk.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            port = _port(process)
            (desk.folder / ".curlrc").write_text(
                "silent\nshow-error\ncacert = server.pem\n"
                f"connect-to = example.jp:443:127.0.0.1:{port}\n"
            )
            (desk.folder / "card.cnf").write_text(block("card.cnf"))
            yield Server(port, process)
        finally:
            process.kill()


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ACCEPT "):
            return int(line.rpartition(":")[2])
    pytest.fail("openssl s_server did not start")


def curl(desk: Desk, _server: Server, pin: str) -> tuple[int, str]:
    return desk.enter_pin(block("curl"), QUESTION, pin)


def s_client(desk: Desk, server: Server, pin: str) -> tuple[int, str]:
    """The person types a request once the connection stands."""
    commands = block("s_client", {"example.jp:443": f"127.0.0.1:{server.port}"})
    with desk.type(commands) as terminal:
        terminal.wait_for(QUESTION)
        terminal.wait_until_echo(on=False)
        terminal.enter(f"{pin}\n")
        if pin == PIN:
            terminal.wait_for("Verify return code")
            terminal.enter("GET / HTTP/1.0\n\n")
        exit_code = terminal.end()
    return exit_code, terminal.seen.replace("\r\n", "\n")


CLIENTS = pytest.mark.parametrize("client", [curl, s_client])
Client = Callable[[Desk, Server, str], tuple[int, str]]


@CLIENTS
def test_the_server_sees_the_authentication_certificate(
    desk: Desk, server: Server, certificate: str, jpki_card: VirtualCard, client: Client
) -> None:
    exit_code, screen = client(desk, server, PIN)
    assert exit_code == 0, screen
    page = screen.partition("HTTP/1.0 200")[2] or screen
    assert certificate in page
    assert "Peer signing digest: SHA256\nPeer signature type: RSA\n" in page
    assert "New, TLSv1.2," in page
    assert (jpki_card.verify_count, jpki_card.signature_count) == (1, 1)
    assert (jpki_card.tries("authentication"), jpki_card.tries("signature")) == (3, 5)


@CLIENTS
def test_a_wrong_pin_costs_one_try_and_does_not_log_in(
    desk: Desk, server: Server, jpki_card: VirtualCard, client: Client
) -> None:
    exit_code, screen = client(desk, server, WRONG)
    assert exit_code != 0
    assert "Login failed" in screen
    assert (jpki_card.verify_count, jpki_card.signature_count) == (1, 0)
    assert (jpki_card.tries("authentication"), jpki_card.tries("signature")) == (2, 5)
    assert "depth=0" not in server.log()
    assert '"tries_left": 2' in desk.run(block("tries", {"status": "status --json"}))


@CLIENTS
def test_a_pin_of_an_impossible_length_costs_no_try(
    desk: Desk, server: Server, jpki_card: VirtualCard, client: Client
) -> None:
    exit_code, _screen = client(desk, server, "12345")
    assert exit_code != 0
    assert jpki_card.verify_count == 0
    assert jpki_card.tries("authentication") == 3


def test_the_question_for_the_last_try_looks_like_any_other(
    desk: Desk, server: Server, jpki_card: VirtualCard
) -> None:
    screens = [curl(desk, server, WRONG)[1] for _ in range(3)]
    assert len(set(screens)) == 1
    assert jpki_card.tries("authentication") == 0


@pytest.mark.parametrize(
    ("command", "configuration", "said"),
    [
        pytest.param({}, {PKCS1_ONLY: ""}, "Mechanism invalid", id="TLS 1.2, as OpenSSL prefers"),
        pytest.param(
            {"--tls-max 1.2": ""}, {PKCS1_ONLY: ""}, "Mechanism invalid", id="TLS 1.3, PSS"
        ),
        pytest.param({"--tls-max 1.2": ""}, {}, "certificate required", id="TLS 1.3, PKCS#1"),
    ],
)
def test_without_both_settings_the_login_fails_and_costs_no_try(
    desk: Desk,
    server: Server,
    jpki_card: VirtualCard,
    command: dict[str, str],
    configuration: dict[str, str],
    said: str,
) -> None:
    (desk.folder / "card.cnf").write_text(block("card.cnf", configuration))
    exit_code, screen = desk.enter_pin(block("curl", command), QUESTION, PIN)
    assert exit_code != 0
    assert said in screen
    assert f"`{said}`" in TEXT
    assert (jpki_card.verify_count, jpki_card.signature_count) == (1, 0)
    assert jpki_card.tries("authentication") == 3


@pytest.fixture
def nss(desk: Desk, server: Server) -> Callable[[str, str], str]:
    """NSS's own client, with the module as the page adds it: TLS version, options -> commands."""
    desk.run(
        "mkdir -p .pki/nssdb && certutil -N -d sql:.pki/nssdb --empty-password"
        " && certutil -A -d sql:.pki/nssdb -n server -t CT,, -i server.pem"
        " && printf 'GET / HTTP/1.0\\r\\n\\r\\n' > request"
    )
    desk.run(block("nss"))

    def commands(version: str, options: str) -> str:
        return (
            f"tstclnt -o -h 127.0.0.1 -p {server.port} -d sql:.pki/nssdb -V {version}:{version}"
            " -n 'JPKI (User Authentication PIN):User Authentication Certificate'"
            f" {options} < request"
        )

    return commands


def test_nss_logs_in_over_tls_1_2(
    desk: Desk, nss: Callable[[str, str], str], certificate: str, jpki_card: VirtualCard
) -> None:
    _exit_code, screen = desk.enter_pin(nss("tls1.2", ""), NSS_QUESTION, PIN)
    assert certificate in screen
    assert "Peer signature type: RSA\n" in screen
    assert (jpki_card.verify_count, jpki_card.signature_count) == (1, 1)


def test_nss_sends_no_certificate_over_tls_1_3(
    desk: Desk, server: Server, nss: Callable[[str, str], str], jpki_card: VirtualCard
) -> None:
    desk.enter_pin(nss("tls1.3", ""), NSS_QUESTION, PIN)
    assert "peer did not return a certificate" in server.log()
    assert jpki_card.signature_count == 0


def test_nss_tries_a_wrong_pin_in_a_file_until_the_card_is_blocked(
    desk: Desk, nss: Callable[[str, str], str], jpki_card: VirtualCard
) -> None:
    (desk.folder / "pin").write_text(f"JPKI (User Authentication PIN):{WRONG}\n")
    with desk.type(nss("tls1.2", "-W pin")) as terminal:
        terminal.wait_for(NSS_QUESTION)  # now that the file was of no use
        assert terminal.seen.count("Incorrect password/PIN entered.") == 3
    assert jpki_card.verify_count == 3
    assert jpki_card.tries("authentication") == 0
