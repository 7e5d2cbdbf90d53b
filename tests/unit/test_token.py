"""The Web eID token: made, carried, verified, refused."""

import base64
import hashlib
import json
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from support.keys import CountingKey
from support.pki import (
    AT,
    AUTHENTICATION_LEAF,
    AUTHENTICATION_UNIT,
    build_ca,
    ca_name,
    load,
    load_key,
)

from jpki.authentication import (
    AuthToken,
    check_nonce,
    check_origin,
    login_message,
    make_token,
    new_nonce,
    verify_token,
)
from jpki.authentication.errors import TokenError, TokenFault
from jpki.authentication.token import MAX_TOKEN_SIZE
from jpki.certificates import AnchorOrigin, CertificateKind, Unchecked

ORIGIN = "https://example.jp"
NONCE = base64.b64encode(bytes(range(32))).decode()
CA = [load("authentication-ca")]
PROGRAM = "https://example.org/jpki/0.1.0"


@pytest.fixture
def key() -> CountingKey:
    return CountingKey(load_key("authentication"))


@pytest.fixture
def token(key) -> AuthToken:
    return make_token(ORIGIN, NONCE, key, load("authentication"), PROGRAM)


def refused(token, *, origin=ORIGIN, nonce=NONCE, anchors=CA, at=AT) -> TokenError:
    with pytest.raises(TokenError) as caught:
        verify_token(token, origin, nonce, anchors, at)
    return caught.value


# --- made ---------------------------------------------------------------------------------------


def test_a_token_uses_the_key_once_on_the_message_itself(key, token):
    expected = hashlib.sha256(ORIGIN.encode()).digest() + hashlib.sha256(NONCE.encode()).digest()
    assert key.signed == [expected]
    assert login_message(ORIGIN, NONCE) == expected
    assert token.algorithm == "RS256"
    assert token.format == "web-eid:1.0"


def test_the_json_has_the_keys_of_the_standard_and_padded_base64(token):
    text = token.to_json()
    assert text.isascii()
    assert "\n" not in text
    fields = json.loads(text)
    assert set(fields) == {
        "unverifiedCertificate",
        "algorithm",
        "signature",
        "format",
        "appVersion",
    }
    der = load("authentication").public_bytes(Encoding.DER)
    assert base64.b64decode(fields["unverifiedCertificate"], validate=True) == der
    assert len(base64.b64decode(fields["signature"], validate=True)) == 256
    assert fields["appVersion"] == PROGRAM
    assert len(text) < MAX_TOKEN_SIZE // 2


def test_json_there_and_back_is_the_same_token(token):
    assert AuthToken.from_json(token.to_json()) == token
    assert AuthToken.from_json(token.to_json().encode()) == token
    assert AuthToken.from_json(replace(token, app_version=None).to_json()).app_version is None


def test_a_wrong_origin_or_nonce_never_reaches_the_key(key):
    for origin, nonce in (("http://example.jp", NONCE), (ORIGIN, "short")):
        with pytest.raises(TokenError):
            make_token(origin, nonce, key, load("authentication"), PROGRAM)
    assert key.signed == []


def test_a_nonce_is_44_characters_and_comes_from_the_randomness_given():
    assert new_nonce(lambda size: bytes(range(size))) == NONCE
    first, second = new_nonce(), new_nonce()
    assert first != second
    assert len(first) == 44
    check_nonce(first)


# --- origin and nonce ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.jp",
        "https://example.jp:8443",
        "https://localhost",
        "https://localhost:1",
        "https://a-b.c_d.example.jp:65535",
        "https://xn--wgv71a.jp",
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "https://123.example",
        "https://" + "a" * 63 + ".jp",
    ],
)
def test_origins_as_browsers_write_them_are_taken(origin):
    check_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "https://",
        "example.jp",
        "http://example.jp",
        "wss://example.jp",
        "HTTPS://example.jp",
        "https://Example.jp",
        "https://example.jp/",
        "https://example.jp/login",
        "https://example.jp?x",
        "https://example.jp#x",
        "https://user@example.jp",
        "https://user:word@example.jp",
        "https://example.jp@evil.example",
        "https://example.jp:",
        "https://example.jp:0",
        "https://example.jp:080",
        "https://example.jp:443",
        "https://example.jp:65536",
        "https://example.jp:99999999",
        "https://example.jp.",
        "https://.example.jp",
        "https://example..jp",
        "https://-example.jp",
        "https://example-.jp",
        "https://" + "a" * 64 + ".jp",
        "https://" + "a." * 130 + "jp",
        "https://日本.jp",
        "https://example．jp",
        "https://exámple.jp",
        "https://example.jp\n",
        "https://example.jp\x00",
        " https://example.jp",
        "https://exa mple.jp",
        "https://example.jp\\@evil.example",
        "https://256.0.2.1",
        "https://192.0.2",
        "https://192.0.02.1",
        "https://[2001:DB8::1]",
        "https://[2001:db8:0::1]",
        "https://[::1",
        "https://[12345::1]",
        "https://[192.0.2.1]",
        "https://[fe80::1%25eth0]",
        "https://example.jp:٤٤٣",
        "null",
    ],
)
def test_anything_else_is_no_origin(origin):
    with pytest.raises(TokenError) as caught:
        check_origin(origin)
    assert caught.value.fault is TokenFault.ORIGIN


