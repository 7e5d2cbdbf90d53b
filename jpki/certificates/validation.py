"""The path check of RFC 5280 6.1 for paths of length two: a leaf and the anchor that issued it.

JPKI has no intermediate CAs, so none are looked for: a certificate whose issuer is not an anchor
has no path, whatever else was sent along. The time is an argument.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from jpki.certificates.conformance import ProfileFault, is_card_key, profile_faults
from jpki.certificates.extensions import find_extension
from jpki.certificates.holder import read_holder
from jpki.certificates.issuer import (
    check_anchors_and_time,
    find_issuer,
    has_unknown_critical_extension,
    origin_of,
)
from jpki.certificates.loading import read_through
from jpki.certificates.policies import (
    AUTHENTICATION_POLICY,
    SIGNATURE_POLICY,
    SMARTPHONE_SIGNATURE_POLICY,
    TEST_SIGNATURE_POLICY,
    policies_of,
)
from jpki.certificates.revocation import (
    NOT_LOOKED_AT,
    NOTHING_GIVEN,
    RevocationFinding,
    RevocationMaterial,
    RevocationMode,
    check_revocation,
)
from jpki.certificates.tbs import extension_value
from jpki.certificates.trust import PinnedCa, pin_of
from jpki.certificates.verdict import AnchorOrigin, Reason, Revocation, Unchecked, Verdict, worst
from jpki.errors import CertificateMalformedError
from jpki.files import CertificateName

WEAK_SIGNATURES: Final = frozenset(
    {SignatureAlgorithmOID.RSA_WITH_MD5, SignatureAlgorithmOID.RSA_WITH_SHA1}
)


KEY_USAGE_OID: Final = bytes.fromhex("0603551D0F")
SIGNATURE_KEY_USAGE: Final = bytes.fromhex("030206C0")
"""digitalSignature and nonRepudiation, RFC 5280 4.2.1.3."""
AUTHENTICATION_KEY_USAGE: Final = bytes.fromhex("03020780")
"""digitalSignature."""


class Purpose(Enum):
    """What a leaf certificate is used for; each wants its own key usage and policy."""

    DOCUMENT = "document"
    """Signing a document: key usage digitalSignature and nonRepudiation, no extended key usage."""
    LOGIN = "login"
    """Logging in: key usage digitalSignature and extended key usage clientAuth."""


CERTIFICATE_FOR: Final[Mapping[Purpose, CertificateName]] = {
    Purpose.DOCUMENT: CertificateName.SIGNATURE,
    Purpose.LOGIN: CertificateName.AUTHENTICATION,
}
PINNED_POLICIES: Final[Mapping[Purpose, frozenset[str]]] = {
    Purpose.DOCUMENT: frozenset({SIGNATURE_POLICY, SMARTPHONE_SIGNATURE_POLICY}),
    Purpose.LOGIN: frozenset({AUTHENTICATION_POLICY}),
}
"""What may stand under a pinned CA of J-LIS."""
GIVEN_POLICIES: Final[Mapping[Purpose, frozenset[str]]] = {
    Purpose.DOCUMENT: PINNED_POLICIES[Purpose.DOCUMENT] | {TEST_SIGNATURE_POLICY},
    Purpose.LOGIN: PINNED_POLICIES[Purpose.LOGIN],
}
"""What may stand under a CA that the caller brought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """What the check of a certificate found; no reasons: every check that was made succeeded."""

    reasons: tuple[Reason, ...]
    anchor_certificate: x509.Certificate | None = None  # None: no anchor issued it
    policies: tuple[str, ...] = ()  # OIDs of the leaf
    profile_faults: tuple[ProfileFault, ...] = ()  # what PROFILE_MISMATCH stands for
    revocation: RevocationFinding = NOT_LOOKED_AT

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the reasons."""
        return worst(reason.verdict for reason in self.reasons)

    @property
    def anchor(self) -> AnchorOrigin | None:
        """Where the trust comes from; None: there is none."""
        return None if self.anchor_certificate is None else origin_of(self.anchor_certificate)

    @property
    def pin(self) -> PinnedCa | None:
        """Which CA of J-LIS it is, if it is one."""
        return None if self.anchor_certificate is None else pin_of(self.anchor_certificate)

    @property
    def not_checked(self) -> tuple[Unchecked, ...]:
        """What was left out."""
        if self.revocation.status is Revocation.NOT_CHECKED:
            return (Unchecked.REVOCATION,)
        return ()


def check_path(
    certificate: x509.Certificate,
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
        anchors: CA certificates that the caller trusts; empty: at best indeterminate, no-anchor.
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
    check_anchors_and_time(anchors, at)
    try:
        read_through(certificate)
    except CertificateMalformedError:
        return PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))
    issuer = find_issuer(certificate, anchors, at)
    anchor = issuer.certificate
    holder = read_holder(certificate)
    faults = [*profile_faults(certificate, holder), *issuer.identifier_faults]
    policies = policies_of(certificate)
    reasons = [
        *_date_faults(certificate, at),
        *_key_faults(certificate),
        *_signature_algorithm_faults(certificate),
        *_extension_faults(certificate),
        *_usage_faults(certificate, purpose),
        *_policy_faults(policies, anchor, purpose),
        *([Reason.HOLDER_MALFORMED] if holder is not None and holder.is_malformed else []),
        *([Reason.PROFILE_MISMATCH] if faults else []),
        *issuer.reasons,
    ]
    finding = NOT_LOOKED_AT
    if anchor is not None:
        is_lost = worst(reason.verdict for reason in reasons) is Verdict.FAILED
        # Nobody is asked about a certificate that has failed already.
        material = replace(revocation, responder=None) if is_lost else revocation
        finding = check_revocation(certificate, anchor, at, material)
        reasons += _revocation_faults(finding, material)
    return PathReport(
        reasons=tuple(dict.fromkeys(reasons)),
        anchor_certificate=anchor,
        policies=policies,
        profile_faults=tuple(faults),
        revocation=finding,
    )


def _date_faults(certificate: x509.Certificate, at: datetime) -> Iterator[Reason]:
    moment = at.replace(microsecond=0)  # dates of certificates are whole seconds, both inclusive
    if moment < certificate.not_valid_before_utc:
        yield Reason.NOT_YET_VALID
    if moment > certificate.not_valid_after_utc:
        yield Reason.EXPIRED


def _key_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    if not isinstance(certificate.public_key(), RSAPublicKey):
        yield Reason.UNSUPPORTED_ALGORITHM
    elif not is_card_key(certificate):
        yield Reason.WEAK_KEY


def _signature_algorithm_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    oid = certificate.signature_algorithm_oid
    if oid in WEAK_SIGNATURES:
        yield Reason.WEAK_ALGORITHM
    elif oid != SignatureAlgorithmOID.RSA_WITH_SHA256:
        yield Reason.UNSUPPORTED_ALGORITHM


def _extension_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    if has_unknown_critical_extension(certificate):
        yield Reason.UNKNOWN_CRITICAL_EXTENSION
    # The card signs any digest, so a card's certificate that could issue others would be a CA in
    # everybody's pocket.
    constraints = find_extension(certificate, x509.BasicConstraints)
    usage = find_extension(certificate, x509.KeyUsage)
    if (constraints is not None and constraints.ca) or (
        usage is not None and (usage.key_cert_sign or usage.crl_sign)
    ):
        yield Reason.SIGNER_IS_CA


def _usage_faults(certificate: x509.Certificate, purpose: Purpose) -> Iterator[Reason]:
    # Without a key usage RFC 5280 would allow everything; JPKI always says what for. The bytes
    # are compared: bits may be encoded in several ways, and in one by DER.
    usage = extension_value(certificate, KEY_USAGE_OID)
    extended = find_extension(certificate, x509.ExtendedKeyUsage)
    fits: bool
    match purpose:
        case Purpose.DOCUMENT:
            fits = usage == SIGNATURE_KEY_USAGE and extended is None
        case Purpose.LOGIN:
            logs_in = extended is not None and list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]
            fits = usage == AUTHENTICATION_KEY_USAGE and logs_in
    if not fits:
        yield Reason.WRONG_KEY_USAGE


def _policy_faults(
    policies: tuple[str, ...], anchor: x509.Certificate | None, purpose: Purpose
) -> Iterator[Reason]:
    pin = None if anchor is None else pin_of(anchor)
    allowed = (GIVEN_POLICIES if pin is None else PINNED_POLICIES)[purpose]
    # A CA of J-LIS issues certificates for its own purpose only.
    is_elsewhere = pin is not None and pin.issues is not CERTIFICATE_FOR[purpose]
    if len(policies) != 1 or policies[0] not in allowed or is_elsewhere:
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
