"""The path check of RFC 5280 6.1 for paths of length two: a leaf and the anchor that issued it.

JPKI has no intermediate CAs, so none are looked for: a certificate whose issuer is not an anchor
has no path, whatever else was sent along. The time is an argument.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import SignatureAlgorithmOID

from jpki.certificates.conformance import (
    ProfileFault,
    extension_faults,
    field_faults,
    is_card_key,
)
from jpki.certificates.issuer import (
    KnownLeaf,
    TrustAnchor,
    TrustAnchors,
    anchor_date_faults,
    check_anchors_and_time,
    find_issuer,
    has_unknown_critical_extension,
)
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.purpose import Purpose as Purpose  # noqa: PLC0414  # of this module too
from jpki.certificates.revocation import (
    NOT_LOOKED_AT,
    NOTHING_GIVEN,
    RevocationFinding,
    RevocationMaterial,
    RevocationMode,
    check_revocation,
)
from jpki.certificates.trust import PinnedCa
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict, worst
from jpki.errors import CertificateMalformedError

WEAK_SIGNATURES: Final = frozenset(
    {SignatureAlgorithmOID.RSA_WITH_MD5, SignatureAlgorithmOID.RSA_WITH_SHA1}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """What the check of a certificate found; no reasons: every check that was made succeeded."""

    reasons: tuple[Reason, ...]
    issuer: TrustAnchor | None = field(default=None, repr=False)  # None: no anchor issued it
    policies: tuple[str, ...] = ()  # OIDs of the leaf
    profile_faults: tuple[ProfileFault, ...] = ()  # what PROFILE_MISMATCH stands for
    revocation: RevocationFinding = NOT_LOOKED_AT

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons."""
        return worst(reason.verdict for reason in self.reasons)

    @property
    def has_failed(self) -> bool:
        """Whether the verdict is final."""
        return self.verdict is Verdict.FAILED

    @property
    def anchor_certificate(self) -> x509.Certificate | None:
        """The CA certificate at the end of the path; None: no anchor issued the leaf."""
        return None if self.issuer is None else self.issuer.certificate

    @property
    def anchor_fingerprint_sha256(self) -> str | None:
        """Of its DER, lower-case hex."""
        return None if self.issuer is None else self.issuer.parsed.fingerprint_sha256

    @property
    def anchor(self) -> AnchorOrigin | None:
        """Where the trust comes from; None: there is none."""
        return None if self.issuer is None else self.issuer.origin

    @property
    def pin(self) -> PinnedCa | None:
        """Which CA of J-LIS it is, if it is one."""
        return None if self.issuer is None else self.issuer.pin

    @property
    def not_checked(self) -> tuple[Unchecked, ...]:
        """What was left out."""
        if self.revocation.status is Revocation.NOT_CHECKED:
            return (Unchecked.REVOCATION,)
        return ()


def check_path(
    certificate: x509.Certificate | ParsedCertificate,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    purpose: Purpose,
    revocation: RevocationMaterial = NOTHING_GIVEN,
) -> PathReport:
    """Check a leaf certificate against trust anchors at a time.

    Every anchor with the issuer's name is tried by signature: all generations of a JPKI CA share
    one name.

    Args:
        certificate: the leaf.
        anchors: CA certificates that the caller trusts, best as ``TrustAnchors``; empty: at best
            indeterminate, no-anchor.
        at: the time of the check, with a time zone.
        purpose: what the certificate was used for.
        revocation: CRLs and OCSP answers, and whether there must be some that count.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError: an anchor is no CA certificate.
        CertificateMalformedError: an anchor cannot be read (never so for one of
            ``load_certificates``).
        ServerError: the OCSP responder that the caller named failed.
    """
    trusted = check_anchors_and_time(anchors, at)
    leaf = ParsedCertificate.of(certificate)
    known = trusted.known(leaf, purpose)
    try:
        judged = _judge(leaf, trusted, at, purpose) if known is None else _again(leaf, known, at)
    except CertificateMalformedError:
        return PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))
    anchor, reasons, finding = judged.issuer, judged.reasons, NOT_LOOKED_AT
    if anchor is not None:
        # Nobody is asked about a certificate that has failed already.
        material = replace(revocation, responder=None) if judged.has_failed else revocation
        finding = check_revocation(leaf.certificate, anchor.certificate, at, material)
        reasons += tuple(_revocation_faults(finding, material))
    return replace(judged, reasons=tuple(dict.fromkeys(reasons)), revocation=finding)


