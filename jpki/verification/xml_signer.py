"""Verifying one ds:Signature, XML Signature 1.1 3.2, with its certificate and path."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from cryptography import x509
from lxml.etree import _Element as XmlElement

from jpki.certificates.loading import load_certificate
from jpki.certificates.profile import read_profile
from jpki.certificates.trust import is_pinned
from jpki.certificates.verdict import Reason
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import AnyHash, WeakHash
from jpki.verification.circumstances import Circumstances
from jpki.verification.raw import signature_faults
from jpki.verification.report import Coverage, Level, Note, SignatureReport
from jpki.verification.signer import BEST_FIRST, signing_time_faults
from jpki.verification.signer_certificate import MAX_CANDIDATES, is_referenced
from jpki.verification.timestamped_signature import with_timestamp
from jpki.verification.xml_algorithms import (
    DIGEST_METHODS,
    SIGNATURE_METHODS,
    algorithm_fault,
)
from jpki.verification.xml_coverage import Covered, find_covered, writer_of
from jpki.verification.xml_key_info import KeyInfo, read_key_info
from jpki.verification.xml_properties import SignedProperties, read_signed_properties
from jpki.verification.xml_references import References, Resolved
from jpki.verification.xml_signature import XmlFaultError, XmlSignature, parse_signature
from jpki.verification.xml_timestamp import signature_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A signature with what is known of it before its certificate is."""

    signature: XmlSignature
    algorithm: AnyHash | None  # of the signature method; None: not one that we take
    digest: bytes  # of SignedInfo; empty without that
    resolved: tuple[Resolved, ...]
    properties: SignedProperties | None  # None: none of XAdES, or invalid
    key_info: KeyInfo
    covered: Covered
    uses_sha1: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A certificate that may be the signer's."""

    der: bytes
    certificate: x509.Certificate


