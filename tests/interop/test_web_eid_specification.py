"""A validator of Web eID tokens written from the specification alone, to judge ours.

And the other way round: a token that the authors of the specification publish is read by ours. It
 shares nothing with `jpki`: JSON and base64 of the standard library, asn1crypto for the
certificate, and textbook RSA with the EMSA-PKCS1-v1_5 block of RFC 8017 9.2 built by hand.
"""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from support.pki import AT, load, load_key

from jpki.authentication import AuthToken, make_token, new_nonce, verify_token
from jpki.authentication.errors import TokenError, TokenFault

PUBLISHED = Path(__file__).parents[2] / "fixtures" / "web-eid" / "example-token.json"
PUBLISHED_ORIGIN = "https://ria.ee"
PUBLISHED_NONCE = "12345678123456781234567812345678912356789123"
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
    name, _, version = token["format"].partition(":")
    if name != "web-eid" or version.split(".")[0] != "1":
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


def test_the_published_token_is_what_its_authors_say():
    """Or else its refusal would prove nothing: a damaged copy is refused too."""
    token = AuthToken.from_json(PUBLISHED.read_text())
    assert (token.algorithm, token.format) == ("ES384", "web-eid:1.0")
    parts = (PUBLISHED_ORIGIN.encode(), PUBLISHED_NONCE.encode())
    signed = b"".join(hashlib.sha384(part).digest() for part in parts)
    r, s = (int.from_bytes(half, "big") for half in (token.signature[:48], token.signature[48:]))
    key = x509.load_der_x509_certificate(token.certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA384()))


def refusal(token: AuthToken | str) -> TokenError:
    with pytest.raises(TokenError) as caught:
        verify_token(token, PUBLISHED_ORIGIN, PUBLISHED_NONCE, [load("authentication-ca")], AT)
    return caught.value


def test_the_published_token_is_read_and_refused_for_its_algorithm():
    text = PUBLISHED.read_text()
    assert json.loads(AuthToken.from_json(text).to_json()) == json.loads(text)
    assert refusal(text).fault is TokenFault.ALGORITHM


def test_the_published_token_under_the_name_of_our_algorithm_is_refused_for_its_certificate():
    error = refusal(replace(AuthToken.from_json(PUBLISHED.read_text()), algorithm="RS256"))
    assert error.fault is TokenFault.CERTIFICATE
    assert "unsupported-algorithm" in error.reasons
