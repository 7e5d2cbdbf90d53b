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
    Issuer,
    TrustAnchor,
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
    try:
        leaf = ParsedCertificate.of(certificate)
        issuer = find_issuer(leaf, trusted, at, purpose)
        extensions = _look_at_extensions(leaf, issuer, purpose)
    except CertificateMalformedError:
        return PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))
    anchor = issuer.anchor
    faults = (*field_faults(leaf), *extensions.profile_faults)
    reasons = [
        *_date_faults(leaf.certificate, at),
        *_key_faults(leaf.rsa_key),
        *_signature_algorithm_faults(leaf.certificate),
        *extensions.reasons,
        *([Reason.PROFILE_MISMATCH] if faults else []),
        *issuer.reasons,
    ]
    finding = NOT_LOOKED_AT
    if anchor is not None:
        is_lost = worst(reason.verdict for reason in reasons) is Verdict.FAILED
        # Nobody is asked about a certificate that has failed already.
        material = replace(revocation, responder=None) if is_lost else revocation
        finding = check_revocation(leaf.certificate, anchor.certificate, at, material)
        reasons += _revocation_faults(finding, material)
    return PathReport(
        reasons=tuple(dict.fromkeys(reasons)),
        issuer=anchor,
        policies=extensions.policies,
        profile_faults=faults,
        revocation=finding,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extensions:
    """What the extensions of a leaf say, and what speaks against them."""

    policies: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    profile_faults: tuple[ProfileFault, ...] = ()


def _look_at_extensions(leaf: ParsedCertificate, issuer: Issuer, purpose: Purpose) -> _Extensions:
    """Look at the extensions, unless the anchor knows them from another leaf.

    What is found here must depend on nothing but the extensions, the anchor and the purpose.

    Raises:
        CertificateMalformedError: they cannot be read.
    """
    if issuer.usual_policies is not None:
        return _Extensions(policies=issuer.usual_policies)
    leaf.read()
    anchor, holder = issuer.anchor, leaf.holder
    found = _Extensions(
        policies=leaf.policies,
        reasons=(
            *_extension_faults(leaf),
            *(() if purpose.fits_usages_of(leaf) else (Reason.WRONG_KEY_USAGE,)),
            *_policy_faults(leaf.policies, anchor, purpose),
            *((Reason.HOLDER_MALFORMED,) if holder and holder.is_malformed else ()),
        ),
        profile_faults=(*extension_faults(leaf), *issuer.identifier_faults),
    )
    if anchor is not None and not found.reasons and not found.profile_faults:
        anchor.remember(leaf, purpose)
    return found


def _date_faults(certificate: x509.Certificate, at: datetime) -> Iterator[Reason]:
    moment = at.replace(microsecond=0)  # dates of certificates are whole seconds, both inclusive
    if moment < certificate.not_valid_before_utc:
        yield Reason.NOT_YET_VALID
    if moment > certificate.not_valid_after_utc:
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
