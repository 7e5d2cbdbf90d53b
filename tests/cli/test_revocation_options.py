"""--crl, --ocsp, --revocation and --trust, the same in all that validates."""

import base64
import io
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from support.pki import AT, PKI_DIR, load, load_key
from support.revocation import HOLD, Crl, OcspAnswer, der, other_municipality, scope
from support.trial import Run, Trial, check_failure, check_nothing_leaked
from support.web import Answer, Asked, closed_port, hanging, serving

from cli import revocation_files
from jpki.authentication import login_message
from jpki.authentication.token import AuthToken
from jpki.signing import sign_cms

SERIAL = load("signature").serial_number
KEY_COMPROMISE = x509.ReasonFlags.key_compromise
TRUST = ("--trust", str(PKI_DIR / "signature-ca.pem"))
THEN = ("--at", AT.isoformat())
VERIFY = ("cert", "verify", "leaf.pem", *TRUST, *THEN)

GOOD = Crl()
REVOKED = Crl(entries=[(SERIAL, KEY_COMPROMISE)])
SUSPENDED = Crl(entries=[(SERIAL, HOLD)])
GOOD_AGE = AT - GOOD.this_update


@pytest.fixture
def desk(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """The desk with a certificate, and lists and answers about it."""
    monkeypatch.setenv("no_proxy", "*")
    files = {
        "leaf.pem": load("signature").public_bytes(Encoding.PEM),
        "good.crl": der(GOOD.build()),
        "revoked.crl": REVOKED.build().public_bytes(Encoding.PEM),
        "suspended.crl": der(SUSPENDED.build()),
        "stale.crl": der(replace(GOOD, next_update=AT - GOOD_AGE / 2).build()),
        "good.ocsp": der(OcspAnswer().build()),
        "unknown.ocsp": der(OcspAnswer(status=ocsp.OCSPCertStatus.UNKNOWN).build()),
        "other.ocsp": der(OcspAnswer(issuer=load("foreign-ca")).build()),
    }
    for name, content in files.items():
        (trial.folder / name).write_bytes(content)
    return trial


def answer(run: Run) -> dict[str, Any]:
    assert "Traceback" not in run.stderr
    return dict(json.loads(run.stdout))


# --- what the files say -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "exit_code", "reasons", "revocation"),
    [
        (("--crl", "good.crl"), 0, [], "good"),
        (("--crl", "revoked.crl"), 10, ["revoked"], "revoked"),
        (("--crl", "suspended.crl"), 11, ["suspended"], "suspended"),
        (("--ocsp", "good.ocsp"), 0, [], "good"),
        (("--ocsp", "unknown.ocsp"), 11, ["revocation-unknown"], "unknown"),
        (("--crl", "good.crl", "--crl", "revoked.crl"), 10, ["revoked"], "revoked"),
        (("--crl", "revoked.crl", "--ocsp", "good.ocsp"), 10, ["revoked"], "revoked"),
        (("--crl", "stale.crl"), 0, [], "not-checked"),
        (("--revocation", "require"), 11, ["revocation-unknown"], "not-checked"),
        (
            ("--revocation", "require", "--crl", "stale.crl"),
            11,
            ["revocation-unknown"],
            "not-checked",
        ),
        (("--revocation", "require", "--crl", "good.crl"), 0, [], "good"),
        (("--revocation", "none", "--crl", "revoked.crl"), 0, [], "not-checked"),
        (("--revocation", "if-available"), 0, [], "not-checked"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_verdict_follows_what_counts(
    desk: Trial, options: tuple[str, ...], exit_code: int, reasons: list[str], revocation: str
) -> None:
    run = desk.run(*VERIFY, *options)
    found = answer(run)
    assert (run.exit_code, found["reasons"]) == (exit_code, reasons)
    assert found["revocation"] == revocation
    assert found["not_checked"] == (["revocation"] if revocation == "not-checked" else [])


def test_the_details_tell_why_since_when_and_by_what(desk: Trial) -> None:
    run = desk.run(*VERIFY, "--crl", "revoked.crl", "--crl", "stale.crl", "--ocsp", "other.ocsp")
    assert answer(run)["revocation_details"] == {
        "reason": "keyCompromise",
        "since": "2026-05-22T03:00:00Z",
        "source": "crl",
        "this_update": "2026-05-31T03:00:00Z",
        "next_update": "2026-06-02T03:00:00Z",
        "rejected": [
            {"source": "crl", "fault": "stale"},
            {"source": "ocsp", "fault": "other-issuer"},
        ],
    }


def test_in_words_revoked_says_since_when_and_why(desk: Trial) -> None:
    text = desk.run(*VERIFY, "--crl", "revoked.crl", as_json=False).stdout.decode()
    assert "revoked at 2026-05-22 12:00:00 JST: the key may be in other hands" in text
    assert "by a revocation list (CRL) of 2026-05-31" in text
    assert "not checked" not in text


def test_in_words_suspended_says_who_lifts_it(desk: Trial) -> None:
    text = desk.run(*VERIFY, "--crl", "suspended.crl", as_json=False).stdout.decode()
    assert text.startswith("leaf.pem: could not be decided\n")
    assert "suspended since 2026-05-22 12:00:00 JST" in text
    assert "市区町村の窓口" in text


def test_in_words_what_did_not_count_is_told(desk: Trial) -> None:
    run = desk.run(*VERIFY, "--crl", "stale.crl", "--ocsp", "unknown.ocsp", as_json=False)
    text = run.stdout.decode()
    assert "not counted:  a revocation list (CRL): it was out of date" in text
    assert "the OCSP responder does not know the certificate" in text
    other = desk.run(*VERIFY, "--ocsp", "other.ocsp", as_json=False).stdout.decode()
    assert "not counted:  an OCSP answer: " in other
    good = desk.run(*VERIFY, "--crl", "good.crl", as_json=False).stdout.decode()
    assert "neither revoked nor suspended, by a revocation list" in good
    assert "valid" not in good


def test_one_file_may_hold_many(desk: Trial) -> None:
    other = Crl(scope=scope(other_municipality()))
    lifted = replace(GOOD, this_update=AT - GOOD_AGE / 2)
    lists = [other, SUSPENDED, lifted]
    (desk.folder / "many.crl").write_bytes(
        b"".join(crl.build().public_bytes(Encoding.PEM) for crl in lists)
    )
    (desk.folder / "many.ocsp").write_bytes(
        (desk.folder / "other.ocsp").read_bytes() + (desk.folder / "good.ocsp").read_bytes()
    )
    assert answer(desk.run(*VERIFY, "--crl", "many.crl"))["revocation"] == "good"
    assert answer(desk.run(*VERIFY, "--ocsp", "many.ocsp"))["revocation"] == "good"


# --- everything that validates takes them -------------------------------------------------------


@pytest.fixture
def signed(desk: Trial) -> Trial:
    """The desk with signatures of two kinds on the document, by the usual signer."""
    document = (desk.folder / "document.txt").read_bytes()
    key = load_key("signature")
    (desk.folder / "document.txt.sig").write_bytes(key.sign(document, PKCS1v15(), SHA256()))
    (desk.folder / "document.txt.p7s").write_bytes(
        sign_cms(io.BytesIO(document), key, load("signature"), signing_time=AT)
    )
    return desk


@pytest.mark.parametrize("form", ["p7s", "sig"])
def test_a_signature_under_a_revoked_certificate_fails(signed: Trial, form: str) -> None:
    certificate = ("--certificate", "leaf.pem") if form == "sig" else ()
    arguments = ("verify", f"document.txt.{form}", *certificate, *TRUST, *THEN)
    for list_, exit_code, revocation in (
        ("good.crl", 0, "good"),
        ("revoked.crl", 10, "revoked"),
        ("suspended.crl", 11, "suspended"),
    ):
        run = signed.run(*arguments, "--crl", list_)
        assert run.exit_code == exit_code
        (report,) = answer(run)["files"][0]["signatures"]
        assert report["revocation"] == revocation
        assert report["revocation_details"]["source"] == "crl"
        assert report["policies"] == ["1.2.392.200149.8.5.1.0.20"]
        assert report["profile_faults"] == []
        assert report["anchor_name"] is None
    text = signed.run(*arguments, "--crl", "suspended.crl", as_json=False).stdout.decode()
    assert "市区町村の窓口" in text


def test_a_signature_is_from_the_future_only_if_it_is_from_after_now(signed: Trial) -> None:
    arguments = ("verify", "document.txt.p7s", *TRUST)
    earlier = ("--at", (AT - 30 * GOOD_AGE).isoformat())
    run = signed.run(*arguments, *earlier, clock=lambda: AT + GOOD_AGE)
    assert run.exit_code == 0, run.stdout
    run = signed.run(*arguments, clock=lambda: AT - GOOD_AGE)
    assert run.exit_code == 11
    (report,) = answer(run)["files"][0]["signatures"]
    assert report["reasons"] == ["signing-time-in-future"]


def login(folder: Path) -> tuple[str, ...]:
    """A token of the fixtures' login certificate, and the arguments that verify it."""
    origin, nonce = "https://example.jp", "A" * 44
    message = login_message(origin, nonce)
    token = AuthToken(
        certificate=load("authentication").public_bytes(Encoding.DER),
        algorithm="RS256",
        signature=load_key("authentication").sign(message, PKCS1v15(), SHA256()),
        app_version="https://jpki.invalid/releases/0",
    )
    (folder / "token").write_text(token.to_json())
    trust = ("--trust", str(PKI_DIR / "authentication-ca.pem"))
    return ("auth", "verify", "token", "--origin", origin, "--nonce", nonce, *trust, *THEN)


@pytest.mark.parametrize(
    ("reason", "exit_code", "verdict", "code"),
    [
        (KEY_COMPROMISE, 10, "failed", "revoked"),
        (HOLD, 11, "indeterminate", "suspended"),
    ],
)
def test_a_login_with_a_revoked_or_suspended_certificate_does_not_pass(
    desk: Trial, reason: x509.ReasonFlags, exit_code: int, verdict: str, code: str
) -> None:
    arguments = login(desk.folder)
    assert desk.run(*arguments).exit_code == 0
    crl = Crl(
        issuer=load("authentication-ca").subject,
        key="authentication-ca",
        scope=None,
        entries=[(load("authentication").serial_number, reason)],
    )
    (desk.folder / "logins.crl").write_bytes(der(crl.build()))
    run = desk.run(*arguments, "--crl", "logins.crl")
    assert run.exit_code == exit_code
    found = answer(run)
    assert (found["verdict"], found["reasons"]) == (verdict, [code])
    assert found["revocation"] == code
    assert found["revocation_details"]["since"] == "2026-05-22T03:00:00Z"
    assert "user" not in found
    text = desk.run(*arguments, "--crl", "logins.crl", as_json=False).stdout.decode()
    assert "2026-05-22 12:00:00 JST" in text


def test_a_login_that_passes_tells_the_same_as_a_signature(desk: Trial) -> None:
    found = answer(desk.run(*login(desk.folder)))
    assert found["anchor"] == "test"
    assert found["policies"] == ["1.2.392.200149.8.5.1.3.30"]
    assert found["profile_faults"] == []
    assert found["revocation_details"]["rejected"] == []


# --- wrong input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--crl", "leaf.pem"), "it is a certificate, not a revocation list (CRL)"),
        (("--crl", "document.txt"), "there is no revocation list (CRL) in it"),
        (("--crl", "good.ocsp"), "there is no revocation list (CRL) in it"),
        (("--crl", "empty"), "it is empty"),
        (("--crl", "half.crl"), "revocation list"),
        (("--ocsp", "leaf.pem"), "it is a certificate, not an OCSP answer"),
        (("--ocsp", "good.crl"), "give it with --crl"),
        (("--ocsp", "document.txt"), "there is no OCSP answer in it"),
        (("--crl", "absent"), "No such file"),
        (("--crl", "."), "it is a folder"),
        (("--trust", "good.crl"), "it is a revocation list (CRL), not a certificate"),
    ],
)
def test_what_is_something_else_is_told_to_be_that(
    desk: Trial, options: tuple[str, ...], words: str
) -> None:
    (desk.folder / "empty").write_bytes(b"")
    (desk.folder / "half.crl").write_bytes((desk.folder / "good.crl").read_bytes()[:200])
    run = desk.run(*VERIFY, *options)
    desk.refused(run, "input")
    assert words in run.stderr
    assert run.error["path"] == options[1]


@pytest.mark.parametrize("option", ["--crl", "--ocsp", "--trust"])
def test_a_huge_file_is_refused(desk: Trial, option: str) -> None:
    huge = desk.folder.parent / "huge"
    with huge.open("wb") as stream:
        stream.truncate(1 << 32)
    run = desk.run(*VERIFY, option, str(huge))
    desk.refused(run, "input")
    assert "too large" in run.stderr
    desk.refused(desk.run(*VERIFY, option, "/dev/zero"), "input")


def test_a_signers_certificate_is_no_trust_anchor(desk: Trial) -> None:
    arguments = ("cert", "verify", "leaf.pem", "--trust", "leaf.pem", *THEN)
    for as_json in (True, False):
        run = desk.run(*arguments, as_json=as_json)
        assert run.exit_code == 2
        assert "leaf.pem" in run.stderr
    assert desk.run(*arguments).error["code"] == "anchor-not-ca"
    assert desk.run(*arguments).error["path"] == "leaf.pem"
    everything = ("--content", "document.txt", "--trust", "leaf.pem")
    assert desk.run("verify", "good.crl", *everything).error["code"] == "anchor-not-ca"


@pytest.mark.parametrize("option", ["--trust", "--crl", "--ocsp"])
def test_stdin_is_read_for_one_thing(desk: Trial, option: str) -> None:
    content = {
        "--trust": (PKI_DIR / "signature-ca.pem").read_bytes(),
        "--crl": der(GOOD.build()),
        "--ocsp": der(OcspAnswer().build()),
    }[option]
    options = () if option == "--trust" else TRUST
    arguments = ("cert", "verify", "leaf.pem", *options, *THEN, option, "-")
    run = desk.run(*arguments, stdin=content)
    assert run.exit_code == 0, run.stderr
    assert answer(run)["revocation"] == ("not-checked" if option == "--trust" else "good")
    for other in ("--trust", "--crl", "--ocsp"):
        desk.refused(desk.run(*arguments, other, "-", stdin=content), "usage")
    desk.refused(desk.run("cert", "verify", "-", option, "-", stdin=content), "usage")
    desk.refused(desk.run("verify", "-", option, "-", stdin=content), "usage")
    site = ("--origin", "https://example.jp", "--nonce", "A" * 44)
    desk.refused(desk.run("auth", "verify", "-", *site, option, "-", stdin=content), "usage")


def test_the_certificate_of_a_raw_signature_may_come_on_stdin(signed: Trial) -> None:
    arguments = ("verify", "document.txt.sig", "--certificate", "-", *TRUST, *THEN)
    content = (signed.folder / "leaf.pem").read_bytes()
    assert signed.run(*arguments, stdin=content).exit_code == 0
    signed.refused(signed.run(*arguments, "--crl", "-", stdin=content), "usage")


# --- servers ------------------------------------------------------------------------------------


def test_a_list_is_fetched_once_from_the_server_that_was_named(desk: Trial) -> None:
    with serving(lambda _asked: Answer(body=der(REVOKED.build()))) as site:
        run = desk.run(*VERIFY, "--crl", site.url("/all.crl"))
        assert [asked.path for asked in site.asked] == ["/all.crl"]
    assert run.exit_code == 10
    assert answer(run)["reasons"] == ["revoked"]


def test_a_responder_is_asked_about_the_certificate_by_post(desk: Trial) -> None:
    def respond(asked: Asked) -> Answer:
        request = ocsp.load_der_ocsp_request(asked.body)
        nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        assert request.serial_number == SERIAL
        return Answer(body=der(OcspAnswer(nonce=nonce).build()))

    with serving(respond) as site:
        run = desk.run(*VERIFY, "--ocsp", site.url(), "--revocation", "require")
        (asked,) = site.asked
    assert run.exit_code == 0, run.stdout
    assert answer(run)["revocation_details"]["source"] == "ocsp"
    assert (asked.method, asked.headers["Content-Type"]) == ("POST", "application/ocsp-request")


def test_an_answer_to_another_question_does_not_count(desk: Trial) -> None:
    with serving(lambda _asked: Answer(body=der(OcspAnswer(nonce=b"n" * 32).build()))) as site:
        run = desk.run(*VERIFY, "--ocsp", site.url(), "--revocation", "require")
    assert run.exit_code == 11
    assert answer(run)["revocation_details"]["rejected"] == [
        {"source": "ocsp", "fault": "nonce-mismatch"}
    ]


@pytest.mark.parametrize("mode", ["none", "if-available", "require"])
def test_no_server_is_asked_that_was_not_named(desk: Trial, mode: str) -> None:
    """And with --revocation none not even one that was."""
    with serving(lambda _asked: Answer(body=der(GOOD.build()))) as site:
        named = ("--crl", site.url(), "--ocsp", site.url()) if mode == "none" else ()
        run = desk.run(*VERIFY, "--revocation", mode, *named)
        assert site.asked == []
    assert answer(run)["revocation"] == "not-checked"


@pytest.mark.parametrize("option", ["--crl", "--ocsp"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Answer(status=404), "404"),
        (Answer(status=500, body=b"secret"), "500"),
        (Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}), "302"),
    ],
    ids=["not found", "broken", "redirect"],
)
def test_a_server_that_does_not_answer_is_thirteen(
    desk: Trial, option: str, given: Answer, words: str
) -> None:
    with serving(lambda _asked: given) as site:
        run = desk.run(*VERIFY, option, site.url("/x"))
        assert len(site.asked) == 1
        url = site.url("/x")
    check_failure(run, "server")
    assert run.error["url"] == url
    assert words in run.stderr


