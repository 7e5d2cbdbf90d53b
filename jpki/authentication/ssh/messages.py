"""The messages of the SSH agent protocol, RFC 9987 section 3, as an agent sees them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from jpki.authentication.ssh.keys import SignatureAlgorithm
from jpki.authentication.ssh.wire import Reader, string, uint32

MAX_MESSAGE: Final = 256 * 1024
"""Octets of a message without its length; OpenSSH has the same bound."""
SESSION_BIND: Final = b"session-bind@openssh.com"


class Number(IntEnum):
    """The message numbers that are used here. RFC 9987 section 6.1."""

    FAILURE = 5
    SUCCESS = 6
    REQUEST_IDENTITIES = 11
    IDENTITIES_ANSWER = 12
    SIGN_REQUEST = 13
    SIGN_RESPONSE = 14
    REMOVE_IDENTITY = 18
    REMOVE_ALL_IDENTITIES = 19
    LOCK = 22
    UNLOCK = 23
    EXTENSION = 27
    EXTENSION_FAILURE = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which keys are there?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """Sign this."""

    key_blob: bytes
    data: bytes
    algorithm: SignatureAlgorithm | None
    """None: the flags ask for something else, such as SHA-1 or two at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """Remove one key, or all."""

    key_blob: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """Lock the agent with a password, or unlock it."""

    unlock: bool
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindRequest:
    """OpenSSH's ``session-bind@openssh.com``: this connection serves that SSH session.

    PROTOCOL.agent of OpenSSH, section 1.
    """

    host_key: bytes
    session_id: bytes
    signature: bytes
    forwarding: bool
    """The requests that follow come from that host, not from this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRequest:
    """Something that this agent does not do: adding keys, smartcards, other extensions."""

    number: int


Request = ListRequest | SignRequest | ForgetRequest | LockRequest | BindRequest | OtherRequest


def parse_request(message: bytes) -> Request:
    """Understand a message, without its length.

    Raises:
        MalformedError: it is not what its number says.
    """
    reader = Reader(message)
    number = reader.byte("number")
    parse = _PARSERS.get(number)
    if parse is None:
        return OtherRequest(number=number)
    request = parse(reader)
    reader.end("the message")
    return request


def _list(_reader: Reader) -> Request:
    return ListRequest()


def _sign(reader: Reader) -> Request:
    key_blob, data = reader.string("key"), reader.string("data")
    flags = reader.uint32("flags")
    algorithm = next((known for known in SignatureAlgorithm if known.flag == flags), None)
    return SignRequest(key_blob=key_blob, data=data, algorithm=algorithm)


def _forget(reader: Reader) -> Request:
    return ForgetRequest(key_blob=reader.string("key"))


def _forget_all(_reader: Reader) -> Request:
    return ForgetRequest(key_blob=None)


def _lock(reader: Reader) -> Request:
    return LockRequest(unlock=False, password=reader.string("password"))


def _unlock(reader: Reader) -> Request:
    return LockRequest(unlock=True, password=reader.string("password"))


def _extension(reader: Reader) -> Request:
    if reader.string("name of the extension") != SESSION_BIND:
        reader.rest()
        return OtherRequest(number=Number.EXTENSION)
    return BindRequest(
        host_key=reader.string("host key"),
        session_id=reader.string("session id"),
        signature=reader.string("signature"),
        forwarding=reader.boolean("forwarding"),
    )


_PARSERS: Final[dict[int, Callable[[Reader], Request]]] = {
    Number.REQUEST_IDENTITIES: _list,
    Number.SIGN_REQUEST: _sign,
    Number.REMOVE_IDENTITY: _forget,
    Number.REMOVE_ALL_IDENTITIES: _forget_all,
    Number.LOCK: _lock,
    Number.UNLOCK: _unlock,
    Number.EXTENSION: _extension,
}

SUCCESS: Final = bytes([Number.SUCCESS])
FAILURE: Final = bytes([Number.FAILURE])
EXTENSION_FAILURE: Final = bytes([Number.EXTENSION_FAILURE])


def identities_answer(identities: Iterable[tuple[bytes, str]]) -> bytes:
    """The answer to a ListRequest: key blobs with their comments."""
    keys = [string(blob) + string(comment.encode()) for blob, comment in identities]
    return bytes([Number.IDENTITIES_ANSWER]) + uint32(len(keys)) + b"".join(keys)


def sign_response(signature: bytes) -> bytes:
    """The answer to a SignRequest: a signature with its algorithm's name."""
    return bytes([Number.SIGN_RESPONSE]) + string(signature)
