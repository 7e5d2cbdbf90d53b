"""What can go wrong between this program and a card.

::

    CardError                       code
    |- PcscUnavailableError         pcsc-unavailable         no PC/SC service to talk to
    |- NoReaderError                no-reader
    |- NoCardError                  no-card
    |- CardInUseError               card-in-use              another program holds the card
    |- TransportError               transport                what the card did is not known
    |  |- CardRemovedError          card-removed
    |  |- CardResetError            card-reset               its security status is gone
    |  `- CardSilentError           card-silent              no answer before the deadline
    |- StatusWordError              unexpected-status-word   the card refused
    `- MalformedResponseError       malformed-response       the card's bytes make no sense

    KeyboardInterrupt
    `- ExchangeInterrupted          Ctrl-C while a command was with the card

An exception's ``args`` are its facts (so that it survives pickling), and its text is made of them.
No text contains command data: a PIN cannot reach a log by way of an error.
"""

from enum import Enum
from typing import ClassVar

from apdu.status import describe


class CardError(Exception):
    """Any failure to get a sound answer out of a card."""

    code: ClassVar[str] = "card-error"
    """Stable and machine-readable: scripts compare it, so it never changes."""


class PcscFault(Enum):
    """Why the PC/SC service cannot be used; the value is the English explanation."""

    NO_PYSCARD = "the Python package pyscard is not installed"
    NO_SERVICE = "the PC/SC service is not running"
    ACCESS_DENIED = (
        "the PC/SC service refused access (its state, or a permission such as a polkit rule)"
    )
    NOT_ANSWERING = "the PC/SC service does not answer"
    UNKNOWN = "the PC/SC service failed"


class PcscUnavailableError(CardError):
    """No working PC/SC service; ``hresult`` is its unsigned 32-bit code where it gave one."""

    code = "pcsc-unavailable"

    def __init__(self, reason: PcscFault, hresult: int | None = None) -> None:
        super().__init__(reason, hresult)
        self.reason = reason
        self.hresult = hresult

    def __str__(self) -> str:
        suffix = "" if self.hresult is None else f" (0x{self.hresult:08X})"
        return f"{self.reason.value}{suffix}"


class NoReaderError(CardError):
    """No reader, or none with the ``wanted`` name; ``available`` are the names there are."""

    code = "no-reader"

    def __init__(self, wanted: str | None = None, available: tuple[str, ...] = ()) -> None:
        super().__init__(wanted, available)
        self.wanted = wanted
        self.available = available

    def __str__(self) -> str:
        if self.wanted is None:
            return "no card reader was found"
        return f"no card reader matches {self.wanted!r}"


class NoCardError(CardError):
    """There are readers, and no card in them."""

    code = "no-card"

    def __init__(self, readers: tuple[str, ...] = ()) -> None:
        super().__init__(readers)
        self.readers = readers

    def __str__(self) -> str:
        return f"no card in {', '.join(self.readers) or 'any reader'}"


class CardInUseError(CardError):
    """Another program has the card for itself, and kept it for longer than we were to wait."""

    code = "card-in-use"

    def __init__(self, reader: str) -> None:
        super().__init__(reader)
        self.reader = reader

    def __str__(self) -> str:
        return f"another program is using the card in {self.reader}"


class TransportError(CardError):
    """The exchange failed: whether the card received and executed the command is not known.

    So a command that must not be executed twice must not be sent again.
    """

    code = "transport"
    summary: ClassVar[str] = "the exchange with the card failed"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.summary}: {self.detail}" if self.detail else self.summary


class CardRemovedError(TransportError):
    """The card left the reader, or the reader the computer."""

    code = "card-removed"
    summary = "the card was removed"


class CardResetError(TransportError):
    """Another program reset the card: what was selected and verified no longer is."""

    code = "card-reset"
    summary = "another program reset the card"


class CardSilentError(TransportError):
    """No answer came before the deadline."""

    code = "card-silent"
    summary = "the card does not answer"


class StatusWordError(CardError):
    """The card answered the command ``ins`` with a status word that was not accepted."""

    code = "unexpected-status-word"

    def __init__(self, ins: int, sw: int) -> None:
        super().__init__(ins, sw)
        self.ins = ins
        self.sw = sw

    def __str__(self) -> str:
        return f"the card answered {describe(self.sw)} to command {self.ins:02X}"


class MalformedResponseError(CardError):
    """Bytes from the card break the rules of their format.

    ``what`` names the rule in a few words, ``offset`` the byte from the start of what was being
    parsed.
    """

    code = "malformed-response"

    def __init__(self, what: str, offset: int = 0) -> None:
        super().__init__(what, offset)
        self.what = what
        self.offset = offset

    def __str__(self) -> str:
        return f"the card's answer makes no sense: {self.what} (at byte {self.offset})"


class ExchangeInterrupted(KeyboardInterrupt):
    """Ctrl-C while a command was with the card.

    ``response`` is the card's whole answer (data and status word) if it still came: a caller that
    sent a PIN can say how many tries are left. None means that nobody knows what the card did.
    """

    def __init__(self, response: bytes | None = None) -> None:
        super().__init__()  # the answer stays out of args: a traceback would print it
        self.response = response
