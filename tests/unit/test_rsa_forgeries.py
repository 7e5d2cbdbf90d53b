"""Forged RSA signatures: every verifier refuses each kind, and takes the sound one beside it."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import new

import pytest
from asn1crypto import core, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from support.cms import DOCUMENT, Forgery, signed_data, to_asn1
from support.keys import CountingKey
from support.pki import AT, AUTHENTICATION_LEAF, SIGNATURE_LEAF, load, load_key
from support.rsa_forgeries import (
    VALUES,
    ForgingKey,
    PssKey,
    bleichenbacher,
    encodings,
    raw_rsa,
    sound,
    suffix_cube,
)
from support.tsa import Token, build_authority

from jpki.authentication import make_token, verify_token
from jpki.authentication.errors import TokenError, TokenFault
from jpki.signing.digest import HashAlgorithm
from jpki.signing.jws import base64url
from jpki.verification import Reason, verify_cms, verify_raw
from jpki.verification.jws import verify_jws
from jpki.verification.timestamp import verify_timestamp

CA = [load("signature-ca")]
LOGIN_CA = [load("authentication-ca")]
ORIGIN, NONCE = "https://example.jp", "A" * 44
ENCODINGS = encodings()


def by_raw(key: rsa.RSAPrivateKey) -> bool:
    signature = key.sign(DOCUMENT, padding.PKCS1v15(), hashes.SHA256())
    report = verify_raw(signature, io.BytesIO(DOCUMENT), load("signature"), CA, AT)
    return report.signatures[0].reasons == ()


def by_cms(key: rsa.RSAPrivateKey) -> bool:
    report = verify_cms(signed_data(Forgery(key=key)), io.BytesIO(DOCUMENT), CA, AT)
    return report.signatures[0].reasons == ()


def by_jws(key: rsa.RSAPrivateKey) -> bool:
    certificate = base64.b64encode(load("signature").public_bytes(Encoding.DER)).decode()
    header = json.dumps({"alg": "RS256", "x5c": [certificate]}).encode()
    signed = f"{base64url(header)}.{base64url(DOCUMENT)}".encode()
    value = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    report = verify_jws(signed + b"." + base64url(value).encode(), None, CA, AT)
    return not report.reasons and report.signatures[0].reasons == ()


def by_timestamp(key: rsa.RSAPrivateKey) -> bool:
    certificate = build_authority(key=load_key("signature"))
    token = Token(message=DOCUMENT, key=key, certificate=certificate).der()
    return verify_timestamp(token, DOCUMENT, CA, AT).reasons == ()


def by_token(key: rsa.RSAPrivateKey) -> bool:
    certificate = certificate_of_login()
    token = make_token(ORIGIN, NONCE, key, certificate, "x")
    try:
        verify_token(token, ORIGIN, NONCE, LOGIN_CA, AT)
    except TokenError as error:
        if error.fault is not TokenFault.SIGNATURE:
            raise
        return False
    return True


@cache
def certificate_of_login() -> x509.Certificate:
    return AUTHENTICATION_LEAF.build(
        load_key("signature").public_key(), load_key("authentication-ca")
    )


VERIFIERS = pytest.mark.parametrize(
    "accepts",
    [by_raw, by_cms, by_jws, by_timestamp, by_token],
    ids=lambda verifier: verifier.__name__,
)


# --- the controls -------------------------------------------------------------------------------


def test_the_block_of_the_standard_gives_the_signature_that_everybody_makes():
    key = load_key("signature")
    for name in ("sha256", "sha384", "sha512"):
        algorithm = HashAlgorithm(name).for_cryptography()
        expected = key.sign(DOCUMENT, padding.PKCS1v15(), algorithm)
        assert raw_rsa(key, sound(new(name, DOCUMENT).digest(), name, 256)) == expected


@VERIFIERS
def test_every_verifier_takes_the_sound_signature(accepts):
    assert accepts(load_key("signature"))
    assert accepts(ForgingKey(load_key("signature")))


def test_all_forged_blocks_are_other_blocks_than_the_sound_one():
    digest = new("sha256", DOCUMENT).digest()
    blocks = {encode(digest, "sha256", 256) for encode in ENCODINGS.values()}
    assert len(blocks) == len(ENCODINGS) > 70
    assert sound(digest, "sha256", 256) not in blocks


# --- blocks and values --------------------------------------------------------------------------


@VERIFIERS
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_block_of_another_form_is_refused(name, accepts):
    assert not accepts(ForgingKey(load_key("signature"), ENCODINGS[name]))


@VERIFIERS
@pytest.mark.parametrize("name", [name for name in VALUES if name != "empty"])
def test_another_value_is_refused(name, accepts):
    assert not accepts(ForgingKey(load_key("signature"), finish=VALUES[name]))


@pytest.mark.parametrize("accepts", [by_raw, by_cms, by_jws, by_timestamp])
def test_no_value_at_all_is_refused(accepts):
    assert not accepts(ForgingKey(load_key("signature"), finish=VALUES["empty"]))


@VERIFIERS
def test_a_signature_by_pss_is_refused(accepts):
    assert not accepts(PssKey(load_key("signature")))


@VERIFIERS
def test_the_signature_of_another_key_is_refused(accepts):
    assert not accepts(load_key("foreign-ca"))


def short_signature() -> tuple[bytes, bytes]:
    """A document whose signature begins with a zero byte."""
    key = load_key("signature")
    number = 0
    while True:
        document = b"%d" % number
        signature = raw_rsa(key, sound(new("sha256", document).digest(), "sha256", 256))
        if signature[0] == 0:
            return document, signature
        number += 1


def test_a_signature_that_begins_with_zero_must_have_its_full_length():
    document, signature = short_signature()

    def reasons(value: bytes) -> tuple[Reason, ...]:
        report = verify_raw(value, io.BytesIO(document), load("signature"), CA, AT)
        return report.signatures[0].reasons

    assert reasons(signature) == ()
    assert reasons(signature[1:]) == (Reason.SIGNATURE_INVALID,)
    assert reasons(signature.lstrip(b"\x00")) == (Reason.SIGNATURE_INVALID,)
    assert reasons(b"\x00" + signature) == (Reason.SIGNATURE_INVALID,)


# --- other sizes and hashes ---------------------------------------------------------------------


@dataclass(frozen=True)
class Signer:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


@cache
def signer_of(bits: int, exponent: int = 65537) -> Signer:
    key = rsa.generate_private_key(exponent, bits)
    return Signer(key, SIGNATURE_LEAF.build(key.public_key(), load_key("signature-ca")))


def judged(signer: Signer, signature: bytes, algorithm: HashAlgorithm) -> tuple[Reason, ...]:
    stream = io.BytesIO(DOCUMENT)
    report = verify_raw(signature, stream, signer.certificate, CA, AT, algorithm)
    return report.signatures[0].reasons


@pytest.mark.parametrize(
    ("bits", "algorithm"),
    [
        (2048, HashAlgorithm.SHA384),
        (2048, HashAlgorithm.SHA512),
        (3072, HashAlgorithm.SHA256),
        (4096, HashAlgorithm.SHA512),
    ],
)
def test_the_kinds_are_refused_at_other_sizes_and_hashes(bits, algorithm):
    signer = signer_of(bits)
    digest, size = algorithm.digest(DOCUMENT), bits // 8
    usual = () if bits == 2048 else (Reason.WEAK_KEY,)  # no card has such a key
    good = raw_rsa(signer.key, sound(digest, algorithm.value, size))
    assert judged(signer, good, algorithm) == usual
    for name, encode in encodings(algorithm.value).items():
        forged = raw_rsa(signer.key, encode(digest, algorithm.value, size))
        assert judged(signer, forged, algorithm) == (Reason.SIGNATURE_INVALID, *usual), name


@pytest.mark.parametrize("algorithm", HashAlgorithm)
@pytest.mark.parametrize("other", HashAlgorithm)
def test_a_signature_with_one_hash_does_not_pass_for_another(algorithm, other):
    signer = signer_of(2048)
    signature = raw_rsa(signer.key, sound(algorithm.digest(DOCUMENT), algorithm.value, 256))
    expected = () if algorithm is other else (Reason.SIGNATURE_INVALID,)
    assert judged(signer, signature, other) == expected


# --- small exponents ----------------------------------------------------------------------------


def test_a_key_with_exponent_3_is_weak_even_where_its_signature_is_sound():
    signer = signer_of(2048, 3)
    signature = signer.key.sign(DOCUMENT, padding.PKCS1v15(), hashes.SHA256())
    assert judged(signer, signature, HashAlgorithm.SHA256) == (Reason.WEAK_KEY,)


@pytest.mark.parametrize("bits", [2048, 3072])
def test_cubes_that_look_like_signatures_are_refused(bits):
    signer = signer_of(bits, 3)
    digest, size = new("sha256", DOCUMENT).digest(), bits // 8
    modulus = signer.key.public_key().public_numbers().n
    forged = [bleichenbacher(digest, "sha256", size, count) for count in (0, 1, 8, 20)]
    for signature in forged:
        assert int.from_bytes(signature, "big") ** 3 < modulus
        reasons = judged(signer, signature, HashAlgorithm.SHA256)
        assert reasons == (Reason.SIGNATURE_INVALID, Reason.WEAK_KEY)


def test_a_cube_that_ends_like_a_signature_is_refused():
    signer = signer_of(2048, 3)
    number = 0
    while True:
        document = b"%d" % number
        signature = suffix_cube(new("sha256", document).digest(), "sha256", 256)
        if signature is not None:
            break
        number += 1
    report = verify_raw(signature, io.BytesIO(document), signer.certificate, CA, AT)
    assert report.signatures[0].reasons == (Reason.SIGNATURE_INVALID, Reason.WEAK_KEY)


def certificate_with_exponent(exponent: int) -> bytes:
    """The usual signer's certificate with another exponent, signed by the CA all the same."""
    certificate = to_asn1(load("signature"))
    tbs = certificate["tbs_certificate"].copy()
    numbers = load_key("signature").public_key().public_numbers()
    key = keys.RSAPublicKey({"modulus": numbers.n, "public_exponent": exponent})
    tbs["subject_public_key_info"]["public_key"] = key
    signed = tbs.dump(force=True)
    value = load_key("signature-ca").sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return asn1_x509.Certificate(
        {
            "tbs_certificate": asn1_x509.TbsCertificate.load(signed),
            "signature_algorithm": certificate["signature_algorithm"],
            "signature_value": value,
        }
    ).dump()


