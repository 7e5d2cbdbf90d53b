"""How the check of a certificate's path is shown, whatever the certificate was used for."""

from collections.abc import Iterable, Iterator

from cli.facts import json_value
from cli.times import japan_time
from cli.translation import _
from cli.verdict_words import (
    anchor_text,
    evidence_fault_text,
    not_checked_text,
    profile_fault_text,
    reason_text,
    revocation_reason_text,
    revocation_text,
    source_text,
)
from jpki.certificates import PathReport, Reason, Revocation
from jpki.certificates.revocation import RevocationFinding

NO_PATH = PathReport(reasons=())
"""Of what carries no certificate that could be checked."""


def path_as_json(path: PathReport) -> dict[str, object]:
    """The keys about the certificate's path, as docs/json.md has them for ``cert verify``."""
    return {
        "anchor": json_value(path.anchor),
        "anchor_name": None if path.pin is None else path.pin.name,
        "anchor_fingerprint_sha256": path.anchor_fingerprint_sha256,
        "revocation": path.revocation.status.value,
        "revocation_details": _revocation_as_json(path.revocation),
        "not_checked": json_value(path.not_checked),
        "policies": list(path.policies),
        "profile_faults": [
            {"fault": fault.kind.value, "oid": fault.oid} for fault in path.profile_faults
        ],
    }


def _revocation_as_json(finding: RevocationFinding) -> dict[str, object]:
    return {
        "reason": finding.reason,
        "since": json_value(finding.since),
        "source": json_value(finding.source),
        "this_update": json_value(finding.this_update),
        "next_update": json_value(finding.next_update),
        "rejected": [
            {"source": rejected.source.value, "fault": rejected.fault.value}
            for rejected in finding.rejected
        ],
    }


def reasons_as_text(reasons: Iterable[Reason], path: PathReport) -> Iterator[str]:
    """One line for each reason, with what the path's check knows about it."""
    for reason in reasons:
        yield _("  because:      {reason}").format(reason=_with_details(reason, path))


def _with_details(reason: Reason, path: PathReport) -> str:
    text, finding = reason_text(reason), path.revocation
    match reason:
        case Reason.WRONG_POLICY:
            policies = ", ".join(path.policies) or _("it has none")
            return f"{text}: {policies}"
        case Reason.PROFILE_MISMATCH:
            return f"{text}: {'; '.join(map(profile_fault_text, path.profile_faults))}"
        case Reason.REVOKED if finding.since is not None:
            return _("the certificate was revoked at {time}: {reason}").format(
                time=japan_time(finding.since),
                reason=revocation_reason_text(finding.reason or "unspecified"),
            )
        case Reason.SUSPENDED if finding.since is not None:
            return _(
                "the certificate is suspended since {time}, as that of a lost card; once the card"
                " is found its holder has that lifted at the counter of the city office"
                " (市区町村の窓口)"
            ).format(time=japan_time(finding.since))
        case Reason.REVOCATION_UNKNOWN if finding.status is Revocation.UNKNOWN:
            return _("the OCSP responder does not know the certificate")
        case _:
            return text


def path_as_text(path: PathReport) -> Iterator[str]:
    """Where the trust comes from, what is known about revocation, and what was left out."""
    anchor, fingerprint = anchor_text(path.anchor, path.pin), path.anchor_fingerprint_sha256
    if path.pin is None and fingerprint is not None:  # one of perhaps several that were given
        anchor = f"{anchor} (SHA-256 {fingerprint})"
    yield _("  trust in:     {anchor}").format(anchor=anchor)
    yield from _revocation_as_text(path.revocation)
    if path.not_checked:
        yield _("  not checked:  {items}").format(items=not_checked_text(path.not_checked))


def _revocation_as_text(finding: RevocationFinding) -> Iterator[str]:
    if finding.source is not None and finding.this_update is not None:
        yield _("  revocation:   {status}, by {source} of {time}").format(
            status=revocation_text(finding.status),
            source=source_text(finding.source),
            time=japan_time(finding.this_update),
        )
    for rejected in finding.rejected:
        yield _("  not counted:  {source}: {fault}").format(
            source=source_text(rejected.source), fault=evidence_fault_text(rejected.fault)
        )
