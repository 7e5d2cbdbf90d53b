"""Bare signatures, RSASSA-PKCS1-v1_5 of RFC 8017 8.2: for scripts with their own container."""

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from jpki.signing.digest import HashAlgorithm


def sign_raw(
    digest: bytes, key: RSAPrivateKey, algorithm: HashAlgorithm = HashAlgorithm.SHA256
) -> bytes:
    """Sign a digest -> the signature as long as the modulus (256 bytes on a card), big-endian.

    The key builds the DigestInfo and the padding; exactly one operation of the key.

    Args:
        digest: the hash of the document, ``algorithm.size`` bytes.
        key: any RSA key, the card's included.
        algorithm: what the digest was made with; it goes into the DigestInfo.

    Raises:
        ValueError: the digest has not the size of the algorithm (a bug of the caller).
    """
    algorithm.check_size(digest)
    return key.sign(digest, PKCS1v15(), Prehashed(algorithm.for_cryptography()))
