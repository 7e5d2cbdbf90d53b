"""Smart card commands, answers and transports, ISO/IEC 7816-4; of no particular card.

Errors are in ``apdu.errors``, the ways to a card in ``apdu.transports``.
"""

from apdu.atr import Atr
from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.response import ResponseApdu
from apdu.status import SW, describe, is_blocked, tries_left
from apdu.tlv import Tlv, encoded_size
from apdu.trace import Trace

__all__ = [
    "SW",
    "Atr",
    "Channel",
    "CommandApdu",
    "ResponseApdu",
    "Tlv",
    "Trace",
    "describe",
    "encoded_size",
    "is_blocked",
    "tries_left",
]
