"""The certificate of a timestamp authority and its path, RFC 3161 2.3 and RFC 5280 6.1.

Unlike JPKI, authorities have intermediate CAs, so ``cryptography`` builds the path. Nothing is
fetched: the intermediate ones stand in the token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from jpki.certificates.extensions import find_extension
from jpki.certificates.loading import load_certificate
from jpki.certificates.names import issuer_der, subject_der
from jpki.certificates.revocation import (
    RevocationFinding,
    RevocationMaterial,
    RevocationMode,
    check_revocation,
)
from jpki.certificates.verdict import Reason, Revocation
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import AnyHash, HashAlgorithm, WeakHash

RSA_ENCRYPTION: Final = bytes.fromhex("06092A864886F70D010101")
RSA_ALGORITHMS: Final[dict[bytes, AnyHash]] = {  # OBJECT IDENTIFIER in DER; RFC 8017 A.2.4
    bytes.fromhex("06092A864886F70D01010B"): HashAlgorithm.SHA256,
    bytes.fromhex("06092A864886F70D01010C"): HashAlgorithm.SHA384,
    bytes.fromhex("06092A864886F70D01010D"): HashAlgorithm.SHA512,
    bytes.fromhex("06092A864886F70D010105"): WeakHash.SHA1,
}
EC_ALGORITHMS: Final[dict[bytes, AnyHash]] = {  # RFC 5758 3.2
    bytes.fromhex("06082A8648CE3D040302"): HashAlgorithm.SHA256,
    bytes.fromhex("06082A8648CE3D040303"): HashAlgorithm.SHA384,
    bytes.fromhex("06082A8648CE3D040304"): HashAlgorithm.SHA512,
    bytes.fromhex("06072A8648CE3D0401"): WeakHash.SHA1,
}
CURVES: Final = (SECP256R1, SECP384R1, SECP521R1)
MIN_MODULUS_BITS: Final = 2048
MAX_MODULUS_BITS: Final = 8192  # a longer one only serves to keep verifiers busy
MAX_INTERMEDIATES: Final = 8  # certificates beside the authority's own that are looked at
MAX_PATH: Final = 4  # CAs between the authority and an anchor
ENDED: Final = frozenset(
    # Reasons that leave the tokens of before as they are; one that is not said does not.
    reason.value
    for reason in (
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    )
)
WORST_FIRST: Final = (
    Revocation.REVOKED,
    Revocation.SUSPENDED,
    Revocation.UNKNOWN,
    Revocation.NOT_CHECKED,
    Revocation.GOOD,
)
REVOCATION_REASONS: Final = {
    Revocation.REVOKED: Reason.REVOKED,
    Revocation.SUSPENDED: Reason.SUSPENDED,
    Revocation.UNKNOWN: Reason.REVOCATION_UNKNOWN,
}


def usage_faults(certificate: x509.Certificate) -> Iterator[Reason]:
    """Check that a certificate is for timestamps and nothing else, and says so critically."""
    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        yield Reason.WRONG_KEY_USAGE
        return
    only_timestamps = list(extended.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    usage = find_extension(certificate, x509.KeyUsage)
    signs = usage is None or usage.digital_signature or usage.content_commitment
    if not (extended.critical and only_timestamps and signs):
        yield Reason.WRONG_KEY_USAGE
    constraints = find_extension(certificate, x509.BasicConstraints)
    if (constraints is not None and constraints.ca) or (usage is not None and usage.key_cert_sign):
        yield Reason.SIGNER_IS_CA


def signature_faults(
    certificate: x509.Certificate,
    signature: bytes,
    signed: bytes,
    algorithm: AnyHash,
    signature_algorithm: bytes,
) -> Iterator[Reason]:
    """Check the signature of an authority: PKCS#1 v1.5 or ECDSA.

    Whether SHA-1 may be is not judged here.

    Args:
        certificate: the authority's.
        signature: its value.
        signed: the bytes that were signed.
        algorithm: the digest algorithm of the signer.
        signature_algorithm: OBJECT IDENTIFIER, DER.
    """
    key = certificate.public_key()
    hash_algorithm = algorithm.for_cryptography()
    try:
        if isinstance(key, RSAPublicKey):
            named = {**RSA_ALGORITHMS, RSA_ENCRYPTION: algorithm}.get(signature_algorithm)
            yield from _algorithm_faults(named, algorithm)
            if not MIN_MODULUS_BITS <= key.key_size <= MAX_MODULUS_BITS:
                yield Reason.WEAK_KEY
                return
            key.verify(signature, signed, PKCS1v15(), hash_algorithm)
        elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, CURVES):
            yield from _algorithm_faults(EC_ALGORITHMS.get(signature_algorithm), algorithm)
            key.verify(signature, signed, ECDSA(hash_algorithm))
        else:
            yield Reason.UNSUPPORTED_ALGORITHM
    except (InvalidSignature, ValueError):
        yield Reason.SIGNATURE_INVALID


def _algorithm_faults(named: AnyHash | None, used: AnyHash) -> Iterator[Reason]:
    if named is None:
        yield Reason.UNSUPPORTED_ALGORITHM
    elif named is not used:
        yield Reason.ALGORITHM_MISMATCH


def date_faults(certificate: x509.Certificate, *moments: datetime) -> Iterator[Reason]:
    """Check that each moment lies in the validity of a certificate."""
    for moment in moments:
        second = moment.replace(microsecond=0)
        if second < certificate.not_valid_before_utc:
            yield Reason.NOT_YET_VALID
        if second > certificate.not_valid_after_utc:
            yield Reason.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The way from an authority to an anchor."""

    chain: tuple[x509.Certificate, ...] = ()  # from the authority's to the anchor; empty: none
    reasons: tuple[Reason, ...] = ()


