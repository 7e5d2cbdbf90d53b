"""The hash algorithms that a JPKI key signs with, FIPS 180-4; hashing in constant memory."""

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm as CryptographyHash

CHUNK_SIZE = 1 << 20  # more than BufferedReader's own buffer, so that reads go past it


class NamedHash(StrEnum):
    """A hash function by its name in hashlib, OpenSSL and asn1crypto."""

    oid: str
    oid_der: bytes
    size: int  # of the digest, in bytes

    # Defaults: type checkers take ``HashAlgorithm("sha256")``, a look-up, for a call of this.
    def __new__(cls, word: str, oid: str = "", oid_der: str = "", size: int = 0) -> Self:
        """Make a member whose value is the word and which carries its facts."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.oid = oid
        member.oid_der = bytes.fromhex(oid_der)
        member.size = size
        return member

    @classmethod
    def from_oid_der(cls, oid_der: bytes) -> Self | None:
        """Return the algorithm of an OBJECT IDENTIFIER in DER, None for any other."""
        return next((algorithm for algorithm in cls if algorithm.oid_der == oid_der), None)

    def new(self) -> "hashlib._Hash":
        """Return a fresh hash object of hashlib."""
        return hashlib.new(self.value)

    def digest(self, data: bytes) -> bytes:
        """Hash data held in memory."""
        return hashlib.new(self.value, data).digest()

    def check_size(self, digest: bytes) -> None:
        """Refuse a digest that this algorithm cannot have made.

        Raises:
            ValueError: it has another size. A bug of the caller.
        """
        if len(digest) != self.size:
            raise ValueError(f"a {self} digest has {self.size} bytes, not {len(digest)}")

    def for_cryptography(self) -> "CryptographyHash":
        """Return the same algorithm as ``cryptography`` wants it."""
        from cryptography.hazmat.primitives import hashes

        named: type[CryptographyHash] = getattr(hashes, self.name)
        return named()


class HashAlgorithm(NamedHash):
    """SHA-2 as a JPKI card signs it."""

    SHA256 = "sha256", "2.16.840.1.101.3.4.2.1", "0609608648016503040201", 32
    SHA384 = "sha384", "2.16.840.1.101.3.4.2.2", "0609608648016503040202", 48
    SHA512 = "sha512", "2.16.840.1.101.3.4.2.3", "0609608648016503040203", 64


class WeakHash(NamedHash):
    """What old signatures of others rest on: read, and never signed with."""

    SHA1 = "sha1", "1.3.14.3.2.26", "06052B0E03021A", 20
    """Collisions can be made, so whoever had a document signed may hold another one for it."""


AnyHash = HashAlgorithm | WeakHash


def read_hash(oid_der: bytes) -> AnyHash | None:
    """Return the hash function of an OBJECT IDENTIFIER in DER, a weak one too; None: another."""
    return HashAlgorithm.from_oid_der(oid_der) or WeakHash.from_oid_der(oid_der)


def hash_stream(stream: BinaryIO, algorithm: AnyHash) -> bytes:
    """Hash what is left of a binary stream, one chunk in memory at a time -> the digest.

    hashlib lets go of the GIL for each chunk, so another thread (an import, a card) goes on
    meanwhile.
    """
    return hash_stream_with(stream, {algorithm})[algorithm]


def hash_stream_with(stream: BinaryIO, algorithms: set[AnyHash]) -> dict[AnyHash, bytes]:
    """Hash what is left of a binary stream with several algorithms in one pass."""
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    readinto = getattr(stream, "readinto", None)
    if readinto is None:  # e.g. the uploads of some web frameworks
        while chunk := stream.read(CHUNK_SIZE):
            for hasher in hashers.values():
                hasher.update(chunk)
    else:
        view = memoryview(bytearray(CHUNK_SIZE))
        while size := readinto(view):
            for hasher in hashers.values():
                hasher.update(view[:size])
    return {algorithm: hasher.digest() for algorithm, hasher in hashers.items()}
