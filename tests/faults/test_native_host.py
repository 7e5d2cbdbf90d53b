"""`jpki-native-host` as a browser meets it: every command, every refusal, every kind of leaving."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding
from support.cards import PASSWORD, PIN
from support.native_host import NONCE, ORIGIN, WEB_EID, Desk
from support.pinentry import TIMED_OUT
from support.trial import WRONG_PASSWORD, WRONG_PIN, copy_of_environment

from jpki.authentication import verify_token
from jpki.certificates.loading import load_certificate, load_certificates
from jpki.emulator import create_card, export_ca

ASKED = {"challengeNonce": NONCE, "origin": ORIGIN}
LOGIN: dict[str, Any] = {"command": "authenticate", "arguments": ASKED}
FATAL = "ERR_WEBEID_NATIVE_FATAL"
INVALID = "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"
CANCELLED = "ERR_WEBEID_USER_CANCELLED"
VERIFY = "00200080+"
SIGN = "802a0080+"


@pytest.fixture
def desk(tmp_path: Path, card_path: Path) -> Desk:
    return Desk.in_folder(tmp_path, card_path)


def signing_certificate(desk: Desk) -> dict[str, Any]:
    desk.pinentry.will_enter(PASSWORD)
    return desk.ask("get-signing-certificate", origin=ORIGIN)


def sign_arguments(certificate: str, /, **changed: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(b"document").digest()).decode()
    given = {"hash": digest, "hashFunction": "SHA-256", "certificate": certificate}
    return {"origin": ORIGIN, **given} | changed


@pytest.fixture(scope="module")
def any_certificate(issued_card_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate, base64: that of a CA."""
    folder = tmp_path_factory.mktemp("ca")
    export_ca(issued_card_path, folder)
    path = next(path for path in sorted(folder.iterdir()) if path.is_file())
    (certificate, *_more) = load_certificates(path.read_bytes())
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def refused(answer: dict[str, Any], code: str, *words: str) -> None:
    assert set(answer) == {"error"}
    assert answer["error"]["code"] == code, answer
    for word in words:
        assert word in answer["error"]["message"]


def anchors(card: Path, folder: Path) -> list[x509.Certificate]:
    export_ca(card, folder)
    files = [path for path in folder.iterdir() if path.is_file()]
    return [certificate for path in files for certificate in load_certificates(path.read_bytes())]


# what is answered


def test_a_host_says_its_version_and_quits_when_told_to(desk: Desk) -> None:
    with desk.host() as host:
        greeting = host.read()
        assert greeting is not None
        assert int(greeting["version"].split(".")[0]) >= 2
        host.send({"command": "quit", "arguments": {}})
        assert host.read() == {}
        assert host.end() == 0
    assert desk.log() == []


def test_a_login_verifies_at_the_site_and_costs_one_verify(desk: Desk, tmp_path: Path) -> None:
    desk.pinentry.will_enter(PIN)
    token = desk.answer_to(LOGIN)
    certificate = load_certificate(base64.b64decode(token["unverifiedCertificate"]))
    login = verify_token(
        json.dumps(token), ORIGIN, NONCE, anchors(desk.card, tmp_path / "ca"),
        certificate.not_valid_before_utc,
    )  # fmt: skip
    assert login.certificate == certificate
    assert desk.verifies == 1
    blocks = ceil(len(certificate.public_bytes(Encoding.DER)) / 256)
    exchanges = [line for line in desk.log() if line != "off"]
    assert len(exchanges) <= 10 + blocks
    assert desk.log()[-1] == "off"


def test_the_window_names_site_pin_and_what_the_site_will_learn(desk: Desk) -> None:
    desk.pinentry.will_enter(PIN)
    desk.answer_to(LOGIN)
    assert desk.pinentry.told("SETTITLE") == ORIGIN
    text = desk.pinentry.told("SETDESC")
    for word in (ORIGIN, "authentication PIN", "tries left: 3", "municipality", "log in"):
        assert word in text


