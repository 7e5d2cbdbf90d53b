"""RSA keys and signatures as SSH writes them: RFC 4253 section 6.6, RFC 8332."""

import base64
import hashlib
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jpki.authentication.ssh.wire import string
from jpki.errors import CertificateMalformedError
from jpki.files import CertificateName

DEFAULT_COMMENT: Final = "my-number-card"
"""Says what the key is and nothing of the holder: comments end up on other people's machines."""


class SignatureAlgorithm(Enum):
    """How the key signs; the value is the name in RFC 8332. ``ssh-rsa``, with SHA-1, is not here.

    ``flag`` asks an agent for it, RFC 9987 section 3.6.1.
    """

    RSA_SHA2_256 = "rsa-sha2-256"
    RSA_SHA2_512 = "rsa-sha2-512"

    @property
    def flag(self) -> int:
        """The flag of a sign request."""
        return 2 if self is SignatureAlgorithm.RSA_SHA2_256 else 4

    @property
    def hash(self) -> HashAlgorithm:
        """The hash that is signed."""
        return SHA256() if self is SignatureAlgorithm.RSA_SHA2_256 else SHA512()


def public_key_of(certificate: x509.Certificate) -> RSAPublicKey:
    """The key of an authentication certificate. Raises: CertificateMalformedError."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise CertificateMalformedError(CertificateName.AUTHENTICATION, "holds no RSA key")
    return key


def public_line(key: RSAPublicKey, comment: str = "") -> str:
    """The key as a line of ``authorized_keys`` or a ``.pub`` file, without its end.

    Args:
        key: the key.
        comment: printable text on one line.
    """
    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    return f"{line} {comment}" if comment else line


def key_blob(key: RSAPublicKey) -> bytes:
    """The key as it stands in messages: ``ssh-rsa``, e, n."""
    return base64.b64decode(public_line(key).split(" ")[1])


def fingerprint(blob: bytes) -> str:
    """The fingerprint of a key as ``ssh-keygen -l`` shows it: ``SHA256:...``."""
    digest = hashlib.sha256(blob).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def make_signature(key: RSAPrivateKey, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """Sign -> the signature with its algorithm's name before it. RFC 8332 section 3.

    Raises:
        KeyPurposeError: a card's key, and it does not sign this.
        All that the key's ``sign`` raises.
    """
    signature = key.sign(data, PKCS1v15(), algorithm.hash)
    return string(algorithm.value.encode("ascii")) + string(signature)
