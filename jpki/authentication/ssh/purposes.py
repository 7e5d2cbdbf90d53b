"""What the authentication key may sign for SSH: two forms, each of them read to its last octet.

A login of SSH (RFC 4252 section 7, and OpenSSH's PROTOCOL section 3) or a signature of SSHSIG
(OpenSSH's PROTOCOL.sshsig). A forwarded agent signs what another machine asks for, so everything
else is refused: the same key logs its holder in on the web, and a TLS or Web eID message that was
signed here would open a stranger's session there.
"""

from dataclasses import dataclass
from typing import Final

from jpki.authentication.ssh.keys import SignatureAlgorithm
from jpki.authentication.ssh.wire import MalformedError, Reader

SSH_MSG_USERAUTH_REQUEST: Final = 50
SERVICE: Final = b"ssh-connection"
PUBLICKEY: Final = b"publickey"
HOSTBOUND: Final = b"publickey-hostbound-v00@openssh.com"
SESSION_ID_LENGTHS: Final = frozenset({20, 32, 48, 64})
"""A session id is the hash of a key exchange: SHA-1 and the SHA-2 family. RFC 4253 7.2."""

SSHSIG_MAGIC: Final = b"SSHSIG"
SSHSIG_HASHES: Final = {b"sha256": 32, b"sha512": 64}
"""Name -> octets of the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login at a server."""

    user: str
    session_id: bytes
    host_key: bytes | None = None
    """The server's, where the request names it (hostbound): then it counts at that server only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSignature:
    """A signature of ``ssh-keygen -Y sign`` or git."""

    namespace: str
    """What it is good for: ``git``, ``file``, or a program's own word."""


Purpose = Login | FileSignature


def purpose_of(data: bytes, key_blob: bytes, algorithm: SignatureAlgorithm) -> Purpose:
    """Read what is to be signed -> what the signature would do.

    Args:
        data: the octets to be signed, all of them.
        key_blob: the key that shall sign.
        algorithm: how it shall sign.

    Raises:
        MalformedError: neither a login with this very key and algorithm nor an SSHSIG.
    """
    if data.startswith(SSHSIG_MAGIC):
        return _file_signature(data)
    return _login(data, key_blob, algorithm)


def is_ssh(data: bytes, key_blob: bytes, algorithm: SignatureAlgorithm) -> bool:
    """Whether this is something that the key may sign for SSH."""
    try:
        purpose_of(data, key_blob, algorithm)
    except MalformedError:
        return False
    return True


def _login(data: bytes, key_blob: bytes, algorithm: SignatureAlgorithm) -> Login:
    reader = Reader(data)
    session_id = reader.string("session id")
    if len(session_id) not in SESSION_ID_LENGTHS:
        raise MalformedError("no hash has the length of this session id")
    _expect(reader.byte("message"), SSH_MSG_USERAUTH_REQUEST, "message")
    user = reader.text("user name")
    _expect(reader.string("service"), SERVICE, "service")
    method = reader.string("method")
    if method not in {PUBLICKEY, HOSTBOUND}:
        raise MalformedError("another method than publickey")
    _expect(reader.boolean("has signature"), True, "has signature")  # noqa: FBT003  # a value
    _expect(reader.string("algorithm"), algorithm.value.encode("ascii"), "algorithm")
    _expect(reader.string("public key"), key_blob, "public key")
    host_key = None
    if method == HOSTBOUND:
        host_key = reader.string("host key")
        Reader(host_key).text("kind of the host key")
    reader.end("the login")
    return Login(user=user, session_id=session_id, host_key=host_key)


def _file_signature(data: bytes) -> FileSignature:
    reader = Reader(data)
    reader.octets(len(SSHSIG_MAGIC), "magic")
    namespace = reader.text("namespace")
    _expect(reader.string("reserved"), b"", "reserved")
    length = SSHSIG_HASHES.get(reader.string("hash"))
    if length is None:
        raise MalformedError("another hash than sha256 or sha512")
    if len(reader.string("digest")) != length:
        raise MalformedError("the digest does not have the length of its hash")
    reader.end("the signature")
    return FileSignature(namespace=namespace)


def _expect(value: object, wanted: object, what: str) -> None:
    if value != wanted:
        raise MalformedError(f"another {what} than there must be")
