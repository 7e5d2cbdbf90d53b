"""The PIN rules: format, tries, VERIFY and CHANGE REFERENCE DATA (ISO/IEC 7816-4 11.5.6, 11.5.7).

Three wrong PINs or five wrong passwords block the card until a visit to the city office, so all
that decides whether a try is spent lives in this module and nowhere else:

- a PIN that cannot be right by its form never reaches the card;
- the card is asked first how many tries are left, by the VERIFY without data, which is free;
- the last try is used only when the caller says so; an unknown count is treated as the last try;
- a PIN that this card has just refused is not sent to it again, and an entry whose answer was lost
  only if it cost no try;
- one call of ``verify`` sends one VERIFY, whatever comes back. Nothing here repeats it.
"""

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from enum import Enum
from typing import Final, NoReturn, Self

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import (
    CardError,
    CardResetError,
    ExchangeInterrupted,
    MalformedResponseError,
    StatusWordError,
    TransportError,
)
from apdu.response import ResponseApdu
from apdu.status import SW, is_blocked, tries_left
from jpki.elementary_files import ElementaryFiles
from jpki.errors import (
    Interrupted,
    JpkiError,
    LastTryError,
    OutcomeUnknownError,
    PinBlockedError,
    PinFault,
    PinFormatError,
    PinIncorrectError,
    PinRepeatedError,
    Step,
    TriesUnknownError,
)
from jpki.files import PinKind

INS_VERIFY: Final = 0x20
INS_CHANGE_REFERENCE_DATA: Final = 0x24
PIN_P2: Final = 0x80  # the PIN whose EF is current
NO_TRIES_LEFT: Final = 0x63C0  # of the entry that spent the last one
NEW_PIN_ONLY_P1: Final = 0x01  # after VERIFY, so the old one is not repeated

_NOTHING_CHANGED: Final = frozenset({0x64, *range(0x67, 0x6C), 0x6D, 0x6E})
"""SW1 of refusals: the memory is as it was. 63, 65, 6C, 6F say or allow the opposite.

ISO/IEC 7816-4:2020 table 6.
"""

PASSWORD_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
MIN_PASSWORD: Final = 6
MAX_PASSWORD: Final = 16


class Pin:
    """A PIN of a known kind and a possible form, in one buffer that ``wipe`` overwrites.

    Python cannot promise erasure: the text this was made from, and the copies that pyscard makes
    of a command, live until their memory is used again.

    Raises:
        PinFormatError: the card could not accept ``text``; it says what is wrong.
    """

    __slots__ = ("_buffer", "_is_unanswered", "_tries_before", "kind")

    def __init__(self, kind: PinKind, text: str) -> None:
        self.kind = kind
        self._buffer = bytearray(_normalised(kind, text))
        self._is_unanswered = False
        self._tries_before: int | None = None

    def reveal(self) -> bytes:
        """The 4 or 6 to 16 ASCII bytes that VERIFY carries."""
        return bytes(self._buffer)

    def wipe(self) -> None:
        """Overwrite the buffer; ``reveal`` gives zeros from then on."""
        self._buffer[:] = bytes(len(self._buffer))

    def note_sent(self, tries_left: int | None) -> None:
        """This entry goes to a card that has so many tries left."""
        self._is_unanswered, self._tries_before = True, tries_left

    def note_answered(self) -> None:
        """The card said what it made of this entry."""
        self._is_unanswered = False

    def may_have_cost_a_try(self, tries_left: int | None) -> bool:
        """Whether the answer to this entry was lost, and tries are fewer now, or not known."""
        before = self._tries_before
        return self._is_unanswered and (before is None or tries_left is None or tries_left < before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "Pin(**)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a Pin is not compared")

    def __hash__(self) -> NoReturn:
        raise TypeError("a Pin is not hashed")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Pin is not pickled")


def _normalised(kind: PinKind, text: str) -> bytes:
    if not text:
        # Empty data would turn VERIFY into the query for tries (CVE-2023-40660).
        raise PinFormatError(kind, PinFault.EMPTY)
    # Before any case folding or digit test: 'ſ'.upper() is 'S', and '１'.isdigit() holds.
    if not text.isascii():
        raise PinFormatError(kind, PinFault.NOT_ASCII)
    if kind is PinKind.AUTHENTICATION:
        if len(text) != 4 or not text.isdigit():
            raise PinFormatError(kind, PinFault.NOT_FOUR_DIGITS)
        return text.encode("ascii")
    password = text.upper()
    if not PASSWORD_CHARACTERS.issuperset(password):
        raise PinFormatError(kind, PinFault.CHARACTERS)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise PinFormatError(kind, PinFault.LENGTH)
    return password.encode("ascii")


