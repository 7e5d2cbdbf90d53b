"""An OCSP responder that the user named, RFC 6960 appendix A."""

from collections.abc import Callable

from jpki.http_client import TIMEOUT_S, post


def ocsp_responder(url: str, *, timeout_s: float = TIMEOUT_S) -> Callable[[bytes], bytes]:
    """Return what asks an OCSP responder: DER OCSPRequest -> DER OCSPResponse, RFC 6960 A.

    Calling it raises ServerError.
    """

    def ask(request: bytes) -> bytes:
        return post(url, request, "application/ocsp-request", timeout_s=timeout_s)

    return ask
