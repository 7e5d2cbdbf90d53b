"""What a card shows of itself without a PIN: kind, tries left, certificates."""

from dataclasses import dataclass
from datetime import datetime

from jpki.application import JpkiApplication
from jpki.certificates.issuer import TEST_ORGANIZATION, is_test_certificate
from jpki.errors import CertificateMissingError, PinRequiredError, UnsupportedCardError
from jpki.files import CardKind, CertificateName, PinKind
from jpki.lifecycle import Lockout, lockout


@dataclass(frozen=True, slots=True, kw_only=True)
class PinState:
    """How a PIN stands. ``tries_left`` is None where the card does not say."""

    kind: PinKind
    tries_left: int | None

    @property
    def is_blocked(self) -> bool:
        """No try is left."""
        return self.tries_left == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateState:
    """One certificate. ``present`` is None where that cannot be told."""

    name: CertificateName
    present: bool | None
    needs_pin: bool = False
    not_valid_before: datetime | None = None
    not_valid_after: datetime | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOverview:
    """The whole card."""

    kind: CardKind
    pins: tuple[PinState, ...]
    certificates: tuple[CertificateState, ...]
    is_test: bool

    @property
    def lockout(self) -> Lockout:
        """What PINs without tries mean."""
        present = {state.name: state.present for state in self.certificates}
        return _lockout(self.pins, has_certificate=present[CertificateName.SIGNATURE])


def pin_states(application: JpkiApplication) -> tuple[PinState, ...]:
    """The tries of both PINs, two exchanges each; nothing is spent.

    Raises:
        CardError: the card does not answer as it should.
    """
    return tuple(PinState(kind=kind, tries_left=application.tries_left(kind)) for kind in PinKind)


def lockout_of(application: JpkiApplication, pins: tuple[PinState, ...]) -> Lockout:
    """What PINs without tries mean. Asks EF 0008, and only if one of them has none.

    Raises:
        CardError: the card does not answer as it should.
    """
    if not any(pin.is_blocked for pin in pins):
        return Lockout.NONE
    return _lockout(pins, has_certificate=application.has_signature_certificate())


def _lockout(pins: tuple[PinState, ...], *, has_certificate: bool | None) -> Lockout:
    tries = {pin.kind: pin.tries_left for pin in pins}
    return lockout(
        tries[PinKind.SIGNATURE],
        tries[PinKind.AUTHENTICATION],
        has_signature_certificate=has_certificate,
    )


def certificate_states(application: JpkiApplication) -> tuple[CertificateState, ...]:
    """The four certificates, as far as they are free to read.

    Raises:
        CardError: the card does not answer as it should.
        CertificateMalformedError: a certificate is none.
    """
    return tuple(_certificate(application, name) for name in CertificateName)


def look_over(application: JpkiApplication) -> CardOverview:
    """Read all that is free to read.

    Raises:
        CardError: the card does not answer as it should.
        CertificateMalformedError: a certificate is none.
    """
    info = application.token_info()
    certificates = certificate_states(application)
    return CardOverview(
        kind=info.kind,
        pins=pin_states(application),
        certificates=certificates,
        is_test=any(state.is_test for state in certificates)
        or info.manufacturer.startswith(TEST_ORGANIZATION),
    )


def _certificate(application: JpkiApplication, name: CertificateName) -> CertificateState:
    if name is CertificateName.SIGNATURE:
        # Reading it needs the password; that it is there is said by EF 0008.
        present = application.has_signature_certificate()
        return CertificateState(name=name, present=present, needs_pin=present is not False)
    try:
        certificate = application.read_certificate(name)
    except CertificateMissingError:
        return CertificateState(name=name, present=False)
    except (PinRequiredError, UnsupportedCardError):  # a phone
        return CertificateState(name=name, present=None, needs_pin=True)
    return CertificateState(
        name=name,
        present=True,
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
        is_test=is_test_certificate(certificate),
    )
