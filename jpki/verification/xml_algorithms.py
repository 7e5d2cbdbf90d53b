"""Algorithms of XML Signature by their identifiers: RFC 9231, XML Signature 1.1 section 6."""

from typing import Final

from jpki.certificates.verdict import Reason
from jpki.signing.digest import AnyHash, HashAlgorithm, WeakHash

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
ENCRYPTION: Final = "http://www.w3.org/2001/04/xmlenc#"

DIGEST_METHODS: Final[dict[str, AnyHash]] = {
    ENCRYPTION + "sha256": HashAlgorithm.SHA256,
    MORE + "sha384": HashAlgorithm.SHA384,
    ENCRYPTION + "sha512": HashAlgorithm.SHA512,
    DSIG + "sha1": WeakHash.SHA1,
}
SIGNATURE_METHODS: Final[dict[str, AnyHash]] = {
    MORE + "rsa-sha256": HashAlgorithm.SHA256,
    MORE + "rsa-sha384": HashAlgorithm.SHA384,
    MORE + "rsa-sha512": HashAlgorithm.SHA512,
    DSIG + "rsa-sha1": WeakHash.SHA1,
}
WEAK: Final = frozenset({MORE + "md5", MORE + "rsa-md5"})  # never computed


def algorithm_fault(identifier: str | None) -> Reason:
    """Why a method that is in neither table is refused."""
    return Reason.WEAK_ALGORITHM if identifier in WEAK else Reason.UNSUPPORTED_ALGORITHM
