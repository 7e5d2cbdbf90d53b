"""Serving a site by uvicorn, which reads no environment and configures no log here."""

import asyncio
import signal
import socket
import ssl
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_REQUESTS: Final = 200
"""At the same time; more are told to come again (503)."""
MAX_HEADER_BYTES: Final = 16 << 10
PATIENCE_S: Final = 10.0
"""How long the head of a request may take to come, or an answer to be read."""
KEEP_ALIVE_S: Final = 5
SHUTDOWN_S: Final = 3
BACKLOG: Final = 128


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 is any free one. From now on whoever comes waits to be served.

    Raises:
        OSError: the address is not this machine's, or the port is in use or forbidden.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def serve(site: ASGIApp, listener: socket.socket, context: ssl.SSLContext) -> None:
    """Serve until SIGINT or SIGTERM, or until somebody sets ``should_exit``; then end in order.

    In the main thread those two signals are taken over meanwhile. A second one does not wait for
    requests under way.
    """
    server_of(site, context).run(sockets=[listener])


def server_of(site: ASGIApp, context: ssl.SSLContext) -> uvicorn.Server:
    """The server, not running yet."""
    config = uvicorn.Config(
        site,
        http=_Connection,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        # Behind a proxy of your own say which one: whoever is believed chooses his address.
        proxy_headers=False,
        forwarded_allow_ips=[],
        workers=1,
        server_header=False,
        limit_concurrency=MAX_REQUESTS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        ssl_context_factory=lambda _config, _default: context,
    )
    return _Server(config)


class _Connection(H11Protocol):
    """A connection whose client does its part in time.

    uvicorn would wait for it for ever, so a few who say nothing would keep everybody else out.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; it alone buys no time."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._stop_watching()

    def _watch(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        if not is_idle and not self.flow.write_paused:
            self._stop_watching()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE_S, self.transport.abort)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's own
        """Stop; uvicorn itself would raise the signal again when it has ended."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
