"""What stands before every page: the right host, requests of our own pages only, strict headers."""

from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
METHODS: Final = SAFE_METHODS | {"POST"}
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make the Origin of our own forms "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS: Final = "max-age=31536000"


class Guard:
    """ASGI middleware around a whole site.

    ``log`` gets a line for each request: method, path and status of a page that there is, and the
    site's own word for a refusal. Never a query, a header, an address or a path of a stranger's
    making.
    """

    def __init__(
        self, site: ASGIApp, *, origin: str, paths: Collection[str], log: Callable[[str], None]
    ) -> None:
        self._site = site
        self._origin = origin
        self._host = urlsplit(origin).netloc
        self._paths = paths
        self._log = log
        self._headers = dict(HEADERS)
        if urlsplit(origin).hostname not in LOOPBACK_HOSTS:
            # Not for localhost: it would force TLS upon whatever else the developer runs there.
            self._headers["Strict-Transport-Security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        notes: dict[str, str] = {}
        scope["state"] = {"notes": notes}

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
                self._log(self._line(scope, message["status"], notes))
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            notes["reason"] = refusal[1]
            text = f"{refusal[1]}. This site is {self._origin}\n"
            await PlainTextResponse(text, refusal[0])(scope, receive, guarded_send)
            return
        await self._site(scope, receive, guarded_send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        # Names that lead here by somebody else's DNS are not ours (DNS rebinding).
        if headers.getlist("host") != [self._host]:
            return 421, "another host"
        if scope["method"] in SAFE_METHODS:
            return None
        # Browsers send both, and no page of another site can forge them.
        if headers.getlist("origin") != [self._origin]:
            return 403, "another origin"
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, "another site"
        return None

    def _line(self, scope: Scope, status: int, notes: dict[str, str]) -> str:
        method = scope["method"] if scope["method"] in METHODS else "-"
        path = scope["path"] if scope["path"] in self._paths else "-"
        reason = f" ({notes['reason']})" if "reason" in notes else ""
        return f"{method} {path} {status}{reason}"
