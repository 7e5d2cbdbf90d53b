"""The demonstration site: its addresses, and what each of them does.

A login takes two POSTs of the page's script. ``/challenge`` issues a nonce for this session;
the script hands it to the Web eID extension, whose program asks for card and PIN; ``/login`` takes
the nonce, validates the token, and begins a session with a new id.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from jpki.authentication.challenge_store import SqliteChallengeStore
from jpki.authentication.clock import Clock, utc_now
from jpki.authentication.demonstration.guard import Guard
from jpki.authentication.demonstration.limits import Limits, RateLimit
from jpki.authentication.demonstration.pages import Pages
from jpki.authentication.demonstration.refusals import Refusal, refusal_of
from jpki.authentication.demonstration.sessions import Account, Session, SessionStore
from jpki.authentication.demonstration.visit import RefusedError, Visit, endpoint
from jpki.authentication.demonstration.words import LANGUAGES
from jpki.authentication.errors import TokenError
from jpki.authentication.sqlite_file import IN_MEMORY
from jpki.authentication.token import MAX_TOKEN_SIZE
from jpki.authentication.verifier import TokenValidator
from jpki.errors import ServerError

STATIC: Final = Path(__file__).parent / "static"
SESSION_COOKIE: Final = "__Host-session"
MAX_LOGIN_BODY: Final = MAX_TOKEN_SIZE + 2048  # a token, its nonce, and the JSON around them
MAX_FORM_BODY: Final = 1024
PLACES: Final = frozenset({"/", "/account", *(f"/refused/{refusal}" for refusal in Refusal)})


def _nothing(_line: str) -> None:
    """Keep no access log."""


class Demonstration:
    """The site as an ASGI application."""

    def __init__(
        self,
        validator: TokenValidator,
        *,
        database: str | Path = IN_MEMORY,
        limits: Limits | None = None,
        clock: Clock = utc_now,
        log: Callable[[str], None] = _nothing,
    ) -> None:
        """Build it.

        Args:
            validator: the check of a token, with the site's own origin in it.
            database: the file of sessions and challenges; in memory they end with the process.
            limits: how much one address may ask for.
            clock: for sessions and challenges.
            log: gets one line for each request, without personal data.

        Raises:
            sqlite3.Error, OSError: the file cannot be opened, or is no SQLite file.
        """
        limits = limits or Limits()
        self._validator = validator
        self._challenges = SqliteChallengeStore(database, clock=clock)
        self._sessions = SessionStore(database, clock)
        self._pages = Pages(origin=validator.origin)
        self._new_sessions = RateLimit(limits.sessions)
        self._new_challenges = RateLimit(limits.challenges)
        self._logins = RateLimit(limits.logins)
        files = {f"/static/{path.name}" for path in STATIC.iterdir()}
        paths = PLACES | files | {"/challenge", "/login", "/logout", "/language"}
        self._guarded = Guard(self._site(), origin=validator.origin, paths=paths, log=log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._guarded(scope, receive, send)

    def close(self) -> None:
        """Let go of the file."""
        self._challenges.close()
        self._sessions.close()

    def _site(self) -> Starlette:
        def page(path: str, show: Callable[[Visit], Response]) -> Route:
            return Route(path, endpoint(show, self._find, self._refused), methods=["GET"])

        def post(path: str, act: Callable[[Visit], Response], most: int) -> Route:
            acting = endpoint(_of_our_page(act), self._find, self._refused, most_bytes=most)
            return Route(path, acting, methods=["POST"])

        return Starlette(
            routes=[
                page("/", self._start),
                page("/account", self._account),
                page("/refused/{refusal}", self._why_refused),
                post("/challenge", self._challenge, 0),
                post("/login", self._log_in, MAX_LOGIN_BODY),
                post("/logout", self._log_out, MAX_FORM_BODY),
                post("/language", self._choose_language, MAX_FORM_BODY),
                Mount("/static", _Static(directory=STATIC)),
            ],
            exception_handlers={HTTPException: self._no_such_page, Exception: _broken},
        )

    # --- pages --------------------------------------------------------------------------------

    def _start(self, visit: Visit) -> Response:
        if visit.session is not None and visit.session.account is not None:
            return RedirectResponse("/account", 303)
        return self._page(visit, "start.html")

    def _account(self, visit: Visit) -> Response:
        if visit.session is None or visit.session.account is None:
            return RedirectResponse("/", 303)
        return self._page(visit, "account.html", account=visit.session.account)

    def _why_refused(self, visit: Visit) -> Response:
        try:
            refusal = Refusal(visit.request.path_params["refusal"])
        except ValueError:
            raise HTTPException(404) from None
        return self._page(visit, "refused.html", refusal=refusal)

    def _page(self, visit: Visit, template: str, **values: object) -> Response:
        session, is_new = visit.session, False
        if session is None:  # its first page: the button on it needs a session
            if visit.comes_from_elsewhere and not visit.request.url.query:
                return _come_again(visit.request.url.path)
            _within(self._new_sessions, visit)
            session, is_new = self._sessions.open(), True
        language = session.language or visit.wanted_language
        values |= {"session": session, "path": visit.request.url.path}
        response = HTMLResponse(self._pages.render(template, language, **values))
        if is_new:
            _set_cookie(response, session)
        return response

    # --- actions ------------------------------------------------------------------------------

    def _challenge(self, visit: Visit) -> Response:
        _within(self._new_challenges, visit)
        return JSONResponse({"nonce": self._challenges.issue(visit.known_session.id)})

    def _log_in(self, visit: Visit) -> Response:
        _within(self._logins, visit)
        session = visit.known_session
        nonce, token = _login_of(visit.body)
        try:
            self._challenges.take(nonce, session.id)  # first: whatever comes, it counts once
            login = self._validator.validate(token, nonce)
        except TokenError as error:
            raise RefusedError(refusal_of(error), 401, str(error)) from error
        except ServerError as error:
            raise RefusedError(Refusal.REVOCATION_UNKNOWN, 503) from error
        response = JSONResponse({"location": "/account"})
        _set_cookie(response, self._sessions.log_in(session, Account.of(login)))
        return response

    def _log_out(self, visit: Visit) -> Response:
        self._sessions.end(visit.known_session)
        response = RedirectResponse("/", 303)
        response.delete_cookie(
            SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="strict"
        )
        return response

    def _choose_language(self, visit: Visit) -> Response:
        language, back = visit.form.get("language"), visit.form.get("back", "/")
        if language in LANGUAGES:
            self._sessions.choose_language(visit.known_session, language)
        return RedirectResponse(back if back in PLACES else "/", 303)

    # --- around them --------------------------------------------------------------------------

    def _find(self, request: Request) -> Session | None:
        value = request.cookies.get(SESSION_COOKIE)
        return None if value is None else self._sessions.find(value)

    def _refused(self, visit: Visit, error: RefusedError) -> Response:
        place = f"/refused/{error.refusal}"
        headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
        if visit.wants_json:
            answer = {"reason": error.refusal, "location": place}
            return JSONResponse(answer, error.status, headers)
        values = {"refusal": error.refusal, "session": visit.session, "path": place}
        text = self._pages.render("refused.html", visit.language, **values)
        return HTMLResponse(text, error.status, headers)

    def _no_such_page(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        if error.status_code != HTTPStatus.NOT_FOUND:
            return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
        language = Visit(request).language
        text = self._pages.render("missing.html", language, session=None, path="/")
        return HTMLResponse(text, error.status_code)


class _Static(StaticFiles):
    """Our few files; browsers ask each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _of_our_page(act: Callable[[Visit], Response]) -> Callable[[Visit], Response]:
    """Act only when a page of this very session asks; the guard has looked at the origin."""

    def checked(visit: Visit) -> Response:
        if visit.session is None or not visit.has_csrf_token:
            raise RefusedError(Refusal.SESSION_OVER, 403)
        return act(visit)

    return checked


def _within(limit: RateLimit, visit: Visit) -> None:
    wait_s = limit.take(visit.address)
    if wait_s > 0:
        raise RefusedError(Refusal.TOO_MANY, 429, retry_after_s=int(wait_s) + 1)


def _login_of(body: bytes) -> tuple[str, str]:
    """The nonce and the token's text out of {"nonce": "...", "token": "..."}."""
    try:
        fields = json.loads(body)
        nonce, token = fields["nonce"], fields["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RefusedError(Refusal.NO_TOKEN, 400) from None
    if not isinstance(nonce, str) or not isinstance(token, str):
        raise RefusedError(Refusal.NO_TOKEN, 400)
    return nonce, token


def _come_again(path: str) -> Response:
    """Let the browser ask again, from our own page and so with its cookie, if it has one.

    A new session would take the place of the one that its holder is logged in with: any link of
    another site would log him out. (The query makes it another address, and that it was asked.)
    """
    return HTMLResponse(headers={"Refresh": f"0; url={path}?again"})


def _set_cookie(response: Response, session: Session) -> None:
    response.set_cookie(
        SESSION_COOKIE, session.id, path="/", secure=True, httponly=True, samesite="strict"
    )


def _broken(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("This site has a bug; its log says more.\n", 500)
