"""What the authentication key signs for SSH: logins and SSHSIG, read to the last octet."""

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from hypothesis import given
from hypothesis import strategies as st
from support.cards import PIN
from support.ssh import login_data, sshsig_data

from jpki.application import JpkiApplication
from jpki.authentication import login_message
from jpki.authentication.ssh import (
    FileSignature,
    Login,
    MalformedError,
    SignatureAlgorithm,
    fingerprint,
    is_ssh,
    key_blob,
    make_signature,
    public_key_of,
    public_line,
    purpose_of,
)
from jpki.authentication.ssh.wire import Reader, string, uint32
from jpki.emulator import VirtualCard
from jpki.errors import KeyPurposeError
from jpki.files import CertificateName
from jpki.pins import Pin, PinKind

KEY = string(b"ssh-rsa") + string(b"\x01\x00\x01") + string(b"\x00" + b"\xcc" * 256)
OTHER_KEY = string(b"ssh-rsa") + string(b"\x01\x00\x01") + string(b"\x00" + b"\xdd" * 256)
HOST_KEY = string(b"ssh-ed25519") + string(b"h" * 32)
SHA2_512, SHA2_256 = SignatureAlgorithm.RSA_SHA2_512, SignatureAlgorithm.RSA_SHA2_256
LOGIN = login_data(KEY)
BOUND = login_data(KEY, host_key=HOST_KEY)
SSHSIG = sshsig_data()
GOOD = (LOGIN, BOUND, SSHSIG)


def signs(data: bytes, algorithm: SignatureAlgorithm = SHA2_512) -> bool:
    return is_ssh(data, KEY, algorithm)


def test_a_login_is_understood() -> None:
    assert purpose_of(LOGIN, KEY, SHA2_512) == Login(user="taro", session_id=b"s" * 32)
    assert purpose_of(BOUND, KEY, SHA2_512) == Login(
        user="taro", session_id=b"s" * 32, host_key=HOST_KEY
    )


def test_an_ssh_signature_is_understood() -> None:
    assert purpose_of(SSHSIG, KEY, SHA2_512) == FileSignature(namespace="file")
    short = sshsig_data(namespace=b"git", hash_name=b"sha256", digest=b"d" * 32)
    assert purpose_of(short, KEY, SHA2_256) == FileSignature(namespace="git")


@pytest.mark.parametrize("length", [20, 32, 48, 64])
def test_a_session_id_is_a_hash(length: int) -> None:
    assert signs(login_data(KEY, session_id=b"s" * length))


@pytest.mark.parametrize("length", [0, 1, 16, 19, 21, 33, 63, 65, 128])
def test_no_hash_has_another_length(length: int) -> None:
    assert not signs(login_data(KEY, session_id=b"s" * length))


def certificate_verify(context: bytes) -> bytes:
    """RFC 8446 4.4.3: 64 spaces, the context, a zero, the hash of the transcript."""
    return b" " * 64 + context + b"\0" + hashlib.sha256(b"transcript").digest()


def signed_attributes() -> bytes:
    """RFC 5652 5.4, what a CMS signer signs: SET OF content-type and message-digest."""
    content_type = "301806092a864886f70d010903310b06092a864886f70d010701"
    message_digest = "302f06092a864886f70d01090431220420" + "dd" * 32
    return bytes.fromhex("314b" + content_type + message_digest)