@pytest.mark.parametrize("option", ["--crl", "--ocsp"])
def test_a_server_that_is_not_there_is_thirteen(desk: Trial, option: str) -> None:
    run = desk.run(*VERIFY, option, f"http://127.0.0.1:{closed_port()}/")
    check_failure(run, "server")


@pytest.mark.parametrize("option", ["--crl", "--ocsp"])
def test_a_server_that_hangs_is_left(
    desk: Trial, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_files, "SERVER_TIMEOUT_S", 0.2)
    with hanging() as site:
        check_failure(desk.run(*VERIFY, option, site.url()), "server")


@pytest.mark.parametrize("option", ["--crl", "--ocsp"])
@pytest.mark.parametrize("url", ["http://[", "http:///list", "https://127.0.0.1:x/"])
def test_an_impossible_address_is_a_server_that_failed(desk: Trial, option: str, url: str) -> None:
    check_failure(desk.run(*VERIFY, option, url), "server")


def test_a_page_instead_of_a_list_is_the_servers_failure(desk: Trial) -> None:
    with serving(lambda _asked: Answer(body=b"<html>")) as site:
        run = desk.run(*VERIFY, "--crl", site.url())
    check_failure(run, "server")
    assert "no revocation list" in run.stderr


def test_a_page_instead_of_an_answer_does_not_count(desk: Trial) -> None:
    with serving(lambda _asked: Answer(body=b"<html>")) as site:
        run = desk.run(*VERIFY, "--ocsp", site.url())
    assert run.exit_code == 0
    assert answer(run)["revocation_details"]["rejected"] == [
        {"source": "ocsp", "fault": "malformed"}
    ]


