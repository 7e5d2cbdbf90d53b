"""Serving a site by uvicorn, which reads no environment and configures no log here."""

import signal
import socket
import ssl
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

MAX_REQUESTS: Final = 200
"""At the same time; more are told to come again (503)."""
MAX_HEADER_BYTES: Final = 16 << 10
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
        http="h11",
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


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's own
        """Stop; uvicorn itself would raise the signal again when it has ended."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
