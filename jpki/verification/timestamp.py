"""Verifying timestamps, RFC 3161 2.4.2, by ETSI EN 319 102-1 5.4."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from jpki.certificates.asn1 import Asn1Error
from jpki.certificates.loading import load_certificate
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.verdict import Reason, Verdict
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import AnyHash, WeakHash, read_hash
from jpki.verification.attributes import (
    AttributeFaultError,
    SignedAttributes,
    read_signed_attributes,
)
from jpki.verification.circumstances import Circumstances
from jpki.verification.report import Note, TimestampReport
from jpki.verification.signer_certificate import CertificateBag, is_referenced
from jpki.verification.timestamp_authority import (
    Path,
    authority_revocation,
    date_faults,
    find_path,
    signature_faults,
    usage_faults,
)
from jpki.verification.timestamp_token import (
    TST_INFO_OID,
    TimestampToken,
    parse_timestamp_token,
)

CLOCK_SKEW: Final = timedelta(minutes=5)
"""By which the clocks of authority and verifier may differ."""
BEST_FIRST: Final = (Verdict.PASSED, Verdict.INDETERMINATE, Verdict.FAILED)

PathFaults = Callable[[x509.Certificate], Iterator[Reason]]


def verify_timestamp(
    token: bytes,
    message: bytes,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    *,
    now: datetime | None = None,
    certificates: Sequence[bytes] = (),
    revocation: RevocationMaterial = NOTHING_GIVEN,
    allow_sha1: bool = False,
) -> TimestampReport:
    """Verify a timestamp over a message. Malformed input gives a report, not an exception.

    Args:
        token: ContentInfo in DER or BER.
        message: what existed at the time; of a signature the bytes of its value.
        anchors: CA certificates that the caller trusts; each may vouch for an authority. None:
            at best indeterminate, no-anchor.
        at: the time at which certificates must be valid, with a time zone. The authority's must
            be so at the time of the token as well.
        now: the time of day, where ``at`` is a time in the past; a token from the future is not
            believed.
        certificates: DER, beside those in the token: of the authority and of CAs.
        revocation: CRLs and OCSP answers that may be about the authority or the CAs above it, and
            whether there must be some that count. The responder is not asked: it is that of the
            signers' CA.
        allow_sha1: a token that rests on SHA-1 may pass; a note then says so.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
    """
    circumstances = Circumstances(
        anchors=anchors, at=at, now=now or at, revocation=revocation, allow_sha1=allow_sha1
    )
    return judge_timestamp(token, lambda used: used.digest(message), certificates, circumstances)


def judge_timestamp(
    token: bytes,
    digest: Callable[[AnyHash], bytes],
    certificates: Sequence[bytes],
    circumstances: Circumstances,
) -> TimestampReport:
    """Verify a timestamp over a message that may be too large for the memory: ``digest`` hashes it.

    Everything else is as in ``verify_timestamp``.
    """
    try:
        parsed = parse_timestamp_token(token)
    except Asn1Error:
        return TimestampReport(reasons=(Reason.MALFORMED,))
    reasons: list[Reason] = []
    if parsed.algorithm is None:
        reasons.append(Reason.UNSUPPORTED_ALGORITHM)
    elif parsed.imprint != digest(parsed.algorithm):
        reasons.append(Reason.DIGEST_MISMATCH)
    if parsed.time > circumstances.now + CLOCK_SKEW:
        reasons.append(Reason.SIGNING_TIME_IN_FUTURE)
    bag = (*parsed.signed_data.certificates, *certificates)
    paths = _Paths(beside=bag, anchors=circumstances.anchors, at=circumstances.at, token=parsed)
    authority, faults = authority_faults(
        parsed, bag, paths.faults, allow_sha1=circumstances.allow_sha1
    )
    chain = paths.chain_of(authority)
    revocation = authority_revocation(chain, parsed.time, paths.latest, circumstances.revocation)
    return TimestampReport(
        time=parsed.time,
        reasons=tuple(dict.fromkeys((*reasons, *faults, *revocation.reasons))),
        authority=None if authority is None else authority.subject.rfc4514_string(),
        revocation=revocation.status,
        notes=(Note.SHA1_ALLOWED,) if _uses_sha1(parsed) and circumstances.allow_sha1 else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paths:
    """The paths of the certificates that may be the authority's."""

    beside: Sequence[bytes]
    anchors: Sequence[x509.Certificate]
    at: datetime
    token: TimestampToken
    _found: dict[x509.Certificate, Path] = field(init=False, default_factory=dict)

    @property
    def latest(self) -> datetime:
        """The time at which a path must hold: that of the check, no earlier than the token's."""
        return max(self.at, self.token.time)

    def faults(self, certificate: x509.Certificate) -> Iterator[Reason]:
        """Check the dates and the path of a certificate."""
        dates = tuple(date_faults(certificate, self.token.time, self.latest))
        yield from dates
        if not dates:
            path = find_path(certificate, self.beside, self.anchors, self.latest)
            self._found[certificate] = path
            yield from path.reasons

    def chain_of(self, certificate: x509.Certificate | None) -> tuple[x509.Certificate, ...]:
        """Return the certificates from the authority's to an anchor; empty: there is no path."""
        path = None if certificate is None else self._found.get(certificate)
        return () if path is None else path.chain


