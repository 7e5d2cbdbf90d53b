"""The hash algorithms a JPKI key signs with, FIPS 180-4, and hashing of streams in constant memory."""

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm as CryptographyHash

CHUNK_SIZE = (
    1 << 20
)  # larger than a buffer of BufferedReader, so that reads go straight to the file


class HashAlgorithm(StrEnum):
    """SHA-2 as a JPKI card signs it; the value is the name that hashlib, OpenSSL and asn1crypto use."""

    oid: str
    size: int  # of the digest, in bytes

    def __new__(cls, name: str, oid: str, size: int) -> "HashAlgorithm":
        """Make a member whose value is the name and which carries its facts."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.oid = oid
        member.size = size
        return member

    SHA256 = "sha256", "2.16.840.1.101.3.4.2.1", 32
    SHA384 = "sha384", "2.16.840.1.101.3.4.2.2", 48
    SHA512 = "sha512", "2.16.840.1.101.3.4.2.3", 64

    def new(self) -> "hashlib._Hash":
        """Return a fresh hash object of hashlib."""
        return hashlib.new(self.value)

    def digest(self, data: bytes) -> bytes:
        """Hash data held in memory."""
        return hashlib.new(self.value, data).digest()

    def for_cryptography(self) -> "CryptographyHash":
        """Return the same algorithm as `cryptography` wants it."""
        from cryptography.hazmat.primitives import hashes

        match self:
            case HashAlgorithm.SHA256:
                return hashes.SHA256()
            case HashAlgorithm.SHA384:
                return hashes.SHA384()
            case HashAlgorithm.SHA512:
                return hashes.SHA512()


def hash_stream(stream: BinaryIO, algorithm: HashAlgorithm) -> bytes:
    """Hash what is left of a binary stream, one chunk in memory at a time -> the digest.

    hashlib gives the GIL away for each chunk, so another thread (an import, a card) goes on meanwhile.
    """
    hasher = algorithm.new()
    buffer = bytearray(CHUNK_SIZE)
    view = memoryview(buffer)
    readinto = getattr(stream, "readinto", None)
    if readinto is None:  # e.g. the spooled files of some frameworks
        while chunk := stream.read(CHUNK_SIZE):
            hasher.update(chunk)
        return hasher.digest()
    while size := readinto(view):
        hasher.update(view[:size])
    return hasher.digest()
