"""Finding the card: which readers there are, what is in each, and opening the right one.

A reader that is only looked at is left as it was, since the card in it may be somebody's
unlocked security key. A reader that another program holds is passed over and named.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from apdu.errors import (
    CardError,
    CardInUseError,
    NoCardError,
    NoReaderError,
    StatusWordError,
    TransportError,
)
from apdu.trace import Trace
from apdu.transports.base import Notice
from apdu.transports.loopback import LoopbackCard, LoopbackTransport
from apdu.transports.pcsc import PcscContext, ReaderState
from jpki.card import MyNumberCard
from jpki.errors import NotAMyNumberCardError, SeveralCardsError
from jpki.pins import RefusedPins

EMULATOR: Final = "emulator"
DEFAULT_BUSY_TIMEOUT_S: Final = 10.0


class ReaderContent(Enum):
    """What is in a reader, as far as a look without a PIN tells."""

    EMPTY = "empty"
    IN_USE = "in-use"
    MY_NUMBER = "my-number"
    OTHER = "other"
    UNREADABLE = "unreadable"
    """A card that does not answer, or answers nonsense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderReport:
    """One reader and what is in it."""

    name: str
    content: ReaderContent


class ReaderNoticeKind(Enum):
    """What a person should hear while a card is being looked for."""

    WAITING_FOR_CARD = "waiting-for-card"
    PASSED_OVER = "passed-over"
    """Another program holds this reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderNotice:
    """News about readers, for ``notify``."""

    kind: ReaderNoticeKind
    reader_names: tuple[str, ...]


Notify = Callable[[Notice | ReaderNotice], None]


def ignore_notices(_notice: Notice | ReaderNotice) -> None:
    """Tell nobody."""


def survey_readers(*, notify: Notify = ignore_notices) -> tuple[ReaderReport, ...]:
    """What is in each PC/SC reader. No PIN is sent, and every card is left as it was.

    Raises:
        PcscUnavailableError: there is no PC/SC service to ask.
        NoReaderError: there is no reader.
    """
    with PcscContext(notify=notify) as context:
        return tuple(
            ReaderReport(name=state.name, content=_look(context, state))
            for state in context.readers()
        )


def open_card(
    reader: str | None = None,
    *,
    wait_s: float = 0.0,
    busy_timeout_s: float = DEFAULT_BUSY_TIMEOUT_S,
    trace: Trace | None = None,
    refused: RefusedPins | None = None,
    notify: Notify = ignore_notices,
    load_emulator: Callable[[Path], LoopbackCard] | None = None,
) -> MyNumberCard:
    """Open the My Number Card in a reader.

    Args:
        reader: part of a PC/SC reader's name, its number in the list, or ``emulator:PATH`` for a
            virtual card in this process. None: the one reader that holds a My Number Card.
        wait_s: how long a card may take to appear, in seconds.
        busy_timeout_s: how long another program may keep the card, in seconds.
        trace: where the redacted exchanges go.
        refused: see ``MyNumberCard``.
        notify: told when somebody has to do something, or to wait.
        load_emulator: opens the card file of ``emulator:PATH``.

    Raises:
        PcscUnavailableError: there is no PC/SC service to ask.
        NoReaderError: no reader, or none of that name.
        NoCardError: no card in it.
        CardInUseError: another program holds the only card there is.
        NotAMyNumberCardError: several cards, none of them a My Number Card. A single one is
            recognised by the first transaction.
        SeveralCardsError: more than one My Number Card, and ``reader`` names none.
    """
    if reader is not None and reader.startswith(f"{EMULATOR}:"):
        path = Path(reader.removeprefix(f"{EMULATOR}:"))
        transport = LoopbackTransport(_emulator(path, load_emulator), reader_name=reader)
        return MyNumberCard(transport, trace=trace, refused=refused)
    with ExitStack() as resources:
        context = resources.enter_context(PcscContext(notify=notify))
        name = _choose(context, reader, wait_s=wait_s, notify=notify)
        connection = context.connect(name, busy_timeout_s=busy_timeout_s)
        return MyNumberCard(connection, trace=trace, refused=refused, resources=resources.pop_all())


def _emulator(path: Path, load: Callable[[Path], LoopbackCard] | None) -> LoopbackCard:
    if load is not None:
        return load(path)
    from jpki.emulator import load_card

    return load_card(path)


def _choose(context: PcscContext, wanted: str | None, *, wait_s: float, notify: Notify) -> str:
    """The name of the reader to use. With one card in reach there is nothing to probe."""
    present = _wait_for_cards(context, wanted, wait_s=wait_s, notify=notify)
    if len(present) == 1:
        return present[0].name
    contents = {state.name: _look(context, state) for state in present}
    busy = tuple(name for name, content in contents.items() if content is ReaderContent.IN_USE)
    if busy:
        notify(ReaderNotice(kind=ReaderNoticeKind.PASSED_OVER, reader_names=busy))
    mine = tuple(name for name, content in contents.items() if content is ReaderContent.MY_NUMBER)
    if len(mine) > 1:
        raise SeveralCardsError(mine)
    if not mine and busy:
        raise CardInUseError(", ".join(busy))
    if not mine:
        raise NotAMyNumberCardError(", ".join(contents))
    return mine[0]


def _wait_for_cards(
    context: PcscContext, wanted: str | None, *, wait_s: float, notify: Notify
) -> list[ReaderState]:
    """The readers that hold a card, among those that are meant."""
    deadline = time.monotonic() + wait_s
    told = False
    while True:
        readers = _matching(context.readers(), wanted)
        present = [state for state in readers if state.card_present]
        if present:
            return present
        names = tuple(state.name for state in readers)
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise NoCardError(names)
        if not told:
            notify(ReaderNotice(kind=ReaderNoticeKind.WAITING_FOR_CARD, reader_names=names))
            told = True
        context.wait_for_card(names, timeout_s=remaining)


def _matching(readers: Sequence[ReaderState], wanted: str | None) -> list[ReaderState]:
    """The readers whose name contains ``wanted``, or the one with that number (from 0)."""
    if not readers:
        raise NoReaderError(wanted)
    if wanted is None:
        return list(readers)
    if wanted.isascii() and wanted.isdigit() and int(wanted) < len(readers):
        return [readers[int(wanted)]]
    exact = [state for state in readers if state.name == wanted]
    found = exact or [state for state in readers if wanted.casefold() in state.name.casefold()]
    if not found:
        raise NoReaderError(wanted, tuple(state.name for state in readers))
    return found


def _look(context: PcscContext, state: ReaderState) -> ReaderContent:
    """Ask one card for the JPKI application, and let go of it untouched."""
    if not state.card_present:
        return ReaderContent.EMPTY
    try:
        with (
            MyNumberCard(context.connect(state.name, busy_timeout_s=1.0)) as card,
            card.transaction(),
        ):
            return ReaderContent.MY_NUMBER
    except CardInUseError:
        return ReaderContent.IN_USE
    except (NotAMyNumberCardError, StatusWordError):
        return ReaderContent.OTHER
    except NoCardError:
        return ReaderContent.EMPTY
    except (TransportError, CardError):
        return ReaderContent.UNREADABLE