def _uses_sha1(token: TimestampToken) -> bool:
    used = token.algorithm, read_hash(token.signer_info.digest_algorithm)
    return WeakHash.SHA1 in used


def authority_faults(
    token: TimestampToken,
    certificates: Sequence[bytes],
    check: PathFaults,
    *,
    allow_sha1: bool = False,
) -> tuple[x509.Certificate | None, tuple[Reason, ...]]:
    """Check who signed a token -> the authority's certificate, None if unknown, and the faults.

    Args:
        token: the token.
        certificates: DER, among them the authority's.
        check: of the path and the dates of a certificate that may be the authority's.
        allow_sha1: it may rest on SHA-1.
    """
    reasons: list[Reason] = []
    attributes: SignedAttributes | None = None
    algorithm = read_hash(token.signer_info.digest_algorithm)
    if _uses_sha1(token) and not allow_sha1:
        reasons.append(Reason.WEAK_ALGORITHM)
    if token.has_critical_extension:
        reasons.append(Reason.UNKNOWN_CRITICAL_EXTENSION)
    if algorithm is None:
        reasons.append(Reason.UNSUPPORTED_ALGORITHM)
    try:
        if token.signer_info.signed_attrs is None:
            reasons.append(Reason.SIGNED_ATTRIBUTES_MISSING)
        else:
            attributes = read_signed_attributes(token.signer_info)
            reasons += _attribute_faults(attributes, token, algorithm)
    except AttributeFaultError:
        reasons.append(Reason.SIGNED_ATTRIBUTES_INVALID)
    candidates = CertificateBag(tuple(certificates)).candidates(token.signer_info)
    if not candidates:
        return None, (*reasons, Reason.SIGNER_CERTIFICATE_MISSING)
    found = [_verify_with(token, attributes, algorithm, der, check) for der in candidates]
    certificate, faults = min(found, key=lambda pair: _badness(pair[1]))
    return certificate, (*reasons, *faults)


def _badness(reasons: tuple[Reason, ...]) -> tuple[int, int]:
    worst = max((BEST_FIRST.index(reason.verdict) for reason in reasons), default=0)
    return worst, len(reasons)


def _attribute_faults(
    attributes: SignedAttributes, token: TimestampToken, algorithm: AnyHash | None
) -> Iterator[Reason]:
    # RFC 3161 2.4.2: the certificate must be named among what is signed.
    named = attributes.certificate is not None or attributes.certificate_v1 is not None
    if attributes.content_type != TST_INFO_OID or not named:
        yield Reason.SIGNED_ATTRIBUTES_INVALID
    if algorithm is not None and attributes.message_digest != algorithm.digest(token.tst_info):
        yield Reason.SIGNATURE_INVALID


def _verify_with(
    token: TimestampToken,
    attributes: SignedAttributes | None,
    algorithm: AnyHash | None,
    der: bytes,
    check: PathFaults,
) -> tuple[x509.Certificate | None, tuple[Reason, ...]]:
    try:
        certificate = load_certificate(der)
    except CertificateMalformedError:
        return None, (Reason.CERTIFICATE_MALFORMED,)
    reasons: list[Reason] = []
    if attributes is not None:
        references = (attributes.certificate, attributes.certificate_v1)
        if not all(is_referenced(reference, der) for reference in references if reference):
            reasons.append(Reason.SIGNER_CERTIFICATE_MISMATCH)
    signed = token.signer_info.signed_attrs
    if signed is not None and algorithm is not None:
        signer_info = token.signer_info
        reasons += signature_faults(
            certificate,
            signer_info.signature,
            signed,
            algorithm,
            signer_info.signature_algorithm,
        )
    reasons += usage_faults(certificate)
    reasons += check(certificate)
    return certificate, tuple(reasons)
