"""Ways to reach a card: PC/SC, a card in this process, a recording.

PC/SC is not among the names here but in ``apdu.transports.pcsc``: not everybody has it.
"""

from apdu.transports.base import Notice, Transport
from apdu.transports.loopback import LoopbackCard, LoopbackTransport
from apdu.transports.replay import ReplayError, ReplayTransport

__all__ = [
    "LoopbackCard",
    "LoopbackTransport",
    "Notice",
    "ReplayError",
    "ReplayTransport",
    "Transport",
]
