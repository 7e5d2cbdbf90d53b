"""How it is signed: algorithms, their parameters, the signature's own bytes."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from support.attacks.case import (
    REFUSED,
    UNREADABLE,
    Case,
    Der,
    Threat,
)
from support.forging import (
    JUNK,
    SHA256_WITH_RSA,
    Signer,
    algorithm,
    bits,
    by_ec,
    by_ed25519,
    by_pss,
    by_rsa,
    ec_private_key,
    ed25519_private_key,
    fields_of,
    forge,
    forge_algorithm,
    integer,
    seq,
    spki,
)
from support.odd_certificates import tlv
from support.pki import load_key

from jpki.certificates import Reason

PKCS1 = "1.2.840.113549.1.1"
SHA256_RSA, SHA1_RSA, MD5_RSA, PSS = (f"{PKCS1}.{number}" for number in (11, 5, 4, 10))
ECDSA_SHA256, ED25519 = "1.2.840.10045.4.3.2", "1.3.101.112"
SHA256 = "2.16.840.1.101.3.4.2.1"
UNSUPPORTED = (Reason.UNSUPPORTED_ALGORITHM,)
UNTRUSTED = (Reason.UNTRUSTED_ISSUER,)
NEITHER = (Reason.UNSUPPORTED_ALGORITHM, Reason.UNTRUSTED_ISSUER)
WEAK = (Reason.WEAK_ALGORITHM, Reason.UNTRUSTED_ISSUER)
PARAMETERS = "RFC 4055 5 has NULL there; OpenSSL does not look"
ONLY_SHA256 = "OpenSSL supports it; JPKI uses SHA-256 with RSA and PKCS#1 v1.5 alone"

PSS_PARAMETERS = seq(
    tlv(0xA0, algorithm(SHA256)),
    tlv(0xA1, algorithm(f"{PKCS1}.8", algorithm(SHA256))),
    tlv(0xA2, integer(32)),
)


def case(name: str, leaf: Der, **expected: object) -> Case:
    return Case(threat=Threat.ALGORITHM, name=name, leaf=leaf, **expected)  # type: ignore[arg-type]


def ca_with(key: PublicKeyTypes, sign: Signer, identifier: bytes) -> Der:
    """The CA's name with another key, self-signed."""
    return lambda: forge(
        "signature-ca", public_key=spki(key), inner=identifier, outer=identifier, sign=sign
    )


def rsa_with(number: int, hash_: type[hashes.HashAlgorithm]) -> Der:
    return lambda: forge_algorithm(algorithm(f"{PKCS1}.{number}"), by_rsa(hash_=hash_))


WITHOUT = b""
"""In place of parameters: none."""


def identified(identifier: bytes, sign: Signer | None = None) -> Der:
    return lambda: forge_algorithm(identifier, sign or by_rsa())


def mismatched(*, inner: bytes = SHA256_WITH_RSA, outer: bytes = SHA256_WITH_RSA) -> Der:
    return lambda: forge(inner=inner, outer=outer)


EC_CA = ca_with(ec_private_key(ec.SECP256R1).public_key(), by_ec(), algorithm(ECDSA_SHA256, b""))
ED_CA = ca_with(ed25519_private_key().public_key(), by_ed25519(), algorithm(ED25519, b""))

OTHER = (
    case("SHA-256 with RSA", forge),
    case("SHA-1", rsa_with(5, hashes.SHA1), reasons=WEAK, openssl=68),
    case("MD5", rsa_with(4, hashes.MD5), reasons=WEAK, openssl=68),
    case("SHA-224", rsa_with(14, hashes.SHA224), reasons=UNSUPPORTED, why=ONLY_SHA256),
    case("SHA-384", rsa_with(12, hashes.SHA384), reasons=UNSUPPORTED, why=ONLY_SHA256),
    case("SHA-512", rsa_with(13, hashes.SHA512), reasons=UNSUPPORTED, why=ONLY_SHA256),
    case(
        "PSS",
        identified(algorithm(PSS, PSS_PARAMETERS), by_pss()),
        reasons=UNSUPPORTED,
        why=ONLY_SHA256,
    ),
    case(
        "PSS without parameters",
        identified(algorithm(PSS, b""), by_pss()),
        reasons=NEITHER,
        openssl=68,
    ),
    case(
        "PSS with default parameters",
        identified(algorithm(PSS, seq()), by_pss()),
        reasons=NEITHER,
        openssl=68,
    ),
    case(
        "ECDSA",
        identified(algorithm(ECDSA_SHA256, b""), by_ec()),
        anchors=(EC_CA,),
        reasons=UNSUPPORTED,
        why=ONLY_SHA256,
    ),
    case(
        "ECDSA under the root with RSA",
        identified(algorithm(ECDSA_SHA256, b""), by_ec()),
        reasons=NEITHER,
        openssl=20,
    ),
    case(
        "Ed25519",
        identified(algorithm(ED25519, b""), by_ed25519()),
        anchors=(ED_CA,),
        reasons=UNSUPPORTED,
        why=ONLY_SHA256,
    ),
    case(
        "Ed25519 under the root with RSA",
        identified(algorithm(ED25519, b""), by_ed25519()),
        reasons=NEITHER,
        openssl=20,
    ),
    case(
        "named ECDSA, signed with RSA",
        identified(algorithm(ECDSA_SHA256, b"")),
        reasons=NEITHER,
        openssl=20,
    ),
    case(
        "named SHA-256, signed with SHA-1",
        lambda: forge(sign=by_rsa(hash_=hashes.SHA1)),
        reasons=(Reason.UNTRUSTED_ISSUER,),
        openssl=7,
    ),
    case("named rsaEncryption", identified(algorithm(f"{PKCS1}.1")), reasons=NEITHER, openssl=20),
    case("HMAC", identified(algorithm("1.2.840.113549.2.9")), reasons=NEITHER, openssl=20),
    case("an algorithm of nobody", identified(algorithm("1.2.3.4")), reasons=NEITHER, openssl=20),
)

