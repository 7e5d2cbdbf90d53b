"""JWS: made, verified, and every forgery beside the control that passes."""

import base64
import hashlib
import hmac
import io
import json
import tracemalloc
from dataclasses import replace
from datetime import datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.cms import DOCUMENT
from support.keys import CountingKey
from support.pki import AT, LEAF_FROM, LEAF_UNTIL, SIGNATURE_LEAF, load, load_key

from jpki.certificates import AnchorOrigin
from jpki.formats import DocumentFormat, detect_format
from jpki.signing.jws import sign_jws
from jpki.verification import Coverage, Level, Reason, SignatureReport, Verdict, VerificationReport
from jpki.verification.jws import verify_jws
from jpki.verification.jws_parts import MAX_HEADER

CA = [load("signature-ca")]
DER = load("signature").public_bytes(Encoding.DER)
X5C = [base64.b64encode(DER).decode()]
HASHES = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}


def encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


THUMBPRINT = encode(hashlib.sha256(DER).digest()).decode()
HEADER: dict[str, object] = {
    "alg": "RS256",
    "iat": int(AT.timestamp()),
    "x5c": X5C,
    "x5t#S256": THUMBPRINT,
}


def forge(
    header: dict[str, object] | bytes,
    payload: bytes = DOCUMENT,
    *,
    key: str = "signature",
    shown: bytes | None = None,
) -> bytes:
    """Sign whatever header by RFC 7515 5.1, with the algorithm that the header names or RS256."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    named = {} if isinstance(header, bytes) else header
    plain = named.get("b64") is False
    body = payload if plain else encode(payload)
    signed = encode(text) + b"." + body
    algorithm = HASHES.get(str(named.get("alg")), hashes.SHA256())
    signature = load_key(key).sign(signed, padding.PKCS1v15(), algorithm)
    return b".".join([encode(text), body if shown is None else shown, encode(signature)])


def verify(data: bytes, content=None, anchors=CA, at=AT, now=None) -> VerificationReport:
    stream = None if content is None else io.BytesIO(content)
    return verify_jws(data, stream, anchors, at, now=now)


def only(report: VerificationReport) -> SignatureReport:
    assert report.reasons == ()
    (signature,) = report.signatures
    return signature


def reasons_of(report: VerificationReport) -> list[Reason]:
    found = [*report.reasons, *(reason for each in report.signatures for reason in each.reasons)]
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


def extracted(report: SignatureReport) -> bytes | None:
    if report.write_covered is None:
        return None
    output = io.BytesIO()
    report.write_covered(output)
    return output.getvalue()


# --- made ---------------------------------------------------------------------------------------


def sign(payload: bytes = DOCUMENT, **named: object) -> bytes:
    arguments: dict = {"signing_time": AT, **named}
    return sign_jws(payload, load_key("signature"), load("signature"), **arguments)


@pytest.mark.parametrize("detached", [False, True])
def test_what_is_signed_verifies_with_one_use_of_the_key(detached):
    key = CountingKey(load_key("signature"))
    signature = sign_jws(DOCUMENT, key, load("signature"), signing_time=AT, detached=detached)
    assert len(key.signed) == 1
    report = only(verify(signature, DOCUMENT if detached else None))
    assert report.verdict is Verdict.PASSED
    assert report.level is Level.JWS
    assert report.covers is Coverage.WHOLE
    assert report.signing_time == AT
    assert report.anchor is AnchorOrigin.TEST
    assert report.signer.holder.name == "見本　太郎"
    assert extracted(report) == (None if detached else DOCUMENT)
    assert detect_format(signature[:4096]) is DocumentFormat.JWS


def test_the_header_has_what_jades_wants_and_nothing_that_a_stranger_could_use():
    header = json.loads(base64.urlsafe_b64decode(sign().split(b".")[0] + b"=="))
    assert header == HEADER
    header = json.loads(base64.urlsafe_b64decode(sign(detached=True).split(b".")[0] + b"=="))
    assert header == {**HEADER, "b64": False, "crit": ["b64"]}


def test_the_ca_stands_after_the_signer():
    signature = sign(extra_certificates=[load("signature"), load("signature-ca")])
    header = json.loads(base64.urlsafe_b64decode(signature.split(b".")[0] + b"=="))
    ca = base64.b64encode(load("signature-ca").public_bytes(Encoding.DER)).decode()
    assert header["x5c"] == [*X5C, ca]
    assert reasons_of(verify(signature)) == []


def test_a_ca_of_j_lis_is_an_anchor_where_the_header_holds_it(pinned_signature_ca):
    card = replace(SIGNATURE_LEAF, policy="1.2.392.200149.8.5.1.1.20").build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    for extra, reasons in (((load("signature-ca"),), []), ((), [Reason.NO_ANCHOR])):
        signature = sign_jws(
            DOCUMENT, load_key("signature"), card, signing_time=AT, extra_certificates=extra
        )
        assert reasons_of(verify(signature, anchors=[])) == reasons


@pytest.mark.parametrize("payload", [b"", b"\x00\xff" * 1000, "日本語".encode(), b"a.b.c", b"{}"])
def test_any_document_can_be_signed_both_ways(payload):
    assert reasons_of(verify(sign(payload))) == []
    assert extracted(only(verify(sign(payload)))) == payload
    assert reasons_of(verify(sign(payload, detached=True), payload)) == []
    assert reasons_of(verify(sign(payload), payload)) == []


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        sign(b"", signing_time=datetime(2026, 6, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        verify(sign(), at=datetime(2026, 6, 1))  # noqa: DTZ001


# --- the controls -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        {**HEADER, "alg": "RS384"},
        {**HEADER, "alg": "RS512"},
        {**HEADER, "typ": "JOSE", "cty": "text/plain", "unknown": [1, {"a": None}]},
        {"alg": "RS256", "x5c": X5C},
        {**HEADER, "x5t": encode(hashlib.sha1(DER).digest()).decode()},  # noqa: S324
        {**HEADER, "b64": True},
        {**HEADER, "b64": True, "crit": ["b64"]},
        {"alg": "RS256", "x5c": X5C, "sigT": "2026-06-01T03:00:00Z", "crit": ["sigT"]},
        {**HEADER, "iat": AT.timestamp() + 0.5},
    ],
    ids=range(10),
)
def test_other_sound_headers_pass(header):
    report = verify(forge(header))
    assert reasons_of(report) == []


def test_white_space_around_it_is_passed_over():
    assert reasons_of(verify(b"\r\n " + sign() + b"\n")) == []


def test_pyjwt_and_we_read_the_same():
    from jwt.api_jws import PyJWS

    key = load("signature").public_key()
    assert PyJWS().decode(sign().decode(), key, algorithms=["RS256"]) == DOCUMENT
    detached = PyJWS().decode(
        sign(detached=True).decode(), key, algorithms=["RS256"], detached_payload=DOCUMENT
    )
    assert detached == DOCUMENT
    theirs = jwt.api_jws.encode(
        DOCUMENT, load_key("signature"), algorithm="RS512", headers={"x5c": X5C}
    )
    assert reasons_of(verify(theirs.encode())) == []


def test_a_detached_one_without_b64_is_hashed_in_base64_however_it_is_read():
    payload = bytes(range(256)) * 5000

    class Crumbs(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(7919, size) if size > 0 else size)

    data = forge(HEADER, payload, shown=b"")
    assert reasons_of(verify_jws(data, io.BytesIO(payload), CA, AT)) == []
    assert reasons_of(verify_jws(data, Crumbs(payload), CA, AT)) == []
    assert reasons_of(verify(data, payload[:-1])) == [Reason.SIGNATURE_INVALID]


# --- the algorithm ------------------------------------------------------------------------------


def hmac_forged(secret: bytes, algorithm: str = "HS256") -> bytes:
    signed = encode(json.dumps({**HEADER, "alg": algorithm}).encode()) + b"." + encode(DOCUMENT)
    return signed + b"." + encode(hmac.new(secret, signed, "sha256").digest())


def public_key(encoding: Encoding) -> bytes:
    form = PublicFormat.PKCS1 if encoding is Encoding.DER else PublicFormat.SubjectPublicKeyInfo
    return load("signature").public_key().public_bytes(encoding, form)


@pytest.mark.parametrize(
    "data",
    [
        forge({**HEADER, "alg": "none"}),
        b".".join([*forge({**HEADER, "alg": "none"}).split(b".")[:2], b""]),
        b".".join([*forge({**HEADER, "alg": "NONE"}).split(b".")[:2], b""]),
        hmac_forged(public_key(Encoding.PEM)),
        hmac_forged(public_key(Encoding.DER)),
        hmac_forged(load("signature").public_bytes(Encoding.PEM)),
        hmac_forged(b""),
        forge({**HEADER, "alg": "HS256"}),
        forge({**HEADER, "alg": "PS256"}),
        forge({**HEADER, "alg": "ES256"}),
        forge({**HEADER, "alg": "rs256"}),
        forge({**HEADER, "alg": ""}),
        forge({"x5c": X5C}),
    ],
    ids=range(13),
)
def test_an_algorithm_that_is_not_ours_fails(data):
    assert reasons_of(verify(data)) == [Reason.UNSUPPORTED_ALGORITHM]


def test_sha_1_is_weak():
    assert reasons_of(verify(forge({**HEADER, "alg": "RS1"}))) == [Reason.WEAK_ALGORITHM]


def test_a_signature_by_another_hash_than_named_fails():
    parts = forge({**HEADER, "alg": "RS512"}).split(b".")
    parts[0] = forge(HEADER).split(b".")[0]
    assert reasons_of(verify(b".".join(parts))) == [Reason.SIGNATURE_INVALID]


def test_a_key_that_is_not_rsa_is_not_supported():
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = SIGNATURE_LEAF.build(key.public_key(), load_key("signature-ca"))
    header = {
        "alg": "RS256",
        "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()],
    }
    assert Reason.UNSUPPORTED_ALGORITHM in reasons_of(verify(forge(header)))


# --- the certificate ----------------------------------------------------------------------------


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in HEADER.items() if name not in names}


def x5c_of(*names: str) -> list[str]:
    return [base64.b64encode(load(name).public_bytes(Encoding.DER)).decode() for name in names]


def test_without_a_certificate_it_fails_whatever_else_names_one():
    for more in (
        {},
        {"kid": "signature"},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/certificate"},
        {"jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(load_key("signature").public_key()))},
    ):
        report = verify(forge({**without("x5c"), **more}))
        assert reasons_of(report) == [Reason.SIGNER_CERTIFICATE_MISSING]


def test_addresses_in_the_header_are_not_asked(monkeypatch):
    import socket

    def refuse(*_arguments: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    header = {**HEADER, "jku": "http://127.0.0.1:1/", "x5u": "https://example.invalid/"}
    assert reasons_of(verify(forge(header))) == []


def test_a_key_in_the_header_is_not_the_signers():
    foreign = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(load_key("foreign-ca").public_key()))
    header = {**HEADER, "jwk": foreign}
    assert reasons_of(verify(forge(header, key="foreign-ca"))) == [Reason.SIGNATURE_INVALID]
    assert reasons_of(verify(forge(header))) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"x5t#S256": encode(bytes(32)).decode()}, Reason.SIGNER_CERTIFICATE_MISMATCH),
        ({"x5t#S256": ""}, Reason.SIGNER_CERTIFICATE_MISMATCH),
        ({"x5t#S256": encode(b"short").decode()}, Reason.SIGNER_CERTIFICATE_MISMATCH),
        ({"x5t": encode(bytes(20)).decode()}, Reason.SIGNER_CERTIFICATE_MISMATCH),
        ({"x5c": [base64.b64encode(DER[:-1]).decode()]}, Reason.CERTIFICATE_MALFORMED),
        ({"x5c": [base64.b64encode(b"no certificate").decode()]}, Reason.CERTIFICATE_MALFORMED),
    ],
)
def test_a_certificate_that_is_not_the_one_meant_fails(change, reason):
    assert reason in reasons_of(verify(forge({**HEADER, **change})))


def test_only_the_first_certificate_is_the_signers():
    header = {**without("x5t#S256"), "x5c": x5c_of("authentication", "signature")}
    assert Reason.SIGNATURE_INVALID in reasons_of(verify(forge(header)))


def test_garbage_after_the_first_certificate_does_not_hide_it():
    header = {**HEADER, "x5c": [*X5C, base64.b64encode(b"\x30\x00").decode()]}
    assert reasons_of(verify(forge(header))) == []


@pytest.mark.parametrize(
    ("name", "key", "ca", "expected"),
    [
        ("signature-expired", "signature", "signature-ca", Reason.EXPIRED),
        ("signature-wrong-usage", "signature", "signature-ca", Reason.WRONG_KEY_USAGE),
        ("authentication", "authentication", "authentication-ca", Reason.WRONG_KEY_USAGE),
        ("signature-foreign", "signature", "signature-ca", Reason.UNTRUSTED_ISSUER),
        ("signature-ca", "signature-ca", "signature-ca", Reason.SIGNER_IS_CA),
        ("signature", "foreign-ca", "signature-ca", Reason.SIGNATURE_INVALID),
    ],
)
def test_a_signer_that_may_not_sign_fails(name, key, ca, expected):
    header = {**without("x5t#S256"), "x5c": x5c_of(name)}
    assert expected in reasons_of(verify(forge(header, key=key), anchors=[load(ca)]))


def test_a_root_in_the_header_is_not_trusted():
    header = {**without("x5t#S256"), "x5c": x5c_of("signature-foreign", "foreign-ca")}
    assert reasons_of(verify(forge(header), anchors=[])) == [Reason.NO_ANCHOR]
    assert reasons_of(verify(forge(header))) == [Reason.UNTRUSTED_ISSUER]


# --- what is critical ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64", "exp"], "b64": True, "exp": 1},
        {"crit": ["sigD"], "sigD": {}},
        {"crit": ["http://example.invalid/x"], "http://example.invalid/x": True},
    ],
)
def test_what_must_be_understood_and_is_not_fails(change):
    report = verify(forge({**HEADER, **change}))
    assert reasons_of(report) == [Reason.UNKNOWN_CRITICAL_HEADER]


@pytest.mark.parametrize(
    "change",
    [
        {"crit": []},
        {"crit": "b64", "b64": True},
        {"crit": ["b64"]},
        {"crit": ["b64", "b64"], "b64": True},
        {"crit": [1]},
        {"crit": None},
        {"crit": ["alg"]},
        {"crit": ["x5c"]},
        {"b64": False},
        {"b64": 0, "crit": ["b64"]},
        {"b64": None, "crit": ["b64"]},
        {"b64": "false", "crit": ["b64"]},
        {"b64": False, "crit": ["sigT"], "sigT": "2026-06-01T03:00:00Z"},
    ],
    ids=str,
)
def test_a_list_of_critical_names_that_cannot_be_is_malformed(change):
    assert reasons_of(verify(forge({**HEADER, **change}), DOCUMENT)) == [Reason.MALFORMED]


# --- the form -----------------------------------------------------------------------------------

GOOD = forge(HEADER)
PROTECTED, BODY, VALUE = GOOD.split(b".")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"..",
        b"...",
        b"a.b",
        PROTECTED + b"." + BODY,
        GOOD + b".",
        GOOD + b".AA",
        GOOD + b"\x00",
        GOOD.replace(b".", b". ", 1),
        b"." + BODY + b"." + VALUE,
        b"\xff" * 100,
        b".".join([PROTECTED + b"=", BODY, VALUE]),
        b".".join([PROTECTED, BODY + b"=", VALUE]),
        b".".join([PROTECTED, BODY, VALUE + b"="]),
        b".".join([PROTECTED, BODY[:-1] + b"+", VALUE]),
        b".".join([PROTECTED, BODY[:5] + b"\n" + BODY[5:], VALUE]),
        b".".join([PROTECTED, b"A", VALUE]),
        b".".join([PROTECTED, b"QR", VALUE]),  # bits that no encoder sets: QQ
        b".".join([encode(b"x" * MAX_HEADER), BODY, VALUE]),
        b".".join([PROTECTED, BODY, VALUE * 20]),
        json.dumps({"payload": "", "protected": PROTECTED.decode(), "signature": ""}).encode(),
    ],
    ids=range(22),
)
def test_what_is_no_compact_jws_is_malformed(data):
    assert reasons_of(verify(data)) == [Reason.MALFORMED]


USUAL = json.dumps(HEADER).encode()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"null",
        b'"RS256"',
        USUAL[:-1],
        USUAL + b"x",
        b'{"alg":"none",' + USUAL[1:],
        USUAL[:-1] + b',"alg":"none"}',
        USUAL[:-1] + b',"x5c":[]}',
        USUAL[:-1] + b',"a":{"b":1,"b":2}}',
        USUAL[:-1] + b',"a":NaN}',
        USUAL[:-1] + b',"a":' + b"9" * 5000 + b"}",
        USUAL[:-1] + b',"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        USUAL[:-1] + b',"a":"\xff"}',
        USUAL.replace(b'"RS256"', b'["RS256"]'),
        USUAL.replace(b'"RS256"', b"null"),
        USUAL.replace(b'["MII', b'"MII').replace(b'"]', b'"'),
        json.dumps({**HEADER, "x5c": []}).encode(),
        json.dumps({**HEADER, "x5c": [1]}).encode(),
        json.dumps({**HEADER, "x5c": X5C * 9}).encode(),
        json.dumps({**HEADER, "x5c": [X5C[0] + "\n"]}).encode(),
        json.dumps({**HEADER, "x5c": [X5C[0].replace("/", "_", 1)]}).encode(),
        json.dumps({**HEADER, "x5t#S256": 1}).encode(),
        json.dumps({**HEADER, "x5t#S256": THUMBPRINT + "="}).encode(),
        json.dumps({**HEADER, "x5t#S256": "あ"}).encode(),
        json.dumps({**HEADER, "iat": "2026"}).encode(),
        json.dumps({**HEADER, "iat": True}).encode(),
        json.dumps({**HEADER, "iat": None}).encode(),
        json.dumps({**HEADER, "iat": 10**30}).encode(),
        json.dumps({**without("iat"), "sigT": "2026-06-01"}).encode(),
        "\ufeff".encode() + USUAL,
        USUAL.decode().encode("utf-16"),
    ],
    ids=range(32),
)
def test_a_header_that_two_readers_could_read_differently_is_malformed(header):
    assert reasons_of(verify(forge(header))) == [Reason.MALFORMED]


def test_every_byte_of_it_counts():
    for place in range(len(GOOD)):
        damaged = bytearray(GOOD)
        damaged[place] ^= 0x01
        assert verify(bytes(damaged)).verdict is Verdict.FAILED, place


# --- the document -------------------------------------------------------------------------------


def test_another_document_fails():
    other = b".".join([PROTECTED, encode(b"another"), VALUE])
    assert reasons_of(verify(other)) == [Reason.SIGNATURE_INVALID]
    detached = sign(detached=True)
    assert reasons_of(verify(detached, b"another")) == [Reason.SIGNATURE_INVALID]
    assert reasons_of(verify(detached, b"")) == [Reason.SIGNATURE_INVALID]


def test_a_detached_one_without_its_document_says_so():
    for data in (sign(detached=True), forge(HEADER, shown=b"")):
        assert reasons_of(verify(data)) == [Reason.CONTENT_MISSING]


@pytest.mark.parametrize("content", [b"another", DOCUMENT + b"x", DOCUMENT[:-1], b""])
def test_the_document_inside_and_the_one_given_must_agree(content):
    assert reasons_of(verify(sign(), content)) == [Reason.CONTENT_CONFLICT]


def test_a_payload_taken_in_the_other_encoding_is_another_one():
    text = b"aGVsbG8"  # base64url of "hello"
    plain = forge({**HEADER, "b64": False, "crit": ["b64"]}, text)
    assert extracted(only(verify(plain))) == text
    assert reasons_of(verify(plain)) == []
    coded = forge(HEADER, b"hello")
    assert coded.split(b".")[1] == text
    assert extracted(only(verify(coded))) == b"hello"
    mixed = b".".join([coded.split(b".")[0], text, plain.split(b".")[2]])
    assert reasons_of(verify(mixed)) == [Reason.SIGNATURE_INVALID]


# --- time, size ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "reasons"),
    [
        (LEAF_FROM, []),
        (LEAF_FROM - timedelta(seconds=1), [Reason.SIGNING_TIME_INVALID]),
        (LEAF_UNTIL + timedelta(seconds=1), [Reason.SIGNING_TIME_INVALID]),
    ],
)
def test_a_claimed_time_outside_the_certificates_validity_is_refused(claimed, reasons):
    data = forge({**HEADER, "iat": int(claimed.timestamp())})
    assert reasons_of(verify(data, now=LEAF_UNTIL)) == reasons


def test_a_signature_from_the_future_is_not_believed():
    late = forge({**HEADER, "iat": int(AT.timestamp()) + 400})
    assert reasons_of(verify(late)) == [Reason.SIGNING_TIME_IN_FUTURE]


def test_a_large_document_beside_it_is_read_in_little_memory():
    payload = bytes(32 << 20)
    for signature in (sign(payload, detached=True), forge(HEADER, payload, shown=b"")):
        stream = io.BytesIO(payload)
        tracemalloc.start()
        try:
            report = verify_jws(signature, stream, CA, AT)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert report.verdict is Verdict.PASSED
        assert peak < 8 << 20


def test_a_huge_header_is_refused_before_it_is_read():
    huge = encode(b'{"a":"' + b"x" * (64 << 20) + b'"}') + b"..AA"
    tracemalloc.start()
    try:
        assert reasons_of(verify(huge)) == [Reason.MALFORMED]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_what_a_report_prints_does_not_name_the_holder():
    assert "見本" not in repr(verify(sign()))
