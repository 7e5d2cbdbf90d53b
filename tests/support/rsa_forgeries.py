"""Signatures by a raw RSA operation on whatever encoding, RFC 8017 8.2 and 9.2.

The kinds are those that Wycheproof flags for RSASSA-PKCS1-v1_5, and what has been done to careless
verifiers since Bleichenbacher's talk of 2006.
"""

from collections.abc import Callable, Iterator
from functools import partial
from hashlib import new

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from support.keys import CountingKey

OIDS = {
    "md5": bytes.fromhex("06082A864886F70D0205"),
    "sha1": bytes.fromhex("06052B0E03021A"),
    "sha224": bytes.fromhex("0609608648016503040204"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
    "sha3_256": bytes.fromhex("0609608648016503040208"),
    "sha256WithRSA": bytes.fromhex("06092A864886F70D01010B"),
}
NULL = b"\x05\x00"

Encoder = Callable[[bytes, str, int], bytes]
"""Digest, name of its hash and size of the modulus in bytes -> the block that is signed."""


def tlv(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    if size < 128:
        return bytes([tag, size]) + contents
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


def digest_info(digest: bytes, oid: bytes, parameters: bytes = NULL, after: bytes = b"") -> bytes:
    return tlv(0x30, tlv(0x30, oid + parameters) + tlv(0x04, digest) + after)


def pad(tail: bytes, size: int, *, start: bytes = b"\x00\x01", fill: bytes = b"\xff") -> bytes:
    """EMSA-PKCS1-v1_5 around whatever tail, as long as the modulus."""
    room = size - len(start) - 1 - len(tail)
    return start + fill * room + b"\x00" + tail


def sound(digest: bytes, hash_name: str, size: int) -> bytes:
    return pad(digest_info(digest, OIDS[hash_name]), size)


def raw_rsa(key: rsa.RSAPrivateKey, block: bytes) -> bytes:
    """block ** d mod n, by the Chinese remainder theorem."""
    numbers = key.private_numbers()
    message = int.from_bytes(block, "big")
    half_p, half_q = (
        pow(message, numbers.dmp1, numbers.p),
        pow(message, numbers.dmq1, numbers.q),
    )
    power = half_q + numbers.q * (numbers.iqmp * (half_p - half_q) % numbers.p)
    return power.to_bytes(key.key_size // 8, "big")


class ForgingKey(CountingKey):
    """A key whose owner pads in his own way, or changes the signature afterwards."""

    def __init__(
        self,
        key: rsa.RSAPrivateKey,
        encode: Encoder = sound,
        finish: Callable[[bytes, int], bytes] = lambda signature, modulus: signature,
    ) -> None:
        super().__init__(key)
        self._encode = encode
        self._finish = finish

    def sign(self, data, padding, algorithm):
        self.signed.append(bytes(data))
        digest = new(algorithm.name, data).digest()
        block = self._encode(digest, algorithm.name, self.key_size // 8)
        assert len(block) == self.key_size // 8
        modulus = self.public_key().public_numbers().n
        return self._finish(raw_rsa(self._key, block), modulus)


# --- encodings ----------------------------------------------------------------------------------


def _infos(digest: bytes, hash_name: str) -> Iterator[tuple[str, bytes]]:
    """DigestInfos of which none is the one of RFC 8017 9.2."""
    oid = OIDS[hash_name]
    whole = digest_info(digest, oid)
    algorithm, octets = tlv(0x30, oid + NULL), tlv(0x04, digest)
    yield "no NULL", digest_info(digest, oid, b"")
    for name, parameters in {
        "NULL with content": b"\x05\x01\x00",
        "NULL in long form": b"\x05\x81\x00",
        "two NULLs": NULL + NULL,
        "an INTEGER": b"\x02\x01\x00",
        "an OCTET STRING of junk": tlv(0x04, b"junk" * 4),
        "a SEQUENCE": b"\x30\x00",
        "end of contents": b"\x00\x00",
        "100 bytes of junk": tlv(0x04, bytes(100)),
    }.items():
        yield f"parameters: {name}", digest_info(digest, oid, parameters)
    for other, encoded in OIDS.items():
        if other != hash_name:
            yield f"name of {other}", digest_info(digest, encoded)
    yield "empty name", digest_info(digest, b"\x06\x00")
    yield "no name", digest_info(digest, b"")
    yield "name in long form", digest_info(digest, b"\x06\x81" + oid[1:])
    yield (
        "name with padding",
        digest_info(digest, b"\x06" + bytes([oid[1] + 1]) + b"\x80" + oid[2:]),
    )
    yield "outer length in long form", b"\x30\x81" + whole[1:]
    yield "outer length in two bytes", b"\x30\x82\x00" + whole[1:]
    yield "outer length indefinite", b"\x30\x80" + whole[2:] + b"\x00\x00"
    yield "outer length too small", b"\x30" + bytes([whole[1] - 1]) + whole[2:]
    yield "outer length too large", b"\x30" + bytes([whole[1] + 1]) + whole[2:]
    yield "outer length of 4 GiB", b"\x30\x84\xff\xff\xff\xff" + whole[2:]
    yield "inner length in long form", tlv(0x30, b"\x30\x81" + algorithm[1:] + octets)
    yield "inner length indefinite", tlv(0x30, b"\x30\x80" + algorithm[2:] + b"\x00\x00" + octets)
    yield "digest length in long form", tlv(0x30, algorithm + b"\x04\x81" + octets[1:])
    yield "digest constructed", tlv(0x30, algorithm + tlv(0x24, octets))
    yield "digest indefinite", tlv(0x30, algorithm + b"\x24\x80" + octets + b"\x00\x00")
    yield "digest as BIT STRING", tlv(0x30, algorithm + tlv(0x03, b"\x00" + digest))
    yield "digest with another tag", tlv(0x30, algorithm + tlv(0x80, digest))
    yield "outer SET", tlv(0x31, algorithm + octets)
    yield "inner SET", tlv(0x30, tlv(0x31, oid + NULL) + octets)
    yield "parts exchanged", tlv(0x30, octets + algorithm)
    yield "no algorithm", tlv(0x30, octets)
    yield "no digest", tlv(0x30, algorithm)
    yield "empty digest", digest_info(b"", oid)
    yield "digest one byte short", digest_info(digest[:-1], oid)
    yield "digest one byte long", digest_info(digest + b"\x00", oid)
    yield "digest with a zero before", digest_info(b"\x00" + digest, oid)
    yield "another digest", digest_info(digest[:-1] + bytes([digest[-1] ^ 1]), oid)
    yield "zeros for a digest", digest_info(bytes(len(digest)), oid)
    yield "garbage inside, at the end", digest_info(digest, oid, after=b"\x05\x00")
    yield "garbage after it", whole + b"\x00"
    yield "more garbage after it", whole + bytes(range(1, 30))
    yield "itself twice", whole + whole
    yield "garbage before it", b"\x05\x00" + whole
    yield "one byte short", whole[:-1]
    yield "a bare digest", digest
    yield "a bare OCTET STRING", octets
    yield "nothing", b""
    yield "raw RSA of TLS 1.0", new("md5", digest).digest() + new("sha1", digest).digest()  # noqa: S324


def _blocks(digest: bytes, hash_name: str, size: int) -> Iterator[tuple[str, bytes]]:
    """Paddings of which none is the one of RFC 8017 9.2, around the right DigestInfo."""
    whole = digest_info(digest, OIDS[hash_name])
    good = pad(whole, size)
    place = good.index(b"\x00", 1)  # the zero before the DigestInfo
    yield "block type 0", pad(whole, size, start=b"\x00\x00", fill=b"\x00")
    yield "block type 2", pad(whole, size, start=b"\x00\x02", fill=b"\xaa")
    yield "block type 255", pad(whole, size, start=b"\x00\xff")
    yield "padding of zeros", pad(whole, size, fill=b"\x00")
    yield "padding of something else", pad(whole, size, fill=b"\xfe")
    yield "first byte of padding changed", good[:2] + b"\xfe" + good[3:]
    yield "middle byte of padding changed", good[:100] + b"\x7f" + good[101:]
    yield "last byte of padding changed", good[: place - 1] + b"\xfe" + good[place:]
    yield "zero inside the padding", good[:50] + b"\x00" + good[51:]
    yield "zero is missing", good[:place] + b"\xff" + good[place + 1 :]
    yield "zero is a one", good[:place] + b"\x01" + good[place + 1 :]
    yield "two zeros", pad(b"\x00" + whole, size)
    yield "no leading zero", b"\x01" + good[2:] + b"\x00"
    for count in (0, 1, 8, 100):
        head = b"\x00\x01" + b"\xff" * count + b"\x00" + whole
        yield f"{count} bytes of padding, zeros at the end", head + bytes(size - len(head))
        yield f"{count} bytes of padding, garbage at the end", head + b"\xa5" * (size - len(head))
    inside = digest_info(digest, OIDS[hash_name], tlv(0x04, b"\xa5" * (size - 11 - len(whole) - 8)))
    yield "garbage in the parameters up to the edge", pad(inside, size)
    yield (
        "DigestInfo first, padding after",
        b"\x00\x01" + whole + b"\x00" + b"\xff" * (size - 3 - len(whole)),
    )
    yield "all ones", b"\x00" + b"\xff" * (size - 1)
    yield "all zeros", bytes(size)


def _padded_info(name: str, digest: bytes, hash_name: str, size: int) -> bytes:
    return pad(dict(_infos(digest, hash_name))[name], size)


def _odd_block(name: str, digest: bytes, hash_name: str, size: int) -> bytes:
    return dict(_blocks(digest, hash_name, size))[name]


def encodings(hash_name: str = "sha256") -> dict[str, Encoder]:
    """Every forged encoding by its name."""
    digest = bytes(new(hash_name).digest_size)
    infos = {name: partial(_padded_info, name) for name, _ in _infos(digest, hash_name)}
    blocks = {name: partial(_odd_block, name) for name, _ in _blocks(digest, hash_name, 256)}
    return {**infos, **blocks}


# --- values -------------------------------------------------------------------------------------


def _number(change: Callable[[int, int], int]) -> Callable[[bytes, int], bytes]:
    def finish(signature: bytes, modulus: int) -> bytes:
        value = change(int.from_bytes(signature, "big"), modulus)
        return value.to_bytes(max(len(signature), (value.bit_length() + 7) // 8), "big")

    return finish


VALUES: dict[str, Callable[[bytes, int], bytes]] = {
    "s = 0": _number(lambda s, n: 0),
    "s = 1": _number(lambda s, n: 1),
    "s = 2": _number(lambda s, n: 2),
    "s = n - 1": _number(lambda s, n: n - 1),
    "s = n": _number(lambda s, n: n),
    "s = n + 1": _number(lambda s, n: n + 1),
    "s + n": _number(lambda s, n: s + n),
    "s + 2n": _number(lambda s, n: s + 2 * n),
    "n - s": _number(lambda s, n: n - s),
    "s + 1": _number(lambda s, n: (s + 1) % n),
    "2s": _number(lambda s, n: 2 * s % n),
    "all ones": lambda s, n: b"\xff" * len(s),
    "empty": lambda s, n: b"",
    "one byte": lambda s, n: s[:1],
    "first byte gone": lambda s, n: s[1:],
    "last byte gone": lambda s, n: s[:-1],
    "zero before": lambda s, n: b"\x00" + s,
    "zero after": lambda s, n: s + b"\x00",
    "many zeros before": lambda s, n: bytes(256) + s,
    "twice": lambda s, n: s + s,
    "bytes reversed": lambda s, n: s[::-1],
    "one bit": lambda s, n: s[:-1] + bytes([s[-1] ^ 1]),
    "first bit": lambda s, n: bytes([s[0] ^ 0x80]) + s[1:],
    "as an INTEGER": lambda s, n: tlv(0x02, b"\x00" + s),
    "as hexadecimal": lambda s, n: s.hex().encode(),
}


class PssKey(CountingKey):
    """A key that signs by another scheme than it says."""

    def sign(self, data, padding_, algorithm):
        scheme = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return self._key.sign(data, scheme, algorithm)


# --- without the private key --------------------------------------------------------------------


def cube_root_above(number: int) -> int:
    """The smallest integer whose cube is at least the number."""
    low, high = 0, 1 << (number.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high) // 2
        if middle**3 < number:
            low = middle + 1
        else:
            high = middle
    return low


def bleichenbacher(digest: bytes, hash_name: str, size: int, padding_bytes: int = 8) -> bytes:
    """A cube that begins like a signature's block and ends in garbage: for e = 3, no key needed."""
    head = b"\x00\x01" + b"\xff" * padding_bytes + b"\x00" + digest_info(digest, OIDS[hash_name])
    root = cube_root_above(int.from_bytes(head + bytes(size - len(head)), "big"))
    cube = (root**3).to_bytes(size, "big")
    assert cube.startswith(head)
    return root.to_bytes(size, "big")


def suffix_cube(digest: bytes, hash_name: str, size: int) -> bytes | None:
    """A cube that ends like a signature's block: for verifiers that look from the right.

    There is one if the digest is odd.
    """
    tail = b"\x00" + digest_info(digest, OIDS[hash_name])
    target, bits = int.from_bytes(tail, "big"), 8 * len(tail)
    if target % 2 == 0:
        return None
    root = 1
    for bit in range(1, bits):
        if (root**3 ^ target) >> bit & 1:
            root |= 1 << bit
    assert root**3 % (1 << bits) == target
    return root.to_bytes(size, "big")