def check_new_pin(new: Pin) -> None:
    """Refuse a new signature password without a letter or without a digit, as the office does.

    VERIFY has no such rule: a password set elsewhere may be all letters.

    Raises:
        PinFormatError: with NEEDS_LETTER_AND_DIGIT.
    """
    text = new.reveal().decode("ascii")
    if new.kind is PinKind.SIGNATURE and (text.isdigit() or text.isalpha()):
        raise PinFormatError(new.kind, PinFault.NEEDS_LETTER_AND_DIGIT)


class Weakness(Enum):
    """Why a new PIN is easy to guess. A warning, never a refusal: the holder decides."""

    SEQUENCE = "sequence"
    REPETITION = "repetition"
    DATE = "date"


def weakness(new: Pin) -> Weakness | None:
    """What makes a new PIN guessable: 1234, 0000, or something that reads as a birth date."""
    text = new.reveal().decode("ascii")
    digits = "".join(character for character in text if character.isdigit())
    if (len(set(text)) <= 2 and len(text) > 4) or len(set(text)) == 1:
        return Weakness.REPETITION
    if any(run in text for run in ("1234", "4321", "6789", "9876", "ABCDEF")):
        return Weakness.SEQUENCE
    if _reads_as_date(digits):
        return Weakness.DATE
    return None


def _reads_as_date(digits: str) -> bool:
    """MMDD or a year of birth in four digits; YYYYMMDD in eight; era YYMMDD in six."""
    if len(digits) == 4:
        return _is_day(2000, digits) or digits[:2] in {"19", "20"}
    if len(digits) == 6:
        return _is_day(2000, digits[2:])
    return len(digits) == 8 and digits[:2] in {"19", "20"} and _is_day(int(digits[:4]), digits[4:])


def _is_day(year: int, month_day: str) -> bool:
    with suppress(ValueError):
        date(year, int(month_day[:2]), int(month_day[2:]))
        return True
    return False


