"""The JPKI application within one transaction: what can be asked of it while nobody else can."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from apdu.channel import Channel
from apdu.command import CommandApdu
from apdu.errors import CardError, ExchangeInterrupted, StatusWordError
from apdu.status import SW
from jpki.certificates.loading import load_certificate
from jpki.elementary_files import ElementaryFiles
from jpki.errors import (
    CertificateExpiredError,
    CertificateMissingError,
    CertificateNotYetValidError,
    Interrupted,
    JpkiError,
    OutcomeUnknownError,
    PinBlockedError,
    PinRequiredError,
    Step,
    UnsupportedCardError,
)
from jpki.files import (
    AVAILABILITY_EF,
    TOKEN_INFO_EF,
    CardKind,
    CertificateName,
    KeyName,
    PinKind,
)
from jpki.keys import CardPrivateKey
from jpki.pins import Pin, Pins, RefusedPins, ignore_tries, send_once

INS_PERFORM_SECURITY_OPERATION: Final = 0x2A
COMPUTE_DIGITAL_SIGNATURE_P1: Final = 0x00  # input padded as PKCS#1 v1.5 without a look at it
CURRENT_KEY_P2: Final = 0x80
PROPRIETARY_CLA: Final = 0x80

TOKEN_INFO_BYTES: Final = 160
CERTIFICATE_AVAILABLE: Final = 0x8F


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """EF 0006, a PKCS#11 CK_TOKEN_INFO of 160 bytes: the fields that tell cards apart."""

    kind: CardKind
    label: str
    manufacturer: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAvailability:
    """EF 0008: which of the holder's certificates the card carries."""

    signature: bool
    authentication: bool


