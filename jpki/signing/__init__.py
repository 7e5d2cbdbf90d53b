"""Signing with any RSA private key: bare PKCS#1 v1.5, CMS and CAdES."""

from jpki.signing.attached import write_attached
from jpki.signing.cms import preload, sign_cms, sign_digest
from jpki.signing.digest import HashAlgorithm, hash_stream
from jpki.signing.raw import sign_raw

__all__ = [
    "HashAlgorithm",
    "hash_stream",
    "preload",
    "sign_cms",
    "sign_digest",
    "sign_raw",
    "write_attached",
]