def test_a_certificate_is_given_with_what_its_key_can_do(desk: Desk) -> None:
    answer = signing_certificate(desk)
    certificate = load_certificate(base64.b64decode(answer["certificate"]), extensions=False)
    assert isinstance(certificate.public_key(), rsa.RSAPublicKey)
    assert answer["supportedSignatureAlgorithms"] == [
        {"cryptoAlgorithm": "RSA", "hashFunction": name, "paddingScheme": "PKCS1.5"}
        for name in ("SHA-256", "SHA-384", "SHA-512")
    ]
    assert (desk.verifies, desk.signatures) == (1, 0)
    text = desk.pinentry.told("SETDESC")
    for word in (ORIGIN, "signature password", "name, address, date of birth"):
        assert word in text


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("SHA-256", hashes.SHA256()), ("SHA-384", hashes.SHA384()), ("SHA-512", hashes.SHA512())],
)
def test_a_signature_verifies_and_the_window_shows_the_hash(
    desk: Desk, name: str, algorithm: hashes.HashAlgorithm
) -> None:
    given = signing_certificate(desk)["certificate"]
    digest = hashlib.new(algorithm.name, b"document").digest()
    desk.pinentry.will_enter(PASSWORD)
    answer = desk.ask(
        "sign",
        **sign_arguments(given, hash=base64.b64encode(digest).decode(), hashFunction=name),
    )
    assert answer["signatureAlgorithm"] == {
        "cryptoAlgorithm": "RSA", "hashFunction": name, "paddingScheme": "PKCS1.5",
    }  # fmt: skip
    key = load_certificate(base64.b64decode(given), extensions=False).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(answer["signature"])
    key.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(algorithm))
    assert (desk.verifies, desk.signatures) == (2, 1)
    assert digest.hex() in desk.pinentry.told("SETDESC")
    assert name in desk.pinentry.told("SETDESC")


def test_another_cards_certificate_gets_no_signature(desk: Desk, any_certificate: str) -> None:
    desk.pinentry.will_enter(PASSWORD)
    answer = desk.ask("sign", **sign_arguments(any_certificate))
    refused(answer, INVALID, "not that of this card")
    assert (desk.verifies, desk.signatures) == (1, 0)
    assert desk.log()[-1] == "off"


@pytest.mark.parametrize(
    ("language", "environment", "word"),
    [
        ("ja", "C", "ログインを求めています"),
        ("ja-JP", "C", "ログインを求めています"),
        ("zh_CN", "C", "登录"),
        ("en", "ja", "asks you to log in"),
        ("et", "ja", "ログインを求めています"),
        ("et", "C", "asks you to log in"),
    ],
)
def test_the_window_speaks_the_sites_language_or_the_persons_own(
    desk: Desk, language: str, environment: str, word: str
) -> None:
    desk.pinentry.will_cancel()
    message = {"command": "authenticate", "arguments": {**ASKED, "lang": language}}
    refused(desk.answer_to(message, LANGUAGE=environment), CANCELLED)
    assert word in desk.pinentry.told("SETDESC")


def test_nothing_but_frames_leaves_by_stdout_whoever_prints(desk: Desk) -> None:
    desk.pinentry.will_enter(PIN)
    answer = desk.answer_to(LOGIN, JPKI_TEST_PRINT="1")
    assert answer["format"] == "web-eid:1.0"


# what is refused before card and person are bothered


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{}",
        b'{"command": "status", "arguments": {}}',
        b'{"command": "quit", "command": "quit", "arguments": {}}',
        {"command": "authenticate", "arguments": {"origin": ORIGIN}},
        {"command": "authenticate", "arguments": {"origin": ORIGIN, "challengeNonce": "short"}},
        {"command": "authenticate", "arguments": {"challengeNonce": NONCE}},
        {"command": "get-signing-certificate", "arguments": {"origin": "http://localhost"}},
    ],
    ids=repr,
)
def test_a_message_without_sense_is_refused(desk: Desk, message: dict[str, Any] | bytes) -> None:
    refused(desk.answer_to(message), INVALID)
    assert desk.log() == []
    assert desk.pinentry.starts == []


