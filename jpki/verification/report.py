"""What a verification found, ETSI EN 319 102-1 5.1.3: one report for every format."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn

from jpki.certificates.profile import CertificateProfile
from jpki.certificates.validation import PathReport
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict, worst
from jpki.signing.digest import HashAlgorithm


class Coverage(StrEnum):
    """How much of the document a signature covers."""

    WHOLE = "whole"


class Level(StrEnum):
    """The form of a signature, not its worth."""

    RAW = "raw"
    """PKCS#1 v1.5 bytes without any container."""
    CMS = "cms"
    """RFC 5652 signed attributes, without what CAdES asks for."""
    CADES_B_B = "cades-b-b"
    """The signed attributes of ETSI EN 319 122-1 6.3, level B-B."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """One signature. ``verdict`` follows from ``reasons`` and cannot contradict them."""

    reasons: tuple[Reason, ...] = ()
    level: Level = Level.CMS
    covers: Coverage = Coverage.WHOLE
    signer: CertificateProfile | None = None  # None: the signature carries no such certificate
    signing_time: datetime | None = None  # UTC; claimed by the signer, proven by nobody
    hash_algorithm: HashAlgorithm | None = None
    path: PathReport | None = None  # None: there was no certificate to check

    @property
    def anchor(self) -> AnchorOrigin | None:
        """Where the trust comes from; None: there is none."""
        return None if self.path is None else self.path.anchor

    @property
    def revocation(self) -> Revocation:
        """Whether the signer's certificate was revoked."""
        return Revocation.NOT_CHECKED if self.path is None else self.path.revocation.status

    @property
    def not_checked(self) -> tuple[Unchecked, ...]:
        """What was left out."""
        return tuple(Unchecked) if self.path is None else self.path.not_checked

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons."""
        return worst(reason.verdict for reason in self.reasons)

    def __bool__(self) -> NoReturn:
        """Refuse: three states do not fit into two."""
        raise TypeError("a signature report has three states: compare .verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """All signatures of one document; the verdict is the worst, and without a signature failed."""

    signatures: tuple[SignatureReport, ...] = ()
    reasons: tuple[Reason, ...] = ()  # faults of the document as a whole, e.g. malformed

    def __post_init__(self) -> None:
        """Give an empty report the reason ``no-signature``."""
        if not self.signatures and not self.reasons:
            object.__setattr__(self, "reasons", (Reason.NO_SIGNATURE,))

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons and the signatures."""
        verdicts = [reason.verdict for reason in self.reasons]
        verdicts += [signature.verdict for signature in self.signatures]
        return worst(verdicts)

    def __bool__(self) -> NoReturn:
        """Refuse: three states do not fit into two."""
        raise TypeError("a verification report has three states: compare .verdict")
