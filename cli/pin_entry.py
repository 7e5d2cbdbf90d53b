"""How a command comes to an unlocked card: the only place that asks for PINs.

A script's PIN is read, and its form checked, before the card is touched; then there is one
transaction. A person is told first how many tries are left, in a short transaction of its own: the
prompt may stand for minutes, and another program may want the card. What was found is then only
hearsay, so the library asks the card again before it sends the PIN. Whatever the card says to the
PIN is final: it is never asked for a second time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cli.context import AppContext
from cli.errors import PinSourceError, PinSourceFault
from cli.pin_source import PinSource
from cli.pin_words import pin_fault, pin_form, pin_name, tries_left_text
from cli.translation import _
from jpki.application import JpkiApplication
from jpki.card import MyNumberCard
from jpki.errors import PinFault, PinFormatError
from jpki.files import PinKind
from jpki.pins import Pin

ENTRIES: Final = 3
"""How often a person may mistype the form of a PIN; none of these reaches the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRequest:
    """Which PIN a command needs, and on what terms."""

    kind: PinKind
    source: PinSource | None = None
    use_last_try: bool = False
    disclosure: str | None = None
    """What the use of this PIN tells others, said once before the question."""


def _nothing() -> None:
    """No work is to be finished before the card is locked."""


@contextmanager
def unlocked(
    app: AppContext,
    request: PinRequest,
    *,
    before_card: Callable[[], None] = _nothing,
    meanwhile: Callable[[], None] = _nothing,
) -> Iterator[JpkiApplication]:
    """The card with the PIN verified, in a transaction that lasts as long as the block.

    Args:
        app: the surroundings.
        request: the PIN.
        before_card: waits for what the block will need, so that nobody waits for us.
        meanwhile: starts what can go on while the card works or the person types.

    Raises:
        PinSourceError: there is nowhere to get the PIN from.
        PinError, CardError, JpkiError.
    """
    if request.source is not None:
        with read_pin(app, request.kind, request.source) as pin:
            before_card()
            # A script never spends the last try, whatever options it gives.
            with app.card() as card:
                meanwhile()
                with card.transaction() as application:
                    application.verify(pin)
                    yield application
        return
    require_terminal(app)
    with app.card() as card:
        shown = tries_before(card, request)
        meanwhile()
        with ask_pin(app, request, shown) as pin:
            before_card()
            with card.transaction() as application:
                application.verify(
                    pin,
                    # Given away was what the person was shown: not a try that became the last.
                    use_last_try=request.use_last_try and shown in {1, None},
                    on_tries=count_compared(app, shown),
                )
                yield application


def require_terminal(app: AppContext, option: str = "--pin-from") -> None:
    """Refuse, before the card is touched, if nobody can be asked. Raises: PinSourceError."""
    if not app.prompter.is_there():
        raise PinSourceError(PinSourceFault.NO_TERMINAL, option=option)


def read_pin(app: AppContext, kind: PinKind, source: PinSource) -> Pin:
    """Read a script's PIN and check its form. Raises: PinSourceError, PinFormatError."""
    app.error_facts["source"] = str(source)
    return Pin(kind, source.read())


def tries_before(card: MyNumberCard, request: PinRequest) -> int | None:
    """Ask how many tries are left, and whether it makes sense to ask for the PIN at all.

    Raises:
        PinBlockedError, CertificateMissingError: it does not.
        LastTryError, TriesUnknownError: only with --use-last-try.
    """
    with card.transaction() as application:
        return application.check_tries(request.kind, use_last_try=request.use_last_try)


def ask_pin(app: AppContext, request: PinRequest, tries_left: int | None) -> Pin:
    """Ask the person for a PIN until its form is possible. Raises: PinFormatError."""
    if request.disclosure is not None:
        app.prompter.show(request.disclosure)
    question = _("{pin}, {form}; {tries}: ").format(
        pin=pin_name(request.kind), form=pin_form(request.kind), tries=_tries(tries_left)
    )
    return ask_until_possible(app, request.kind, question)


def ask_until_possible(
    app: AppContext,
    kind: PinKind,
    question: str,
    check: Callable[[Pin], None] = lambda _pin: None,
) -> Pin:
    """Ask for a PIN, and again if its form is wrong: that costs no try.

    Raises:
        PinFormatError: nothing was entered, or nothing possible three times.
    """
    for entry in range(1, ENTRIES + 1):
        try:
            pin = Pin(kind, app.prompter.secret(question))
            check(pin)
        except PinFormatError as error:
            if error.fault is PinFault.EMPTY or entry == ENTRIES:
                raise
            fault = pin_fault(error.fault)
            app.prompter.show(_("Not sent to the card: {fault}.").format(fault=fault))
        else:
            return pin
    raise PinFormatError(kind, PinFault.EMPTY)


def _tries(tries_left: int | None) -> str:
    if tries_left == 1:
        return _("this is the LAST TRY")
    return tries_left_text(tries_left)


def count_compared(app: AppContext, shown: int | None) -> Callable[[int | None], None]:
    """What says so if the card's count is not the one that the person was shown."""

    def compare(now: int | None) -> None:
        if None not in (shown, now) and now != shown:
            app.output.warn(
                _(
                    "The card counted {now} tries left when it was asked again, not {shown}:"
                    " another program has used it meanwhile."
                ).format(now=now, shown=shown)
            )

    return compare
