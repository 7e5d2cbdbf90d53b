"""Attached content, RFC 5652 5.2: a document spliced into a detached SignedData, streamed."""

from dataclasses import dataclass
from typing import BinaryIO

from jpki.certificates.der import (
    EXPLICIT_0,
    OCTET_STRING,
    SEQUENCE,
    DerError,
    Element,
    children,
    encode_length,
    read_element,
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
            `sign_digest` makes it.
        content: the document, from its first byte.
        content_size: its size in bytes; definite lengths need it before the first byte.
        output: where the signature goes. After an error it holds a part: write to a temporary file.

    Raises:
        ContentTooLargeError: nearly 1.5 GiB or more; sign detached instead.
        ContentChangedError: the content has another size or digest than what was signed.
        ValueError: `detached` is no such signature (a bug of the caller).
    """
    if content_size >= MAX_ATTACHED_SIZE:
        raise ContentTooLargeError(content_size, MAX_ATTACHED_SIZE)
    splice = _take_apart(detached)
    output.write(_head(splice, content_size))
    _copy(content, content_size, output, splice)
    output.write(splice.after)


def _take_apart(detached: bytes) -> _Splice:
    info = _only(detached, SEQUENCE)
    signed_data_oid, explicit = children(detached, info)
    signed_data = children(detached, explicit)[0]
    version, digest_algorithms, encap_content_info, *rest = children(detached, signed_data)
    parts = children(detached, encap_content_info)
    if len(parts) != 1:
        raise DerError("the signature has content already")
    algorithm, message_digest = _signed_digest(detached, rest[-1])
    return _Splice(
        before=(
            detached[signed_data_oid.start : signed_data_oid.end],
            detached[version.start : digest_algorithms.end],
        ),
        content_type=detached[parts[0].start : parts[0].end],
        after=detached[encap_content_info.end :],
        algorithm=algorithm,
        message_digest=message_digest,
    )


def _only(data: bytes, tag: int) -> Element:
    element = read_element(data)
    if element.tag != tag or element.end != len(data):
        raise DerError("not one DER value")
    return element


def _signed_digest(data: bytes, signer_infos: Element) -> tuple[HashAlgorithm, bytes]:
    # SignerInfo, RFC 5652 5.3: version, sid, digestAlgorithm, [0] signedAttrs, ...
    (signer_info,) = children(data, signer_infos)
    _, _, digest_algorithm, signed_attrs, *_ = children(data, signer_info)
    oid = children(data, digest_algorithm)[0]
    algorithm = HashAlgorithm.from_oid_der(data[oid.start : oid.end])
    if algorithm is None:
        raise DerError("an unknown digest algorithm")
    for attribute in children(data, signed_attrs):
        attribute_type, values = children(data, attribute)
        if data[attribute_type.start : attribute_type.end] == MESSAGE_DIGEST_OID:
            (value,) = children(data, values)
            return algorithm, data[value.contents : value.end]
    raise DerError("no message digest")


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