class NoKey(CountingKey):
    """With exponent 1 the block is its own signature."""

    def sign(self, data, padding, algorithm):
        return sound(new("sha256", data).digest(), "sha256", 256)


def test_an_exponent_of_one_signs_nothing():
    def reasons(exponent: int, key: rsa.RSAPrivateKey) -> tuple[Reason, ...]:
        forgery = Forgery(key=key, attributes=[])  # names no certificate by its hash
        signature = signed_data(forgery, certificates=[certificate_with_exponent(exponent)])
        report = verify_cms(signature, io.BytesIO(DOCUMENT), CA, AT)
        return report.signatures[0].reasons

    assert Reason.CERTIFICATE_MALFORMED not in reasons(65537, load_key("signature"))
    assert Reason.SIGNATURE_INVALID not in reasons(65537, load_key("signature"))
    for exponent in (1, 0, -1, 2):
        assert reasons(exponent, NoKey(load_key("signature"))) == (Reason.CERTIFICATE_MALFORMED,)


# --- ECDSA of timestamps ------------------------------------------------------------------------

CURVE_KEY = ec.generate_private_key(ec.SECP256R1())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class EcForger(ec.EllipticCurvePrivateKey):
    """A key on P-256 that changes its signatures."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        self._change = change

    def sign(self, data, signature_algorithm):
        return self._change(CURVE_KEY.sign(data, signature_algorithm))

    def public_key(self):
        return CURVE_KEY.public_key()

    def _never(self, *_arguments, **_named):
        raise NotImplementedError

    curve = property(_never)
    key_size = property(_never)
    exchange = private_numbers = private_bytes = __copy__ = __deepcopy__ = _never


def pair(r: int, s: int) -> bytes:
    body = core.Integer(r).dump() + core.Integer(s).dump()
    return b"\x30" + bytes([len(body)]) + body


def changed(change: Callable[[int, int], tuple[int, int]]) -> Callable[[bytes], bytes]:
    return lambda signature: pair(*change(*decode_dss_signature(signature)))


def stamped(change: Callable[[bytes], bytes]) -> tuple[Reason, ...]:
    token = Token(
        message=DOCUMENT,
        key=EcForger(change),
        certificate=build_authority(key=CURVE_KEY),
        signature_algorithm="sha256_ecdsa",
    )
    return verify_timestamp(token.der(), DOCUMENT, CA, AT).reasons


def test_a_sound_signature_on_a_curve_is_the_control():
    assert stamped(lambda signature: signature) == ()
    assert stamped(changed(lambda r, s: (r, s))) == ()


@pytest.mark.parametrize(
    "change",
    [
        changed(lambda r, s: (0, s)),
        changed(lambda r, s: (r, 0)),
        changed(lambda r, s: (0, 0)),
        changed(lambda r, s: (1, 1)),
        changed(lambda r, s: (r, ORDER)),
        changed(lambda r, s: (ORDER, s)),
        changed(lambda r, s: (r + ORDER, s)),
        changed(lambda r, s: (r, s + ORDER)),
        changed(lambda r, s: (-r, s)),
        changed(lambda r, s: (r - ORDER, s)),
        changed(lambda r, s: (s, r)),
        changed(lambda r, s: (r, s + 1)),
        lambda signature: signature + b"\x00",
        lambda signature: signature[:-1],
        lambda signature: b"",
        lambda signature: b"\x30\x81" + signature[1:],
        lambda signature: b"\x30\x80" + signature[2:] + b"\x00\x00",
        lambda signature: b"\x31" + signature[1:],
        lambda signature: b"\x30\x00",
        lambda signature: b"\x30\x06" + b"\x02\x01\x00" * 2,
        lambda signature: b"".join(
            number.to_bytes(32, "big") for number in decode_dss_signature(signature)
        ),
        lambda signature: b"\x30" + bytes([signature[1] + 2]) + signature[2:] + b"\x05\x00",
    ],
    ids=range(22),
)
def test_a_forged_signature_on_a_curve_is_refused(change):
    assert stamped(change) == (Reason.SIGNATURE_INVALID,)
