"""CMS SignedData, RFC 5652, and CAdES baseline B-B, ETSI EN 319 122-1, assembled by pyHanko.

pyHanko takes over half a second to import, so nothing here imports it before the first call.
``preload()`` does it early, for callers that have something else to do meanwhile: hashing in a
thread, waiting for a card.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from jpki.errors import ContentTooLargeError
from jpki.signing.attached import MAX_ATTACHED_SIZE, write_attached
from jpki.signing.digest import HashAlgorithm, hash_stream
from jpki.signing.timestamp import Timestamper


def preload() -> None:
    """Import what ``sign_digest`` needs (about 0.6 s), so that the call itself is fast."""
    import jpki.signing.signed_data  # noqa: F401  # to have it imported is the purpose


def sign_digest(
    message_digest: bytes,
    algorithm: HashAlgorithm,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    cades: bool = True,
    extra_certificates: Sequence[x509.Certificate] = (),
    timestamper: Timestamper | None = None,
) -> bytes:
    """Sign a document by its digest -> DER ContentInfo with a detached SignedData.

    Exactly one operation of the key, called in this thread.

    Args:
        message_digest: the hash of the document, ``algorithm.size`` bytes.
        algorithm: what it was hashed with; the signature uses the same.
        key: the signer's; ``key.sign(data, PKCS1v15(), hash)`` and ``key_size`` are asked of it.
        certificate: the signer's, embedded.
        signing_time: the claimed time, with a time zone; encoded in UTC, to the second.
        cades: the signed attributes of CAdES B-B: content-type, message-digest, signing-time and
            signing-certificate-v2. False: without the last one.
        extra_certificates: embedded beside the signer's, e.g. the card's CA.
        timestamper: asked for a timestamp over the signature: level B-T. None: B-B.

    Raises:
        ServerError: the timestamp authority failed, after the key was used.
        ValueError: a digest of another size, or a time without zone (bugs of the caller).
    """
    algorithm.check_size(message_digest)
    if signing_time.tzinfo is None:
        raise ValueError("the signing time needs a time zone")
    from jpki.signing.signed_data import build_signed_data

    return build_signed_data(
        message_digest,
        algorithm,
        key,
        certificate,
        signing_time=signing_time,
        cades=cades,
        extra_certificates=extra_certificates,
        timestamper=timestamper,
    )


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
    timestamper: Timestamper | None = None,
) -> bytes:
    """Sign a document -> DER ContentInfo.

    Attached wants a seekable document and holds it in memory: for a large one call ``sign_digest``
    and ``write_attached``.

    Raises:
        ContentTooLargeError: attached and nearly 1.5 GiB or more.
        ContentChangedError: the document changed between hashing and copying.
        ServerError: the timestamp authority failed, after the key was used.
    """
    start, size = 0, 0
    if attached:
        start = document.tell()
        size = document.seek(0, io.SEEK_END) - start
        document.seek(start)
        if size >= MAX_ATTACHED_SIZE:  # before the key is used
            raise ContentTooLargeError(size, MAX_ATTACHED_SIZE)
    detached = sign_digest(
        hash_stream(document, algorithm),
        algorithm,
        key,
        certificate,
        signing_time=signing_time,
        cades=cades,
        extra_certificates=extra_certificates,
        timestamper=timestamper,
    )
    if not attached:
        return detached
    output = io.BytesIO()
    document.seek(start)
    write_attached(detached, document, size, output)
    return output.getvalue()
