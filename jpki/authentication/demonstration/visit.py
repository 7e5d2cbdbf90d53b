"""A request as the site's actions see it: bounded, with its session, away from the event loop."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from jpki.authentication.demonstration.refusals import Refusal
from jpki.authentication.demonstration.sessions import Session
from jpki.authentication.demonstration.words import preferred_language

CSRF_HEADER: Final = "X-CSRF-Token"
CSRF_FIELD: Final = "csrf"
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
MAX_FIELDS: Final = 10
BODY_TIMEOUT_S: Final = 10.0


class RefusedError(Exception):
    """The site says no; the holder gets a page about it. ``detail`` is for the log only."""

    def __init__(
        self, refusal: Refusal, status: int, detail: str = "", *, retry_after_s: int = 0
    ) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


@dataclass
class Visit:
    """One request, its body read."""

    request: Request
    body: bytes = b""
    session: Session | None = None

    @property
    def known_session(self) -> Session:
        """The session of a POST, which has one: ``_of_our_page`` looked."""
        assert self.session is not None  # noqa: S101
        return self.session

    @property
    def address(self) -> str:
        """The client's."""
        return self.request.client.host if self.request.client else ""

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        if self._media_type != FORM:
            return {}
        try:
            return dict(parse_qsl(self.body.decode("ascii"), max_num_fields=MAX_FIELDS))
        except ValueError:
            return {}

    @property
    def has_csrf_token(self) -> bool:
        """Whether the page that asks is one of this session's."""
        given = self.request.headers.get(CSRF_HEADER) or self.form.get(CSRF_FIELD, "")
        return hmac.compare_digest(given.encode(), self.known_session.csrf_token.encode())

    @property
    def comes_from_elsewhere(self) -> bool:
        """Whether a link of another site leads here: browsers keep a Strict cookie back then."""
        return self.request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}

    @property
    def wants_json(self) -> bool:
        """Whether our script asks, and no form or link."""
        return self.request.method == "POST" and self._media_type == JSON

    @property
    def wanted_language(self) -> str:
        """What the browser prefers."""
        return preferred_language(self.request.headers.get("Accept-Language", ""))

    @property
    def language(self) -> str:
        """What was chosen, or else what the browser prefers."""
        chosen = None if self.session is None else self.session.language
        return chosen or self.wanted_language

    @property
    def _media_type(self) -> str:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(
    act: Callable[[Visit], Response],
    find: Callable[[Request], Session | None],
    refuse: Callable[[Visit, RefusedError], Response],
    *,
    most_bytes: int = 0,
) -> Endpoint:
    """Make an endpoint of an action that may wait: for the disk, for an OCSP responder."""

    def attend(request: Request, body: bytes) -> Response:
        visit = Visit(request, body, find(request))
        try:
            return act(visit)
        except RefusedError as error:
            request.state.notes["reason"] = error.detail or error.refusal.value
            return refuse(visit, error)

    async def attended(request: Request) -> Response:
        body = await _read(request, most_bytes)
        return await run_in_threadpool(attend, request, body)

    return attended


async def _read(request: Request, most: int) -> bytes:
    """Read a body that is no longer than it may be, and comes in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise HTTPException(413, headers={"Connection": "close"})
    except TimeoutError:
        raise HTTPException(408, headers={"Connection": "close"}) from None
    except ClientDisconnect:  # nobody gets this answer; unanswered it would look like a bug
        raise HTTPException(400) from None
    return bytes(body)