@pytest.mark.parametrize(
    "origin",
    [
        "http://login.example.jp",
        "http://localhost:8080",
        "https://login.example.jp/",
        "null",
    ],
)
def test_only_origins_of_https_are_answered(desk: Desk, origin: str) -> None:
    message = {"command": "authenticate", "arguments": {**ASKED, "origin": origin}}
    refused(desk.answer_to(message), INVALID, "(origin)")
    assert desk.log() == []
    assert desk.pinentry.starts == []


@pytest.mark.parametrize(
    "changed",
    [
        {"hash": "AAAA"},
        {"hash": base64.b64encode(bytes(48)).decode()},
        {"hashFunction": "SHA-1"},
        {"certificate": "AAAA"},
    ],
    ids=str,
)
def test_what_cannot_be_signed_is_refused(
    desk: Desk, any_certificate: str, changed: dict[str, str]
) -> None:
    refused(desk.ask("sign", **sign_arguments(any_certificate, **changed)), INVALID)
    assert desk.log() == []
    assert desk.pinentry.starts == []


def test_a_message_longer_than_any_is_refused_unread(desk: Desk) -> None:
    with desk.host() as host:
        host.read()
        host.send_raw(b"\xff\xff\xff\xff")
        answer = host.read()
        assert answer is not None
        refused(answer, INVALID, "too-large")
        assert host.end() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",),
        ("https://example.jp/",),
        ("",),
        (WEB_EID, WEB_EID.removesuffix("/")),
        ("/etc/passwd", "stranger@example.jp"),
        ("/etc/passwd", "{e68418bc-f2b0-4459-a9ea-3e72b6751b07}", "more"),
        ("--help",),
    ],
)
def test_a_caller_who_is_not_allowed_gets_nothing(desk: Desk, arguments: tuple[str, ...]) -> None:
    with desk.host(*arguments) as host:
        assert host.process.stdout is not None
        assert host.process.stdout.read() == b""
        assert host.process.wait(30) == 2
        assert host.process.stderr is not None
        assert b"jpki auth native-host install" in host.process.stderr.read()
    assert desk.pinentry.starts == []


def test_without_the_pipes_of_a_browser_nothing_happens(desk: Desk) -> None:
    program = "from cli.native_host.process import main; main()"
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-c", program, WEB_EID]
    environment = copy_of_environment(**desk.environment)
    run = subprocess.run(closed, env=environment, capture_output=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (2, b"")
    assert b"jpki auth native-host install" in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("/home/taro/.mozilla/eu.webeid.json", "{e68418bc-f2b0-4459-a9ea-3e72b6751b07}"),
        ("chrome-extension://gnmckgbandlkacikdndelhfghdejfido/", "--parent-window=0"),
    ],
)
def test_web_eids_own_extensions_are_allowed(desk: Desk, arguments: tuple[str, ...]) -> None:
    with desk.host(*arguments) as host:
        assert host.read() is not None
        host.leave()
        assert host.end() == 0


# what goes wrong with the PIN


def test_a_wrong_pin_is_told_with_the_tries_left(desk: Desk) -> None:
    desk.pinentry.will_enter(WRONG_PIN)
    refused(desk.answer_to(LOGIN), FATAL, "tries left: 2")
    assert desk.verifies == 1
    assert desk.tries()["authentication"] == 2
    assert desk.log()[-1] == "off"


def test_a_wrong_password_is_told_with_the_tries_left(desk: Desk) -> None:
    desk.pinentry.will_enter(WRONG_PASSWORD)
    refused(desk.ask("get-signing-certificate", origin=ORIGIN), FATAL, "tries left: 4")
    assert desk.verifies == 1


