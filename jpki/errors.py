"""Everything that jpki raises, as one tree.

::

    JpkiError
    ├── NotAMyNumberCardError        the card has no JPKI application
    ├── SeveralCardsError            more than one My Number Card, and none was named
    ├── UnsupportedCardError         a 住基カード or a phone: what was asked cannot be done with it
    ├── PinError                     about one of the card's PINs
    │   ├── PinFormatError             refused before the card was asked
    │   ├── PinIncorrectError          one try was spent; at least one is left
    │   ├── PinBlockedError            no try is left
    │   ├── LastTryError               one try is left, and nobody said to use it
    │   ├── TriesUnknownError          the card does not say how many are left
    │   ├── PinRepeatedError           this very PIN was wrong a moment ago
    │   └── PinRequiredError           the card wants the PIN first
    ├── OutcomeUnknownError          the card went away while it verified, changed or signed
    ├── CertificateError
    │   ├── CertificateMissingError
    │   ├── CertificateMalformedError
    │   ├── CertificateExpiredError
    │   ├── CertificateNotYetValidError
    │   └── AnchorNotCaError           what was given as a trust anchor is no CA certificate
    ├── RevocationDataMalformedError what was given as a CRL or an OCSP answer is none
    ├── ServerError                  a server that the caller named failed
    ├── SigningError
    │   ├── SignatureMismatchError     the card's signature does not fit its certificate
    │   ├── KeyPurposeError            the authentication key signs logins, nothing else
    │   ├── ContentTooLargeError
    │   ├── ContentChangedError
    │   └── DocumentError              the document cannot be signed as asked
    ├── TokenError                   a login was refused; in ``jpki.authentication.errors``, as are
    ├── NativeMessageError           a message of a browser's extension was refused
    └── AgentSocketError             the SSH agent cannot listen there

``Interrupted`` stands outside: it is a KeyboardInterrupt, so nothing swallows it by mistake.
Errors about the exchange itself are in ``apdu.errors``. Every class has a stable ``code`` for
programs, and carries facts as attributes. No text holds a PIN, a name or command data.
"""

from datetime import datetime
from enum import Enum
from typing import ClassVar

from jpki.document_faults import DocumentFault as DocumentFault  # noqa: PLC0414  # of this module too
from jpki.files import CardKind, CertificateName, PinKind


class PinFault(Enum):
    """What is wrong with the form of a PIN, found without asking the card."""

    EMPTY = "empty"
    NOT_ASCII = "not-ascii"
    NOT_FOUR_DIGITS = "not-four-digits"
    LENGTH = "length"
    CHARACTERS = "characters"
    NEEDS_LETTER_AND_DIGIT = "needs-letter-and-digit"


class Step(Enum):
    """The commands that are sent once and never again, whatever becomes of the answer."""

    VERIFY = "verify"
    CHANGE = "change"
    SIGN = "sign"


class JpkiError(Exception):
    """Base of all errors of this package."""

    code: ClassVar[str] = "jpki"


class NotAMyNumberCardError(JpkiError):
    """The card in the reader has no JPKI application."""

    code = "not-my-number-card"

    def __init__(self, reader_name: str) -> None:
        super().__init__(f"the card in {reader_name} is not a My Number Card")
        self.reader_name = reader_name


class SeveralCardsError(JpkiError):
    """More than one My Number Card is within reach and none was named."""

    code = "several-cards"

    def __init__(self, reader_names: tuple[str, ...]) -> None:
        super().__init__(f"{len(reader_names)} readers hold a My Number Card")
        self.reader_names = reader_names


class UnsupportedCardError(JpkiError):
    """The token is of a kind that cannot do what was asked."""

    code = "unsupported-card"

    def __init__(self, kind: CardKind) -> None:
        super().__init__(f"a token of kind {kind.value!r} is not supported for this")
        self.kind = kind


class PinError(JpkiError):
    """Base of the errors about one PIN."""

    def __init__(self, kind: PinKind, message: str) -> None:
        super().__init__(f"{kind.value} PIN: {message}")
        self.kind = kind


class PinFormatError(PinError):
    """The PIN cannot be right; nothing was sent to a card."""

    code = "pin-format"

    def __init__(self, kind: PinKind, fault: PinFault) -> None:
        super().__init__(kind, f"refused by its form ({fault.value})")
        self.fault = fault


class PinIncorrectError(PinError):
    """The card refused the PIN. ``tries_left`` is at least 1; None: the card did not say."""

    code = "pin-incorrect"

    def __init__(self, kind: PinKind, tries_left: int | None) -> None:
        super().__init__(kind, f"incorrect, tries left: {tries_left}")
        self.tries_left = tries_left


class PinBlockedError(PinError):
    """No try is left: the city office unblocks it.

    ``by_this_entry``: a PIN that was just sent spent the last try. ``both_blocked``: the other PIN
    has no tries either, or does not say, so this may be a face-authentication card.
    """

    code = "pin-blocked"

    def __init__(
        self, kind: PinKind, *, by_this_entry: bool = False, both_blocked: bool = False
    ) -> None:
        super().__init__(kind, "blocked")
        self.tries_left = 0
        self.by_this_entry = by_this_entry
        self.both_blocked = both_blocked


class LastTryError(PinError):
    """One try is left and it was not explicitly given away; nothing was sent."""

    code = "last-try"

    def __init__(self, kind: PinKind) -> None:
        super().__init__(kind, "only one try is left; not used")
        self.tries_left = 1


