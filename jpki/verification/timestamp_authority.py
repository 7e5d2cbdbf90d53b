"""The certificate of a timestamp authority and its path, RFC 3161 2.3 and RFC 5280 6.1.

Unlike JPKI, authorities have intermediate CAs, so ``cryptography`` builds the path. Nothing is
fetched: the intermediate ones stand in the token.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
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
from jpki.certificates.verdict import Reason
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import HashAlgorithm

RSA_ENCRYPTION: Final = bytes.fromhex("06092A864886F70D010101")
RSA_ALGORITHMS: Final = {  # OBJECT IDENTIFIER in DER; RFC 8017 A.2.4
    bytes.fromhex("06092A864886F70D01010B"): HashAlgorithm.SHA256,
    bytes.fromhex("06092A864886F70D01010C"): HashAlgorithm.SHA384,
    bytes.fromhex("06092A864886F70D01010D"): HashAlgorithm.SHA512,
}
EC_ALGORITHMS: Final = {  # RFC 5758 3.2
    bytes.fromhex("06082A8648CE3D040302"): HashAlgorithm.SHA256,
    bytes.fromhex("06082A8648CE3D040303"): HashAlgorithm.SHA384,
    bytes.fromhex("06082A8648CE3D040304"): HashAlgorithm.SHA512,
}
CURVES: Final = (SECP256R1, SECP384R1, SECP521R1)
MIN_MODULUS_BITS: Final = 2048
MAX_MODULUS_BITS: Final = 8192  # a longer one only serves to keep verifiers busy
MAX_INTERMEDIATES: Final = 8  # certificates beside the authority's own that are looked at
MAX_PATH: Final = 4  # CAs between the authority and an anchor


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
    algorithm: HashAlgorithm,
    signature_algorithm: bytes,
) -> Iterator[Reason]:
    """Check the signature of an authority: PKCS#1 v1.5 or ECDSA, with SHA-2.

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


def _algorithm_faults(named: HashAlgorithm | None, used: HashAlgorithm) -> Iterator[Reason]:
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


def path_faults(
    certificate: x509.Certificate,
    beside: Sequence[bytes],
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> Iterator[Reason]:
    """Check that a path leads from an authority to an anchor.

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
            verifier.verify(certificate, list(_intermediates(certificate, beside)))
        except (VerificationError, ValueError):
            issuer = issuer_der(certificate)
            if any(subject_der(anchor) == issuer for anchor in anchors):
                yield Reason.UNTRUSTED_ISSUER
                return
        else:
            return
    yield Reason.NO_ANCHOR


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
