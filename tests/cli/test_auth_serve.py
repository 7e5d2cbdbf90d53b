"""`jpki auth serve` as a process: where it is, how it ends, and what it refuses to start with."""

import json
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from support.login_site import HOST, Browser, Identity, LoginSite
from support.pki import (
    AUTHENTICATION_LEAF,
    AUTHENTICATION_UNIT,
    PKI_DIR,
    build_ca,
    ca_name,
    load,
    load_key,
)
from support.process import DEADLINE_S, finish, start
from support.trial import Run, check_failure

SERVE = ("auth", "serve")
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The usual CA, valid whenever this runs: the command looks at the clock on the wall."""
    now = datetime.now(UTC)
    ca = build_ca(
        load_key("authentication-ca"),
        name=ca_name(AUTHENTICATION_UNIT),
        not_before=now - YEAR,
        not_after=now + 9 * YEAR,
    )
    path = tmp_path_factory.mktemp("trust") / "ca.pem"
    path.write_bytes(ca.public_bytes(Encoding.PEM))
    return ("--trust", str(path))


def somebody() -> Identity:
    """Valid whenever this runs."""
    now = datetime.now(UTC)
    leaf = replace(AUTHENTICATION_LEAF, not_before=now - YEAR / 2, not_after=now + 4 * YEAR)
    key = load_key("authentication")
    certificate = leaf.build(key.public_key(), load_key("authentication-ca"))
    return Identity(key=key, certificate=certificate)


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, object]]]:
    """The command with --json, and what it printed when the port was taken."""
    process = start("--json", *SERVE, *options)
    try:
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"}\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            text += line
        yield process, json.loads(text)
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE_S)


def site_of(answer: dict[str, object]) -> LoginSite:
    port = answer["port"]
    assert isinstance(port, int)
    certificate = ssl.get_server_certificate((HOST, port), timeout=DEADLINE_S)
    trust = ssl.create_default_context(cadata=certificate)
    return LoginSite(origin=str(answer["origin"]), port=port, trust=trust, log=[])


def run(*options: str) -> Run:
    return finish(start("--json", *SERVE, *options), "--json", *SERVE, *options)


def test_it_says_where_it_is_then_logs_people_in_and_ends_in_order(trust: tuple[str, str]) -> None:
    with serving("--port", "0", *trust) as (process, answer):
        assert answer["schema"] == 1
        assert answer["origin"] == f"https://localhost:{answer['port']}"
        assert (answer["host"], answer["throw_away"], answer["trust"]) == (HOST, True, 1)
        site = site_of(answer)
        certificate = ssl.get_server_certificate((HOST, site.port), timeout=DEADLINE_S)
        der = ssl.PEM_cert_to_DER_cert(certificate)
        assert answer["certificate_sha256"] == sha256(der).hexdigest()
        browser = Browser(site).open()
        assert browser.log_in_as(somebody()).status == 200
        assert browser.subject() is not None
        process.send_signal(signal.SIGINT)
        ended = finish(process)
    assert ended.exit_code == 0
    assert ended.stdout == b""
    assert ended.stderr.splitlines()[-1] == "Stopped."
    assert "POST /login 200" in ended.stderr
    assert "MIHON" not in ended.stderr


def test_a_person_reads_where_it_is(trust: tuple[str, str]) -> None:
    process = start(*SERVE, "--port", "0", *trust)
    assert process.stdout is not None
    lines = [process.stdout.readline().decode().strip() for _ in range(6)]
    process.send_signal(signal.SIGTERM)
    assert finish(process).exit_code == 0
    assert lines[0].startswith("Demonstration site: https://localhost:")
    assert lines[-1] == "Stop it with Ctrl-C."


def test_a_restart_keeps_the_login(tmp_path: Path, trust: tuple[str, str]) -> None:
    database = ("--database", str(tmp_path / "sessions"))
    with serving("--port", "0", *trust, *database) as (process, answer):
        browser = Browser(site_of(answer)).open()
        browser.log_in_as(somebody())
        subject = browser.subject()
        process.send_signal(signal.SIGTERM)
        assert finish(process).exit_code == 0
    with serving("--port", str(answer["port"]), *trust, *database) as (process, again):
        browser.site = site_of(again)
        assert browser.subject() == subject is not None


def test_a_port_in_use_is_a_clear_error() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
        assert check_failure(ended, "address") == "address"
        assert (ended.error["host"], ended.error["port"]) == (HOST, port)
        assert "in use" in ended.stderr
        assert "while attempting" not in ended.stderr
    for host in ("192.0.2.1", "nowhere.invalid"):
        ended = run("--host", host, "--port", "0")
        check_failure(ended, "address")
        assert "--host" in ended.stderr


def test_no_address_is_not_every_address() -> None:
    check_failure(run("--host", "", "--port", "0"), "usage")


def test_a_certificate_and_a_name_of_ones_own(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes((PKI_DIR / "authentication.key").read_bytes())
    certificate.write_bytes((PKI_DIR / "authentication.pem").read_bytes())
    files = ("--certificate", str(certificate), "--key", str(key))
    with serving("--port", "0", "--origin", "https://site.example", *files) as (_process, answer):
        assert (answer["origin"], answer["throw_away"]) == ("https://site.example", False)
        der = load("authentication").public_bytes(Encoding.DER)
        assert answer["certificate_sha256"] == sha256(der).hexdigest()


@pytest.mark.parametrize(
    "options",
    [("--certificate", "x.pem"), ("--key", "x.pem"), ("--port", "65536"), ("--port", "x"), ("x",)],
)
def test_options_that_make_no_sense_are_refused(options: tuple[str, ...]) -> None:
    check_failure(run(*options), "usage")


def test_an_origin_that_is_none_is_refused() -> None:
    for origin in ("http://localhost:8443", "https://localhost:8443/", "https://[", "nix"):
        ended = run("--port", "0", "--origin", origin)
        check_failure(ended, "token-invalid")
        assert ended.error["fault"] == "origin"


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(load("authentication").public_bytes(Encoding.PEM))
    key.write_bytes(
        load_key("authentication").private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    )
    other = tmp_path / "other.pem"
    other.write_bytes(
        load_key("signature").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    nowhere, text = str(tmp_path / "nowhere"), tmp_path / "text"
    text.write_text("no database " * 100)
    for options, path in (
        (("--certificate", nowhere, "--key", str(other)), nowhere),
        (("--certificate", str(certificate), "--key", nowhere), nowhere),
        (("--certificate", str(certificate), "--key", str(tmp_path)), str(tmp_path)),
        (("--certificate", "/dev/zero", "--key", str(other)), "/dev/zero"),
        (("--certificate", str(certificate), "--key", str(key)), str(certificate)),
        (("--certificate", str(certificate), "--key", str(other)), str(certificate)),
        (("--certificate", str(text), "--key", str(other)), str(text)),
        (("--database", str(text)), str(text)),
        (("--database", str(tmp_path / "nowhere" / "sessions")), str(tmp_path)),
        (("--database", str(tmp_path)), str(tmp_path)),
        (("--database", ""), ""),
    ):
        ended = run("--port", "0", *options)
        check_failure(ended, "input")
        assert str(ended.error["path"]).startswith(path), options
    assert not (tmp_path / "nowhere").exists()


def test_without_a_ca_it_says_that_nobody_can_log_in() -> None:
    with serving("--port", "0") as (process, answer):
        assert answer["trust"] == 0
        process.send_signal(signal.SIGINT)
        assert "no CA is trusted" in finish(process).stderr
