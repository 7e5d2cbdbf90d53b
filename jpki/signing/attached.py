"""Attached content, RFC 5652 5.2: a document spliced into a detached SignedData, streamed."""

from dataclasses import dataclass
from typing import BinaryIO

from jpki.certificates.asn1 import (
    EXPLICIT_0,
    OCTET_STRING,
    SEQUENCE,
    Asn1Error,
    Asn1Reader,
    Element,
    encode_length,
)
from jpki.errors import ContentChangedError, ContentTooLargeError
from jpki.signing.digest import CHUNK_SIZE, HashAlgorithm

SIGNATURE_ROOM = 1 << 16  # what may stand around the content
# OpenSSL 3.0 reads at most 0x5FFFFFFC bytes, 1.5 GiB, into one buffer: 0x5FFEFA3E bytes verified,
# 0x60000A3E gave "malloc failure". What it cannot read is better signed detached.
MAX_ATTACHED_SIZE = 0x5FFFFFFC - SIGNATURE_ROOM

MESSAGE_DIGEST_OID = bytes.fromhex("06092A864886F70D010904")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Splice:
    """A detached signature taken apart at the place where content goes."""

    before: tuple[bytes, ...]  # head of each SEQUENCE from the outside in: what precedes the next
    content_type: bytes  # DER of the eContentType
    after: bytes  # certificates and signer infos
    algorithm: HashAlgorithm
    message_digest: bytes


def write_attached(detached: bytes, content: BinaryIO, content_size: int, output: BinaryIO) -> None:
    """Write the attached form of a detached signature, copying the content in chunks.

    The content is hashed again while it is copied, so that what was signed is what is written.

    Args:
        detached: DER ContentInfo of a SignedData without content and with one signer, as
            ``sign_digest`` makes it.
        content: the document, from its first byte.
        content_size: its size in bytes; definite lengths need it before the first byte.
        output: where the signature goes. After an error it holds a part: write to a temporary file.

    Raises:
        ContentTooLargeError: nearly 1.5 GiB or more; sign detached instead.
        ContentChangedError: the content has another size or digest than what was signed.
        ValueError: ``detached`` is no such signature (a bug of the caller).
    """
    if content_size >= MAX_ATTACHED_SIZE:
        raise ContentTooLargeError(content_size, MAX_ATTACHED_SIZE)
    splice = _take_apart(detached)
    output.write(_head(splice, content_size))
    _copy(content, content_size, output, splice)
    output.write(splice.after)


def _take_apart(detached: bytes) -> _Splice:
    reader = Asn1Reader(detached, strict=True)
    signed_data_oid, explicit = reader.sequence(reader.document(), 2)
    (signed_data,) = reader.children(explicit)
    version, digest_algorithms, encap_content_info, *rest = reader.sequence(signed_data, 4)
    content_type, *content = reader.sequence(encap_content_info, 1)
    if content:
        raise Asn1Error("the signature has content already")
    algorithm, message_digest = _signed_digest(reader, rest[-1])
    return _Splice(
        before=(
            reader.encoding(signed_data_oid),
            reader.encoding(version) + reader.encoding(digest_algorithms),
        ),
        content_type=reader.encoding(content_type),
        after=detached[encap_content_info.end :],
        algorithm=algorithm,
        message_digest=message_digest,
    )


def _signed_digest(reader: Asn1Reader, signer_infos: Element) -> tuple[HashAlgorithm, bytes]:
    # SignerInfo, RFC 5652 5.3: version, sid, digestAlgorithm, [0] signedAttrs, ...
    (signer_info,) = reader.children(signer_infos)
    _, _, digest_algorithm, signed_attrs, *_ = reader.sequence(signer_info, 5)
    oid, *_ = reader.sequence(digest_algorithm, 1)
    algorithm = HashAlgorithm.from_oid_der(reader.encoding(oid))
    if algorithm is None:
        raise Asn1Error("an unknown digest algorithm")
    for attribute in reader.children(signed_attrs):
        attribute_type, values = reader.sequence(attribute, 2)
        if reader.encoding(attribute_type) == MESSAGE_DIGEST_OID:
            (value,) = reader.children(values)
            return algorithm, reader.contents(value)
    raise Asn1Error("no message digest")


def _head(splice: _Splice, content_size: int) -> bytes:
    """Build everything before the content, from the inside out: each length needs the inner one."""
    octets = _header(OCTET_STRING, content_size)
    explicit = _header(EXPLICIT_0, len(octets) + content_size) + octets
    encap_size = len(splice.content_type) + len(explicit) + content_size
    encap = _header(SEQUENCE, encap_size) + splice.content_type + explicit
    outer_oid, versions = splice.before
    signed_data_size = len(versions) + len(encap) + content_size + len(splice.after)
    signed_data = _header(SEQUENCE, signed_data_size) + versions + encap
    rest = content_size + len(splice.after)
    wrapper = _header(EXPLICIT_0, len(signed_data) + rest) + signed_data
    return _header(SEQUENCE, len(outer_oid) + len(wrapper) + rest) + outer_oid + wrapper


def _header(tag: int, size: int) -> bytes:
    return bytes([tag]) + encode_length(size)


def _copy(content: BinaryIO, size: int, output: BinaryIO, splice: _Splice) -> None:
    hasher = splice.algorithm.new()
    left = size
    while left:
        chunk = content.read(min(CHUNK_SIZE, left))
        if not chunk:
            raise ContentChangedError
        hasher.update(chunk)
        output.write(chunk)
        left -= len(chunk)
    if content.read(1) or hasher.digest() != splice.message_digest:
        raise ContentChangedError