class JpkiApplication:
    """The selected application. Comes from ``MyNumberCard.transaction`` and ends with it.

    Args:
        channel: to the card, in a transaction, with the application selected.
        refused: the PINs that this card has refused so far.
        on_pin_use: called before a PIN is sent: from then on the card may hold it verified.
    """

    def __init__(
        self, channel: Channel, refused: RefusedPins, on_pin_use: Callable[[], None]
    ) -> None:
        self._channel = channel
        self._files = ElementaryFiles(channel)
        self._pins = Pins(channel, self._files, refused)
        self._on_pin_use = on_pin_use

    def tries_left(self, kind: PinKind) -> int | None:
        """Wrong entries that the card still allows; 0 is blocked, None not known. Free of cost.

        Raises:
            StatusWordError: the card has no such PIN.
        """
        return self._pins.tries_left(kind)

    def check_tries(self, kind: PinKind, *, use_last_try: bool = False) -> int | None:
        """Ask the tries before a person is asked for the PIN; see ``jpki.pins.Pins.check_tries``.

        Raises:
            CertificateMissingError: the PIN is blocked because there is nothing behind it.
            All that ``Pins.check_tries`` raises.
        """
        with self._blocked_explained():
            return self._pins.check_tries(kind, use_last_try=use_last_try)

    def verify(
        self,
        pin: Pin,
        *,
        use_last_try: bool = False,
        on_tries: Callable[[int | None], None] = ignore_tries,
    ) -> None:
        """Verify a PIN with one VERIFY at most; see ``jpki.pins.Pins.verify`` for the rules.

        Raises:
            CertificateMissingError: the PIN is blocked because there is nothing behind it.
            All that ``Pins.verify`` raises.
        """
        self._on_pin_use()
        with self._blocked_explained():
            self._pins.verify(pin, use_last_try=use_last_try, on_tries=on_tries)

    def change_pin(
        self, old: Pin, new: Pin, *, on_tries: Callable[[int | None], None] = ignore_tries
    ) -> None:
        """Change a PIN; see ``jpki.pins.Pins.change`` for the rules, and for what is raised."""
        self._on_pin_use()
        with self._blocked_explained():
            self._pins.change(old, new, on_tries=on_tries)

    @contextmanager
    def _blocked_explained(self) -> Iterator[None]:
        try:
            yield
        except PinBlockedError as blocked:
            raise self._explain_blocked(blocked) from None

    def _explain_blocked(self, blocked: PinBlockedError) -> JpkiError:
        """Why a PIN has no tries: cards of some kinds are issued that way."""
        if blocked.by_this_entry:
            return blocked
        both = True  # nobody is told that they mistyped unless the other PIN is open
        with suppress(CardError):
            both = not any(self.tries_left(kind) for kind in PinKind if kind is not blocked.kind)
            if blocked.kind is PinKind.SIGNATURE and self.has_signature_certificate() is False:
                return CertificateMissingError(CertificateName.SIGNATURE, both_blocked=both)
        return PinBlockedError(blocked.kind, both_blocked=both)

    def has_signature_certificate(self) -> bool | None:
        """What EF 0008 says. None: the card has no such file, as old ones and phones need not.

        Raises:
            CardError: the card does not answer as it should.
        """
        try:
            return self.certificate_availability().signature
        except StatusWordError:
            return None

    def token_info(self) -> TokenInfo:
        """EF 0006. The label's padding is dropped.

        Raises:
            CardError: the file cannot be read.
        """
        content = self._files.read(TOKEN_INFO_EF, TOKEN_INFO_BYTES)

        def text(start: int, end: int) -> str:
            return content[start:end].decode("ascii", "backslashreplace").strip(" \0")

        label = text(0, 32)
        return TokenInfo(
            kind=CardKind.from_label(label),
            label=label,
            manufacturer=text(32, 64),
            model=text(64, 80),
        )

    def certificate_availability(self) -> CertificateAvailability:
        """EF 0008: 3 bytes, 8F for each certificate that is there.

        Raises:
            CardError: the file cannot be read.
        """
        content = self._files.read(AVAILABILITY_EF, 3)
        return CertificateAvailability(
            signature=content[0] == CERTIFICATE_AVAILABLE,
            authentication=content[1] == CERTIFICATE_AVAILABLE,
        )

    def read_certificate(self, name: CertificateName) -> x509.Certificate:
        """Read one of the four certificates: 1 + C exchanges, C blocks of 256 bytes.

        Raises:
            CertificateMissingError: the card carries none.
            CertificateMalformedError: what it carries is no certificate.
            PinRequiredError: the signature certificate before its password was verified.
            UnsupportedCardError: a phone, which wants a PIN for the authentication certificate.
        """
        try:
            der = self._files.read_der(name.ef_id)
        except StatusWordError as error:
            if error.sw == SW.FILE_NOT_FOUND:
                raise CertificateMissingError(name) from error
            if error.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
                raise self._explain_protected(name) from error
            raise
        if not der:
            raise CertificateMissingError(name)
        # An odd extension on a real card is no reason not to sign with it.
        return load_certificate(der, name, extensions=False)

    def _explain_protected(self, name: CertificateName) -> JpkiError:
        if name is CertificateName.AUTHENTICATION:
            kind = self.token_info().kind
            if kind is not CardKind.MY_NUMBER:
                return UnsupportedCardError(kind)
            return PinRequiredError(PinKind.AUTHENTICATION)
        return PinRequiredError(PinKind.SIGNATURE)

    def signature_key(
        self, *, at: datetime | None = None, allow_expired: bool = False
    ) -> CardPrivateKey:
        """The key for documents (署名用), after its password was verified.

        Args:
            at: the time at which the certificate must be valid; now, if None.
            allow_expired: take it outside its validity all the same.

        Raises:
            CertificateExpiredError, CertificateNotYetValidError: nothing was signed.
            All that ``read_certificate`` raises.
        """
        return self._key(KeyName.SIGNATURE, None, at=at, allow_expired=allow_expired)

    def authentication_key(
        self,
        may_sign: Callable[[bytes], bool],
        *,
        at: datetime | None = None,
        allow_expired: bool = False,
        certificate: x509.Certificate | None = None,
    ) -> CardPrivateKey:
        """The key for logins (利用者証明用), after its PIN was verified.

        It signs what ``may_sign`` accepts and nothing else: a program that signed bytes of a
        stranger's choice could be made to log in for him.

        Args:
            may_sign: what the key is wanted for.
            at: the time at which the certificate must be valid; now, if None.
            allow_expired: take it outside its validity all the same.
            certificate: the key's, if it was read in this transaction.

        Raises:
            As ``signature_key``.
        """
        name = KeyName.AUTHENTICATION
        return self._key(
            name, may_sign, at=at, allow_expired=allow_expired, certificate=certificate
        )

    def _key(
        self,
        name: KeyName,
        may_sign: Callable[[bytes], bool] | None,
        *,
        at: datetime | None,
        allow_expired: bool,
        certificate: x509.Certificate | None = None,
    ) -> CardPrivateKey:
        if certificate is None:
            certificate = self.read_certificate(name.certificate)
        if not allow_expired:
            check_validity(name.certificate, certificate, at or datetime.now(UTC))

        def compute(digest_info: bytes) -> bytes:
            return self._compute_signature(name, digest_info)

        return CardPrivateKey(name, certificate, compute, may_sign)

    def _compute_signature(self, name: KeyName, digest_info: bytes) -> bytes:
        """PSO COMPUTE DIGITAL SIGNATURE, sent once: DigestInfo -> 256 bytes. ISO/IEC 7816-8."""
        self._files.select(name.ef_id)
        command = CommandApdu(
            cla=PROPRIETARY_CLA,
            ins=INS_PERFORM_SECURITY_OPERATION,
            p1=COMPUTE_DIGITAL_SIGNATURE_P1,
            p2=CURRENT_KEY_P2,
            data=digest_info,
            ne=256,
        )
        try:
            response = send_once(self._channel, command, Step.SIGN, name.pin)
        except ExchangeInterrupted as interrupt:
            lost = OutcomeUnknownError(Step.SIGN, name.pin) if interrupt.response is None else None
            raise Interrupted(Step.SIGN, lost) from interrupt
        if response.sw >> 8 == 0x6C or (response.sw != SW.OK and response.data):
            # Data with an error are part of a signature whose end, the true status word, is lost.
            raise OutcomeUnknownError(Step.SIGN, name.pin)
        if response.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise PinRequiredError(name.pin)
        if response.sw != SW.OK:
            raise StatusWordError(INS_PERFORM_SECURITY_OPERATION, response.sw)
        return response.data


def check_validity(name: CertificateName, certificate: x509.Certificate, at: datetime) -> None:
    """Refuse a certificate outside its validity. RFC 5280 4.1.2.5: both ends belong to it.

    Raises:
        CertificateExpiredError, CertificateNotYetValidError.
    """
    if at > certificate.not_valid_after_utc:
        raise CertificateExpiredError(name, certificate.not_valid_after_utc)
    if at < certificate.not_valid_before_utc:
        raise CertificateNotYetValidError(name, certificate.not_valid_before_utc)