@pytest.mark.parametrize("option", ["--crl", "--ocsp"])
def test_user_and_password_of_a_url_go_to_the_server_and_are_not_shown(
    desk: Trial, option: str
) -> None:
    with serving(lambda _asked: Answer(status=401)) as site:
        run = desk.run(*VERIFY, option, site.url("/x?key=k3y", credentials="taro:s3cret@"))
        (asked,) = site.asked
    check_failure(run, "server")
    expected = base64.b64encode(b"taro:s3cret").decode()
    assert asked.headers["Authorization"] == f"Basic {expected}"
    for secret in ("s3cret", "taro", "k3y", expected):
        assert secret not in run.stderr
        assert secret not in run.stdout.decode()


def test_only_one_responder_can_be_asked(desk: Trial) -> None:
    urls = ("--ocsp", "http://127.0.0.1:1/", "--ocsp", "http://127.0.0.1:2/")
    desk.refused(desk.run(*VERIFY, *urls), "usage")


def test_nobody_is_asked_about_a_certificate_that_has_failed_anyway(desk: Trial) -> None:
    with serving(lambda _asked: Answer(body=b"")) as site:
        run = desk.run(*VERIFY, "--at", "2100-01-01", "--ocsp", site.url())
        assert site.asked == []
    assert run.exit_code == 10


