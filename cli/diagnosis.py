"""What stands between a person and the use of a card, found step by step without a PIN."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from apdu.errors import (
    CardError,
    CardInUseError,
    MalformedResponseError,
    NoCardError,
    NoReaderError,
    StatusWordError,
    TransportError,
)
from cli.certificate_state_view import (
    certificate_warnings,
    certificates_as_text,
)
from cli.context import AppContext
from cli.errors import CliError
from cli.exit_codes import ExitCode
from cli.failure import describe
from cli.help_topics import HelpTopic, remedy, title
from cli.pin_state_view import pins_as_text
from cli.printable import printable, printable_names
from cli.translation import _
from jpki.errors import (
    CertificateMissingError,
    CertificateNotYetValidError,
    JpkiError,
    UnsupportedCardError,
)
from jpki.files import CardKind, CertificateName
from jpki.lifecycle import Lockout, RenewalPhase, day_in_japan
from jpki.overview import certificate_states, lockout_of, pin_states

if TYPE_CHECKING:
    from jpki.application import JpkiApplication


class Subject(Enum):
    """What is looked at, in this order; the value is the word in JSON."""

    PCSC = "pcsc"
    READERS = "readers"
    CARD = "card"
    KIND = "kind"
    PINS = "pins"
    CERTIFICATES = "certificates"


class CheckState(Enum):
    """How a check ended; the value is the word in JSON."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: Subject
    state: CheckState
    say: Callable[[], str]
    """What was found and, unless it is well, what to do; in the language of the moment."""
    exit_code: ExitCode = ExitCode.OK


Look = Callable[[AppContext, "JpkiApplication"], Check]


def diagnose(app: AppContext) -> tuple[Check, ...]:
    """Look at everything that can be looked at; what a problem hides is skipped."""
    found = list(_way_to_the_card(app))
    if all(check.state is not CheckState.PROBLEM for check in found):
        found += _card(app)
    looked_at = {check.subject for check in found}
    hidden = (subject for subject in Subject if subject not in looked_at)
    return (*found, *(_skipped(subject, lambda: _("not looked at")) for subject in hidden))


def _way_to_the_card(app: AppContext) -> Iterator[Check]:
    if app.is_emulator:
        for subject in (Subject.PCSC, Subject.READERS):
            yield _skipped(subject, lambda: _("a virtual card in this process needs none"))
        return
    from cli.notices import Notices
    from jpki.readers import survey_readers

    try:
        reports = survey_readers(notify=Notices(app.output.notice))
    except NoReaderError as error:
        yield _ok(Subject.PCSC, lambda: _("The PC/SC service answers."))
        yield _problem(Subject.READERS, error)
        return
    except CardError as error:
        yield _problem(Subject.PCSC, error)
        return
    names = printable_names(tuple(report.name for report in reports))
    yield _ok(Subject.PCSC, lambda: _("The PC/SC service answers."))
    yield _ok(Subject.READERS, lambda: _("There are: {readers}").format(readers=names))


def _card(app: AppContext) -> list[Check]:
    """One transaction; a check that fails ends it only if the card is gone."""
    found: list[Check] = []
    if app.settings.wait is None:
        app.settings.wait = 0.0  # that there is no card is an answer, too
    try:
        with app.card() as card, card.transaction() as application:
            reader = printable(card.reader_name)
            found.append(
                _ok(Subject.CARD, lambda: _("It answers in {reader}.").format(reader=reader))
            )
            for subject, look in LOOKS.items():
                found.append(_looked(subject, look, app, application))
    except _LostCardError as lost:
        found.append(lost.check)
    except (CardError, JpkiError, CliError) as error:
        found.append(_problem(Subject.CARD, error))
    return found