def tbs_certificate() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mallory")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    certificate = (
        x509.CertificateBuilder(name, name, request.public_key(), 1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    return certificate.tbs_certificate_bytes


HANDSHAKE_1_2 = b"\x01\x00\x00\x2e\x03\x03" + bytes(32) + b"\x00\x00\x04\xc0\x2f\x00\xff\x01\x00"
STRANGE = {
    "nothing": b"",
    "64 octets": bytes(64),
    "64 octets of a digest": hashlib.sha512(b"x").digest(),
    "a web login": login_message("https://example.jp", "A" * 44),
    "a TLS 1.3 client": certificate_verify(b"TLS 1.3, client CertificateVerify"),
    "a TLS 1.3 server": certificate_verify(b"TLS 1.3, server CertificateVerify"),
    "the messages of a TLS 1.2 handshake": HANDSHAKE_1_2 * 20,
    "a digest of MD5 and SHA-1, as TLS 1.1 signs": bytes(36),
    "CMS attributes": signed_attributes(),
    "a certificate": tbs_certificate(),
    "a JWS": b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0YXJvIn0",
    "a mail": b"Content-Type: text/plain\r\n\r\nI owe you 1,000,000 yen.\r\n",
    "a session id alone": string(b"s" * 32),
    "a login with another key": login_data(OTHER_KEY),
    "a login for another algorithm": login_data(KEY, algorithm=b"rsa-sha2-256"),
    "a login for SHA-1": login_data(KEY, algorithm=b"ssh-rsa"),
    "a login for nobody": login_data(KEY, user=b""),
    "a login of a user with a NUL": login_data(KEY, user=b"taro\0root"),
    "a login of a user in another encoding": login_data(KEY, user=b"\xe9\xff"),
    "a login of a user without end": login_data(KEY, user=b"a" * 10_000),
    "a login without a method": LOGIN.replace(string(b"publickey"), string(b"none")),
    "a login by host": LOGIN.replace(string(b"publickey"), string(b"hostbased")),
    "a login to another service": LOGIN.replace(b"ssh-connection", b"ssh-userauthXX"),
    "a query without signature": LOGIN.replace(b"publickey\1", b"publickey\0"),
    "a boolean of 2": LOGIN.replace(b"publickey\1", b"publickey\2"),
    "another message": LOGIN.replace(b"s\x32", b"s\x33", 1),
    "a bound login at a host without key": login_data(KEY, host_key=b""),
    "an SSHSIG without namespace": sshsig_data(namespace=b""),
    "an SSHSIG with SHA-1": sshsig_data(hash_name=b"sha1", digest=b"d" * 20),
    "an SSHSIG with a short digest": sshsig_data(digest=b"d" * 32),
    "an SSHSIG with something reserved": SSHSIG.replace(uint32(0), string(b"x"), 1),
    "an SSHSIG as it is stored": b"SSHSIG" + uint32(1) + string(KEY) + string(b"file"),
    "SSHSIG alone": b"SSHSIG",
    "an SSHSIG in small letters": b"sshsig" + SSHSIG[6:],
}  # fmt: skip


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("algorithm", [SHA2_256, SHA2_512])
def test_nothing_else_is_signed(data: bytes, algorithm: SignatureAlgorithm) -> None:
    if data == STRANGE["a login for another algorithm"]:
        algorithm = SHA2_512
    assert not signs(data, algorithm)


@pytest.mark.parametrize("name", [name for name in STRANGE if STRANGE[name]])
def test_what_is_strange_stands_neither_before_nor_behind_a_login(name: str) -> None:
    data = STRANGE[name]
    for good in GOOD:
        assert not signs(data + good)
        assert not signs(good + data)


@pytest.mark.parametrize("good", GOOD, ids=["login", "bound", "sshsig"])
def test_a_part_is_not_signed_and_neither_is_more(good: bytes) -> None:
    assert signs(good)
    assert not any(signs(good[:length]) for length in range(len(good)))
    assert not any(signs(good + more) for more in (b"\0", b"\n", string(b""), good))


@given(st.binary(max_size=400))
def test_noise_is_not_signed(noise: bytes) -> None:
    assert not signs(noise)
    assert not signs(b"SSHSIG" + noise)


@given(st.sampled_from(GOOD), st.data())
def test_whatever_is_signed_has_one_form(good: bytes, data: st.DataObject) -> None:
    """A changed login or signature is refused, or it is another one that is as plain."""
    at = data.draw(st.integers(0, len(good) - 1))
    cut = data.draw(st.integers(0, 3))
    changed = good[:at] + data.draw(st.binary(max_size=4)) + good[at + cut :]
    try:
        purpose = purpose_of(changed, KEY, SHA2_512)
    except MalformedError:
        return
    match purpose:
        case Login():
            again = login_data(
                KEY, user=purpose.user.encode(), session_id=purpose.session_id,
                host_key=purpose.host_key,
            )  # fmt: skip
            assert changed == again
        case FileSignature():
            assert changed.startswith(b"SSHSIG" + string(purpose.namespace.encode()))


@given(st.binary(max_size=64))
def test_a_reader_never_reads_beyond_the_end(data: bytes) -> None:
    reader = Reader(data)
    total = 0
    try:
        while True:
            total += 4 + len(reader.string("field"))
    except MalformedError:
        assert total <= len(data)


def test_the_card_itself_refuses_what_is_not_ssh(application: JpkiApplication) -> None:
    application.verify(Pin(PinKind.AUTHENTICATION, PIN))
    key = application.authentication_key(lambda data: is_ssh(data, blob, SHA2_512))
    blob = key_blob(key.public_key())
    for data in (*STRANGE.values(), LOGIN):  # the last one holds another key
        with pytest.raises(KeyPurposeError):
            make_signature(key, data, SHA2_512)
    good = login_data(blob)
    reader = Reader(make_signature(key, good, SHA2_512))
    assert reader.string("algorithm") == b"rsa-sha2-512"
    key.public_key().verify(reader.string("signature"), good, padding.PKCS1v15(), SHA512())
    reader.end("signature")


def test_the_certificate_that_was_read_is_not_read_again(
    virtual_card: VirtualCard, application: JpkiApplication
) -> None:
    certificate = application.read_certificate(CertificateName.AUTHENTICATION)
    before = virtual_card.exchange_count
    application.authentication_key(lambda _data: False, certificate=certificate)
    assert virtual_card.exchange_count == before


def test_line_and_fingerprint_are_those_of_ssh_keygen(
    application: JpkiApplication, tmp_path: Path
) -> None:
    key = public_key_of(application.read_certificate(CertificateName.AUTHENTICATION))
    path = tmp_path / "key.pub"
    path.write_text(public_line(key, "a comment") + "\n")
    shown = subprocess.check_output(["ssh-keygen", "-l", "-f", str(path)], text=True)
    assert shown == f"2048 {fingerprint(key_blob(key))} a comment (RSA)\n"
