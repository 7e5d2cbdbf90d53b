"""Whole answers to commands: GET RESPONSE and Le correction, ISO/IEC 7816-4:2020 5.3.4, 5.6."""

import logging
from dataclasses import replace

from apdu.command import CommandApdu
from apdu.errors import CardError, ExchangeInterrupted, MalformedResponseError, StatusWordError
from apdu.response import ResponseApdu
from apdu.status import SW
from apdu.trace import Trace
from apdu.transports.base import Transport

logger = logging.getLogger(__name__)

_INS_GET_RESPONSE = 0xC0

_NEVER_REPEATED = frozenset({0x20, 0x24, 0x2A, 0x2C})
"""VERIFY, CHANGE REFERENCE DATA, PERFORM SECURITY OPERATION, RESET RETRY COUNTER.

A second VERIFY can cost a second try and a second signature is a second signature, whatever the
status word of the first one claims. So these go to the card once.
"""


class Channel:
    """Sends commands over ``transport`` and returns whole answers, in bounded time and memory.

    Args:
        transport: sends each encoded command exactly once.
        trace: gets every exchange, GET RESPONSE included.
        max_rounds: the most GET RESPONSE commands for one command.
        max_bytes: the most data in one answer, in one piece or many.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        trace: Trace | None = None,
        max_rounds: int = 64,
        max_bytes: int = 65536,
    ) -> None:
        self._transport = transport
        self._trace = trace
        self._max_rounds = max_rounds
        self._max_bytes = max_bytes
        self._has_ended = False

    def end(self) -> None:
        """Send nothing any more: whoever still holds this channel must not meet the next user."""
        self._has_ended = True

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send ``command`` and return its answer, whatever the status word.

        61xx is answered by GET RESPONSE until the answer is complete: that repeats nothing, the
        card only hands out what it holds. 6Cxx is answered by one repetition with the Le that the
        card named (the answer may then be longer than was asked for), but never for VERIFY, CHANGE
        REFERENCE DATA, RESET RETRY COUNTER and PERFORM SECURITY OPERATION.

        Raises:
            TransportError: see ``Transport.transmit``.
            MalformedResponseError: the answer is no answer, longer than asked for, or a chain
                without end.
            RuntimeError: the channel has ended (a bug of the caller).
        """
        response = self._exchange(command)
        ne = _right_ne(response.sw)
        if ne and command.ne not in {0, ne} and command.ins not in _NEVER_REPEATED:
            response = self._exchange(replace(command, ne=ne))
        if _available(response.sw):
            response = self._fetch_rest(command, response)
        return response

    def expect(self, command: CommandApdu, *accepted: int) -> bytes:
        """Send ``command`` and return the data of its answer.

        Args:
            command: what to send.
            accepted: status words that are no error; 9000 alone if none is given.

        Raises:
            StatusWordError: the answer has another status word.
            CardError: as ``send``.
        """
        response = self.send(command)
        if response.sw not in (accepted or (SW.OK,)):
            raise StatusWordError(command.ins, response.sw)
        return response.data

    def _fetch_rest(self, command: CommandApdu, response: ResponseApdu) -> ResponseApdu:
        """Collect a chained answer, in as many rounds and bytes as are allowed."""
        collected = response.data
        for _ in range(self._max_rounds):
            response = self._get_response(command, _available(response.sw))
            collected += response.data
            if len(collected) > self._max_bytes:
                what = f"a chained answer beyond {self._max_bytes} bytes"
                raise MalformedResponseError(what, len(collected))
            if not _available(response.sw):
                return ResponseApdu(data=collected, sw=response.sw)
        what = f"no end of the answer in {self._max_rounds} pieces"
        raise MalformedResponseError(what, len(collected))

    def _get_response(self, command: CommandApdu, promised: int) -> ResponseApdu:
        """Fetch one piece, which must keep what the status word before it promised."""
        get_response = CommandApdu(
            cla=_interindustry_cla(command.cla),
            ins=_INS_GET_RESPONSE,
            p1=0x00,
            p2=0x00,
            ne=promised,
            sensitive=command.sensitive,
        )
        response = self._exchange(get_response)
        if (right := _right_ne(response.sw)) and right != promised:
            promised = right
            response = self._exchange(replace(get_response, ne=right))
        more_to_come = _available(response.sw)
        count = len(response.data)
        # A smaller piece is fine if more is to come, and an error may cut a chain short.
        if (more_to_come and not count) or (response.sw == SW.OK and count < promised):
            raise MalformedResponseError(f"{promised} bytes promised, {count} given", count)
        return response

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        """Send one APDU, once, and return its one answer."""
        if self._has_ended:
            raise RuntimeError("the transaction of this channel has ended")
        response = ResponseApdu.decode(self._transmit(command))
        count = len(response.data)
        logger.debug("%s -> %04X (%d bytes)", command.header.hex(" "), response.sw, count)
        # More than Ne bytes is no answer to this command: a caller that asked for less would put
        # the rest in the wrong place.
        if count > min(command.ne, self._max_bytes):
            what = f"{count} bytes where {command.ne} were asked for"
            raise MalformedResponseError(what, command.ne)
        return response

    def _transmit(self, command: CommandApdu) -> bytes:
        raw = command.encode()
        if self._trace is None:
            return self._transport.transmit(raw)
        self._trace.sent(raw, sensitive=command.sensitive)
        try:
            answer = self._transport.transmit(raw)
        except CardError as error:
            self._trace.failed(error.code)
            raise
        except ExchangeInterrupted:
            self._trace.failed("interrupted")
            raise
        self._trace.received(answer)
        return answer


def _available(sw: int) -> int:
    """Return how many bytes 61xx promises (6100: 256 or more); 0 for any other status word."""
    return (sw & 0xFF or 256) if sw & 0xFF00 == 0x6100 else 0


def _right_ne(sw: int) -> int:
    """Return the Ne that 6Cxx asks for; 0 for any other status word."""
    return (sw & 0xFF or 256) if sw & 0xFF00 == 0x6C00 else 0


def _interindustry_cla(cla: int) -> int:
    """Return the CLA for a GET RESPONSE that belongs to a command of class ``cla``.

    It is an interindustry command, so it keeps the logical channel and nothing else of an
    interindustry class (no chaining, no secure messaging). A proprietary class (80) codes nothing
    that could be kept, and a card knows no proprietary GET RESPONSE: it is 00. ISO/IEC 7816-4
    5.4.1.
    """
    if cla & 0x80:
        return 0x00
    return cla & (0x4F if cla & 0x40 else 0x03)
