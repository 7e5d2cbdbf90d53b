"""Certificates out of files: what else a file may be is said in words."""

from typing import Final

from cryptography import x509

from cli.errors import InputError
from cli.input_file import InputFile
from cli.translation import N_
from jpki.certificates import load_certificates
from jpki.certificates.file_kind import FileKind, file_kind
from jpki.errors import CertificateMalformedError

MAX_BYTES: Final = 1 << 22

WORDS: Final = {
    FileKind.EMPTY: N_("it is empty"),
    FileKind.UTF16: N_("it is text in UTF-16; save it as UTF-8 or ASCII"),
    FileKind.CERTIFICATE: N_("the certificate in it is damaged"),
    FileKind.REQUEST: N_(
        "it is a certificate request (CSR), not a certificate; take what the CA issued for it"
    ),
    FileKind.PRIVATE_KEY: N_("it is a private key, not a certificate; show it to nobody"),
    FileKind.PUBLIC_KEY: N_("it is a public key, not a certificate"),
    FileKind.CRL: N_("it is a revocation list (CRL), not a certificate"),
    FileKind.PKCS7: N_(
        "it is a PKCS#7 or CMS file; 'jpki verify' checks a signature, and 'openssl pkcs7"
        " -print_certs' takes certificates out"
    ),
    FileKind.PKCS12: N_(
        "it is a PKCS#12 file with a private key; 'openssl pkcs12 -nokeys' takes the"
        " certificates out"
    ),
    FileKind.UNKNOWN: N_("there is no certificate in it that can be read"),
}


def read_certificate_file(name: str) -> tuple[x509.Certificate, ...]:
    """All certificates of a file, PEM or DER; ``-`` is the standard input. Raises: InputError."""
    data = InputFile(name=name).read(MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise InputError(name, N_("it is too large for certificates"))
    try:
        return load_certificates(data)
    except CertificateMalformedError:
        raise InputError(name, WORDS[file_kind(data)]) from None
