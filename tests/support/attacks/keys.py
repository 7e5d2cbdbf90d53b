"""Whose key it is: sizes, exponents and kinds that no card has, in leaves and in roots."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from support.attacks.case import (
    BER,
    REFUSED,
    UNREADABLE,
    Case,
    Threat,
)
from support.forging import (
    BIT_STRING,
    JUNK,
    algorithm,
    bits,
    by_rsa,
    ec_private_key,
    ed25519_private_key,
    forge,
    integer,
    oid,
    rsa_key,
    rsa_private_key,
    seq,
    spki,
    usual_modulus,
)
from support.odd_certificates import tlv

from jpki.certificates import Reason

RSA = "1.2.840.113549.1.1.1"
WEAK = (Reason.WEAK_KEY,)
UNSUPPORTED = (Reason.UNSUPPORTED_ALGORITHM,)
SMALL = "OpenSSL asks how many bits, no more"
BITS = "OpenSSL's level 2 wants 112 bits of security, which it finds in 2047 bits too"
PARAMETERS = "RFC 4055 1.2 has NULL there; OpenSSL does not look"
CARD = "OpenSSL does not know that a card's key has 2048 bits and e=65537"
MODULUS = usual_modulus()


def modulus(size: int) -> int:
    """An odd number of so many bits. Nobody needs its factors to write it into a certificate."""
    return (1 << size - 1) | 1


@cache
def public(make: Callable[..., Any], *arguments: object) -> PublicKeyTypes:
    """The public half of a key that is made once."""
    return make(*arguments).public_key()


def keyed(name: str, public_key: bytes | Callable[[], PublicKeyTypes], **expected: object) -> Case:
    """A leaf with a key, as it shall be encoded, or made when it is needed."""
    return Case(
        threat=Threat.KEY,
        name=name,
        leaf=lambda: forge(
            public_key=public_key if isinstance(public_key, bytes) else spki(public_key())
        ),
        **expected,  # type: ignore[arg-type]
    )


SIZES = (
    keyed("RSA with 2048 bits", rsa_key(MODULUS)),
    *(
        keyed(f"{size} bits", rsa_key(modulus(size)), reasons=WEAK, openssl=66)
        for size in (128, 511, 512, 1023, 1024, 1536)
    ),
    *(
        keyed(f"{size} bits", rsa_key(modulus(size)), reasons=WEAK, why=CARD)
        for size in (2047, 2049, 3072, 4096, 8192, 16384, 65536)
    ),
    keyed(
        "1024 bits, a real key", partial(public, rsa_private_key, 1024), reasons=WEAK, openssl=66
    ),
    keyed("3072 bits, a real key", partial(public, rsa_private_key, 3072), reasons=WEAK, why=CARD),
)

EXPONENTS = (
    *(
        keyed(f"e={name}", rsa_key(MODULUS, exponent), reasons=WEAK, why=CARD)
        for name, exponent in {
            "3": 3,
            "17": 17,
            "65535": 65535,
            "65539": 65539,
            "2^32 + 1": (1 << 32) + 1,
            "2^64 + 1": (1 << 64) + 1,
            "2^2047 + 1": (1 << 2047) + 1,
        }.items()
    ),
    *(
        keyed(f"e={name}", rsa_key(MODULUS, exponent), reasons=REFUSED, why=SMALL)
        for name, exponent in {
            "-1": -1,
            "0": 0,
            "1": 1,
            "2": 2,
            "65536": 65536,
            "n": MODULUS,
            "2^16383 + 1": (1 << 16383) + 1,
        }.items()
    ),
)

MODULI = (
    keyed("modulus 0", rsa_key(0), reasons=REFUSED, openssl=66),
    keyed("modulus 1", rsa_key(1), reasons=REFUSED, openssl=66),
    keyed("8 bits", rsa_key(modulus(8)), reasons=REFUSED, openssl=66),
    keyed("modulus even", rsa_key(MODULUS + 1), reasons=WEAK, why=SMALL),
    keyed("modulus negative", rsa_key(-MODULUS), reasons=REFUSED, why=SMALL),
    keyed(
        "modulus without its sign", rsa_key(tlv(2, MODULUS.to_bytes(256))), reasons=REFUSED, why=BER
    ),
    keyed(
        "modulus with a zero before",
        rsa_key(tlv(2, bytes(2) + MODULUS.to_bytes(256))),
        reasons=REFUSED,
        why=BER,
    ),
    keyed(
        "modulus an OCTET STRING",
        rsa_key(tlv(4, MODULUS.to_bytes(256))),
        reasons=REFUSED,
        openssl=66,
    ),
    keyed("modulus empty", rsa_key(tlv(2, b"")), reasons=REFUSED, openssl=66),
    keyed("exponent empty", rsa_key(MODULUS, tlv(2, b"")), reasons=REFUSED, why=BER),
)

NUMBERS = seq(integer(MODULUS), integer(65537))
ENCODINGS = (
    keyed(
        "no parameters",
        rsa_key(MODULUS, kind=algorithm(RSA, b"")),
        reasons=(Reason.PROFILE_MISMATCH,),
        why=PARAMETERS,
    ),
    keyed(
        "junk as parameters",
        rsa_key(MODULUS, kind=algorithm(RSA, JUNK)),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    keyed(
        "a SEQUENCE as parameters",
        rsa_key(MODULUS, kind=algorithm(RSA, seq())),
        reasons=REFUSED,
        why=PARAMETERS,
    ),
    keyed(
        "a key for PSS alone",
        rsa_key(MODULUS, kind=algorithm("1.2.840.113549.1.1.10", b"")),
        reasons=(Reason.PROFILE_MISMATCH,),
        why=CARD,
    ),
    keyed(
        "bytes after the numbers",
        seq(algorithm(RSA), bits(NUMBERS + b"\x00")),
        reasons=REFUSED,
        why=BER,
    ),
    keyed(
        "a third number",
        seq(algorithm(RSA), bits(seq(integer(MODULUS), integer(65537), integer(1)))),
        reasons=REFUSED,
        openssl=66,
    ),
    keyed(
        "an indefinite length",
        seq(algorithm(RSA), bits(b"\x30\x80" + NUMBERS[4:] + bytes(2))),
        reasons=REFUSED,
        why=BER,
    ),
    keyed(
        "unused bits",
        seq(algorithm(RSA), bits(NUMBERS[:-1] + b"\x00", 1)),
        reasons=REFUSED,
        why=BER,
    ),
    keyed(
        "an empty key", seq(algorithm(RSA), tlv(BIT_STRING, b"\x00")), reasons=REFUSED, openssl=66
    ),
    keyed(
        "a third field",
        seq(algorithm(RSA), bits(NUMBERS), JUNK),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    keyed(
        "an algorithm of nobody",
        rsa_key(MODULUS, kind=algorithm("1.2.3.4")),
        reasons=REFUSED,
        openssl=66,
    ),
)

SECT = algorithm("1.2.840.10045.2.1", oid("1.3.132.0.38"))  # sect571k1
KINDS = (
    *(
        keyed(name, partial(public, ec_private_key, curve), reasons=UNSUPPORTED, why=CARD)
        for name, curve in {
            "P-256": ec.SECP256R1,
            "P-384": ec.SECP384R1,
            "P-521": ec.SECP521R1,
            "secp256k1": ec.SECP256K1,
            "brainpoolP256r1": ec.BrainpoolP256R1,
        }.items()
    ),
    keyed("Ed25519", partial(public, ed25519_private_key), reasons=UNSUPPORTED, why=CARD),
    keyed("Ed448", partial(public, ed448.Ed448PrivateKey.generate), reasons=UNSUPPORTED, why=CARD),
    keyed(
        "X25519",
        partial(public, x25519.X25519PrivateKey.generate),
        reasons=UNSUPPORTED,
        why=CARD,
    ),
    keyed("DSA", partial(public, dsa.generate_private_key, 2048), reasons=UNSUPPORTED, why=CARD),
    keyed(
        "a curve over a binary field",
        seq(SECT, bits(b"\x04" + bytes(144))),
        reasons=REFUSED,
        openssl=66,
    ),
    keyed(
        "a point that is not on its curve",
        seq(algorithm("1.2.840.10045.2.1", oid("1.2.840.10045.3.1.7")), bits(b"\x04" + bytes(64))),
        reasons=REFUSED,
        openssl=66,
    ),
    keyed(
        "no curve",
        seq(algorithm("1.2.840.10045.2.1"), bits(b"\x04" + bytes(64))),
        reasons=REFUSED,
        openssl=66,
    ),
)

# --- roots --------------------------------------------------------------------------------------


def rooted(name: str, size: int, exponent: int = 65537, **expected: object) -> Case:
    """A leaf under a root with such a key, both signed with it."""

    def root() -> bytes:
        key = rsa_private_key(size, exponent)
        return forge("signature-ca", public_key=spki(key.public_key()), sign=by_rsa(key))

    return Case(
        threat=Threat.KEY,
        name=f"root: {name}",
        leaf=lambda: forge(sign=by_rsa(rsa_private_key(size, exponent))),
        anchors=(root,),
        **expected,  # type: ignore[arg-type]
    )


ROOTS = (
    rooted("2048 bits", 2048),
    rooted("3072 bits", 3072),
    rooted("1024 bits", 1024, reasons=WEAK, openssl=67),
    rooted("2047 bits", 2047, reasons=WEAK, why=BITS),
    rooted("e=3", 2048, 3, reasons=WEAK, why=SMALL),
)

KEYS: tuple[Case, ...] = (*SIZES, *EXPONENTS, *MODULI, *ENCODINGS, *KINDS, *ROOTS)
