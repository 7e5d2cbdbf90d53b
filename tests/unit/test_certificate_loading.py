"""Certificates out of files: what is loaded, and what is refused."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from support.pki import PKI_DIR, SIGNATURE_LEAF, load, load_key

from jpki.certificates import load_certificates
from jpki.certificates.loading import MAX_CERTIFICATES
from jpki.errors import CertificateMalformedError


def der(name: str) -> bytes:
    return load(name).public_bytes(Encoding.DER)


def pem(name: str) -> bytes:
    return (PKI_DIR / f"{name}.pem").read_bytes()


def test_der_and_pem_with_one_or_many_are_loaded():
    both = (load("signature"), load("signature-ca"))
    assert load_certificates(der("signature")) == both[:1]
    assert load_certificates(der("signature") + der("signature-ca")) == both
    assert load_certificates(pem("signature")) == both[:1]
    bundle = b"# a comment\r\n" + pem("signature") + b"\n\n" + pem("signature-ca")
    assert load_certificates(bundle) == both
    assert load_certificates(bundle.replace(b"\n", b"\r\n")) == both


def test_a_key_beside_the_certificate_is_passed_over():
    data = (PKI_DIR / "signature.key").read_bytes() + pem("signature")
    assert load_certificates(data) == (load("signature"),)


def test_a_name_that_looks_like_pem_does_not_make_a_certificate_pem():
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "-----BEGIN CERTIFICATE-----")])
    built = replace(SIGNATURE_LEAF, subject=subject).build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    assert load_certificates(built.public_bytes(Encoding.DER)) == (built,)
    assert load_certificates(built.public_bytes(Encoding.PEM)) == (built,)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"hello",
        b"0",
        der("signature")[:-1],
        der("signature") + b"\x00",
        der("signature") + b"\x30",
        b"\x04" + der("signature")[1:],
        b"\x30\x84\x05\xf5\xe1\x00" + bytes(100),
        b"\x30\x80" + der("signature")[4:] + b"\x00\x00",
        b"\x30\x82\x01\x00" * 5000,
        (PKI_DIR / "signature.key").read_bytes(),
        pem("signature")[:-20],
        pem("signature") + b"-----BEGIN CERTIFICATE-----\nAAAA",
        pem("signature").replace(b"M", b"*", 1),
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
        der("signature") * (MAX_CERTIFICATES + 1),
    ],
    ids=lambda data: f"{len(data)} bytes {data[:8]!r}",
)
def test_what_is_no_certificate_is_refused_with_one_error(data):
    with pytest.raises(CertificateMalformedError):
        load_certificates(data)


def test_every_truncation_is_refused():
    data = der("signature")
    for size in range(len(data)):
        with pytest.raises(CertificateMalformedError):
            load_certificates(data[:size])