WEAK_RSA = algorithm(SHA1_RSA)
MISMATCHES = (
    case(
        "SHA-1 inside, SHA-256 outside", mismatched(inner=WEAK_RSA), reasons=UNTRUSTED, openssl=78
    ),
    case("SHA-256 inside, SHA-1 outside", mismatched(outer=WEAK_RSA), reasons=WEAK, openssl=78),
    case(
        "SHA-256 inside, PSS outside",
        mismatched(outer=algorithm(PSS, PSS_PARAMETERS)),
        reasons=NEITHER,
        openssl=78,
    ),
    case(
        "SHA-256 inside, nobody's outside",
        mismatched(outer=algorithm("1.2.3.4")),
        reasons=NEITHER,
        openssl=78,
    ),
    case(
        "no parameters inside, NULL outside",
        mismatched(inner=algorithm(SHA256_RSA, WITHOUT)),
        reasons=(Reason.PROFILE_MISMATCH, Reason.UNTRUSTED_ISSUER),
        openssl=78,
    ),
    case(
        "NULL inside, no parameters outside",
        mismatched(outer=algorithm(SHA256_RSA, WITHOUT)),
        reasons=UNTRUSTED,
        openssl=78,
    ),
    case(
        "no parameters",
        identified(algorithm(SHA256_RSA, WITHOUT)),
        reasons=(Reason.PROFILE_MISMATCH,),
        why="JPKI writes NULL; RFC 4055 5 takes both",
    ),
    case(
        "NULL with contents",
        identified(algorithm(SHA256_RSA, JUNK)),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    case(
        "an OCTET STRING as parameters",
        identified(algorithm(SHA256_RSA, tlv(4, b"junk"))),
        reasons=REFUSED,
        why=PARAMETERS,
    ),
    case(
        "a SEQUENCE as parameters",
        identified(algorithm(SHA256_RSA, seq())),
        reasons=REFUSED,
        why=PARAMETERS,
    ),
    case(
        "two parameters",
        identified(algorithm(SHA256_RSA, b"\x05\x00\x05\x00")),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    case(
        "128 KiB of parameters",
        identified(algorithm(SHA256_RSA, tlv(4, bytes(1 << 17)))),
        reasons=REFUSED,
        why=PARAMETERS,
    ),
)


def with_signature(change) -> Der:
    """The usual TBSCertificate with its signature changed."""

    def leaf() -> bytes:
        fields = fields_of()
        signature = by_rsa()(fields.tbs())
        return seq(fields.tbs(), fields.outer, change(signature))

    return leaf


def ca_modulus() -> int:
    return load_key("signature-ca").public_key().public_numbers().n


def bare_digest() -> bytes:
    """The digest with PKCS#1 padding and no word of which algorithm made it."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(fields_of().tbs())
    return raw_rsa(digest.finalize())


def raw_rsa(message: bytes) -> bytes:
    numbers = load_key("signature-ca").private_numbers()
    size = 256
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(message)) + b"\x00" + message
    n = numbers.public_numbers.n
    return pow(int.from_bytes(padded), numbers.d, n).to_bytes(size)


SIGNED = (
    case("signed by the CA", with_signature(bits)),
    case("an empty signature", with_signature(lambda _: bits(b"")), reasons=UNTRUSTED, openssl=7),
    case(
        "no octet at all in the signature",
        with_signature(lambda _: tlv(3, b"")),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    case(
        "signature zero", with_signature(lambda _: bits(bytes(256))), reasons=UNTRUSTED, openssl=7
    ),
    case(
        "signature one",
        with_signature(lambda _: bits(bytes(255) + b"\x01")),
        reasons=UNTRUSTED,
        openssl=7,
    ),
    case(
        "signature + modulus",
        with_signature(lambda s: bits((int.from_bytes(s) + ca_modulus()).to_bytes(257))),
        reasons=UNTRUSTED,
        openssl=7,
    ),
    case(
        "a zero before the signature",
        with_signature(lambda s: bits(b"\x00" + s)),
        reasons=UNTRUSTED,
        openssl=7,
    ),
    case(
        "a byte after the signature",
        with_signature(lambda s: bits(s + b"\x00")),
        reasons=UNTRUSTED,
        openssl=7,
    ),
    case("a byte missing", with_signature(lambda s: bits(s[:-1])), reasons=UNTRUSTED, openssl=7),
    case(
        "a bit flipped",
        with_signature(lambda s: bits(s[:-1] + bytes([s[-1] ^ 1]))),
        reasons=UNTRUSTED,
        openssl=7,
    ),
    case("unused bits", with_signature(lambda s: bits(s, 1)), reasons=REFUSED, openssl=7),
    case(
        "signature an OCTET STRING",
        with_signature(lambda s: tlv(4, s)),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    case(
        "encrypted digest without DigestInfo",
        with_signature(lambda _: bits(bare_digest())),
        reasons=UNTRUSTED,
        openssl=7,
    ),
)


ALGORITHMS: tuple[Case, ...] = (*OTHER, *MISMATCHES, *SIGNED)