def test_the_last_try_is_not_spent_in_a_window(desk: Desk) -> None:
    for _ in range(2):
        desk.pinentry.will_enter(WRONG_PIN)
        desk.answer_to(LOGIN)
    starts = len(desk.pinentry.starts)
    desk.pinentry.will_enter(PIN)
    answer = desk.answer_to(LOGIN)
    refused(answer, FATAL, "jpki pin verify authentication --use-last-try", "terminal")
    assert desk.verifies == 2
    assert desk.tries()["authentication"] == 1
    assert len(desk.pinentry.starts) == starts


@pytest.mark.parametrize("entered", ["12345", "abcd", "１８４８", ""])
def test_what_cannot_be_the_pin_is_asked_for_again_and_never_sent(desk: Desk, entered: str) -> None:
    said = "".join(f"%{octet:02X}" for octet in entered.encode())
    desk.pinentry.will_enter(said, said, said)
    refused(desk.answer_to(LOGIN), FATAL, "no try was spent")
    assert desk.verifies == 0
    assert len(desk.pinentry.starts) == (3 if entered else 1)


def test_a_mistyped_form_is_told_beside_the_next_question(desk: Desk) -> None:
    desk.pinentry.will_enter("12345", PIN)
    assert desk.answer_to(LOGIN)["format"] == "web-eid:1.0"
    assert "4 half-width digits" in desk.pinentry.told("SETERROR")
    assert desk.verifies == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ERR 83886179 cancelled\n", CANCELLED),
        ("ERR 99\n", CANCELLED),
        (TIMED_OUT, CANCELLED),
        ("ERR 83886254 no display\n", FATAL),
        ("D 1848\n", None),
        ("WHAT\n", FATAL),
    ],
)
def test_a_pin_program_without_a_pin_spends_nothing(
    desk: Desk, said: str, code: str | None
) -> None:
    desk.pinentry.will_say(said)
    if code is None:  # it does not say that this was all, and then it is gone
        with desk.host() as host:
            host.read()
            host.send(LOGIN)
            desk.pinentry.wait_until_asked()
            os.kill(desk.pinentry.starts[-1], signal.SIGKILL)
            answer = host.read()
            assert answer is not None
            refused(answer, FATAL, "PIN program")
            assert host.end() == 0
    else:
        refused(desk.answer_to(LOGIN), code)
    assert desk.verifies == 0


def test_without_a_pin_program_nothing_happens(desk: Desk) -> None:
    answer = desk.answer_to(LOGIN, JPKI_PINENTRY="/nonexistent/pinentry")
    refused(answer, FATAL, "pinentry")
    assert desk.log() == []


# what goes wrong with the card


def test_a_reader_without_a_card_file_is_told_without_its_place(desk: Desk) -> None:
    answer = desk.answer_to(LOGIN, JPKI_READER=f"emulator:{desk.folder}/nothing.json")
    refused(answer, FATAL, "jpki status")
    assert desk.pinentry.starts == []


def test_a_missing_pcsc_service_is_told(desk: Desk) -> None:
    answer = desk.answer_to(LOGIN, JPKI_READER="", PCSCLITE_CSOCK_NAME="/nonexistent/pcscd")
    refused(answer, FATAL, "PC/SC")
    assert desk.pinentry.starts == []