class _LostCardError(Exception):
    """The card went away during a check."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self.check = check


def _looked(subject: Subject, look: Look, app: AppContext, application: "JpkiApplication") -> Check:
    try:
        return look(app, application)
    except (TransportError, CardInUseError) as error:
        raise _LostCardError(_problem(subject, error)) from error
    except (CardError, JpkiError) as error:
        return _problem(subject, error)


def _kind(_app: AppContext, application: "JpkiApplication") -> Check:
    info = application.token_info()
    match info.kind:
        case CardKind.JUKI:
            return _problem(Subject.KIND, UnsupportedCardError(info.kind))
        case CardKind.ANDROID | CardKind.IPHONE:
            return _warning(
                Subject.KIND, lambda: f"{title(HelpTopic.PHONE)}. {remedy(HelpTopic.PHONE)}"
            )
        case CardKind.UNKNOWN:
            return _warning(
                Subject.KIND,
                lambda: _("a card with the JPKI application, of a kind that jpki does not know"),
            )
        case CardKind.MY_NUMBER:
            return _kind_of_my_number_card(application)


def _kind_of_my_number_card(application: "JpkiApplication") -> Check:
    lockout = lockout_of(application, pin_states(application))
    if lockout is Lockout.PERHAPS_FACE_AUTHENTICATION:
        return _warning(
            Subject.KIND, lambda: _("perhaps a face-authentication card (顔認証マイナンバーカード)")
        )
    if application.has_signature_certificate() is False:
        return _warning(
            Subject.KIND, lambda: f"{title(HelpTopic.CHILD)}. {remedy(HelpTopic.CHILD)}"
        )
    return _ok(Subject.KIND, lambda: _("My Number Card (マイナンバーカード)"))


def _pins(_app: AppContext, application: "JpkiApplication") -> Check:
    pins = pin_states(application)
    lockout = lockout_of(application, pins)

    def say() -> str:
        text = _one_line(pins_as_text(pins, lockout))
        return text if lockout is not Lockout.ENTRIES else f"{text}. {remedy(HelpTopic.BLOCKED)}"

    if lockout in {Lockout.ENTRIES, Lockout.PERHAPS_FACE_AUTHENTICATION}:
        return Check(
            subject=Subject.PINS,
            state=CheckState.PROBLEM,
            say=say,
            exit_code=ExitCode.PIN_BLOCKED,
        )
    counted = (pin for pin in pins if not pin.is_blocked)
    if any(pin.tries_left is None or 2 * pin.tries_left <= pin.kind.max_tries for pin in counted):
        return _warning(Subject.PINS, say)
    return _ok(Subject.PINS, say)


def _certificates(app: AppContext, application: "JpkiApplication") -> Check:
    states = certificate_states(application)
    now = app.clock()
    today = day_in_japan(now)
    for state in states:
        if state.name is CertificateName.AUTHENTICATION and state.present is False:
            return _problem(Subject.CERTIFICATES, CertificateMissingError(state.name))
        if state.not_valid_before is not None and now < state.not_valid_before:
            early = CertificateNotYetValidError(state.name, state.not_valid_before)
            return _problem(Subject.CERTIFICATES, early)
    holders = [state for state in states if not state.name.is_ca]
    warnings = certificate_warnings(states, today)
    if not warnings:
        return _ok(Subject.CERTIFICATES, lambda: _one_line(certificates_as_text(holders, today)))

    def say() -> str:
        return " ".join(warning.as_text() for warning in warnings)

    if all(warning.phase is RenewalPhase.OPEN for warning in warnings):
        return _warning(Subject.CERTIFICATES, say)
    return Check(
        subject=Subject.CERTIFICATES,
        state=CheckState.PROBLEM,
        say=say,
        exit_code=ExitCode.REFUSED,
    )


LOOKS: dict[Subject, Look] = {
    Subject.KIND: _kind,
    Subject.PINS: _pins,
    Subject.CERTIFICATES: _certificates,
}


def _one_line(lines: Iterable[str]) -> str:
    return "; ".join(line.strip() for line in lines)


def _ok(subject: Subject, say: Callable[[], str]) -> Check:
    return Check(subject=subject, state=CheckState.OK, say=say)


def _warning(subject: Subject, say: Callable[[], str]) -> Check:
    return Check(subject=subject, state=CheckState.WARNING, say=say)


def _skipped(subject: Subject, say: Callable[[], str]) -> Check:
    return Check(subject=subject, state=CheckState.SKIPPED, say=say)


def _problem(subject: Subject, error: Exception) -> Check:
    """A problem in the words, and with the exit code, that any command has for it."""

    def say() -> str:
        text = describe(error).text
        if isinstance(error, NoCardError):
            return f"{text} {title(HelpTopic.LOST)}? {remedy(HelpTopic.LOST)}"
        if isinstance(error, TransportError | StatusWordError | MalformedResponseError):
            return f"{text} {remedy(HelpTopic.CARE)}"
        return text

    return Check(
        subject=subject,
        state=CheckState.PROBLEM,
        say=say,
        exit_code=describe(error).exit_code,
    )
