"""A card of few lines behind vpcd, for what no sound card does: pulls, silence, odd answers.

Wire protocol of vpcd: a 2-byte big-endian length and the message. One-byte messages to the card are
0 power off, 1 power on, 2 reset, 4 "send the ATR" (the only one that is answered); anything longer
is a command. Never answer with nothing: vpcd 3.3 waits for ever for a message of length 0.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Self

ATR = bytes.fromhex("3B80800101")

Answer = bytes | Literal["silent", "pull", "half a frame"]


class ScriptedCard:
    """Puts itself into a Virtual PCD and answers each command with ``answer(command)``.

    "pull" closes the connection instead of answering, "half a frame" after three bytes of an
    answer, "silent" just does not answer. ``log`` holds every message from vpcd.
    """

    def __init__(
        self, answer: Callable[[bytes], Answer] = lambda _: b"\x90\x00", *, port: int = 35963
    ) -> None:
        self.answer = answer
        self.log: list[bytes] = []
        self.powered_off = threading.Event()
        self.was_reset = threading.Event()
        self.command_came = threading.Semaphore(0)
        self._port = port
        self._socket = self._connect()
        self._thread = threading.Thread(target=self._serve, name="scripted card", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()
        self._thread.join(5)

    @property
    def commands(self) -> list[bytes]:
        return [message for message in self.log if len(message) > 1]

    def pull(self) -> None:
        """Take the card out of the reader."""
        with suppress(OSError):  # it is out already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def say(self, answer: bytes) -> None:
        self._socket.sendall(len(answer).to_bytes(2) + answer)

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + 10
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            except ConnectionRefusedError:  # pcscd is starting
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                connection.settimeout(None)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection

    def _receive(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            # Linux forgets this option; without it each exchange waits 40 ms for a delayed ACK.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._socket.recv(count - len(received))
            if not part:
                raise ConnectionError
            received += part
        return received

    def _serve(self) -> None:
        try:
            while True:
                message = self._receive(int.from_bytes(self._receive(2)))
                self.log.append(message)
                self._react(message)
        except OSError:
            return

    def _react(self, message: bytes) -> None:
        if message == b"\x00":
            self.powered_off.set()
        elif message == b"\x04":
            self.say(ATR)
            if b"\x02" in self.log:
                self.was_reset.set()
        elif len(message) > 1:
            self.command_came.release()
            answer = self.answer(message)
            if isinstance(answer, bytes):
                self.say(answer)
            elif answer == "half a frame":
                self._socket.sendall(b"\x00\x10\x01\x02\x03")
                self.pull()
            elif answer == "pull":
                self.pull()
