"""The CA certificates of J-LIS that are trusted, pinned by the SHA-256 of their DER.

A CA certificate may come from anywhere (the card, a signature, a file): what makes it an anchor is
that its fingerprint stands here. A card's own CA files prove nothing by themselves; they come from
the card under test.

There are six, three generations of two self-signed roots, and all of one purpose share a name. The
fingerprints are those of the files that J-LIS publishes as ``signca01..03.cer`` and
``authca01..03.cer``, found byte-identical in independent public projects; those of the
authentication CAs were not compared with J-LIS's own list of fingerprints.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from jpki.files import CertificateName

J_LIS_URL: Final = "https://www.jpki.go.jp/ca/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedCa:
    """A root of J-LIS. Everything but the fingerprint is there to be read, not to be compared."""

    issues: CertificateName
    """SIGNATURE or AUTHENTICATION: the certificates under it."""
    generation: int  # year of its key
    origin: str  # the name of the file that J-LIS publishes
    serial_number: int
    not_before: datetime  # UTC
    not_after: datetime  # UTC, inclusive
    subject_key_identifier: str  # hex
    fingerprint_sha256: str  # of the DER, lower-case hex

    @property
    def name(self) -> str:
        """What it is called here, such as ``signature-ca-2019``."""
        return f"{self.issues.value}-ca-{self.generation}"


PINNED_CAS: Final = (
    PinnedCa(
        issues=CertificateName.SIGNATURE,
        generation=2015,
        origin="signca01.cer",
        serial_number=0x01,
        not_before=datetime(2015, 10, 20, 2, 40, 28, tzinfo=UTC),
        not_after=datetime(2025, 10, 19, 14, 59, 59, tzinfo=UTC),
        subject_key_identifier="0d034cbb34d0714f45e45a1cafd8fd143fab54a7",
        fingerprint_sha256="19645405a1fe14377434bd55957628ac4038557c542403a2243f21c706fc9355",
    ),
    PinnedCa(
        issues=CertificateName.SIGNATURE,
        generation=2019,
        origin="signca02.cer",
        serial_number=0x0132C4AB,
        not_before=datetime(2019, 9, 14, 23, 41, 56, tzinfo=UTC),
        not_after=datetime(2029, 9, 14, 14, 59, 59, tzinfo=UTC),
        subject_key_identifier="4de017de4b7f473dcd867a62d38b134ace83558a",
        fingerprint_sha256="79679c33e4cc9319440f1ad120a597ff1844e2ef217063adb176966fd5e6fbeb",
    ),
    PinnedCa(
        issues=CertificateName.SIGNATURE,
        generation=2023,
        origin="signca03.cer",
        serial_number=0x067C6A21,
        not_before=datetime(2023, 7, 16, 0, 50, 27, tzinfo=UTC),
        not_after=datetime(2033, 7, 15, 14, 59, 59, tzinfo=UTC),
        subject_key_identifier="d21ea55895617e93adbf966b941ab4edf653f08f",
        fingerprint_sha256="d227f6cde11d35c5252178f106f843d24651944975413b539fa2fb68dbfa365f",
    ),
    PinnedCa(
        issues=CertificateName.AUTHENTICATION,
        generation=2015,
        origin="authca01.cer",
        serial_number=0x01,
        not_before=datetime(2015, 10, 20, 3, 8, 13, tzinfo=UTC),
        not_after=datetime(2025, 10, 19, 14, 59, 59, tzinfo=UTC),
        subject_key_identifier="9567951b5ca70d84a0fff1d85a87f1aab1340385",
        fingerprint_sha256="4dcfc4ca0aaf9fb2a3081b3f0c991c320b3acc008667a341eeaec5af1d58ca7d",
    ),
    PinnedCa(
        issues=CertificateName.AUTHENTICATION,
        generation=2019,
        origin="authca02.cer",
        serial_number=0x0133C349,
        not_before=datetime(2019, 9, 14, 23, 41, 59, tzinfo=UTC),
        not_after=datetime(2029, 9, 14, 14, 59, 59, tzinfo=UTC),
        subject_key_identifier="8cd5586a891485e559379b7e29d410cfd28b3593",
        fingerprint_sha256="0d98de47fc11b7f67126874b7028b6026a803d2638d6edfe53176953961fade6",
    ),
    PinnedCa(
        issues=CertificateName.AUTHENTICATION,
        generation=2023,
        origin="authca03.cer",
        serial_number=0x06D18006,
        not_before=datetime(2023, 7, 16, 1, 1, 4, tzinfo=UTC),
        not_after=datetime(2033, 7, 15, 14, 59, 59, tzinfo=UTC),
        subject_key_identifier="1ac100f596a3bc8c4b3df195e32699249e9e308a",
        fingerprint_sha256="64114f29620c24ed2631d46476a040e7ee740d956089c00b036a6a8118c322b5",
    ),
)

_BY_FINGERPRINT: Final = {pinned.fingerprint_sha256: pinned for pinned in PINNED_CAS}


def is_pinned(der: bytes) -> bool:
    """Tell whether bytes are one of the pinned certificates; nothing is parsed."""
    return sha256(der).hexdigest() in _BY_FINGERPRINT


def fingerprint_sha256(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER, lower-case hex."""
    return certificate.fingerprint(SHA256()).hex()


def pin_of(certificate: x509.Certificate) -> PinnedCa | None:
    """Return the pin of a CA certificate; None: not one of J-LIS that is known here."""
    return pin_with(fingerprint_sha256(certificate))


def pin_with(fingerprint: str) -> PinnedCa | None:
    """Return the pin with a fingerprint (SHA-256, lower-case hex)."""
    return _BY_FINGERPRINT.get(fingerprint)


def pinned_among(certificates: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return those that are pinned: anchors, wherever they came from."""
    return tuple(certificate for certificate in certificates if pin_of(certificate) is not None)
