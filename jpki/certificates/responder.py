"""Fetching revocation data over HTTP from a server that the user named, and from no other.

No redirect is followed: it would lead to a server that nobody named, and with OCSP it would tell
that server whose certificate is being looked at. Answers are bounded in size and time.
"""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from typing import IO, Final

from jpki.errors import ServerError

TIMEOUT_S: Final = 10.0
TOTAL_S: Final = 120.0
MAX_CRL_BYTES: Final = 1 << 26
MAX_OCSP_BYTES: Final = 1 << 20
CHUNK_BYTES: Final = 1 << 16
SCHEMES: Final = frozenset({"http", "https"})
UNREADABLE: Final = "?"


def is_url(text: str) -> bool:
    """Tell whether a word names a server rather than a file."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


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
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:  # such as a bracket without its other half
        return UNREADABLE
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def _authorization(parts: urllib.parse.SplitResult) -> dict[str, str]:
    """User and password of a URL as HTTP Basic authentication, RFC 7617."""
    if parts.username is None:
        return {}
    user, password = (urllib.parse.unquote(text or "") for text in (parts.username, parts.password))
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


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
    shown = without_credentials(url)
    if not is_url(url) or shown == UNREADABLE:
        raise ServerError(shown, "that is no address of a server (http, https)")
    opener = urllib.request.build_opener(_NoRedirect)
    parts = urllib.parse.urlsplit(url)
    bare = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    headers = {**_authorization(parts), **headers}
    request = urllib.request.Request(bare, data=body, headers=headers)  # noqa: S310  # checked above
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return _read(answer, shown, max_bytes)
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer as well, with the connection
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
    if isinstance(error, str):  # urllib's own: "no host given"
        return error
    return type(error).__name__
