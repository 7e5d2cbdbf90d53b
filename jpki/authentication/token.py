"""The Web eID authentication token, format web-eid:1.0, signed as RS256 (RFC 7518 3.3)."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import NoReturn, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from jpki.authentication.errors import TokenError, TokenFault
from jpki.authentication.origin import check_origin

ISSUED_FORMAT = "web-eid:1.0"
ACCEPTED_FORMAT = re.compile(r"web-eid:1(\.[0-9]{1,4})?", re.ASCII)
ALGORITHM = "RS256"
# A JPKI token has about 3 kB: the certificate takes 2.2 kB in base64, the signature 0.3 kB. Anybody
# may send one before he has logged in, so there must be a bound, and this is the one of the
# reference verifier: what is accepted here is accepted there.
MAX_TOKEN_SIZE = 10_000
NONCE = re.compile(r"[A-Za-z0-9+/]{42,128}={0,2}", re.ASCII)
MIN_NONCE_LENGTH, MAX_NONCE_LENGTH = 44, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthToken:
    """A token as it travels. Nothing in it is verified by its mere existence."""

    certificate: bytes  # DER, ``unverifiedCertificate``
    algorithm: str  # JWA name; ours is RS256
    signature: bytes
    format: str = ISSUED_FORMAT
    app_version: str | None = None  # informative only

    def to_json(self) -> str:
        """Return the JSON object, ASCII only, on one line."""
        token = {
            "unverifiedCertificate": base64.b64encode(self.certificate).decode("ascii"),
            "algorithm": self.algorithm,
            "signature": base64.b64encode(self.signature).decode("ascii"),
            "format": self.format,
        }
        if self.app_version is not None:
            token["appVersion"] = self.app_version
        return json.dumps(token)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse a token; its size, shape, key names and format are checked, nothing else.

        Raises:
            TokenError: TOO_LARGE, MALFORMED or FORMAT.
        """
        if len(text) > MAX_TOKEN_SIZE:
            raise TokenError(TokenFault.TOO_LARGE, f"more than {MAX_TOKEN_SIZE} characters")
        token = _parse_object(text)
        token_format = _string(token, "format")
        if ACCEPTED_FORMAT.fullmatch(token_format) is None:
            raise TokenError(TokenFault.FORMAT, "only web-eid:1 is known")
        return cls(
            certificate=_base64(token, "unverifiedCertificate"),
            algorithm=_string(token, "algorithm"),
            signature=_base64(token, "signature"),
            format=token_format,
            app_version=_string(token, "appVersion") if "appVersion" in token else None,
        )


def check_nonce(nonce: str) -> None:
    """Check that a nonce is 44 to 128 characters of standard base64.

    Raises:
        TokenError: NONCE.
    """
    fits = MIN_NONCE_LENGTH <= len(nonce) <= MAX_NONCE_LENGTH and len(nonce) % 4 == 0
    if not fits or NONCE.fullmatch(nonce) is None:
        raise TokenError(TokenFault.NONCE, "44 to 128 characters of base64 are wanted")


def login_message(origin: str, nonce: str) -> bytes:
    """Return what a login signs: SHA-256(origin) || SHA-256(nonce as text), 64 bytes.

    Raises:
        TokenError: ORIGIN or NONCE.
    """
    check_origin(origin)
    check_nonce(nonce)
    parts = (origin.encode("ascii"), nonce.encode("ascii"))
    return b"".join(hashlib.sha256(part).digest() for part in parts)


def make_token(
    origin: str, nonce: str, key: RSAPrivateKey, certificate: x509.Certificate, app_version: str
) -> AuthToken:
    """Sign a login -> the token; exactly one operation of the key.

    Args:
        origin: the site's, ``https://host[:port]``.
        nonce: the site's challenge, as text.
        key: the authentication key; it is given the 64-byte message, not a digest, so that it can
            see what it signs.
        certificate: the authentication certificate.
        app_version: a URL that names the program and its version.

    Raises:
        TokenError: ORIGIN or NONCE, before the key is touched.
    """
    message = login_message(origin, nonce)
    return AuthToken(
        certificate=certificate.public_bytes(Encoding.DER),
        algorithm=ALGORITHM,
        signature=key.sign(message, PKCS1v15(), SHA256()),
        app_version=app_version,
    )


def _parse_object(text: str | bytes) -> dict[str, object]:
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        token = DECODER.decode(text)
    except (ValueError, RecursionError) as error:  # 10,000 brackets are enough for the latter
        raise TokenError(TokenFault.MALFORMED, "not a JSON object") from error
    if not isinstance(token, dict):
        raise TokenError(TokenFault.MALFORMED, "not a JSON object")
    return token


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Two readers that pick different ones of two equal keys would see two different tokens.
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)


def _string(token: dict[str, object], name: str) -> str:
    value = token.get(name)
    if not isinstance(value, str):
        raise TokenError(TokenFault.MALFORMED, f"{name} is missing or not a string")
    return value


def _base64(token: dict[str, object], name: str) -> bytes:
    text = _string(token, name)
    try:
        value = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError(TokenFault.MALFORMED, f"{name} is not base64") from error
    if not value or binascii.b2a_base64(value, newline=False) != text.encode("ascii"):
        raise TokenError(TokenFault.MALFORMED, f"{name} is not canonical base64")
    return value
