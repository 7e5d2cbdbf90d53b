"""The card's RSA operation, RFC 8017 8.2.1 without the hash.

``cryptography`` is imported when a key is first used: a card that is only looked at needs none.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def load_key(private_key: bytes) -> "RSAPrivateKey":
    """Load a PKCS#8 DER key.

    Raises:
        ValueError: it is no RSA key.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    # The check of the key's numbers takes longer than the signature.
    key = load_der_private_key(private_key, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the private key is not an RSA key")  # noqa: TRY004  # the bytes are wrong
    return key


def sign_padded(private_key: bytes, message: bytes) -> bytes:
    """Sign message (1 to 245 bytes, commonly a DigestInfo) with a PKCS#8 DER key -> 256 bytes.

    Raises:
        ValueError: ``private_key`` is no RSA key.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

    return load_key(private_key).sign(message, PKCS1v15(), NoDigestInfo())


def generate_key() -> bytes:
    """Make a throw-away RSA-2048 key, e = 65537 -> PKCS#8 DER."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
