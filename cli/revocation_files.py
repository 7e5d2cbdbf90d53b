"""CRLs and OCSP answers out of files, or from a server that the person named."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from cryptography import x509

from cli.errors import InputError
from cli.input_file import InputFile
from cli.translation import N_
from jpki.certificates.file_kind import FileKind, file_kind
from jpki.certificates.revocation import load_crls, load_ocsp_responses
from jpki.errors import RevocationDataMalformedError, ServerError

if TYPE_CHECKING:
    from cryptography.x509.ocsp import OCSPResponse

MAX_CRL_BYTES: Final = 1 << 26
MAX_OCSP_BYTES: Final = 1 << 20
SERVER_TIMEOUT_S: Final = 10.0

NO_CRL: Final = {
    FileKind.EMPTY: N_("it is empty"),
    FileKind.CERTIFICATE: N_("it is a certificate, not a revocation list (CRL)"),
    FileKind.CRL: N_("the revocation list (CRL) in it is damaged"),
    FileKind.PRIVATE_KEY: N_("it is a private key; show it to nobody"),
}
NO_OCSP: Final = {
    FileKind.EMPTY: N_("it is empty"),
    FileKind.CERTIFICATE: N_("it is a certificate, not an OCSP answer"),
    FileKind.CRL: N_("it is a revocation list: give it with --crl"),
    FileKind.PRIVATE_KEY: N_("it is a private key; show it to nobody"),
}
"""What a file is instead."""


def is_url(place: str) -> bool:
    """Whether a server is named, and no file."""
    if "://" not in place:
        return False
    from jpki import http_client

    return http_client.is_url(place)


def read_crls(
    places: Iterable[str], *, with_servers: bool
) -> tuple[x509.CertificateRevocationList, ...]:
    """All CRLs of some files and URLs; files first, so that nobody is asked in vain.

    Args:
        places: files, ``-``, or http(s) URLs.
        with_servers: fetch from the URLs too.

    Raises:
        InputError: a file that cannot be read, or without a CRL.
        ServerError: a server failed, or what it sent is no CRL.
    """
    places = list(places)
    from_files = [_crls_of_file(place) for place in places if not is_url(place)]
    urls = [place for place in places if is_url(place)]
    from_servers = [_crls_of_server(url) for url in urls] if with_servers else []
    return tuple(crl for crls in (*from_files, *from_servers) for crl in crls)


def _crls_of_file(name: str) -> tuple[x509.CertificateRevocationList, ...]:
    data = _read(name, MAX_CRL_BYTES)
    try:
        return load_crls(data)
    except RevocationDataMalformedError:
        words = NO_CRL.get(file_kind(data), N_("there is no revocation list (CRL) in it"))
        raise InputError(name, words) from None


def _crls_of_server(url: str) -> tuple[x509.CertificateRevocationList, ...]:
    from jpki.http_client import fetch, without_credentials

    data = fetch(url, timeout_s=SERVER_TIMEOUT_S)
    try:
        return load_crls(data)
    except RevocationDataMalformedError:
        detail = N_("there is no revocation list (CRL) in its answer")
        raise ServerError(without_credentials(url), detail) from None


def read_ocsp_responses(names: Iterable[str]) -> "tuple[OCSPResponse, ...]":
    """All OCSP answers of some files.

    Raises:
        InputError: a file that cannot be read, or without an OCSP answer.
    """
    return tuple(response for name in names for response in _responses_of_file(name))


def _responses_of_file(name: str) -> "tuple[OCSPResponse, ...]":
    data = _read(name, MAX_OCSP_BYTES)
    try:
        return load_ocsp_responses(data)
    except RevocationDataMalformedError:
        words = NO_OCSP.get(file_kind(data), N_("there is no OCSP answer in it"))
        raise InputError(name, words) from None


def responder_at(url: str) -> Callable[[bytes], bytes]:
    """What asks the OCSP responder there; it raises ServerError."""
    from jpki.certificates.responder import ocsp_responder

    return ocsp_responder(url, timeout_s=SERVER_TIMEOUT_S)


def _read(name: str, most: int) -> bytes:
    data = InputFile(name=name).read(most)
    if len(data) > most:
        raise InputError(name, N_("it is too large"))
    return data
