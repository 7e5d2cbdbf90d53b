"""Asking a timestamp authority: what is sent, what is taken, what is refused."""

import base64
import os
import signal
import threading
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.asymmetric import ec
from support.pki import AT, CA_UNTIL, LEAF_FROM, load, load_key
from support.tsa import answer_request, authority, build_authority, response, running_tsa
from support.web import Answer, closed_port, hanging, serving

from jpki.errors import ServerError
from jpki.signing import HashAlgorithm
from jpki.signing.timestamp import MAX_RESPONSE, Timestamper
from jpki.verification import Verdict
from jpki.verification.timestamp import verify_timestamp

MESSAGE = b"a signature"
DIGEST = sha256(MESSAGE).digest()
CA = [load("signature-ca")]


def ask(answer: bytes | Answer, **changes: object) -> bytes:
    with serving(lambda asked: answer if isinstance(answer, Answer) else Answer(body=answer)) as to:
        return Timestamper(to.url()).timestamp(DIGEST, HashAlgorithm.SHA256)


def ask_for(**changes: object) -> bytes:
    """Ask an authority whose token is sound save for the changes."""
    with serving(lambda asked: Answer(body=response(answer_request(asked, **changes)))) as site:
        return Timestamper(site.url("/ts")).timestamp(DIGEST, HashAlgorithm.SHA256)


def refusal(call, *arguments, **named) -> str:
    with pytest.raises(ServerError) as caught:
        call(*arguments, **named)
    assert caught.value.url.startswith("http://127.0.0.1:")
    return caught.value.detail


# --- a real authority ---------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_openssl_gives_a_token_that_passes(tmp_path, algorithm):
    with running_tsa(tmp_path / "tsa", load("signature-ca")) as site:
        token = Timestamper(site.url("/ts")).timestamp(algorithm.digest(MESSAGE), algorithm)
    report = verify_timestamp(token, MESSAGE, CA, AT)
    assert report.verdict is Verdict.PASSED
    assert report.time is not None
    assert timedelta(0) <= report.time - AT < timedelta(minutes=1)  # faketime's clock goes on
    assert report.authority == "CN=Mihon Time"
    (asked,) = site.asked
    assert (asked.method, asked.path) == ("POST", "/ts")
    request = tsp.TimeStampReq.load(asked.body, strict=True)
    assert request["version"].native == "v1"
    assert request["cert_req"].native is True
    assert request["message_imprint"]["hashed_message"].native == algorithm.digest(MESSAGE)


def test_every_request_has_another_nonce(tmp_path):
    with running_tsa(tmp_path / "tsa") as site:
        for _ in range(3):
            Timestamper(site.url()).timestamp(DIGEST, HashAlgorithm.SHA256)
    nonces = {tsp.TimeStampReq.load(asked.body)["nonce"].native for asked in site.asked}
    assert len(nonces) == 3
    assert all(0 < nonce < 1 << 63 for nonce in nonces)


def test_user_and_password_go_to_the_server_and_nowhere_else(tmp_path):
    expected = "Basic " + base64.b64encode("番号:ひみつ".encode()).decode()
    with running_tsa(tmp_path / "tsa", credentials=expected) as site:
        timestamper = Timestamper(site.url(), username="番号", password="ひみつ")
        assert timestamper.timestamp(DIGEST, HashAlgorithm.SHA256)
        assert "ひみつ" not in repr(timestamper)
        assert "番号" not in repr(timestamper)
        without = Timestamper(site.url())
        detail = refusal(without.timestamp, DIGEST, HashAlgorithm.SHA256)
    assert detail == "HTTP status 401"


def test_a_user_name_with_a_colon_is_refused():
    with pytest.raises(ValueError, match="colon"):
        Timestamper("http://127.0.0.1/", username="a:b", password="c")


def test_credentials_in_the_url_are_sent_and_not_shown(tmp_path):
    expected = "Basic " + base64.b64encode(b"user:secret").decode()
    with running_tsa(tmp_path / "tsa", credentials=expected) as site:
        timestamper = Timestamper(site.url(credentials="user:secret@"))
        assert timestamper.timestamp(DIGEST, HashAlgorithm.SHA256)
    with pytest.raises(ServerError) as caught:
        timestamper.timestamp(DIGEST, HashAlgorithm.SHA256)
    assert "secret" not in str(caught.value) + repr(timestamper)


def test_a_digest_of_another_size_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="32 bytes"):
        Timestamper("http://127.0.0.1/").timestamp(b"short", HashAlgorithm.SHA256)


# --- servers that fail --------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "tsa.example", "ftp://127.0.0.1/", "file:///etc/passwd"])
def test_only_http_is_spoken(url):
    with pytest.raises(ServerError, match="no address of a server"):
        Timestamper(url).timestamp(DIGEST, HashAlgorithm.SHA256)


def test_a_server_that_is_not_there_is_named():
    url = f"http://127.0.0.1:{closed_port()}/"
    with pytest.raises(ServerError) as caught:
        Timestamper(url).timestamp(DIGEST, HashAlgorithm.SHA256)
    assert caught.value.url == url


def test_a_server_that_hangs_is_given_up():
    with hanging() as site, pytest.raises(ServerError):
        Timestamper(site.url(), timeout_s=0.2).timestamp(DIGEST, HashAlgorithm.SHA256)


