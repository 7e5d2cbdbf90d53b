"""Attached content, RFC 5652 5.2: splicing a document into a detached SignedData, streamed and in DER."""

from typing import BinaryIO

MAX_ATTACHED_SIZE = (1 << 31) - (
    1 << 16
)  # OpenSSL refuses CMS files of 2 GiB; leave room for the signature around it


def write_attached(detached: bytes, content: BinaryIO, content_size: int, output: BinaryIO) -> None:
    """Write the attached form of a detached signature, copying the content in chunks.

    The content is hashed again while it is copied: what stands in the output is what was signed, or nothing is valid.

    Args:
        detached: DER ContentInfo with a SignedData without content and with one signer, as `sign_digest` makes it.
        content: the document, from its first byte.
        content_size: its size in bytes; definite lengths need it before the first byte.
        output: where the signature goes. After an error it holds a part: write to a temporary file.

    Raises:
        ContentTooLargeError: 2 GiB or more; sign detached instead.
        ContentChangedError: the content has another size or another digest than the one signed.
    """
    raise NotImplementedError
