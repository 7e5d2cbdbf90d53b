"""Why a login did not come about, as far as the holder can do something about it."""

from enum import StrEnum
from typing import Final

from jpki.authentication.errors import TokenError, TokenFault
from jpki.certificates.verdict import Reason


class Refusal(StrEnum):
    """One page each; the word stands in its address."""

    # found in the browser, told by the Web eID extension
    CANCELLED = "cancelled"
    TIMED_OUT = "timed-out"
    NO_EXTENSION = "no-extension"
    NO_PROGRAM = "no-program"
    OLD_PROGRAM = "old-program"
    CARD_FAILED = "card-failed"
    # found by the site
    SESSION_OVER = "session-over"
    TOO_MANY = "too-many"
    TOO_LATE = "too-late"
    USED = "used"
    OTHER_WINDOW = "other-window"
    OTHER_SITE = "other-site"
    NO_TOKEN = "no-token"  # noqa: S105  # no secret
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    REVOCATION_UNKNOWN = "revocation-unknown"
    WRONG_CERTIFICATE = "wrong-certificate"
    UNKNOWN_CA = "unknown-ca"
    BAD_CERTIFICATE = "bad-certificate"


OF_FAULT: Final = {
    TokenFault.TOO_LARGE: Refusal.NO_TOKEN,
    TokenFault.MALFORMED: Refusal.NO_TOKEN,
    TokenFault.FORMAT: Refusal.NO_TOKEN,
    TokenFault.ALGORITHM: Refusal.NO_TOKEN,
    TokenFault.ORIGIN: Refusal.OTHER_SITE,
    TokenFault.NONCE: Refusal.OTHER_WINDOW,
    TokenFault.NONCE_UNKNOWN: Refusal.OTHER_WINDOW,
    TokenFault.NONCE_OF_OTHER_SESSION: Refusal.OTHER_WINDOW,
    TokenFault.NONCE_TAKEN: Refusal.USED,
    TokenFault.NONCE_EXPIRED: Refusal.TOO_LATE,
    TokenFault.CERTIFICATE: Refusal.BAD_CERTIFICATE,
    TokenFault.SIGNATURE: Refusal.OTHER_SITE,
}
OF_REASON: Final = {
    Reason.REVOKED: Refusal.REVOKED,
    Reason.SUSPENDED: Refusal.SUSPENDED,
    Reason.WRONG_POLICY: Refusal.WRONG_CERTIFICATE,
    Reason.WRONG_KEY_USAGE: Refusal.WRONG_CERTIFICATE,
    Reason.NO_ANCHOR: Refusal.UNKNOWN_CA,
    Reason.UNTRUSTED_ISSUER: Refusal.UNKNOWN_CA,
    Reason.EXPIRED: Refusal.EXPIRED,
    Reason.REVOCATION_UNKNOWN: Refusal.REVOCATION_UNKNOWN,
}
"""In the order in which they matter; all others say that the certificate is no good."""


def refusal_of(error: TokenError) -> Refusal:
    """Return the page for what the check of a login said."""
    told = (page for reason, page in OF_REASON.items() if reason in error.reasons)
    return next(told, OF_FAULT[error.fault])
