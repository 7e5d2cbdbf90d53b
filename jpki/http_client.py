"""HTTP with a server that the user named, and with no other: CRLs, OCSP, timestamps.

No redirect is followed: it would lead to a server that nobody named, and with OCSP it would tell
that server whose certificate is being looked at. Answers are bounded in size and time.
"""

import http.client
import io
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from typing import IO, Any, Final

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


class _BoundedStream(io.RawIOBase):
    """What a server sends, until a time; the socket alone waits anew for each byte of a drip."""

    def __init__(self, sock: socket.socket, file: IO[bytes]) -> None:
        self._sock = sock
        self._file = file  # holds the socket open
        self._timeout_s = sock.gettimeout() or TIMEOUT_S
        self._end = time.monotonic() + TOTAL_S

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # typeshed's buffer is no public name
        """Wait for bytes.

        Raises:
            TimeoutError: none came in time, or the whole took too long.
        """
        left_s = self._end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._timeout_s, left_s))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Let the socket go."""
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Headers and body within one time."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_BoundedStream(sock, self.fp))


class _HttpConnection(http.client.HTTPConnection):
    response_class = _Response


class _HttpsConnection(http.client.HTTPSConnection):
    response_class = _Response


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open over http."""
        return self.do_open(_HttpConnection, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open over https; certificates are checked, as is the default."""
        return self.do_open(_HttpsConnection, req)


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
    opener = urllib.request.build_opener(_NoRedirect, _HttpHandler, _HttpsHandler)
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
    if answer.status != http.HTTPStatus.OK:  # nothing, or a part
        raise ServerError(shown, f"HTTP status {answer.status}")
    content = bytearray()
    announced = answer.length
    while chunk := answer.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise ServerError(shown, f"more than {max_bytes} bytes")
    if announced is not None and len(content) != announced:
        raise ServerError(shown, "the connection ended early")
    return bytes(content)


def _cause(error: object) -> str:
    """Return the name of what happened; its text could quote the URL with its password."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, str):  # urllib's own: "no host given"
        return error
    return type(error).__name__
