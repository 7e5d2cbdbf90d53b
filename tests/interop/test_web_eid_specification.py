"""A validator of Web eID tokens written from the specification alone, to judge ours.

It shares nothing with `jpki`: JSON and base64 of the standard library, asn1crypto for the
certificate, and textbook RSA with the EMSA-PKCS1-v1_5 block of RFC 8017 9.2 built by hand.
"""

import base64
import hashlib
import json
from datetime import datetime

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from support.pki import AT, load, load_key

from jpki.authentication import make_token, new_nonce

ORIGIN = "https://example.jp:8443"
SHA256_PREFIX = bytes.fromhex("3031300D060960864801650304020105000420")


class RefusedError(Exception):
    """The validator of this file says no."""


def rsa_sha256_block(signed: bytes, size: int) -> bytes:
    digest_info = SHA256_PREFIX + hashlib.sha256(signed).digest()
    return b"\x00\x01" + b"\xff" * (size - len(digest_info) - 3) + b"\x00" + digest_info


def check_rsa(key: keys.PublicKeyInfo, signature: bytes, signed: bytes) -> None:
    numbers = key["public_key"].parsed.native
    size = (numbers["modulus"].bit_length() + 7) // 8
    opened = pow(int.from_bytes(signature, "big"), numbers["public_exponent"], numbers["modulus"])
    if len(signature) != size or opened.to_bytes(size, "big") != rsa_sha256_block(signed, size):
        raise RefusedError("signature")


def validate(text: str, origin: str, nonce: str, ca: asn1_x509.Certificate, at: datetime) -> str:
    """Validate in the order of the specification; return the subject's common name."""
    if not 100 <= len(text) <= 10_000:
        raise RefusedError("size")
    token = json.loads(text)
    if not token["format"].startswith("web-eid:1"):
        raise RefusedError("format")
    certificate = asn1_x509.Certificate.load(
        base64.b64decode(token["unverifiedCertificate"], validate=True), strict=True
    )
    validity = certificate["tbs_certificate"]["validity"]
    if not validity["not_before"].native <= at <= validity["not_after"].native:
        raise RefusedError("dates")
    if "digital_signature" not in certificate.key_usage_value.native:
        raise RefusedError("key usage")
    if "client_auth" not in certificate.extended_key_usage_value.native:
        raise RefusedError("extended key usage")
    if certificate.issuer.dump() != ca.subject.dump():
        raise RefusedError("issuer")
    check_rsa(
        ca.public_key, certificate["signature_value"].native, certificate["tbs_certificate"].dump()
    )
    if token["algorithm"] != "RS256":
        raise RefusedError("algorithm")
    signed = b"".join(hashlib.sha256(part.encode()).digest() for part in (origin, nonce))
    signature = base64.b64decode(token["signature"], validate=True)
    check_rsa(certificate.public_key, signature, signed)
    return str(certificate.subject.native["common_name"])


def anchor(name: str = "authentication-ca") -> asn1_x509.Certificate:
    from cryptography.hazmat.primitives.serialization import Encoding

    return asn1_x509.Certificate.load(load(name).public_bytes(Encoding.DER))


def our_token(nonce: str, certificate: str = "authentication") -> str:
    key = load_key("authentication")
    program = "https://example.org/jpki/0.1.0"
    return make_token(ORIGIN, nonce, key, load(certificate), program).to_json()


def test_the_validator_accepts_our_token():
    nonce = new_nonce()
    name = validate(our_token(nonce), ORIGIN, nonce, anchor(), AT)
    assert name == "MIHON00000TEST99999003A"


def test_the_validator_refuses_our_token_elsewhere_and_for_another_nonce():
    nonce = new_nonce()
    for origin, other in (("https://example.jp", nonce), (ORIGIN, new_nonce())):
        with pytest.raises(RefusedError, match="signature"):
            validate(our_token(nonce), origin, other, anchor(), AT)


def test_the_validator_refuses_an_expired_certificate_and_a_foreign_issuer():
    nonce = new_nonce()
    with pytest.raises(RefusedError, match="dates"):
        validate(our_token(nonce, "authentication-expired"), ORIGIN, nonce, anchor(), AT)
    with pytest.raises(RefusedError, match="issuer"):
        validate(our_token(nonce), ORIGIN, nonce, anchor("signature-ca"), AT)
