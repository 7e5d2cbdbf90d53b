"""The Web eID authentication token, format web-eid:1.0, signed as RS256 (RFC 7518 3.3)."""

from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOKEN_FORMAT = "web-eid:1.0"
ALGORITHM = "RS256"
# A JPKI token has about 3 kB (certificate 1.7 kB in base64, signature 0.3 kB). The reference verifier draws the line at
# 10,000 characters too, so a token that passes here passes there; and a line there must be, since anybody may send one.
MAX_TOKEN_SIZE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthToken:
    """A token as it travels. Nothing in it is verified by its mere existence."""

    certificate: bytes  # DER, `unverifiedCertificate`
    algorithm: str  # JWA name; ours is RS256
    signature: bytes
    format: str = TOKEN_FORMAT
    app_version: str | None = None  # informative only

    def to_json(self) -> str:
        """Return the JSON object, ASCII only, on one line."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse a token; its size, shape, format and key names are checked, nothing else.

        Raises:
            TokenError: TOO_LARGE, MALFORMED or FORMAT.
        """
        raise NotImplementedError


def check_origin(origin: str) -> None:
    """Check that an origin is `https://host[:port]`, RFC 6454 6.2: lower-case ASCII, no path, no user, no default port.

    Raises:
        TokenError: ORIGIN.
    """
    raise NotImplementedError


def check_nonce(nonce: str) -> None:
    """Check that a nonce is 44 to 128 characters of base64.

    Raises:
        TokenError: NONCE.
    """
    raise NotImplementedError


def login_message(origin: str, nonce: str) -> bytes:
    """Return what a login signs: SHA-256(origin) || SHA-256(nonce as text), 64 bytes.

    Raises:
        TokenError: ORIGIN or NONCE.
    """
    raise NotImplementedError


def make_token(
    origin: str, nonce: str, key: RSAPrivateKey, certificate: x509.Certificate, app_version: str
) -> AuthToken:
    """Sign a login -> the token; exactly one operation of the key.

    Args:
        origin: the site's, `https://host[:port]`.
        nonce: the site's challenge, as text.
        key: the authentication key.
        certificate: the authentication certificate.
        app_version: a URL that names the program and its version.

    Raises:
        TokenError: ORIGIN or NONCE, before the key is touched.
    """
    raise NotImplementedError