class RefusedPins:
    """Which PINs one card has refused since it was opened, as keyed digests.

    A loop, a batch or an agent that holds a wrong PIN would otherwise spend one try after the
    other with it. The key is random, so nothing kept here tells a PIN.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._digests: set[bytes] = set()

    def add(self, pin: Pin) -> None:
        """Remember a PIN that the card has refused."""
        self._digests.add(self._digest(pin))

    def __contains__(self, pin: Pin) -> bool:
        return self._digest(pin) in self._digests

    def _digest(self, pin: Pin) -> bytes:
        return hmac.digest(self._key, pin.kind.value.encode() + b"\0" + pin.reveal(), "sha256")


def ignore_tries(_tries_left: int | None) -> None:
    """Tell nobody how many tries are left."""


class Pins:
    """The PINs of the application that is current, within one transaction."""

    def __init__(self, channel: Channel, files: ElementaryFiles, refused: RefusedPins) -> None:
        self._channel = channel
        self._files = files
        self._refused = refused

    def tries_left(self, kind: PinKind) -> int | None:
        """How many wrong entries the card still allows; 0 is blocked, None is not known.

        Asked with the VERIFY without data and without Le, which spends nothing. A Le would make
        the card answer 6700. ISO/IEC 7816-4 11.5.6.

        Raises:
            StatusWordError: the card has no such PIN.
        """
        self._files.select(kind.ef_id)
        return _count(kind, self._channel.send(CommandApdu(ins=INS_VERIFY, p1=0, p2=PIN_P2)).sw)

    def check_tries(
        self,
        kind: PinKind,
        *,
        use_last_try: bool = False,
        on_tries: Callable[[int | None], None] = ignore_tries,
    ) -> int | None:
        """Ask how many tries are left, and refuse where a PIN must not be sent.

        Raises:
            PinBlockedError: none is left.
            LastTryError, TriesUnknownError: unless ``use_last_try`` is set.
        """
        left = self.tries_left(kind)
        on_tries(left)
        if left == 0:
            raise PinBlockedError(kind)
        if left is None and not use_last_try:
            raise TriesUnknownError(kind)
        if left == 1 and not use_last_try:
            raise LastTryError(kind)
        return left

    def verify(
        self,
        pin: Pin,
        *,
        use_last_try: bool = False,
        on_tries: Callable[[int | None], None] = ignore_tries,
    ) -> None:
        """Ask the tries, then send this PIN once. Afterwards the card holds it verified.

        Args:
            pin: of the kind that is to be verified.
            use_last_try: a person has said to risk the last try, or one of an unknown count.
            on_tries: told how many tries are left, before it is decided whether the PIN is sent.

        Raises:
            PinBlockedError, LastTryError, TriesUnknownError, PinRepeatedError: nothing was sent.
            PinIncorrectError: one try was spent.
            OutcomeUnknownError: the answer was lost; a try may have been spent.
            StatusWordError: an answer that says neither right nor wrong.
            Interrupted: Ctrl-C while the card was at it, with the outcome.
        """
        left = self.check_tries(pin.kind, use_last_try=use_last_try, on_tries=on_tries)
        if pin in self._refused or pin.may_have_cost_a_try(left):
            raise PinRepeatedError(pin.kind)
        command = CommandApdu(ins=INS_VERIFY, p1=0, p2=PIN_P2, data=pin.reveal(), sensitive=True)
        pin.note_sent(left)
        try:
            response = send_once(self._channel, command, Step.VERIFY, pin.kind)
        except ExchangeInterrupted as interrupt:
            raise Interrupted(Step.VERIFY, self._outcome(pin, interrupt.response)) from interrupt
        self._judge(pin, response)

    def change(
        self, old: Pin, new: Pin, *, on_tries: Callable[[int | None], None] = ignore_tries
    ) -> None:
        """Replace ``old`` by ``new``: VERIFY, then CHANGE REFERENCE DATA with the new one only.

        The last try is never spent on this.

        Raises:
            PinFormatError: a new signature password needs a letter and a digit.
            OutcomeUnknownError: with Step.CHANGE, either PIN may hold now.
            StatusWordError: with the INS of CHANGE, the card refused it; the old PIN holds.
            All that ``verify`` raises.
        """
        check_new_pin(new)
        self.verify(old, on_tries=on_tries)
        command = CommandApdu(
            ins=INS_CHANGE_REFERENCE_DATA,
            p1=NEW_PIN_ONLY_P1,
            p2=PIN_P2,
            data=new.reveal(),
            sensitive=True,
        )
        try:
            response = send_once(self._channel, command, Step.CHANGE, new.kind)
        except ExchangeInterrupted as interrupt:
            answered = interrupt.response is not None and interrupt.response[-2:] == b"\x90\x00"
            outcome = None if answered else OutcomeUnknownError(Step.CHANGE, new.kind)
            raise Interrupted(Step.CHANGE, outcome) from interrupt
        if response.sw == SW.OK:
            return
        if response.sw >> 8 in _NOTHING_CHANGED:
            raise StatusWordError(INS_CHANGE_REFERENCE_DATA, response.sw)
        raise OutcomeUnknownError(Step.CHANGE, new.kind)

    def _judge(self, pin: Pin, response: ResponseApdu) -> None:
        """Raise what the answer to a VERIFY with data means, unless it is 9000."""
        if response.sw >> 8 == 0x6C:
            # The card did not like a length, and whether it looked at the PIN is its secret.
            raise OutcomeUnknownError(Step.VERIFY, pin.kind)
        pin.note_answered()
        if response.sw == SW.OK:
            return
        if is_blocked(response.sw):
            # A card that was blocked before answers 6984 or 6983.
            raise PinBlockedError(pin.kind, by_this_entry=response.sw == NO_TRIES_LEFT)
        if response.sw >> 8 == 0x63:
            self._refused.add(pin)
            raise PinIncorrectError(pin.kind, _count(pin.kind, response.sw))
        raise StatusWordError(INS_VERIFY, response.sw)

    def _outcome(self, pin: Pin, answer: bytes | None) -> Exception | None:
        if answer is None:
            return OutcomeUnknownError(Step.VERIFY, pin.kind)
        try:
            self._judge(pin, ResponseApdu.decode(answer))
        except MalformedResponseError:
            return OutcomeUnknownError(Step.VERIFY, pin.kind)
        except (JpkiError, CardError) as error:
            return error
        return None


def send_once(channel: Channel, command: CommandApdu, step: Step, kind: PinKind) -> ResponseApdu:
    """Send VERIFY, CHANGE REFERENCE DATA or a signature command: once, whatever happens.

    Raises:
        OutcomeUnknownError: no answer came, or none that can be read.
        CardResetError: PC/SC refused to send it, so the card never saw it.
    """
    try:
        return channel.send(command)
    except CardResetError:
        raise
    except (TransportError, MalformedResponseError) as error:
        raise OutcomeUnknownError(step, kind) from error


def _count(kind: PinKind, status_word: int) -> int | None:
    """Tries from a status word; a count above the PIN's maximum is no count."""
    if is_blocked(status_word):
        return 0
    left = tries_left(status_word)
    return left if left is not None and left <= kind.max_tries else None
