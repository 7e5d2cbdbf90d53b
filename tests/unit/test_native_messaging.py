"""The wire of native messaging: frames of any length and content, commands of any shape."""

import base64
import io
import json
import struct
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from apdu.transports.loopback import LoopbackTransport
from jpki.authentication.errors import NativeMessageError, NativeMessageFault, TokenError
from jpki.authentication.native_messaging import (
    MAX_ANSWER,
    MAX_REQUEST,
    ErrorCode,
    encode_message,
    error_answer,
    hello,
    read_message,
)
from jpki.authentication.native_messaging_commands import (
    Authenticate,
    GetSigningCertificate,
    Quit,
    Sign,
    parse_command,
)
from jpki.card import MyNumberCard
from jpki.emulator import VirtualCard
from jpki.files import CertificateName
from jpki.signing.digest import HashAlgorithm

ORIGIN = "https://login.example.jp"
NONCE = "bm9uY2Ugb2YgYSB0ZXN0LCA0NCBjaGFyYWN0ZXJzISE="
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner),
    max_leaves=10,
)


def framed(content: bytes) -> bytes:
    return struct.pack("=I", len(content)) + content


def command(name: str, **arguments: object) -> bytes:
    return json.dumps({"command": name, "arguments": arguments}).encode()


@pytest.fixture
def certificate(issued_image_card: VirtualCard) -> bytes:
    """A certificate in DER."""
    with (
        MyNumberCard(LoopbackTransport(issued_image_card)) as card,
        card.transaction() as application,
    ):
        found = application.read_certificate(CertificateName.AUTHENTICATION)
        return found.public_bytes(Encoding.DER)


# frames


@given(content=st.binary(max_size=300), more=st.binary(max_size=10))
def test_a_frame_is_read_as_it_was_written_and_no_byte_more(content: bytes, more: bytes) -> None:
    stream = io.BytesIO(framed(content) + more)
    assert read_message(stream) == content
    assert stream.read() == more


@given(content=st.binary(max_size=60), data=st.data())
def test_a_frame_cut_short_is_the_end_of_input(content: bytes, data: st.DataObject) -> None:
    whole = framed(content)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert read_message(io.BytesIO(whole[:cut])) is None


@given(length=st.integers(MAX_REQUEST + 1, 0xFFFFFFFF))
def test_a_length_beyond_the_bound_is_refused_and_nothing_is_read(length: int) -> None:
    stream = io.BytesIO(struct.pack("=I", length) + b"rest")
    with pytest.raises(NativeMessageError) as refused:
        read_message(stream)
    assert refused.value.fault is NativeMessageFault.TOO_LARGE
    assert stream.read() == b"rest"


def test_the_longest_request_is_read() -> None:
    assert read_message(io.BytesIO(framed(b"x" * MAX_REQUEST))) == b"x" * MAX_REQUEST


@given(message=st.dictionaries(st.text(max_size=20), JSON))
def test_what_is_encoded_is_ascii_json_with_its_length(message: dict[str, Any]) -> None:
    encoded = encode_message(message)
    content = read_message(io.BytesIO(encoded))
    assert content is not None
    assert content.isascii()
    assert json.loads(content) == message


def test_an_answer_beyond_the_browsers_limit_is_a_bug() -> None:
    with pytest.raises(ValueError, match="1 MiB"):
        encode_message({"x": "x" * MAX_ANSWER})


def test_the_version_is_a_semantic_one_of_the_protocols_major_number() -> None:
    major, minor, patch = map(int, hello()["version"].split("."))
    assert major == 2
    assert (minor, patch) >= (0, 0)


def test_an_error_carries_its_code_and_its_message() -> None:
    answer = error_answer(ErrorCode.USER_CANCELLED, "取り消し")
    assert answer == {"error": {"code": "ERR_WEBEID_USER_CANCELLED", "message": "取り消し"}}


# commands


def test_each_command_becomes_its_value(certificate: bytes) -> None:
    assert parse_command(command("quit")) == Quit()
    assert parse_command(
        command("authenticate", origin=ORIGIN, challengeNonce=NONCE, lang="ja")
    ) == Authenticate(origin=ORIGIN, nonce=NONCE, language="ja")
    assert parse_command(command("get-signing-certificate", origin=ORIGIN)) == (
        GetSigningCertificate(origin=ORIGIN)
    )
    sign = parse_command(
        command(
            "sign",
            origin=ORIGIN,
            hash=base64.b64encode(bytes(48)).decode(),
            hashFunction="SHA-384",
            certificate=base64.b64encode(certificate).decode(),
        )
    )
    assert isinstance(sign, Sign)
    assert sign.digest == bytes(48)
    assert sign.hash_algorithm is HashAlgorithm.SHA384
    assert sign.certificate.public_bytes(Encoding.DER) == certificate


