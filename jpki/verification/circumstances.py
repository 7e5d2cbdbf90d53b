"""With what and as at which time signatures are judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from cryptography import x509

from jpki.certificates.issuer import TrustAnchors, check_anchors_and_time
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.validation import PathReport, Purpose, check_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What holds for every signature of a document and for the timestamps over it.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
    """

    anchors: Sequence[x509.Certificate]
    at: datetime  # the time at which certificates must be valid
    now: datetime  # what claims to be from a later time is not believed
    revocation: RevocationMaterial = NOTHING_GIVEN
    allow_sha1: bool = False

    def __post_init__(self) -> None:
        """Refuse what a caller gives by mistake, and look at the anchors once for all."""
        object.__setattr__(self, "anchors", check_anchors_and_time(self.anchors, self.at))

    def trusting(self, more: Sequence[x509.Certificate]) -> Self:
        """Return the same with more anchors."""
        return replace(self, anchors=TrustAnchors.of(self.anchors).including(more))

    def check_signer(self, certificate: x509.Certificate | ParsedCertificate) -> PathReport:
        """Check the path of a certificate that may be the signer's of a document."""
        return check_path(certificate, self.anchors, self.at, Purpose.DOCUMENT, self.revocation)