class TriesUnknownError(PinError):
    """The card gives no count of tries, so this one might be the last; nothing was sent."""

    code = "tries-unknown"

    def __init__(self, kind: PinKind) -> None:
        super().__init__(kind, "the card does not tell how many tries are left")
        self.tries_left: int | None = None


class PinRepeatedError(PinError):
    """The same PIN was wrong on this card a moment ago; nothing was sent."""

    code = "pin-repeated"

    def __init__(self, kind: PinKind) -> None:
        super().__init__(kind, "this PIN was already refused by this card")


class PinRequiredError(PinError):
    """The card answered 6982: what was asked needs the PIN, which was not verified."""

    code = "pin-required"

    def __init__(self, kind: PinKind) -> None:
        super().__init__(kind, "must be verified first")


class OutcomeUnknownError(JpkiError):
    """The card or reader went away before the answer to a command that is never sent twice."""

    code = "outcome-unknown"

    def __init__(self, step: Step, kind: PinKind) -> None:
        super().__init__(f"the card's answer to '{step.value}' ({kind.value}) was lost")
        self.step = step
        self.kind = kind


class CertificateError(JpkiError):
    """Base of the errors about a certificate. ``name`` is None for one that came from a file."""

    code = "certificate"

    def __init__(self, name: CertificateName | None, message: str) -> None:
        subject = "certificate" if name is None else f"{name.value} certificate"
        super().__init__(f"{subject}: {message}")
        self.name = name


class CertificateMissingError(CertificateError):
    """The card carries no such certificate.

    ``both_blocked``: its PINs have no tries, so it may be a face-authentication card.
    """

    code = "no-certificate"

    def __init__(self, name: CertificateName, *, both_blocked: bool = False) -> None:
        super().__init__(name, "not on this card")
        self.both_blocked = both_blocked


class CertificateMalformedError(CertificateError):
    """The bytes are no X.509 certificate in DER."""

    code = "certificate-malformed"

    def __init__(
        self, name: CertificateName | None, detail: str = "not an X.509 certificate"
    ) -> None:
        super().__init__(name, detail)


class CertificateExpiredError(CertificateError):
    """The certificate's validity has ended (RFC 5280 4.1.2.5)."""

    code = "certificate-expired"

    def __init__(self, name: CertificateName | None, not_valid_after: datetime) -> None:
        super().__init__(name, f"expired at {not_valid_after.isoformat()}")
        self.not_valid_after = not_valid_after


class CertificateNotYetValidError(CertificateError):
    """The certificate's validity has not begun (RFC 5280 4.1.2.5)."""

    code = "certificate-not-yet-valid"

    def __init__(self, name: CertificateName | None, not_valid_before: datetime) -> None:
        super().__init__(name, f"not valid before {not_valid_before.isoformat()}")
        self.not_valid_before = not_valid_before


class AnchorNotCaError(CertificateError):
    """A trust anchor without CA flag or keyCertSign. RFC 5280 6.1.4 (k), (n).

    ``path`` is the file that it came from, where a caller adds it.
    """

    code = "anchor-not-ca"

    def __init__(self, path: str | None = None) -> None:
        super().__init__(None, "a trust anchor is no CA certificate")
        self.path = path


class RevocationDataMalformedError(JpkiError):
    """The bytes are no CRL (RFC 5280 5) or no OCSP answer (RFC 6960 4.2). ``detail`` says more."""

    code = "revocation-data-malformed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ServerError(JpkiError):
    """A server that the caller named failed: a timestamp authority, an OCSP responder.

    ``url`` is without user and password; ``detail`` says what happened.
    """

    code = "server"

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(f"{url}: {detail}")
        self.url = url
        self.detail = detail


class SigningError(JpkiError):
    """Base of the errors about making a signature."""

    code = "signing"


class SignatureMismatchError(SigningError):
    """The signature that the card gave does not verify with the certificate on the card."""

    code = "signature-mismatch"

    def __init__(self) -> None:
        super().__init__("the card's signature does not verify with the card's certificate")


class KeyPurposeError(SigningError):
    """The authentication key was asked to sign something other than the login it was opened for."""

    code = "key-purpose"

    def __init__(self) -> None:
        super().__init__("the authentication key signs logins and nothing else")


class ContentTooLargeError(SigningError):
    """The content does not fit this format; a detached signature has no such limit."""

    code = "content-too-large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes; attached content must be smaller than {limit} bytes")
        self.size = size
        self.limit = limit


class ContentChangedError(SigningError):
    """The content is not what was hashed when the signature was made."""

    code = "content-changed"

    def __init__(self) -> None:
        super().__init__("the content changed while it was being signed")


class DocumentError(SigningError):
    """The document cannot be signed as asked; found before the key is used. ``fault`` says why.

    ``detail`` names the place or the thing in few technical words; never the document's text.
    """

    code = "document"

    def __init__(self, fault: DocumentFault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while the card worked on a command that is never sent twice.

    ``outcome`` is what the command came to: the error that it would have raised, or None when
    the card did it. The program ends all the same.
    """

    def __init__(self, step: Step, outcome: Exception | None) -> None:
        super().__init__(f"interrupted during '{step.value}'")
        self.step = step
        self.outcome = outcome
