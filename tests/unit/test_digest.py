"""Hash algorithms and hashing of streams."""

import hashlib
import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from asn1crypto.core import ObjectIdentifier

from jpki.signing.digest import CHUNK_SIZE, HashAlgorithm, hash_stream, hash_stream_with


class Zeros(io.RawIOBase):
    """A long document that is nowhere."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(len(buffer), self.left)
        buffer[:size] = bytes(size)
        self.left -= size
        return size


class OnlyRead:
    """A stream of those frameworks that know read() only."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


@pytest.mark.parametrize("algorithm", HashAlgorithm)
def test_facts_of_an_algorithm_agree_with_hashlib_and_asn1crypto(algorithm):
    assert algorithm.size == hashlib.new(algorithm.value).digest_size
    assert ObjectIdentifier(algorithm.oid).dump() == algorithm.oid_der
    assert algorithm.for_cryptography().name == algorithm.value
    assert HashAlgorithm(algorithm.value) is algorithm
    assert HashAlgorithm.from_oid_der(algorithm.oid_der) is algorithm


def test_an_unknown_algorithm_is_none():
    assert HashAlgorithm.from_oid_der(ObjectIdentifier("1.3.14.3.2.26").dump()) is None


@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1])
@pytest.mark.parametrize("stream_type", [io.BytesIO, OnlyRead])
def test_a_stream_hashes_like_its_bytes(size, stream_type):
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    expected = hashlib.sha384(data).digest()
    assert hash_stream(stream_type(data), HashAlgorithm.SHA384) == expected


def test_hashing_begins_where_the_stream_stands():
    stream = io.BytesIO(b"before" + b"document")
    stream.seek(6)
    assert hash_stream(stream, HashAlgorithm.SHA256) == hashlib.sha256(b"document").digest()


def test_several_algorithms_take_one_pass():
    digests = hash_stream_with(io.BytesIO(b"document"), set(HashAlgorithm))
    assert digests == {each: each.digest(b"document") for each in HashAlgorithm}


def test_a_large_stream_is_hashed_in_constant_memory():
    tracemalloc.start()
    try:
        digest = hash_stream(Zeros(200 << 20), HashAlgorithm.SHA256)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(digest) == 32
    assert peak < 4 << 20


def test_hashing_works_in_another_thread():
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(hash_stream, io.BytesIO(b"document"), HashAlgorithm.SHA256).result()
    assert digest == hashlib.sha256(b"document").digest()
