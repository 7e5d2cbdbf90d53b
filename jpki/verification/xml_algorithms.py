"""Algorithms of XML Signature by their identifiers: RFC 9231, XML Signature 1.1 section 6."""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from jpki.certificates.verdict import Reason
from jpki.signing.digest import HashAlgorithm
from jpki.verification.raw import signature_faults

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
ENCRYPTION: Final = "http://www.w3.org/2001/04/xmlenc#"

SHA1: Final = "sha1"
"""Its name in hashlib; broken, and read all the same because old documents rest on it."""

DIGEST_METHODS: Final = {
    ENCRYPTION + "sha256": HashAlgorithm.SHA256.value,
    MORE + "sha384": HashAlgorithm.SHA384.value,
    ENCRYPTION + "sha512": HashAlgorithm.SHA512.value,
    DSIG + "sha1": SHA1,
}
SIGNATURE_METHODS: Final = {
    MORE + "rsa-sha256": HashAlgorithm.SHA256.value,
    MORE + "rsa-sha384": HashAlgorithm.SHA384.value,
    MORE + "rsa-sha512": HashAlgorithm.SHA512.value,
    DSIG + "rsa-sha1": SHA1,
}
WEAK: Final = frozenset({MORE + "md5", MORE + "rsa-md5"})  # never computed


def algorithm_fault(identifier: str | None) -> Reason:
    """Why a method that is in neither table is refused."""
    return Reason.WEAK_ALGORITHM if identifier in WEAK else Reason.UNSUPPORTED_ALGORITHM


def value_faults(
    certificate: x509.Certificate, value: bytes, digest: bytes, hash_name: str
) -> Iterator[Reason]:
    """Check a signature value over a digest with the key of a certificate that was read."""
    if hash_name != SHA1:
        yield from signature_faults(certificate, value, digest, HashAlgorithm(hash_name))
        return
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        yield Reason.UNSUPPORTED_ALGORITHM
        return
    try:  # reported as weak
        key.verify(value, digest, PKCS1v15(), Prehashed(hashes.SHA1()))  # noqa: S303
    except (InvalidSignature, ValueError):
        yield Reason.SIGNATURE_INVALID
