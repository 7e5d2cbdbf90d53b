"""JSON Web Signature, RFC 7515 7.1 (compact), RSA of RFC 7518 3.3; assembled by PyJWT.

The header holds what JAdES B-B wants of one, ETSI TS 119 182-1 6.3: the certificates (x5c), the
hash of the signer's (x5t#S256) and the claimed time (iat).
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from jpki.signing.digest import HashAlgorithm

ALGORITHMS: Final = {
    HashAlgorithm.SHA256: "RS256",
    HashAlgorithm.SHA384: "RS384",
    HashAlgorithm.SHA512: "RS512",
}


def sign_jws(
    payload: bytes,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    algorithm: HashAlgorithm = HashAlgorithm.SHA256,
    detached: bool = False,
    extra_certificates: Sequence[x509.Certificate] = (),
) -> bytes:
    """Sign a document -> a compact JWS, ASCII, without a line end.

    Exactly one operation of the key. The document is held in memory a few times over.

    Args:
        payload: the document.
        key: the signer's.
        certificate: the signer's; the first of x5c.
        signing_time: the claimed time, with a time zone; written as whole seconds.
        algorithm: the hash.
        detached: leave the document out, and sign it as it is: ``b64`` false, RFC 7797.
        extra_certificates: after the signer's, each the issuer's of the one before, e.g. the
            card's CA.

    Raises:
        ValueError: a time without zone (a bug of the caller).
    """
    if signing_time.tzinfo is None:
        raise ValueError("the signing time needs a time zone")
    from jwt.api_jws import PyJWS

    chain = [certificate, *(extra for extra in extra_certificates if extra != certificate)]
    ders = [each.public_bytes(Encoding.DER) for each in chain]
    header: dict[str, Any] = {
        "typ": None,  # PyJWT would write JWT, which this is not
        "iat": int(signing_time.timestamp()),
        "x5c": [base64.b64encode(der).decode("ascii") for der in ders],
        "x5t#S256": base64url(hashlib.sha256(ders[0]).digest()),
    }
    name = ALGORITHMS[algorithm]
    jws = PyJWS(algorithms=[name])
    return jws.encode(
        payload, key, algorithm=name, headers=header, is_payload_detached=detached
    ).encode("ascii")


def base64url(data: bytes) -> str:
    """Encode as RFC 7515 2 wants it: URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
