"""Verifying timestamps, RFC 3161 2.4.2, by ETSI EN 319 102-1 5.4."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from jpki.certificates.asn1 import Asn1Error
from jpki.certificates.issuer import check_anchors_and_time
from jpki.certificates.loading import load_certificate
from jpki.certificates.verdict import Reason, Verdict
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import HashAlgorithm
from jpki.verification.attributes import (
    AttributeFaultError,
    SignedAttributes,
    read_signed_attributes,
)
from jpki.verification.report import TimestampReport
from jpki.verification.signer_certificate import CertificateBag, is_referenced
from jpki.verification.timestamp_authority import (
    date_faults,
    path_faults,
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

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
    """

    def digest(algorithm: HashAlgorithm) -> bytes:
        return algorithm.digest(message)

    return verify_timestamp_over(token, digest, anchors, at, now=now, certificates=certificates)


def verify_timestamp_over(
    token: bytes,
    digest: Callable[[HashAlgorithm], bytes],
    anchors: Sequence[x509.Certificate],
    at: datetime,
    *,
    now: datetime | None = None,
    certificates: Sequence[bytes] = (),
) -> TimestampReport:
    """Verify a timestamp over a message too large for the memory: ``digest`` hashes it.

    Everything else is as in ``verify_timestamp``.
    """
    check_anchors_and_time(anchors, at)
    try:
        parsed = parse_timestamp_token(token)
    except Asn1Error:
        return TimestampReport(reasons=(Reason.MALFORMED,))
    reasons: list[Reason] = []
    if parsed.algorithm is None:
        reasons.append(Reason.UNSUPPORTED_ALGORITHM)
    elif parsed.imprint != digest(parsed.algorithm):
        reasons.append(Reason.DIGEST_MISMATCH)
    if parsed.time > (now or at) + CLOCK_SKEW:
        reasons.append(Reason.SIGNING_TIME_IN_FUTURE)
    bag = (*parsed.signed_data.certificates, *certificates)

    def check(certificate: x509.Certificate) -> Iterator[Reason]:
        latest = max(at, parsed.time)
        dates = tuple(date_faults(certificate, parsed.time, latest))
        yield from dates
        if not dates:
            yield from path_faults(certificate, bag, anchors, latest)

    authority, faults = authority_faults(parsed, bag, check)
    return TimestampReport(
        time=parsed.time,
        reasons=tuple(dict.fromkeys((*reasons, *faults))),
        authority=None if authority is None else authority.subject.rfc4514_string(),
    )


def authority_faults(
    token: TimestampToken, certificates: Sequence[bytes], check: PathFaults
) -> tuple[x509.Certificate | None, tuple[Reason, ...]]:
    """Check who signed a token -> the authority's certificate, None if unknown, and the faults.

    Args:
        token: the token.
        certificates: DER, among them the authority's.
        check: of the path and the dates of a certificate that may be the authority's.
    """
    reasons: list[Reason] = []
    attributes: SignedAttributes | None = None
    algorithm = HashAlgorithm.from_oid_der(token.signer_info.digest_algorithm)
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
    attributes: SignedAttributes, token: TimestampToken, algorithm: HashAlgorithm | None
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
    algorithm: HashAlgorithm | None,
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
