"""Verifying one SignerInfo, RFC 5652 5.4 and 5.6, with its certificate and path."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509

from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.profile import read_profile
from jpki.certificates.verdict import Reason, Verdict
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import AnyHash, HashAlgorithm, WeakHash, read_hash
from jpki.verification.attributes import (
    AttributeFaultError,
    SignedAttributes,
    read_signed_attributes,
)
from jpki.verification.circumstances import Circumstances
from jpki.verification.raw import signature_faults
from jpki.verification.report import Level, Note, SignatureReport
from jpki.verification.signed_data import SignedData, SignerInfo
from jpki.verification.signer_certificate import CertificateBag, is_referenced

# Algorithms as OBJECT IDENTIFIERs in DER. rsaEncryption names no hash: the digest algorithm does
# (RFC 3370 3.2).
RSA_ENCRYPTION = bytes.fromhex("06092A864886F70D010101")
HASH_WITH_RSA: dict[bytes, AnyHash] = {
    bytes.fromhex("06092A864886F70D01010B"): HashAlgorithm.SHA256,
    bytes.fromhex("06092A864886F70D01010C"): HashAlgorithm.SHA384,
    bytes.fromhex("06092A864886F70D01010D"): HashAlgorithm.SHA512,
    bytes.fromhex("06092A864886F70D010105"): WeakHash.SHA1,
}
WEAK = frozenset(  # too weak to be looked at
    {
        bytes.fromhex("06082A864886F70D0205"),  # MD5
        bytes.fromhex("06092A864886F70D010104"),  # MD5 with RSA
    }
)

COUNTERSIGNATURE = bytes.fromhex("06092A864886F70D010906")  # RFC 5652 11.4

CLOCK_SKEW = timedelta(minutes=5)
"""By which the clocks of signer and verifier may differ."""

ReportChange = Callable[[SignatureReport], SignatureReport]
"""What a timestamp adds to the report of a signature."""

BEST_FIRST = (Verdict.PASSED, Verdict.INDETERMINATE, Verdict.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """A SignerInfo with what is known of it before its certificate is."""

    signer_info: SignerInfo
    algorithm: AnyHash | None  # None: not one that we take
    attributes: SignedAttributes | None  # None: missing or invalid
    reasons: tuple[Reason, ...]


def verify_signer(
    signer_info: SignerInfo,
    signed_data: SignedData,
    bag: CertificateBag,
    digests: Mapping[AnyHash, bytes],
    circumstances: Circumstances,
    add_timestamp: ReportChange = lambda report: report,
) -> SignatureReport:
    """Verify one signer of a SignedData; bag and digests are those of its contents.

    Args:
        signer_info: the signer.
        signed_data: what it stands in.
        bag: the certificates beside it.
        digests: of the content, by every algorithm that a signer used.
        circumstances: with what and as at which time.
        add_timestamp: of what its timestamps say; nothing where the caller looks at none.
    """
    signature = _read(signer_info, signed_data, digests)
    if WeakHash.SHA1 in _used(signer_info) and not circumstances.allow_sha1:
        signature = replace(signature, reasons=(*signature.reasons, Reason.WEAK_ALGORITHM))
    candidates = bag.candidates(signer_info)
    if not candidates:
        return add_timestamp(_report(signature, (Reason.SIGNER_CERTIFICATE_MISSING,)))
    # The bag of certificates is not signed, so anybody may add one with the signer's name: the
    # signature is as good as the best of them makes it.
    reports = [
        add_timestamp(_verify_with(signature, certificate, circumstances))
        for certificate in candidates
    ]
    return min(reports, key=lambda report: BEST_FIRST.index(report.verdict))


def _read(
    signer_info: SignerInfo, signed_data: SignedData, digests: Mapping[AnyHash, bytes]
) -> _Signature:
    algorithm = read_hash(signer_info.digest_algorithm)
    reasons = list(_algorithm_faults(signer_info, signed_data, algorithm))
    attributes = None
    if signer_info.signed_attrs is None:
        # Without them DER(signedAttrs) of one signature could be passed off as the content of
        # another, and CAdES wants them anyway.
        reasons.append(Reason.SIGNED_ATTRIBUTES_MISSING)
    else:
        try:
            attributes = read_signed_attributes(signer_info)
            reasons += _attribute_faults(attributes, signer_info, signed_data)
            if algorithm is not None and attributes.message_digest != digests[algorithm]:
                reasons.append(Reason.DIGEST_MISMATCH)
        except AttributeFaultError:
            reasons.append(Reason.SIGNED_ATTRIBUTES_INVALID)
    return _Signature(
        signer_info=signer_info,
        algorithm=algorithm,
        attributes=attributes,
        reasons=tuple(reasons),
    )


def _algorithm_faults(
    signer_info: SignerInfo, signed_data: SignedData, algorithm: AnyHash | None
) -> Iterator[Reason]:
    if algorithm is None:
        weak = signer_info.digest_algorithm in WEAK
        yield Reason.WEAK_ALGORITHM if weak else Reason.UNSUPPORTED_ALGORITHM
    if signer_info.signature_algorithm in HASH_WITH_RSA:
        if HASH_WITH_RSA[signer_info.signature_algorithm] is not algorithm:
            yield Reason.ALGORITHM_MISMATCH
    elif signer_info.signature_algorithm in WEAK:
        yield Reason.WEAK_ALGORITHM
    elif signer_info.signature_algorithm != RSA_ENCRYPTION:
        yield Reason.UNSUPPORTED_ALGORITHM
    if signer_info.digest_algorithm not in signed_data.digest_algorithms:
        yield Reason.ALGORITHM_MISMATCH


def _attribute_faults(
    attributes: SignedAttributes, signer_info: SignerInfo, signed_data: SignedData
) -> Iterator[Reason]:
    if attributes.content_type != signed_data.content_type:
        yield Reason.SIGNED_ATTRIBUTES_INVALID
    protected = (attributes.digest_algorithm, attributes.signature_algorithm)
    used = (signer_info.digest_algorithm, signer_info.signature_algorithm)
    if protected not in ((None, None), used):
        yield Reason.ALGORITHM_MISMATCH


def _used(signer_info: SignerInfo) -> tuple[AnyHash | None, ...]:
    """Return the hash functions that a signer names."""
    return (
        read_hash(signer_info.digest_algorithm),
        HASH_WITH_RSA.get(signer_info.signature_algorithm),
    )


def _verify_with(
    signature: _Signature, der: bytes, circumstances: Circumstances
) -> SignatureReport:
    """Verify a signature as one made by the holder of this certificate (DER)."""
    try:
        parsed = ParsedCertificate.from_der(der).read()
    except CertificateMalformedError:
        return _report(signature, (Reason.CERTIFICATE_MALFORMED,))
    certificate = parsed.certificate
    reasons: list[Reason] = []
    attributes = signature.attributes
    if attributes is not None:
        references = (attributes.certificate, attributes.certificate_v1)
        if not all(is_referenced(reference, der) for reference in references if reference):
            reasons.append(Reason.SIGNER_CERTIFICATE_MISMATCH)
    reasons += _signature_faults(signature, certificate)
    if attributes is not None and attributes.signing_time is not None:
        reasons += signing_time_faults(attributes.signing_time, certificate, circumstances.now)
    path = circumstances.check_signer(parsed)
    return SignatureReport(
        reasons=_unique(signature.reasons, tuple(reasons), path.reasons),
        level=_level(signature),
        signer=read_profile(parsed),
        signing_time=None if attributes is None else attributes.signing_time,
        hash_algorithm=signature.algorithm,
        notes=tuple(_notes(signature)),
        path=path,
    )


def _notes(signature: _Signature) -> Iterator[Note]:
    signer_info = signature.signer_info
    if WeakHash.SHA1 in _used(signer_info) and Reason.WEAK_ALGORITHM not in signature.reasons:
        yield Note.SHA1_ALLOWED
    if any(attribute.type == COUNTERSIGNATURE for attribute in signer_info.unsigned_attributes):
        yield Note.COUNTERSIGNATURE_NOT_CHECKED


def signing_time_faults(
    claimed: datetime, certificate: x509.Certificate, now: datetime
) -> Iterator[Reason]:
    """Nothing proves the claimed time, but it must not contradict what is known."""
    if not certificate.not_valid_before_utc <= claimed <= certificate.not_valid_after_utc:
        yield Reason.SIGNING_TIME_INVALID
    if claimed > now + CLOCK_SKEW:
        yield Reason.SIGNING_TIME_IN_FUTURE


def _signature_faults(signature: _Signature, certificate: x509.Certificate) -> Iterator[Reason]:
    signed_attrs, algorithm = signature.signer_info.signed_attrs, signature.algorithm
    unsupported = Reason.UNSUPPORTED_ALGORITHM in signature.reasons
    if signed_attrs is None or algorithm is None or unsupported:
        return  # a reason of its own says so; nothing can be said of the value
    value = signature.signer_info.signature
    yield from signature_faults(certificate, value, algorithm.digest(signed_attrs), algorithm)


def _report(signature: _Signature, reasons: tuple[Reason, ...]) -> SignatureReport:
    """Report a signature whose certificate is not known."""
    return SignatureReport(
        reasons=_unique(signature.reasons, reasons),
        level=_level(signature),
        signing_time=None if signature.attributes is None else signature.attributes.signing_time,
        hash_algorithm=signature.algorithm,
    )


def _unique(*groups: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for group in groups for reason in group))


def _level(signature: _Signature) -> Level:
    attributes = signature.attributes
    if attributes is None or attributes.certificate is None or attributes.signing_time is None:
        return Level.CMS
    return Level.CADES_B_B