@pytest.mark.parametrize("size", [33, 48, 63, 64, 96])
def test_nonces_of_44_to_128_characters_are_taken(size):
    check_nonce(base64.b64encode(bytes(size)).decode())


@pytest.mark.parametrize(
    "nonce",
    [
        "",
        NONCE[:40],
        NONCE[:43],
        NONCE + "A",
        "A" * 132,
        "A" * 43 + "-",
        "A" * 43 + "\n",
        "A" * 43 + "あ",
        "A" * 41 + "===",
        "=" + "A" * 43,
        "A" * 43 + "Ａ",
        " " * 44,
    ],
)
def test_anything_else_is_no_nonce(nonce):
    with pytest.raises(TokenError) as caught:
        check_nonce(nonce)
    assert caught.value.fault is TokenFault.NONCE


# --- verified -----------------------------------------------------------------------------------


def test_a_sound_token_tells_who_logged_in(token):
    for form in (token, token.to_json(), token.to_json().encode()):
        login = verify_token(form, ORIGIN, NONCE, CA, AT)
        assert login.certificate == load("authentication")
        assert login.user.kind is CertificateKind.AUTHENTICATION
        assert login.path.anchor is AnchorOrigin.TEST
        assert login.path.anchor_certificate == CA[0]
        assert login.path.not_checked == (Unchecked.REVOCATION,)


@pytest.mark.parametrize(
    "token_format", ["web-eid:1", "web-eid:1.0", "web-eid:1.1", "web-eid:1.42"]
)
def test_any_minor_version_of_the_format_is_taken(token, token_format):
    assert verify_token(replace(token, format=token_format).to_json(), ORIGIN, NONCE, CA, AT)


def test_unknown_keys_of_later_versions_are_passed_over(token):
    fields = json.loads(token.to_json()) | {"unverifiedSigningCertificate": "AAAA"}
    assert verify_token(json.dumps(fields), ORIGIN, NONCE, CA, AT)


def test_a_token_for_another_site_or_another_session_is_refused(token):
    other_nonce = base64.b64encode(bytes(32)).decode()
    for change in (
        {"origin": "https://example.com"},
        {"origin": "https://example.jp:8443"},
        {"nonce": other_nonce},
    ):
        assert refused(token, **change).fault is TokenFault.SIGNATURE


def test_the_site_cannot_ask_about_no_origin_at_all(token):
    assert refused(token, origin="https://example.jp/").fault is TokenFault.ORIGIN
    assert refused(token, nonce="").fault is TokenFault.NONCE


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x" * (MAX_TOKEN_SIZE + 1), TokenFault.TOO_LARGE),
        (b"x" * (MAX_TOKEN_SIZE + 1), TokenFault.TOO_LARGE),
        ("", TokenFault.MALFORMED),
        ("null", TokenFault.MALFORMED),
        ("[]", TokenFault.MALFORMED),
        ("{}", TokenFault.MALFORMED),
        ("{", TokenFault.MALFORMED),
        ("[" * MAX_TOKEN_SIZE, TokenFault.MALFORMED),
        ('{"a":' * (MAX_TOKEN_SIZE // 5), TokenFault.MALFORMED),
        ("NaN", TokenFault.MALFORMED),
        ("1" * MAX_TOKEN_SIZE, TokenFault.MALFORMED),
        (b"\xff\xfe", TokenFault.MALFORMED),
        (b"\xef\xbb\xbf{}", TokenFault.MALFORMED),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_token_is_refused(text, fault):
    assert refused(text).fault is fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"format": "web-eid:2"}, TokenFault.FORMAT),
        ({"format": "web-eid:10"}, TokenFault.FORMAT),
        ({"format": "web-eid:1."}, TokenFault.FORMAT),
        ({"format": "web-eid:1.0\n"}, TokenFault.FORMAT),
        ({"format": "web-eid:1.٠"}, TokenFault.FORMAT),
        ({"format": "WEB-EID:1.0"}, TokenFault.FORMAT),
        ({"format": 1}, TokenFault.MALFORMED),
        ({"format": None}, TokenFault.MALFORMED),
        ({"algorithm": None}, TokenFault.MALFORMED),
        ({"algorithm": "none"}, TokenFault.ALGORITHM),
        ({"algorithm": "HS256"}, TokenFault.ALGORITHM),
        ({"algorithm": "PS256"}, TokenFault.ALGORITHM),
        ({"algorithm": "RS384"}, TokenFault.ALGORITHM),
        ({"algorithm": "rs256"}, TokenFault.ALGORITHM),
        ({"appVersion": {"a": 1}}, TokenFault.MALFORMED),
        ({"signature": ""}, TokenFault.MALFORMED),
        ({"signature": "A"}, TokenFault.MALFORMED),
        ({"signature": "AA=="}, TokenFault.SIGNATURE),
        ({"signature": "AB=="}, TokenFault.MALFORMED),
        ({"signature": "AA==\n"}, TokenFault.MALFORMED),
        ({"signature": "-_=="}, TokenFault.MALFORMED),
        ({"signature": ["AA=="]}, TokenFault.MALFORMED),
        ({"unverifiedCertificate": "あ"}, TokenFault.MALFORMED),
        ({"unverifiedCertificate": "AAAA"}, TokenFault.CERTIFICATE),
    ],
    ids=str,
)
def test_a_token_with_one_wrong_field_is_refused(token, changes, fault):
    fields = json.loads(token.to_json()) | changes
    assert refused(json.dumps(fields)).fault is fault