def find_path(
    certificate: x509.Certificate,
    beside: Sequence[bytes],
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> Path:
    """Find a path that leads from an authority to an anchor.

    Args:
        certificate: the authority's.
        beside: certificates (DER) that may be CAs on the way.
        anchors: CA certificates that the caller trusts.
        at: the time at which all of the path must be valid, with a time zone.
    """
    if anchors:
        # Whatever its purpose a CA certificate must say that it is one, RFC 5280 6.1.4 (k), (n).
        ca_policy = (
            ExtensionPolicy.permit_all()
            .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
            .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_signs_certificates)
        )
        verifier = (
            PolicyBuilder()
            .store(Store(list(anchors)))
            .time(at)
            .max_chain_depth(MAX_PATH)
            .extension_policies(ee_policy=ExtensionPolicy.permit_all(), ca_policy=ca_policy)
            .build_client_verifier()
        )
        try:
            verified = verifier.verify(certificate, list(_intermediates(certificate, beside)))
        except (VerificationError, ValueError):
            issuer = issuer_der(certificate)
            if any(subject_der(anchor) == issuer for anchor in anchors):
                return Path(reasons=(Reason.UNTRUSTED_ISSUER,))
        else:
            return Path(chain=tuple(verified.chain))
    return Path(reasons=(Reason.NO_ANCHOR,))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRevocation:
    """What is known about the revocation of an authority and of the CAs above it."""

    status: Revocation = Revocation.NOT_CHECKED
    reasons: tuple[Reason, ...] = ()


def authority_revocation(
    chain: Sequence[x509.Certificate],
    time: datetime,
    at: datetime,
    material: RevocationMaterial,
) -> AuthorityRevocation:
    """Find out whether an authority, or a CA above it, was revoked. RFC 3161 4 (1), RFC 5280 6.3.

    Args:
        chain: from the authority's certificate to the anchor; empty: nothing is known.
        time: of the token.
        at: the time at which the evidence must hold.
        material: what there is; its responder is not asked.
    """
    at_hand = replace(material, responder=None)
    found = [
        check_revocation(certificate, issuer, at, at_hand)
        for certificate, issuer in pairwise(chain)
    ]
    if found and _stopped_after(found[0], time):
        found[0] = replace(found[0], status=Revocation.GOOD)
    statuses = {finding.status for finding in found} or {Revocation.NOT_CHECKED}
    status = next(each for each in WORST_FIRST if each in statuses)
    reason = REVOCATION_REASONS.get(status)
    if status is Revocation.NOT_CHECKED and chain and material.mode is RevocationMode.REQUIRE:
        reason = Reason.REVOCATION_UNKNOWN
    return AuthorityRevocation(status=status, reasons=() if reason is None else (reason,))


def _stopped_after(finding: RevocationFinding, time: datetime) -> bool:
    """Tell whether an authority only ended its work, and after the token. RFC 3161 4 (1)."""
    return (
        finding.status is Revocation.REVOKED
        and finding.reason in ENDED
        and finding.since is not None
        and time < finding.since
    )


def _check_signs_certificates(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("a CA that may not sign certificates")


def _intermediates(
    certificate: x509.Certificate, beside: Sequence[bytes]
) -> Iterator[x509.Certificate]:
    for der in beside[: MAX_INTERMEDIATES + 1]:
        try:
            found = load_certificate(der)
        except CertificateMalformedError:
            continue
        if found != certificate:
            yield found
