"""A certificate to be judged, what is expected of the judges, and why where they differ."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from support.forging import forge
from support.pki import AT

from jpki.certificates import HolderFaultKind, Purpose, Reason, check_path, load_certificates
from jpki.errors import AnchorNotCaError, CertificateMalformedError

Der = Callable[[], bytes]
Outcome = tuple[Reason, ...] | str


class Threat(StrEnum):
    """What somebody wants to get past the check."""

    FALSE_ROOT = "a root that looks like the true one"
    CARD_AS_CA = "a certificate that a card signed"
    LEAF_WITH_CA_RIGHTS = "a leaf that may issue"
    WRONG_PURPOSE = "a certificate for something else"
    WRONG_GENERATION = "a key of another generation"
    ANCHOR_AS_SIGNER = "the root itself as the signer"
    DATES = "outside its time"
    OLD_ROOT = "under a root that is over"
    NO_ROOT = "an anchor that is no root"
    TEST_HIERARCHY = "of the test hierarchy"
    EXTENSIONS = "extensions that JPKI does not write"
    HOLDER_TWICE = "a holder said twice, or in an odd way"
    HOLDER_CODES = "codes of the holder that mean nothing"
    ALGORITHM = "an algorithm that is weak or not JPKI's"
    KEY = "a key that is weak or not a card's"
    FIELDS = "fields that X.509 does not have so"
    ENCODING = "BER in place of DER"
    NAMES = "a name that only looks the same"


BER = "OpenSSL takes it for DER"
NO_PROFILE = "OpenSSL has no profile of JPKI to hold it against"
OWN_TIME = "OpenSSL asks each certificate for its own time only, not one for the other's"
NOT_READ = "OpenSSL does not read it"
WITHOUT_IDENTIFIER = (
    "-x509_strict wants the key identifier of RFC 5280 4.2.1.1; the signature tells which it was"
)
"""Why the judges differ."""

REFUSED = "the bytes are no certificate in DER, and nothing is checked"
NO_CA = "a certificate that was given as an anchor is no CA's, which is the caller's mistake"
"""In place of reasons."""
ACCEPTS = 0
UNREADABLE = -1
"""In place of an error's number: OpenSSL cannot read the certificate."""


def sound_ca() -> bytes:
    return forge("signature-ca")


def login_ca() -> bytes:
    return forge("authentication-ca")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One certificate before both judges. Without reasons it is a control, which passes."""

    threat: Threat
    name: str
    leaf: Der
    reasons: Outcome = ()
    openssl: int = ACCEPTS
    """The number of the first error of `openssl verify` (X509_V_ERR_...)."""
    why: str = ""  # where the judges differ
    anchors: tuple[Der, ...] = (sound_ca,)
    others: tuple[Der, ...] = ()
    """Certificates that came along. `check_path` has no place for them, OpenSSL has."""
    partial_chain: bool = False  # OpenSSL takes any trusted certificate for an anchor
    at: datetime = AT
    purpose: Purpose = Purpose.DOCUMENT
    reported: frozenset[HolderFaultKind] = frozenset()
    """What is odd about the holder, whether it fails the path or not."""

    @property
    def is_control(self) -> bool:
        return self.reasons == ()

    def __str__(self) -> str:
        return f"{self.threat.name}: {self.name}"


def judged(case: Case) -> Outcome:
    """What the check of the path finds."""
    try:
        (leaf,) = load_certificates(case.leaf())
    except CertificateMalformedError:
        return REFUSED
    anchors = [x509.load_der_x509_certificate(anchor()) for anchor in case.anchors]
    try:
        return check_path(leaf, anchors, case.at, case.purpose).reasons
    except AnchorNotCaError:
        return NO_CA
