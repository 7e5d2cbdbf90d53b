"""Faults that a test can order from the virtual card, each off by default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Hook = Callable[[int, bytes, bytes], bytes]


class CardPulledError(ConnectionResetError):
    """The card has left the reader; nothing is known of the command under way."""


class CardSilentError(TimeoutError):
    """The card does not answer."""


class TriesQuery(StrEnum):
    """What the empty VERIFY answers."""

    NORMAL = "normal"
    SW_6983 = "6983"
    STALE = "stale"  # always the full count, whatever is left


class SignatureFault(StrEnum):
    """What is wrong with the signatures."""

    NONE = "none"
    WRONG = "wrong"
    SHORT = "short"  # the last byte is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Knobs of the virtual card.

    Exchanges count from 1 since the card was made, 61xx and 6Cxx repetitions included. The
    fields that name one exchange act once: after a pull, power brings the card back.
    """

    response_61xx: bool = False  # data are announced by 61xx and fetched by GET RESPONSE
    wrong_le_6cxx: bool = False  # a Le beyond the data, 00 too, is refused with 6Cxx
    extended_length: bool = True  # False: extended Lc or Le is 6700
    blocked_sw: int = 0x6984  # VERIFY with data when no tries are left: 6984, 6983 or 63C0
    latency_s: float = 0.0  # before each answer
    signature_latency_s: float = 0.0  # more of it before a signature
    pull_before: int | None = None  # the card goes before it executes this exchange
    pull_after: int | None = None  # the card executes this exchange and goes before its answer
    silent_at: int | None = None  # the card executes this exchange and never answers
    empty_at: int | None = None
    one_byte_at: int | None = None
    truncated_at: int | None = None  # the last half of the answer is missing
    oversized_at: int | None = None  # 65,535 bytes in all, the status word last
    replaced: Mapping[int, bytes] = field(default_factory=dict)  # whole answers by exchange
    hook: Hook | None = None  # (exchange, command, answer) -> answer
    tries_query: TriesQuery = TriesQuery.NORMAL
    signature: SignatureFault = SignatureFault.NONE
    certificate_garbage: bool = False  # certificates are read as bytes that are none

    def __post_init__(self) -> None:
        """Refuse a status word that means something else.

        Raises:
            ValueError: ``blocked_sw`` is not one of the three.
        """
        if self.blocked_sw not in {0x6984, 0x6983, 0x63C0}:
            raise ValueError("blocked_sw is one of 6984, 6983 and 63C0")

    def spoil(self, exchange: int, command: bytes, answer: bytes) -> bytes:
        """Make of the right answer what the reader is to see."""
        if exchange == self.empty_at:
            answer = b""
        if exchange == self.one_byte_at:
            answer = answer[:1]
        if exchange == self.truncated_at:
            answer = answer[: len(answer) // 2]
        if exchange == self.oversized_at:
            answer = b"\xaa" * (65535 - len(answer)) + answer
        answer = self.replaced.get(exchange, answer)
        return self.hook(exchange, command, answer) if self.hook else answer