def test_a_failing_server_stops_a_card_command_before_the_password(desk: Trial) -> None:
    url = f"http://127.0.0.1:{closed_port()}/"
    run = desk.run("cert", "verify", "sign", "--crl", url, answers=["unused"])
    desk.refused(run, "server")
    assert desk.person.questions == []


# --- lists and answers by OpenSSL ---------------------------------------------------------------


@pytest.fixture
def openssl_ca(desk: Trial) -> Path:
    """A folder in which OpenSSL is the signature CA and has revoked the usual signer."""
    folder = desk.temporary / "ca"
    folder.mkdir()
    revoked = (AT - GOOD_AGE).strftime("%y%m%d%H%M%SZ")
    expiry = load("signature").not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
    serial = f"{SERIAL:08X}"
    entry = f"R\t{expiry}\t{revoked},superseded\t{serial}\tunknown\t/C=JP/CN=signer\n"
    (folder / "index.txt").write_text(entry)
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ndefault_md=sha256\ncrlnumber=number\n"
    )
    (folder / "number").write_text("01\n")
    return folder


def openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["faketime", "-f", AT.strftime("@%Y-%m-%d %H:%M:%S"), "openssl", *arguments],
        cwd=folder,
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()


CA_FILES = (str(PKI_DIR / "signature-ca.pem"), str(PKI_DIR / "signature-ca.key"))


