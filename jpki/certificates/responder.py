"""Fetching revocation data over HTTP from a server that the user named, and from no other.

No redirect is followed: it would lead to a server that nobody named, and with OCSP it would tell
that server whose certificate is being looked at. Answers are bounded in size and time.
"""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import IO, Final

from jpki.errors import ServerError

TIMEOUT_S: Final = 10.0
TOTAL_S: Final = 120.0
MAX_CRL_BYTES: Final = 1 << 26
MAX_OCSP_BYTES: Final = 1 << 20
CHUNK_BYTES: Final = 1 << 16
SCHEMES: Final = frozenset({"http", "https"})


def is_url(text: str) -> bool:
    """Tell whether a word names a server rather than a file."""
    return urllib.parse.urlsplit(text).scheme.lower() in SCHEMES if "://" in text else False


def fetch(url: str, *, timeout_s: float = TIMEOUT_S, max_bytes: int = MAX_CRL_BYTES) -> bytes:
    """Fetch a file (a CRL) -> its bytes.

    Raises:
        ServerError: no answer, another status than 200, a redirect, or too large.
    """
    return _request(url, None, {}, timeout_s, max_bytes)


def post(
    url: str,
    body: bytes,
    content_type: str,
    *,
    headers: dict[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = MAX_OCSP_BYTES,
) -> bytes:
    """Send a request -> the body of the answer.

    Raises:
        ServerError: no answer, another status than 200, a redirect, or too large.
    """
    return _request(
        url, body, {"Content-Type": content_type, **(headers or {})}, timeout_s, max_bytes
    )


def ocsp_responder(url: str, *, timeout_s: float = TIMEOUT_S) -> Callable[[bytes], bytes]:
    """Return what asks an OCSP responder: DER OCSPRequest -> DER OCSPResponse, RFC 6960 A.

    Calling it raises ServerError.
    """

    def ask(request: bytes) -> bytes:
        return post(url, request, "application/ocsp-request", timeout_s=timeout_s)

    return ask


def without_credentials(url: str) -> str:
    """Return a URL as it may be shown: user, password, query and fragment are left out."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as the error status that it then is."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow none."""


def _request(
    url: str, body: bytes | None, headers: dict[str, str], timeout_s: float, max_bytes: int
) -> bytes:
    shown = without_credentials(url) if is_url(url) else "?"
    if shown == "?":
        raise ServerError(shown, "only http and https are known")
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310  # checked above
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return _read(answer, shown, max_bytes)
    except urllib.error.HTTPError as error:
        raise ServerError(shown, f"HTTP status {error.code}") from None
    except urllib.error.URLError as error:
        raise ServerError(shown, _cause(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServerError(shown, _cause(error)) from None


def _read(answer: http.client.HTTPResponse, shown: str, max_bytes: int) -> bytes:
    content = bytearray()
    deadline = time.monotonic() + TOTAL_S
    while chunk := answer.read1(CHUNK_BYTES):
        content += chunk
        if time.monotonic() > deadline:  # a drop at a time, each one in time
            raise ServerError(shown, f"no end within {TOTAL_S:.0f} seconds")
        if len(content) > max_bytes:
            raise ServerError(shown, f"more than {max_bytes} bytes")
    return bytes(content)


def _cause(error: object) -> str:
    """Return the name of what happened; its text could quote the URL with its password."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