def test_an_expired_certificate_signs_nothing(desk: Desk) -> None:
    old = desk.folder / "old.json"
    create_card(
        old, authentication_pin=PIN, signature_password=PASSWORD,
        issued=datetime(2015, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    desk.pinentry.will_enter(PIN)
    answer = desk.answer_to(LOGIN, JPKI_READER=f"emulator:{old}")
    refused(answer, FATAL, "expired")
    assert desk.signatures == 0


@pytest.mark.parametrize(
    ("ins", "words", "signatures"),
    [
        ("a4", "The card was removed", 0),
        ("20", "jpki pin status", 0),
        ("b0", "The card was removed", 0),
        ("2a", "the site got nothing", 1),
    ],
)
def test_a_card_that_is_pulled_is_told_and_nothing_is_sent_again(
    desk: Desk, ins: str, words: str, signatures: int
) -> None:
    desk.pinentry.will_enter(PIN)
    answer = desk.answer_to(LOGIN, JPKI_TEST_SLOW=f"{ins} pulled")
    refused(answer, FATAL, words)
    assert desk.verifies == (0 if ins == "a4" else 1)
    assert desk.signatures == signatures


# who leaves, and when


def test_leaving_before_the_command_ends_the_host(desk: Desk) -> None:
    for partial in (b"", b"\x10", b"\x10\x00\x00\x00{"):
        with desk.host() as host:
            assert host.read() is not None
            host.send_raw(partial)
            host.leave()
            assert host.end() == 0
    assert desk.log() == []


def test_leaving_while_the_window_stands_ends_window_and_host(desk: Desk) -> None:
    with desk.host() as host:
        host.read()
        host.send(LOGIN)
        desk.pinentry.wait_until_asked()
        host.leave()
        assert host.end() == 0
        assert desk.pinentry.is_gone()
    assert desk.verifies == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_window_and_host(desk: Desk, number: signal.Signals) -> None:
    with desk.host() as host:
        host.read()
        host.send(LOGIN)
        desk.pinentry.wait_until_asked()
        host.process.send_signal(number)
        assert host.end() == 0
        assert desk.pinentry.is_gone()
    assert desk.verifies == 0


def test_a_window_does_not_outlive_a_host_that_was_killed(desk: Desk) -> None:
    with desk.host() as host:
        host.read()
        host.send(LOGIN)
        desk.pinentry.wait_until_asked()
        host.process.kill()
        desk.pinentry.wait_until_gone()
    assert desk.verifies == 0


@pytest.mark.parametrize(
    ("ins", "reached", "verifies", "signatures"),
    [
        ("a4", "00a4040c+", 0, 0),
        ("20", VERIFY, 1, 0),
        ("b0", "00b00000", 1, 0),
        ("2a", SIGN, 1, 1),
    ],
)
def test_leaving_while_the_card_works_takes_its_power_and_goes_no_step_further(
    desk: Desk, ins: str, reached: str, verifies: int, signatures: int
) -> None:
    desk.pinentry.will_enter(PIN)
    with desk.host(JPKI_TEST_SLOW=f"{ins} slow") as host:
        host.read()
        host.send(LOGIN)
        desk.wait_for_card(reached)
        host.leave()
        assert host.end() == 0
    assert (desk.verifies, desk.signatures) == (verifies, signatures)
    steps = [line for line in desk.log() if line != "off"]
    assert steps[-1] == reached
    assert (desk.log()[-1] == "off") is (verifies > 0)  # else it is left as it was found
    assert desk.tries()["authentication"] == 3


def test_leaving_ends_the_host_though_its_card_never_answers(desk: Desk) -> None:
    desk.pinentry.will_enter(PIN)
    with desk.host(JPKI_TEST_SLOW="2a stuck") as host:
        host.read()
        host.send(LOGIN)
        desk.wait_for_card(SIGN)
        host.leave()
        assert host.end() == 0


def test_what_comes_after_the_command_is_passed_over(desk: Desk) -> None:
    desk.pinentry.will_cancel()
    with desk.host() as host:
        host.read()
        host.send(LOGIN)
        host.send(LOGIN)
        host.send_raw(bytes(100_000))
        answer = host.read()
        assert answer is not None
        refused(answer, CANCELLED)
        assert host.read() is None
        assert host.end() == 0
    assert len(desk.pinentry.starts) == 1


def test_a_browser_that_does_not_wait_for_the_answer_costs_nothing(desk: Desk) -> None:
    desk.pinentry.will_cancel()
    with desk.host() as host:
        host.read()
        assert host.process.stdout is not None
        host.process.stdout.close()
        host.send(LOGIN)
        assert host.process.wait(30) == 0
        assert host.process.stderr is not None
        assert host.process.stderr.read() == b""
    assert desk.verifies == 0
