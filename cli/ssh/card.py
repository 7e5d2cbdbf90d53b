"""The card as the key of an SSH agent: found, asked for its PIN, and let go of after each use."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509

from apdu.errors import CardError
from cli.context import AppContext
from cli.errors import CliError, OtherCardError, PinentryCancelledError, PinentryError
from cli.failure import describe
from cli.pin_entry import PinRequest, ask_pin, count_compared, require_terminal
from cli.pinentry import PinentryPrompter
from cli.prompt import Prompter
from cli.ssh.desk import Presence
from cli.ssh.kept_pin import KeptPin
from cli.ssh.words import order_text
from cli.translation import _
from jpki.application import JpkiApplication, check_validity
from jpki.authentication.ssh import (
    Identity,
    Order,
    is_ssh,
    key_blob,
    make_signature,
    public_key_of,
)
from jpki.card import MyNumberCard
from jpki.errors import (
    JpkiError,
    LastTryError,
    PinError,
)
from jpki.files import CertificateName, PinKind
from jpki.pins import Pin, RefusedPins, ignore_tries

NAME: Final = CertificateName.AUTHENTICATION
WINDOW_ERRORS: Final = (PinentryError, PinentryCancelledError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms the key is used."""

    comment: str
    cache_s: float = 0.0
    confirm: bool = False
    allow_expired: bool = False
    tell_use: bool = False


class CardKey:
    """What the agent does with the card, in the main thread.

    Args:
        app: the surroundings.
        terms: on what terms.
        pin: the PIN while it is kept.
        choose_prompter: who can be asked at this moment.
    """

    def __init__(
        self,
        app: AppContext,
        terms: Terms,
        pin: KeptPin,
        choose_prompter: Callable[[], Prompter],
    ) -> None:
        self._app = app
        self._terms = terms
        self._pin = pin
        self._choose_prompter = choose_prompter
        self._refused: dict[bytes, RefusedPins] = {}
        self.identity: Identity | None = None
        """The key that was last seen; its card may be away."""

    def look(self) -> None:
        """Read which key the card holds, unless it is known; no PIN, and no waiting for a card."""
        if self.identity is not None:
            return
        with (
            self._errors_told(),
            self._app.card(wait_s=0.0) as card,
            card.transaction() as application,
        ):
            self._read(application)

    def forget(self) -> None:
        """Forget PIN and key."""
        self._pin.forget()
        self._app.error_facts.pop("source", None)
        self.identity = None

    def sign(self, order: Order, presence: Presence) -> bytes | None:
        """Sign, if the person, the PIN and the card allow it; why not is told here."""
        prompter = self._choose_prompter()
        if isinstance(prompter, PinentryPrompter):
            presence.on_leaving(prompter.close)
        app = replace(self._app, prompter=prompter)
        with self._errors_told(presence):
            signature = self._sign(app, order, presence)
            if signature is not None and self._terms.tell_use:
                app.output.notice(_("Signed: {what}").format(what=order_text(order)))
            return signature
        return None

    def _sign(self, app: AppContext, order: Order, presence: Presence) -> bytes | None:
        pin = self._pin.current()
        if pin is None:
            return self._sign_by_entry(app, order, presence)
        if self._terms.confirm:
            question = _("{what} Sign it?").format(what=order_text(order))
            at_terminal = not isinstance(app.prompter, PinentryPrompter)
            if not app.prompter.confirm(f"{question} [y/N] " if at_terminal else question):
                return None
        with self._card(app, order) as card:
            _require(presence)
            return self._use_kept(card, order, pin)

    def _use_kept(self, card: MyNumberCard, order: Order, pin: Pin) -> bytes:
        """Use a PIN that nobody has entered for this very use."""
        try:
            return self._use(card, order, pin)
        except PinError:
            if not self._pin.is_given:  # it was right; the card has another one now
                self._pin.forget()
            raise

    def _sign_by_entry(self, app: AppContext, order: Order, presence: Presence) -> bytes:
        """Ask for the PIN, and so for consent: the question says what is signed."""
        require_terminal(app)
        request = PinRequest(kind=PinKind.AUTHENTICATION, disclosure=order_text(order))
        with self._card(app, order) as card:
            with card.transaction() as application:
                self._recognised(application, order)
                shown = application.check_tries(request.kind)
            entered = ask_pin(app, request, shown)
            try:
                _require(presence)
                signature = self._use(card, order, entered, count_compared(app, shown))
            except BaseException:
                entered.wipe()
                raise
        self._pin.keep(entered)
        return signature

    def _use(
        self,
        card: MyNumberCard,
        order: Order,
        pin: Pin,
        on_tries: Callable[[int | None], None] = ignore_tries,
    ) -> bytes:
        """One transaction, one VERIFY, one signature."""

        def may_sign(data: bytes) -> bool:
            return is_ssh(data, order.key_blob, order.algorithm)

        with card.transaction() as application:
            certificate = self._recognised(application, order)
            application.verify(pin, on_tries=on_tries)
            # Its validity was looked at before the PIN.
            key = application.authentication_key(
                may_sign, allow_expired=True, certificate=certificate
            )
            return make_signature(key, order.data, order.algorithm)

    def _card(self, app: AppContext, order: Order) -> AbstractContextManager[MyNumberCard]:
        """The card, with the PINs that it refused while it was open before."""
        refused = self._refused.setdefault(order.key_blob, RefusedPins())
        return app.card(refused=refused)

    def _recognised(self, application: JpkiApplication, order: Order) -> x509.Certificate:
        """The certificate, if this is the card that holds the wanted key: no other gets a PIN."""
        certificate = self._read(application)
        if self.identity is None or self.identity.key_blob != order.key_blob:
            raise OtherCardError
        if not self._terms.allow_expired:
            check_validity(NAME, certificate, self._app.clock())
        return certificate

    def _read(self, application: JpkiApplication) -> x509.Certificate:
        certificate = application.read_certificate(NAME)
        blob = key_blob(public_key_of(certificate))
        self.identity = Identity(key_blob=blob, comment=self._terms.comment)
        return certificate

    @contextmanager
    def _errors_told(self, presence: Presence | None = None) -> Iterator[None]:
        """Tell the person of an error, and go on: the agent lives longer than one request."""
        try:
            yield
        except _GoneError:
            return
        except (JpkiError, CardError, CliError) as error:
            if presence is not None and presence.is_gone and isinstance(error, WINDOW_ERRORS):
                return  # the window was closed because of that
            failure = describe(error, more_facts=self._app.error_facts)
            self._app.output.notice(f"jpki: {failure.text}")
            if isinstance(error, LastTryError):
                self._app.output.notice(
                    _(
                        "The agent never uses it. 'jpki pin verify authentication --use-last-try'"
                        " does; when it was right there are three again."
                    )
                )


class _GoneError(Exception):
    """The asker has gone away."""


def _require(presence: Presence) -> None:
    """Nothing is sent to the card for somebody who is gone. Raises: _GoneError."""
    if presence.is_gone:
        raise _GoneError
