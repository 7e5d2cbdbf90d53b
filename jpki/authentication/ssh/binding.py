"""Which SSH session a connection to the agent serves: session-bind@openssh.com, verified.

The host key's signature over the session id proves that the client did speak to that host. RFC
4253 section 8 (the signature), RFC 8332, RFC 8709 and RFC 5656 (its forms).
"""

import base64
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from jpki.authentication.ssh.messages import BindRequest
from jpki.authentication.ssh.purposes import SESSION_ID_LENGTHS
from jpki.authentication.ssh.wire import MalformedError, Reader

ECDSA_HASHES: Final[dict[str, type[SHA256 | SHA384 | SHA512]]] = {
    "ecdsa-sha2-nistp256": SHA256,
    "ecdsa-sha2-nistp384": SHA384,
    "ecdsa-sha2-nistp521": SHA512,
}
RSA_HASHES: Final[dict[str, type[SHA256 | SHA512]]] = {
    "rsa-sha2-256": SHA256,
    "rsa-sha2-512": SHA512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A session that the client proved to have with a host."""

    host_key: bytes
    session_id: bytes
    forwarding: bool


def verified_binding(request: BindRequest) -> Binding:
    """Check the host's signature -> the binding.

    Raises:
        MalformedError: the signature does not verify, or is of a kind that is not known.
    """
    if len(request.session_id) not in SESSION_ID_LENGTHS:
        raise MalformedError("no hash has the length of this session id")
    reader = Reader(request.signature)
    algorithm, signature = reader.text("algorithm"), reader.string("signature")
    reader.end("the signature")
    try:
        _verify(request.host_key, algorithm, signature, request.session_id)
    except InvalidSignature:
        raise MalformedError("the host's signature does not verify") from None
    return Binding(
        host_key=request.host_key, session_id=request.session_id, forwarding=request.forwarding
    )


def _verify(host_key: bytes, algorithm: str, signature: bytes, data: bytes) -> None:
    match _public_key(host_key):
        case Ed25519PublicKey() as key if algorithm == "ssh-ed25519":
            key.verify(signature, data)
        case RSAPublicKey() as key if algorithm in RSA_HASHES:
            key.verify(signature, data, PKCS1v15(), RSA_HASHES[algorithm]())
        case EllipticCurvePublicKey() as key if algorithm in ECDSA_HASHES:
            key.verify(_dss_signature(signature), data, ECDSA(ECDSA_HASHES[algorithm]()))
        case _:
            raise MalformedError("a host key or signature of another kind")


def _public_key(blob: bytes) -> object:
    kind = Reader(blob).text("kind of the host key")
    try:
        identity = load_ssh_public_identity(f"{kind} ".encode() + base64.b64encode(blob))
    except (ValueError, UnsupportedAlgorithm, NotImplementedError):  # a compressed point
        raise MalformedError("a host key that cannot be read") from None
    return identity.public_key() if isinstance(identity, SSHCertificate) else identity


def _dss_signature(signature: bytes) -> bytes:
    """The pair of numbers of RFC 5656 3.1.2, which are positive, as DER."""
    reader = Reader(signature)
    r, s = (int.from_bytes(reader.string(what), "big") for what in ("r", "s"))
    reader.end("the signature")
    return encode_dss_signature(r, s)