def verify_signature(
    element: XmlElement, references: References, circumstances: Circumstances
) -> SignatureReport:
    """Verify a ds:Signature of a document.

    Args:
        element: the signature.
        references: what those of the document may lead to.
        circumstances: with what and as at which time.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        signature = parse_signature(element, references.spend)
        key_info = read_key_info(signature.key_info)
    except XmlFaultError as fault:
        return SignatureReport(
            reasons=(fault.reason,),
            level=Level.XMLDSIG,
            covers=Coverage.PART,
            write_covered=writer_of(()),
        )
    read = _read(signature, key_info, references, circumstances)
    if not key_info.certificates:
        return _report(read, Reason.SIGNER_CERTIFICATE_MISSING)
    certificates = _load(key_info.certificates)
    if not certificates:
        return _report(read, Reason.CERTIFICATE_MALFORMED)
    # KeyInfo need not be signed, so anybody may add certificates to it: the signature is as good
    # as the best of those whose key made it.
    named = sorted(certificates, key=lambda each: not _is_named(read, each.der))
    makers = [each for each in named if not any(_value_faults(read, each))]
    candidates = makers[:MAX_CANDIDATES] or named[:1]
    timestamp = signature_timestamp(signature, key_info.certificates, circumstances)
    mode = circumstances.revocation.mode
    reports = [
        with_timestamp(_verify_with(read, each, circumstances), timestamp, mode)
        for each in candidates
    ]
    return min(reports, key=lambda report: BEST_FIRST.index(report.verdict))


def _read(
    signature: XmlSignature,
    key_info: KeyInfo,
    references: References,
    circumstances: Circumstances,
) -> _Read:
    resolved = tuple(references.follow(each, signature.element) for each in signature.references)
    algorithm = SIGNATURE_METHODS.get(signature.signature_method or "")
    reasons = [reason for each in resolved for reason in each.reasons]
    if algorithm is None:
        reasons.append(algorithm_fault(signature.signature_method))
    used = {
        algorithm,
        *(DIGEST_METHODS.get(each.digest_method or "") for each in signature.references),
    }
    uses_sha1 = WeakHash.SHA1 in used
    if uses_sha1 and not circumstances.allow_sha1:
        reasons.append(Reason.WEAK_ALGORITHM)
    properties = None
    try:
        properties = read_signed_properties(signature, resolved)
    except XmlFaultError as fault:
        reasons.append(fault.reason)
    return _Read(
        signature=signature,
        algorithm=algorithm,
        digest=b"" if algorithm is None else algorithm.digest(signature.signed_info),
        resolved=resolved,
        properties=properties,
        key_info=key_info,
        covered=find_covered(signature, resolved, references.document, references.files),
        uses_sha1=uses_sha1,
        reasons=tuple(reasons),
    )


def _load(ders: Sequence[bytes]) -> list[_Candidate]:
    found: list[_Candidate] = []
    for der in ders:
        with contextlib.suppress(CertificateMalformedError):
            found.append(_Candidate(der=der, certificate=load_certificate(der)))
    return found


def _is_named(read: _Read, der: bytes) -> bool:
    """Tell whether the signed properties name this certificate, if they name any."""
    if read.properties is None:
        return True
    references = (read.properties.certificate, read.properties.certificate_v1)
    return all(is_referenced(reference, der) for reference in references if reference)


def _value_faults(read: _Read, candidate: _Candidate) -> Iterator[Reason]:
    if read.algorithm is None:
        return  # a reason of its own says so; nothing can be said of the value
    yield from signature_faults(
        candidate.certificate, read.signature.value, read.digest, read.algorithm
    )


def _verify_with(
    read: _Read, candidate: _Candidate, circumstances: Circumstances
) -> SignatureReport:
    """Verify a signature as one made by the holder of this certificate."""
    certificate = candidate.certificate
    reasons: list[Reason] = []
    if not _is_named(read, candidate.der) or read.key_info.contradicts(certificate):
        reasons.append(Reason.SIGNER_CERTIFICATE_MISMATCH)
    wrong = list(_value_faults(read, candidate))
    reasons += wrong
    time = None if read.properties is None else read.properties.signing_time
    if time is not None:
        reasons += signing_time_faults(time, certificate, circumstances.now)
    pinned = [load_certificate(der) for der in read.key_info.certificates if is_pinned(der)]
    path = circumstances.trusting(pinned).check_signer(certificate)
    return replace(
        _report(read, *reasons, *path.reasons, is_signed=read.algorithm is not None and not wrong),
        signer=read_profile(certificate),
        path=path,
    )


def _report(read: _Read, *reasons: Reason, is_signed: bool = False) -> SignatureReport:
    """Report a signature; is_signed: its value is right.

    What it covers is shown only where nothing speaks against the signature itself, whatever is said
    of the certificate.
    """
    covered = read.covered
    holds = is_signed and not read.reasons
    return SignatureReport(
        reasons=tuple(dict.fromkeys([*read.reasons, *reasons])),
        level=_level(read.properties),
        covers=covered.covers,
        covered=covered.names,
        files=covered.files,
        signing_time=None if read.properties is None else read.properties.signing_time,
        hash_algorithm=read.algorithm,
        notes=tuple(_notes(read)),
        write_covered=_writer(covered, holds=holds),
    )


def _writer(covered: Covered, *, holds: bool) -> Callable[[BinaryIO], None] | None:
    if covered.is_files_only:
        return None
    return writer_of(covered.parts if holds else ())


def _notes(read: _Read) -> Iterator[Note]:
    if read.uses_sha1 and Reason.WEAK_ALGORITHM not in read.reasons:
        yield Note.SHA1_ALLOWED
    if read.covered.has_comments:
        yield Note.COMMENTS_NOT_SIGNED


def _level(properties: SignedProperties | None) -> Level:
    if properties is None or properties.certificate is None or properties.signing_time is None:
        return Level.XMLDSIG
    return Level.XADES_B_B