def _again(leaf: ParsedCertificate, known: KnownLeaf, at: datetime) -> PathReport:
    """Judge a leaf that has passed before: by nothing but the time."""
    dates = (*_date_faults(leaf, at), *anchor_date_faults(leaf, known.anchor, at))
    return PathReport(reasons=dates, issuer=known.anchor, policies=known.policies)


def _judge(
    leaf: ParsedCertificate, anchors: TrustAnchors, at: datetime, purpose: Purpose
) -> PathReport:
    """Judge a leaf by all but revocation. Raises: CertificateMalformedError."""
    issuer = find_issuer(leaf, anchors, at)
    holder = leaf.holder
    faults = (*field_faults(leaf), *extension_faults(leaf), *issuer.identifier_faults)
    reasons = (
        *_date_faults(leaf, at),
        *_key_faults(leaf.rsa_key),
        *_signature_algorithm_faults(leaf.certificate),
        *_extension_faults(leaf),
        *(() if purpose.fits_usages_of(leaf) else (Reason.WRONG_KEY_USAGE,)),
        *_policy_faults(leaf.policies, issuer.anchor, purpose),
        *((Reason.HOLDER_MALFORMED,) if holder and holder.is_malformed else ()),
        *((Reason.PROFILE_MISMATCH,) if faults else ()),
        *issuer.reasons,
    )
    if issuer.anchor is not None and issuer.is_only and not reasons:
        known = KnownLeaf(anchor=issuer.anchor, policies=leaf.policies)
        anchors.remember(leaf, purpose, known)
    return PathReport(
        reasons=reasons, issuer=issuer.anchor, policies=leaf.policies, profile_faults=faults
    )


def _date_faults(leaf: ParsedCertificate, at: datetime) -> Iterator[Reason]:
    moment = at.replace(microsecond=0)  # dates of certificates are whole seconds, both inclusive
    not_before, not_after = leaf.validity
    if moment < not_before:
        yield Reason.NOT_YET_VALID
    if moment > not_after:
        yield Reason.EXPIRED


def _key_faults(key: RSAPublicKey | None) -> Iterator[Reason]:
    if key is None:
        yield Reason.UNSUPPORTED_ALGORITHM
    elif not is_card_key(key):
        yield Reason.WEAK_KEY


def _signature_algorithm_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    oid = certificate.signature_algorithm_oid
    if oid in WEAK_SIGNATURES:
        yield Reason.WEAK_ALGORITHM
    elif oid != SignatureAlgorithmOID.RSA_WITH_SHA256:
        yield Reason.UNSUPPORTED_ALGORITHM


def _extension_faults(leaf: ParsedCertificate) -> Iterator[Reason]:
    if has_unknown_critical_extension(leaf.certificate):
        yield Reason.UNKNOWN_CRITICAL_EXTENSION
    # The card signs any digest, so a card's certificate that could issue others would be a CA in
    # everybody's pocket.
    constraints = leaf.find(x509.BasicConstraints)
    usage = leaf.find(x509.KeyUsage)
    if (constraints is not None and constraints.ca) or (
        usage is not None and (usage.key_cert_sign or usage.crl_sign)
    ):
        yield Reason.SIGNER_IS_CA


def _policy_faults(
    policies: tuple[str, ...], anchor: TrustAnchor | None, purpose: Purpose
) -> Iterator[Reason]:
    pin = None if anchor is None else anchor.pin
    # A CA of J-LIS issues certificates for its own purpose only.
    is_elsewhere = pin is not None and pin.issues is not purpose.certificate
    if is_elsewhere or not purpose.fits_policies(policies, may_be_test=pin is None):
        yield Reason.WRONG_POLICY


def _revocation_faults(
    finding: RevocationFinding, material: RevocationMaterial
) -> Iterator[Reason]:
    match finding.status:
        case Revocation.REVOKED:
            yield Reason.REVOKED
        case Revocation.SUSPENDED:
            yield Reason.SUSPENDED
        case Revocation.UNKNOWN:
            yield Reason.REVOCATION_UNKNOWN
        case Revocation.NOT_CHECKED:
            if material.mode is RevocationMode.REQUIRE:
                yield Reason.REVOCATION_UNKNOWN
        case Revocation.GOOD:
            return
