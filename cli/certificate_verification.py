"""What ``jpki cert verify`` finds out about one certificate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cli.certificate_view import certificate_as_json, remarks_as_text
from cli.certificate_words import kind_text
from cli.exit_codes import ExitCode
from cli.facts import utc_text
from cli.path_view import path_as_json, path_as_text, reasons_as_text
from cli.printable import printable
from cli.times import japan_time
from cli.translation import _
from cli.validation_options import Validation
from cli.verdict_words import exit_code_of, purpose_text, verdict_text
from jpki.certificates import CertificateProfile, PathReport, Purpose, check_path, read_profile
from jpki.certificates.extensions import find_extension


@dataclass(frozen=True, slots=True, kw_only=True)
class CertVerifyResult:
    """A certificate, and what the check of its path found."""

    source: str
    profile: CertificateProfile
    purpose: Purpose
    at: datetime
    path: PathReport

    @property
    def exit_code(self) -> ExitCode:
        """That of the verdict."""
        return exit_code_of([self.path.verdict])

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "source": self.source,
            "verdict": self.path.verdict.value,
            "reasons": [reason.value for reason in self.path.reasons],
            **path_as_json(self.path),
            "purpose": self.purpose.value,
            "at": utc_text(self.at),
            "certificate": certificate_as_json(self.profile, reveal=False),
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield f"{printable(self.source)}: {verdict_text(self.path.verdict, self.path.anchor)}"
        yield from reasons_as_text(self.path.reasons, self.path)
        yield _("  certificate:  {kind}").format(kind=kind_text(self.profile.kind))
        yield from (f"    {line}" for line in remarks_as_text(self.profile))
        yield _("  from, until:  {start}, {end}").format(
            start=japan_time(self.profile.not_valid_before),
            end=japan_time(self.profile.not_valid_after),
        )
        yield _("  checked for:  {purpose}").format(purpose=purpose_text(self.purpose))
        yield _("  as at:        {time}").format(time=japan_time(self.at))
        yield from path_as_text(self.path)


def verify_certificate(
    source: str,
    certificates: Sequence[x509.Certificate],
    validation: Validation,
    purpose: Purpose | None,
) -> CertVerifyResult:
    """Check the first of some certificates; the others are anchors if they are pinned.

    Args:
        source: where they come from, for the result.
        certificates: one at least.
        validation: what it is judged with.
        purpose: what it is to serve; None: what its extended key usage says.

    Raises:
        ServerError: the OCSP responder failed.
    """
    certificate, *others = certificates
    chosen = purpose_of(certificate) if purpose is None else purpose
    anchors = validation.with_pinned(others)
    return CertVerifyResult(
        source=source,
        profile=read_profile(certificate),
        purpose=chosen,
        at=validation.at,
        path=check_path(certificate, anchors, validation.at, chosen, validation.revocation),
    )


def purpose_of(certificate: x509.Certificate) -> Purpose:
    """A certificate for client authentication logs in; any other one signs documents."""
    usages = find_extension(certificate, x509.ExtendedKeyUsage) or ()
    return Purpose.LOGIN if ExtendedKeyUsageOID.CLIENT_AUTH in usages else Purpose.DOCUMENT