def test_a_list_by_openssl_revokes(desk: Trial, openssl_ca: Path) -> None:
    openssl(
        openssl_ca, "ca", "-config", "ca.cnf", "-gencrl", "-cert", CA_FILES[0], "-keyfile",
        CA_FILES[1], "-crldays", "2", "-out", "openssl.crl",
    )  # fmt: skip
    then = ("--at", "2026-06-01T03:05:00Z")
    run = desk.run(*VERIFY, *then, "--crl", str(openssl_ca / "openssl.crl"))
    assert run.exit_code == 10
    assert answer(run)["revocation_details"]["reason"] == "superseded"


def test_a_responder_by_openssl_revokes(desk: Trial, openssl_ca: Path) -> None:
    def respond(asked: Asked) -> Answer:
        (openssl_ca / "request").write_bytes(asked.body)
        openssl(
            openssl_ca, "ocsp", "-index", "index.txt", "-CA", CA_FILES[0], "-rsigner",
            CA_FILES[0], "-rkey", CA_FILES[1], "-reqin", "request", "-respout", "response",
            "-nmin", "30",
        )  # fmt: skip
        return Answer(body=(openssl_ca / "response").read_bytes())

    with serving(respond) as site:
        run = desk.run(*VERIFY, "--ocsp", site.url(), "--revocation", "require")
    assert run.exit_code == 10, run.stderr
    assert answer(run)["reasons"] == ["revoked"]
    assert answer(run)["revocation_details"]["source"] == "ocsp"
    check_nothing_leaked(run)
