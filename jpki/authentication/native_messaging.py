"""Native messaging as browsers speak it, and the answers of the Web eID protocol over it.

A message is its length as 32 bits in the machine's byte order, then JSON in UTF-8. The host speaks
first and tells its version, the extension sends one command, the host answers it and ends. Commands
are in ``native_messaging_commands``.
"""

import base64
import json
import struct
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from jpki.authentication.errors import NativeMessageError, NativeMessageFault
from jpki.signing.digest import HashAlgorithm

PROTOCOL_VERSION: Final = "2.1.0"
"""The version of Web eID whose protocol this is, not ours.

Extension and web-eid.js compare its major number with their own, 2 at present, and ask for an
update of the program if it is lower.
"""

LENGTH: Final = struct.Struct("=I")
MAX_REQUEST: Final = 1 << 16
"""Octets. The extension sends 8192 at most."""
MAX_ANSWER: Final = 1 << 20
"""Octets, the browsers' own limit."""

HASH_FUNCTIONS: Final = {
    "SHA-256": HashAlgorithm.SHA256,
    "SHA-384": HashAlgorithm.SHA384,
    "SHA-512": HashAlgorithm.SHA512,
}
"""What Web eID calls the hash algorithms that the card signs with."""


class ErrorCode(StrEnum):
    """What web-eid.js makes its errors of."""

    USER_CANCELLED = "ERR_WEBEID_USER_CANCELLED"
    INVALID_ARGUMENT = "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"
    FATAL = "ERR_WEBEID_NATIVE_FATAL"


def read_message(stream: BinaryIO) -> bytes | None:
    """Read one message, without its length -> its bytes; None at the end of input.

    An end in the midst of a message is one too: whoever sent it has gone.

    Raises:
        NativeMessageError: TOO_LARGE. What follows was not read.
        OSError: of the stream.
    """
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    if length > MAX_REQUEST:
        raise NativeMessageError(NativeMessageFault.TOO_LARGE)
    content = stream.read(length)
    return content if len(content) == length else None


def encode_message(message: Mapping[str, Any]) -> bytes:
    """Encode one message with its length; ASCII only.

    Raises:
        ValueError: it is larger than a browser takes (a bug of the caller).
    """
    content = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(content) > MAX_ANSWER:
        raise ValueError("a browser takes no message of more than 1 MiB")
    return LENGTH.pack(len(content)) + content


def hello() -> dict[str, Any]:
    """Return the first message."""
    return {"version": PROTOCOL_VERSION}


def error_answer(code: ErrorCode, message: str) -> dict[str, Any]:
    """Return the answer that tells why there is no other; the site gets to see ``message``."""
    return {"error": {"code": code.value, "message": message}}


def certificate_answer(certificate: x509.Certificate) -> dict[str, Any]:
    """Return the signature certificate with what its key can do."""
    der = certificate.public_bytes(Encoding.DER)
    return {
        "certificate": base64.b64encode(der).decode("ascii"),
        "supportedSignatureAlgorithms": [_signature_algorithm(name) for name in HASH_FUNCTIONS],
    }


def signature_answer(signature: bytes, hash_function: str) -> dict[str, Any]:
    """Return a signature, big-endian, and how it was made."""
    return {
        "signatureAlgorithm": _signature_algorithm(hash_function),
        "signature": base64.b64encode(signature).decode("ascii"),
    }


def _signature_algorithm(hash_function: str) -> dict[str, str]:
    return {"cryptoAlgorithm": "RSA", "hashFunction": hash_function, "paddingScheme": "PKCS1.5"}
