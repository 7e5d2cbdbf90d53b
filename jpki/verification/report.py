"""What a verification found, ETSI EN 319 102-1 5.1.3: one report for every format."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, NoReturn

from jpki.certificates.profile import CertificateProfile
from jpki.certificates.validation import PathReport
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict, worst
from jpki.signing.digest import AnyHash


class Coverage(StrEnum):
    """How much of the document a signature covers."""

    WHOLE = "whole"
    PART = "part"
    """A part of the document; ``SignatureReport.covered`` says which."""


class Note(StrEnum):
    """What changes no verdict and yet should be known."""

    EXTENDED_AFTER_SIGNING = "extended-after-signing"
    """Revocation data or timestamps were added after this signature; they change no content."""
    FORM_FILLED_AFTER_SIGNING = "form-filled-after-signing"
    """A form was filled or another signature added, as this signature allows."""
    ANNOTATED_AFTER_SIGNING = "annotated-after-signing"
    """Comments were added, as the author's certification allows."""
    HYBRID_REFERENCES = "hybrid-references"
    """A PDF with two tables of contents, ISO 32000-1 7.5.8.4: programs may show it differently."""
    SHA1_ALLOWED = "sha1-allowed"
    """It rests on SHA-1, which is broken, and passed because the caller allowed that."""
    EXPIRED_AFTER_TIMESTAMP = "expired-after-timestamp"
    """The certificate has expired, and a timestamp proves that the signature is older than that."""
    COUNTERSIGNATURE_NOT_CHECKED = "countersignature-not-checked"
    """Somebody signed this signature in turn; nobody looked at that."""
    COMMENTS_NOT_SIGNED = "comments-not-signed"
    """XML: there are comments where it was signed, and no signature covers them."""


class Level(StrEnum):
    """The form of a signature, not its worth."""

    RAW = "raw"
    """PKCS#1 v1.5 bytes without any container."""
    CMS = "cms"
    """RFC 5652 signed attributes, without what CAdES asks for."""
    CADES_B_B = "cades-b-b"
    """The signed attributes of ETSI EN 319 122-1 6.3, level B-B."""
    CADES_B_T = "cades-b-t"
    """The same with a timestamp over the signature."""
    PDF = "pdf"
    """ISO 32000-1 12.8, adbe.pkcs7.detached: what readers call a digital signature."""
    PADES_B_B = "pades-b-b"
    """ETSI EN 319 142-1 6.3."""
    PADES_B_T = "pades-b-t"
    PADES_B_LT = "pades-b-lt"
    PADES_B_LTA = "pades-b-lta"
    XMLDSIG = "xmldsig"
    """W3C XML Signature."""
    XADES_B_B = "xades-b-b"
    """ETSI EN 319 132-1 6.3."""
    XADES_B_T = "xades-b-t"
    JWS = "jws"
    """RFC 7515."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampReport:
    """A timestamp over a signature, RFC 3161: proof that it existed at a time."""

    time: datetime | None = None  # UTC; None: the token cannot be read
    reasons: tuple[Reason, ...] = ()
    authority: str | None = None  # subject of the TSA's certificate, RFC 4514
    revocation: Revocation = Revocation.NOT_CHECKED  # of that certificate and the CAs above it
    notes: tuple[Note, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons."""
        return worst(reason.verdict for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """One signature. ``verdict`` follows from ``reasons`` and cannot contradict them."""

    reasons: tuple[Reason, ...] = ()
    level: Level = Level.CMS
    covers: Coverage = Coverage.WHOLE
    covered: str | None = None  # what it covers, where that is not the whole: "#id", file names
    files: tuple[str, ...] = ()  # of XML: those beside the document that it refers to by name
    signer: CertificateProfile | None = None  # None: the signature carries no such certificate
    signing_time: datetime | None = None  # UTC; claimed by the signer, proven by nobody
    hash_algorithm: AnyHash | None = None
    timestamp: TimestampReport | None = None  # None: it carries none
    notes: tuple[Note, ...] = ()  # what a reader should know and what changes no verdict
    path: PathReport | None = None  # None: there was no certificate to check
    write_covered: Callable[[BinaryIO], None] | None = field(default=None, repr=False)
    """Writes exactly the bytes that the signature covers; None: they are the document's own."""

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
    document_timestamps: tuple[TimestampReport, ...] = ()  # of a PDF, ETSI EN 319 142-1 5.4.3

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