@pytest.mark.parametrize("name", ["unverifiedCertificate", "algorithm", "signature", "format"])
def test_a_token_without_one_of_its_fields_is_refused(token, name):
    fields = json.loads(token.to_json())
    del fields[name]
    assert refused(json.dumps(fields)).fault is TokenFault.MALFORMED


def test_a_key_given_twice_is_refused(token):
    text = token.to_json()
    doubled = text[:-1] + ', "algorithm": "RS256"}'
    assert json.loads(doubled)["algorithm"] == "RS256"
    assert refused(doubled).fault is TokenFault.MALFORMED


def test_an_estonian_token_is_refused_by_its_algorithm():
    estonian_key = ec.generate_private_key(ec.SECP384R1())
    ca_key = load_key("authentication-ca")
    certificate = AUTHENTICATION_LEAF.build(estonian_key.public_key(), ca_key)
    token = AuthToken(
        certificate=certificate.public_bytes(Encoding.DER),
        algorithm="ES384",
        signature=estonian_key.sign(login_message(ORIGIN, NONCE), ec.ECDSA(hashes.SHA384())),
    )
    assert refused(token.to_json()).fault is TokenFault.ALGORITHM
    # Under the name of RS256 the certificate gives it away.
    disguised = refused(replace(token, algorithm="RS256"))
    assert disguised.fault is TokenFault.CERTIFICATE
    assert disguised.reasons == ("unsupported-algorithm",)


def issued(**changes) -> x509.Certificate:
    return replace(AUTHENTICATION_LEAF, **changes).build(
        load_key("authentication").public_key(), load_key("authentication-ca")
    )


@pytest.mark.parametrize(
    ("certificate", "key_name", "anchors", "word"),
    [
        (load("authentication-expired"), "authentication", CA, "expired"),
        (issued(not_before=AT.replace(year=2027)), "authentication", CA, "not-yet-valid"),
        (load("signature"), "signature", [load("signature-ca")], "wrong-key-usage"),
        (issued(extended=None), "authentication", CA, "wrong-key-usage"),
        (load("authentication"), "authentication", [], "no-anchor"),
        (load("authentication"), "authentication", [load("signature-ca")], "no-anchor"),
        (
            load("authentication"),
            "authentication",
            [build_ca(load_key("foreign-ca"), name=ca_name(AUTHENTICATION_UNIT))],
            "untrusted-issuer",
        ),
        (load("authentication-ca"), "authentication-ca", CA, "signer-is-ca"),
    ],
)
def test_a_certificate_that_may_not_log_in_is_refused(certificate, key_name, anchors, word):
    token = make_token(ORIGIN, NONCE, load_key(key_name), certificate, PROGRAM)
    error = refused(token, anchors=anchors)
    assert error.fault is TokenFault.CERTIFICATE
    assert word in error.reasons
    assert word in str(error)


def test_a_signature_by_another_key_or_scheme_is_refused(token):
    forged = make_token(ORIGIN, NONCE, load_key("foreign-ca"), load("authentication"), PROGRAM)
    assert refused(forged).fault is TokenFault.SIGNATURE
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key = load_key("authentication")
    message = login_message(ORIGIN, NONCE)
    for signature in (
        key.sign(message, pss, hashes.SHA256()),
        key.sign(message, padding.PKCS1v15(), hashes.SHA512()),
        key.sign(hashlib.sha256(message).digest(), padding.PKCS1v15(), hashes.SHA256()),
        token.signature[:-1],
        token.signature + b"\x00",
    ):
        assert refused(replace(token, signature=signature)).fault is TokenFault.SIGNATURE


def test_errors_do_not_repeat_what_was_sent(token):
    fields = json.loads(token.to_json()) | {"format": "web-eid:9 secret"}
    assert "secret" not in str(refused(json.dumps(fields)))
