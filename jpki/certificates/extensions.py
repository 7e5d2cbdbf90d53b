"""Looking up X.509 extensions by their type, RFC 5280 4.2."""

from typing import TypeVar

from cryptography import x509

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


def find_extension(certificate: x509.Certificate, kind: type[ExtensionT]) -> ExtensionT | None:
    """Return the value of an extension, or None where the certificate has none of the kind."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