def test_keys_of_later_extensions_are_passed_over() -> None:
    content = json.dumps(
        {
            "command": "get-signing-certificate",
            "arguments": {"origin": ORIGIN, "theme": "dark"},
            "extensionVersion": "9.0.0",
        }
    ).encode()
    assert parse_command(content) == GetSigningCertificate(origin=ORIGIN)


@pytest.mark.parametrize(
    "content",
    [
        b'{"command": "quit", "command": "quit", "arguments": {}}',
        b'{"command": "quit", "arguments": {}, "arguments": {}}',
        b'{"command": "authenticate", "arguments": {"origin": "https://a.jp", "origin": "https://b.jp"}}',
    ],
)
def test_a_key_that_stands_twice_is_refused(content: bytes) -> None:
    with pytest.raises(NativeMessageError) as refused:
        parse_command(content)
    assert refused.value.fault is NativeMessageFault.MALFORMED


CERTIFICATE = base64.b64encode(bytes.fromhex("3003020101")).decode()
SIGN = {
    "origin": ORIGIN,
    "hash": base64.b64encode(bytes(32)).decode(),
    "hashFunction": "SHA-256",
    "certificate": CERTIFICATE,
}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "malformed"),
        (b"\xff", "malformed"),
        (b"[]", "malformed"),
        (b"{}", "malformed"),
        (b'{"command": "quit"}', "malformed"),
        (b'{"command": "quit", "arguments": []}', "malformed"),
        (b'{"command": ["quit"], "arguments": {}}', "malformed"),
        (command("status"), "command"),
        (command("Authenticate", origin=ORIGIN, challengeNonce=NONCE), "command"),
        (command("authenticate", origin=ORIGIN), "malformed"),
        (command("authenticate", origin=ORIGIN, challengeNonce=7), "malformed"),
        (command("authenticate", challengeNonce=NONCE), "malformed"),
        (command("authenticate", origin=ORIGIN, challengeNonce="short"), "nonce"),
        (command("authenticate", origin=ORIGIN, challengeNonce=NONCE, lang=7), "malformed"),
        (command("authenticate", origin=ORIGIN, challengeNonce=NONCE, lang="x" * 36), "malformed"),
        (command("get-signing-certificate"), "malformed"),
        (command("get-signing-certificate", origin="http://localhost"), "origin"),
        (command("sign", **SIGN | {"origin": "http://a.jp"}), "origin"),
        (command("sign", **SIGN | {"hash": "AAAA"}), "hash"),
        (command("sign", **SIGN | {"hash": "not base64"}), "malformed"),
        (command("sign", **SIGN | {"hash": SIGN["hash"].rstrip("=")}), "malformed"),
        (command("sign", **SIGN | {"hashFunction": "SHA-512"}), "hash"),
        (command("sign", **SIGN | {"hashFunction": "SHA-1"}), "hash-function"),
        (command("sign", **SIGN | {"hashFunction": "SHA-224"}), "hash-function"),
        (command("sign", **SIGN | {"hashFunction": "SHA3-256"}), "hash-function"),
        (command("sign", **SIGN | {"hashFunction": "sha-256"}), "hash-function"),
        (command("sign", **SIGN), "certificate"),
        (command("sign", **SIGN | {"certificate": ""}), "malformed"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(content: bytes, fault: str) -> None:
    with pytest.raises((NativeMessageError, TokenError)) as refused:
        parse_command(content)
    error = refused.value
    assert isinstance(error, NativeMessageError | TokenError)
    assert error.fault.value == fault


@given(content=st.binary(max_size=200))
def test_bytes_are_a_command_or_refused(content: bytes) -> None:
    parsed_or_refused(content)


@given(
    name=st.sampled_from(["authenticate", "get-signing-certificate", "sign", "quit"]) | st.text(),
    arguments=st.dictionaries(
        st.sampled_from(["origin", "challengeNonce", "lang", "hash", "hashFunction", "certificate"])
        | st.text(max_size=5),
        st.sampled_from([ORIGIN, NONCE, "SHA-256", "AAAA", "null"]) | JSON,
    ),
)
def test_commands_of_any_shape_are_parsed_or_refused(
    name: str, arguments: dict[str, object]
) -> None:
    parsed_or_refused(json.dumps({"command": name, "arguments": arguments}).encode())


@given(cut=st.integers(0, 200))
def test_a_truncated_command_is_refused(cut: int) -> None:
    whole = command("authenticate", origin=ORIGIN, challengeNonce=NONCE)
    with pytest.raises(NativeMessageError):
        parse_command(whole[: min(cut, len(whole) - 1)])


def test_a_deep_nest_is_refused() -> None:
    with pytest.raises(NativeMessageError):
        parse_command(b"[" * MAX_REQUEST)


def parsed_or_refused(content: bytes) -> None:
    try:
        parsed = parse_command(content)
    except (NativeMessageError, TokenError):
        return
    if not isinstance(parsed, Quit):
        assert parsed.origin.startswith("https://")
