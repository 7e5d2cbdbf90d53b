"""An SSH agent at its socket: many clients at once, none of whom can keep the others waiting."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from jpki.authentication.ssh.agent import Agent, Conversation
from jpki.authentication.ssh.listening import BACKLOG, peer_is_trusted
from jpki.authentication.ssh.messages import MAX_MESSAGE
from jpki.authentication.ssh.wire import LENGTH_BYTES, string

MAX_CLIENTS: Final = 128
MESSAGE_TIMEOUT_S: Final = 30.0
"""How long a message that has begun may take to arrive. Between messages there is no limit: ssh
keeps a connection open for as long as it runs."""
END_TIMEOUT_S: Final = 5.0


class AgentServer:
    """Serves the clients of one agent.

    Args:
        agent: what answers.
        max_clients: more than these at a time are turned away.
        message_timeout_s: how long one message may take to arrive, in seconds.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        max_clients: int = MAX_CLIENTS,
        message_timeout_s: float = MESSAGE_TIMEOUT_S,
    ) -> None:
        self._agent = agent
        self._max_clients = max_clients
        self._message_timeout_s = message_timeout_s
        self._clients: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until stopped; what is being answered then is cancelled."""
        loop = asyncio.get_running_loop()

        def new_connection() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(_Reader(), self._accept)

        server = await loop.create_unix_server(new_connection, sock=listener, backlog=BACKLOG)
        try:
            await stop.wait()
        finally:
            server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trusted = peer_is_trusted(writer.get_extra_info("socket"))
        if (
            not isinstance(reader, _Reader)
            or not trusted
            or len(self._clients) >= self._max_clients
        ):
            writer.transport.abort()
            return
        client = asyncio.ensure_future(self._converse(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _converse(self, reader: "_Reader", writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(self._agent)
        try:
            while (message := await self._message(reader)) is not None:
                answer = await _unless_gone(reader, conversation.answer(message))
                if answer is None:
                    break
                writer.write(string(answer))
                async with asyncio.timeout(self._message_timeout_s):
                    await writer.drain()
        except OSError:  # it has gone in the middle of it, or does not read (TimeoutError)
            return
        finally:
            writer.transport.abort()

    async def _message(self, reader: asyncio.StreamReader) -> bytes | None:
        """The next message; None at the end, or if what comes is none."""
        try:
            begin = await reader.readexactly(1)
            async with asyncio.timeout(self._message_timeout_s):
                header = begin + await reader.readexactly(LENGTH_BYTES - 1)
                length = int.from_bytes(header, "big")
                if not 1 <= length <= MAX_MESSAGE:
                    return None
                return await reader.readexactly(length)
        except (asyncio.IncompleteReadError, TimeoutError):
            return None


class _Reader(asyncio.StreamReader):
    """A stream that tells when the other side is gone, also while nobody reads.

    Its end would not be seen behind more than there is room for, so who sends that much without
    waiting for an answer counts as gone.
    """

    def __init__(self) -> None:
        super().__init__(limit=MAX_MESSAGE)  # it stops reading at twice the limit
        self.gone = asyncio.Event()

    def feed_data(self, data: Any) -> None:  # noqa: ANN401  # typeshed's own word for it differs
        super().feed_data(data)
        if len(self._buffer) > 2 * MAX_MESSAGE:  # type: ignore[attr-defined]  # asyncio's
            self.gone.set()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


async def _unless_gone(reader: _Reader, answering: Coroutine[Any, Any, bytes]) -> bytes | None:
    """An answer, or None if the client has gone before it was ready."""
    answer = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(reader.gone.wait())
    either: set[asyncio.Future[Any]] = {answer, gone}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        gone.cancel()
        answer.cancel()
        with suppress(asyncio.CancelledError):
            await answer


@contextmanager
def served_in_thread(server: AgentServer, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread while the block runs: the caller's own thread is free for the card."""
    started: threading.Event = threading.Event()
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        ends.append((asyncio.get_running_loop(), stop))
        started.set()
        await server.serve(listener, stop)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="ssh-agent", daemon=True)
    thread.start()
    started.wait()
    try:
        yield
    finally:
        ((loop, stop),) = ends
        loop.call_soon_threadsafe(stop.set)
        thread.join(END_TIMEOUT_S)
