"""The full text of a certificate, as ``openssl x509 -text`` prints it: RFC 5280, in its words.

Nothing of it is translated but the mask over what is personal. A value that is not decoded stands
as the hexadecimal of its DER.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cli.certificate_view import MASK, issuer_text, subject_text
from cli.extension_text import Cover, extension_lines, hex_lines
from cli.facts import utc_text
from cli.printable import printable
from cli.times import japan_time
from jpki.certificates import read_profile

SIGNATURE_ALGORITHMS: Final = {
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "Ed25519",
}


def certificate_text(certificate: x509.Certificate, *, reveal: bool) -> Iterator[str]:
    """The lines of the full text of a certificate that was loaded."""
    profile = read_profile(certificate)
    yield "Certificate:"
    yield f"    Version: {certificate.version.name}"
    yield f"    Serial number: {f'{profile.serial_number:x}' if reveal else MASK}"
    yield f"    Signature algorithm: {_algorithm(certificate.signature_algorithm_oid)}"
    yield f"    Issuer: {printable(issuer_text(profile, reveal=reveal))}"
    yield f"    Not before: {_time(profile.not_valid_before)}"
    yield f"    Not after: {_time(profile.not_valid_after)}"
    yield f"    Subject: {printable(subject_text(profile, reveal=reveal))}"
    yield from _indented(_key_lines(certificate.public_key()))
    yield "    Extensions:"
    cover = Cover(reveal=reveal or profile.kind.is_ca, subject=certificate.subject)
    for extension in certificate.extensions:
        yield from _indented(extension_lines(extension, cover), by=8)
    yield "    Signature:"
    yield from _indented(hex_lines(certificate.signature), by=8)
    yield f"    SHA-256 fingerprint: {profile.fingerprint_sha256}"


def _indented(lines: Iterable[str], by: int = 4) -> Iterator[str]:
    return (" " * by + line for line in lines)


def _algorithm(oid: x509.ObjectIdentifier) -> str:
    name = SIGNATURE_ALGORITHMS.get(oid.dotted_string)
    return oid.dotted_string if name is None else f"{name} ({oid.dotted_string})"


def _time(time: datetime) -> str:
    return f"{utc_text(time)} ({japan_time(time)})"


def _key_lines(key: CertificatePublicKeyTypes) -> Iterator[str]:
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        yield f"Public key: RSA, {key.key_size} bits, exponent {numbers.e:#x}"
        yield from _indented(hex_lines(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)))
        return
    if isinstance(key, EllipticCurvePublicKey):
        yield f"Public key: EC, {key.curve.name}"
    else:
        yield f"Public key: {type(key).__name__.removesuffix('PublicKey')}"
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield from _indented(hex_lines(encoded))
