"""Signing with any RSA private key: bare PKCS#1 v1.5, CMS, PDF, XML, JWS and ASiC-E.

What needs a library that takes long to import is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jpki.signing.attached import write_attached
from jpki.signing.cms import preload, sign_cms, sign_digest
from jpki.signing.digest import HashAlgorithm, hash_stream
from jpki.signing.raw import sign_raw

if TYPE_CHECKING:
    from jpki.signing.asic import sign_asice
    from jpki.signing.jws import sign_jws
    from jpki.signing.pdf import check_pdf, sign_pdf
    from jpki.signing.xml import check_xml, sign_xml

_HOME = {
    "check_pdf": "jpki.signing.pdf",
    "check_xml": "jpki.signing.xml",
    "sign_asice": "jpki.signing.asic",
    "sign_jws": "jpki.signing.jws",
    "sign_pdf": "jpki.signing.pdf",
    "sign_xml": "jpki.signing.xml",
}

__all__ = [
    "HashAlgorithm",
    "check_pdf",
    "check_xml",
    "hash_stream",
    "preload",
    "sign_asice",
    "sign_cms",
    "sign_digest",
    "sign_jws",
    "sign_pdf",
    "sign_raw",
    "sign_xml",
    "write_attached",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # PEP 562
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
