"""CMS SignedData, RFC 5652, and CAdES baseline B-B, ETSI EN 319 122-1, made by pyHanko.

pyHanko takes over half a second to import, so nothing here imports it before the first call; `preload()` does it
early, for callers that have something else to do meanwhile (hashing in a thread, waiting for a card).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from jpki.signing.digest import HashAlgorithm


def preload() -> None:
    """Import what `sign_digest` needs (about 0.6 s), so that the call itself is fast."""
    raise NotImplementedError


def sign_digest(
    message_digest: bytes,
    algorithm: HashAlgorithm,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    cades: bool = True,
    extra_certificates: Sequence[x509.Certificate] = (),
) -> bytes:
    """Sign a document by its digest -> DER ContentInfo with a detached SignedData.

    Exactly one operation of the key, called in this thread.

    Args:
        message_digest: the hash of the document, `algorithm.size` bytes.
        algorithm: what it was hashed with; the signature uses the same.
        key: the signer's key; `key.sign(data, PKCS1v15(), hash)` is all that is asked of it.
        certificate: the signer's certificate, embedded.
        signing_time: the claimed time, with a time zone; encoded in UTC, to the second.
        cades: the signed attributes of CAdES B-B: content-type, message-digest, signing-time and
            signing-certificate-v2. False: without the last one.
        extra_certificates: embedded beside the signer's, e.g. the card's CA.

    Raises:
        ValueError: a digest of another size, or a time without zone (bugs of the caller).
    """
    raise NotImplementedError


def sign_cms(
    document: BinaryIO,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    algorithm: HashAlgorithm = HashAlgorithm.SHA256,
    attached: bool = False,
    cades: bool = True,
    extra_certificates: Sequence[x509.Certificate] = (),
) -> bytes:
    """Sign a document -> DER ContentInfo; attached wants a seekable document and holds it in memory.

    For large attached documents call `sign_digest` and `write_attached` instead.

    Raises:
        ContentTooLargeError: attached and 2 GiB or more.
        ContentChangedError: the document changed between hashing and copying.
    """
    raise NotImplementedError