def test_ctrl_c_ends_the_wait_for_a_server():
    with hanging() as site:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            Timestamper(site.url(), timeout_s=60).timestamp(DIGEST, HashAlgorithm.SHA256)
        timer.join()


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (Answer(status=500), "HTTP status 500"),
        (Answer(status=404, body=b"<html>"), "HTTP status 404"),
        (
            Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}),
            "HTTP status 302",
        ),
        (b"", "no answer of a timestamp authority"),
        (b"<html>welcome to the hotel</html>", "no answer of a timestamp authority"),
        (b"\x30\x80", "no answer of a timestamp authority"),
        (b"\x30\x80" * 5000, "no answer of a timestamp authority"),
        (bytes.fromhex("3005300302010030"), "no answer of a timestamp authority"),
        (bytes.fromhex("30053003020100"), "a token that cannot be read"),  # granted, and no token
        (bytes(MAX_RESPONSE + 1), f"more than {MAX_RESPONSE} bytes"),
        (response(None, "rejection"), "refused: rejection"),
        (
            response(None, "rejection", fail_info={"bad_alg"}),
            "refused: rejection, badAlg",
        ),
        (
            response(None, "rejection", fail_info={"system_failure", "time_not_available"}),
            "refused: rejection, timeNotAvailable, systemFailure",
        ),
        (
            response(None, "rejection", status_string=["too many\x1b[2J today\n"]),
            "refused: rejection, too many[2J today",
        ),
        (response(None, "waiting"), "refused: waiting"),
        (response(None, "revocation_notification"), "refused: status 5"),
    ],
)
def test_an_answer_that_is_no_token_is_refused(answer, detail):
    assert refusal(ask, answer) == detail


# --- tokens that are no good --------------------------------------------------------------------


def test_the_token_of_the_control_is_taken():
    assert verify_timestamp(ask_for(), MESSAGE, CA, AT).verdict is Verdict.PASSED
    assert ask_for(time=AT + timedelta(days=300))  # no clock of this machine judges it


def test_a_token_granted_with_changes_is_taken_if_it_is_sound():
    def answer(asked):
        return Answer(body=response(answer_request(asked), "granted_with_mods"))

    with serving(answer) as site:
        assert Timestamper(site.url()).timestamp(DIGEST, HashAlgorithm.SHA256)


def test_an_authority_may_sign_by_an_elliptic_curve():
    key = ec.generate_private_key(ec.SECP256R1())
    token = ask_for(
        key=key, certificate=build_authority(key=key), signature_algorithm="sha256_ecdsa"
    )
    assert verify_timestamp(token, MESSAGE, CA, AT).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"imprint": bytes(32)}, "a token over something else"),
        ({"hash_name": "sha512", "imprint": bytes(64)}, "a token over something else"),
        ({"hash_name": "sha1", "imprint": bytes(20)}, "a token over something else"),
        ({"nonce": 1}, "a token for another request (nonce)"),
        ({"nonce": None}, "a token for another request (nonce)"),
        ({"content_type": "data"}, "a token that cannot be read"),
        ({"version": "v2"}, "a token that cannot be read"),
        ({"signers": 2}, "a token that cannot be read"),
        ({"key": load_key("foreign-ca")}, "signature-invalid"),
        ({"message_digest": bytes(32)}, "signature-invalid"),
        ({"certificates": []}, "signer-certificate-missing"),
        ({"certificate": build_authority(critical=False)}, "wrong-key-usage"),
        ({"certificate": build_authority(extended=())}, "wrong-key-usage"),
        ({"certificate": load("signature"), "key": load_key("signature")}, "wrong-key-usage"),
        ({"certificate": build_authority(not_after=AT - timedelta(seconds=1))}, "expired"),
        ({"time": LEAF_FROM - timedelta(seconds=1)}, "not-yet-valid"),
        ({"time": CA_UNTIL + timedelta(seconds=1)}, "expired"),
        ({"attributes": []}, "signed-attributes-invalid"),
        ({"without_attributes": True}, "signed-attributes-missing"),
        ({"critical_extension": True}, "unknown-critical-extension"),
        (
            {"digest_algorithm": "sha1", "signature_algorithm": "sha1_rsa"},
            "weak-algorithm",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_a_token_that_proves_nothing_is_refused(changes, detail):
    assert detail in refusal(ask_for, **changes)


def test_a_token_that_is_too_large_for_its_place_is_refused():
    crowd = [authority(), *[load("signature")] * 15]
    assert "more than 16384 bytes" in refusal(ask_for, certificates=crowd)


# --- signatures that can do without -------------------------------------------------------------


def test_a_failure_that_was_allowed_is_told_and_not_raised():
    failures: list[ServerError] = []
    with serving(lambda asked: Answer(status=503)) as site:
        timestamper = Timestamper(site.url(), on_failure=failures.append)
        assert timestamper.timestamp_if_possible(DIGEST, HashAlgorithm.SHA256) is None
        with pytest.raises(ServerError):
            timestamper.timestamp(DIGEST, HashAlgorithm.SHA256)
        with pytest.raises(ServerError):
            Timestamper(site.url()).timestamp_if_possible(DIGEST, HashAlgorithm.SHA256)
    assert [failure.detail for failure in failures] == ["HTTP status 503"]


def test_the_time_is_that_of_the_authority_to_the_microsecond():
    moment = datetime.fromisoformat("2026-06-01T03:00:00.123400+00:00")
    assert verify_timestamp(ask_for(time=moment), MESSAGE, CA, AT).time == moment
