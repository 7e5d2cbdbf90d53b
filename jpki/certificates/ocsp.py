"""OCSP answers, RFC 6960, by the CA itself or by a responder that it charged with it."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from jpki.certificates.asn1 import BOOLEAN, SEQUENCE, Asn1Reader, Element
from jpki.certificates.evidence import (
    EvidenceFault,
    EvidenceFaultError,
    RevocationFinding,
    RevocationSource,
    check_signature,
    decisive,
    status_of,
    unless_stale,
)
from jpki.certificates.extensions import find_extension
from jpki.certificates.issuer import has_unknown_critical_extension, is_issued_by
from jpki.certificates.loading import PARSER_ERRORS, read_through, without_parser_warnings
from jpki.certificates.names import subject_der
from jpki.certificates.tbs import parts_of
from jpki.certificates.verdict import Revocation
from jpki.errors import CertificateMalformedError

CLOCK_SKEW: Final = timedelta(minutes=5)
AGE_WITHOUT_NEXT_UPDATE: Final = timedelta(hours=24)
"""RFC 6960 2.4: newer information is always there then, so an old answer proves nothing."""
NONCE_BYTES: Final = 32  # RFC 8954 2.1
MAX_RESPONDER_CERTIFICATES: Final = 10
STATUS: Final = {
    ocsp.OCSPCertStatus.GOOD: Revocation.GOOD,
    ocsp.OCSPCertStatus.UNKNOWN: Revocation.UNKNOWN,
}
SINGLE_EXTENSIONS: Final = 0xA1  # [1] EXPLICIT
CERT_ID_HASHES: Final = frozenset({"sha1", "sha256", "sha384", "sha512"})


def make_request(certificate: x509.Certificate, issuer: x509.Certificate) -> tuple[bytes, bytes]:
    """Ask about one certificate -> DER OCSPRequest, and the nonce in it.

    The certificate is named by SHA-1 hashes of its issuer, the only ones that every responder
    knows (RFC 6960 4.3); nothing depends on their strength.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1())  # noqa: S303
    request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
    return request.public_bytes(Encoding.DER), nonce


def look_up(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    response: ocsp.OCSPResponse,
    nonce: bytes | None = None,
) -> RevocationFinding:
    """Look a certificate up in an answer.

    Args:
        certificate: in question.
        issuer: the CA that issued it.
        at: the time at which the answer must hold.
        response: the answer.
        nonce: of the question; an answer that carries another one is not to it.

    Raises:
        EvidenceFaultError: the answer does not count for this certificate at this time.
    """
    try:
        with without_parser_warnings():
            return _look_up(certificate, issuer, at, response, nonce)
    except (*PARSER_ERRORS, CertificateMalformedError):
        raise EvidenceFaultError(EvidenceFault.MALFORMED) from None


def _look_up(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    response: ocsp.OCSPResponse,
    nonce: bytes | None,
) -> RevocationFinding:
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise EvidenceFaultError(EvidenceFault.NO_ANSWER)
    _check_extensions(response, nonce)
    singles = _answers_about(certificate, issuer, response.responses)
    for single in singles:
        if single.this_update_utc - at > CLOCK_SKEW:
            raise EvidenceFaultError(EvidenceFault.NOT_YET_VALID)
    _check_responder(issuer, at, response)
    stale = {_finding(single): _is_stale(single, at) for single in singles}
    finding = decisive(list(stale))
    return unless_stale(finding, is_stale=stale[finding])


def _check_extensions(response: ocsp.OCSPResponse, nonce: bytes | None) -> None:
    for extension in response.extensions:
        if extension.critical and extension.oid != x509.OCSPNonce.oid:
            raise EvidenceFaultError(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION)
        value = extension.value
        # A responder may leave it out (RFC 6960 4.4.1); then the times bound a replay.
        if nonce is not None and isinstance(value, x509.OCSPNonce) and value.nonce != nonce:
            raise EvidenceFaultError(EvidenceFault.NONCE_MISMATCH)
    if _has_critical_single_extension(response.tbs_response_bytes):
        raise EvidenceFaultError(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION)


def _has_critical_single_extension(signed: bytes) -> bool:
    """Look for a condition on one of the answers, RFC 6960 4.2.1; none is understood here.

    ``cryptography`` shows the extensions of an answer only where there is one answer.
    """
    reader = Asn1Reader(signed, strict=True)
    (answers,) = (field for field in reader.children(reader.document()) if field.tag == SEQUENCE)
    return any(
        _is_critical(reader, extension)
        for answer in reader.children(answers)
        # certID, certStatus, thisUpdate, and of the rest only singleExtensions has this tag
        for field in reader.sequence(answer, 3)[3:]
        if field.tag == SINGLE_EXTENSIONS
        for extensions in reader.children(field)
        for extension in reader.children(extensions)
    )


def _is_critical(reader: Asn1Reader, extension: Element) -> bool:
    return reader.sequence(extension, 2)[1].tag == BOOLEAN  # DER leaves FALSE out


def _answers_about(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    responses: Iterable[ocsp.OCSPSingleResponse],
) -> list[ocsp.OCSPSingleResponse]:
    of_issuer = [single for single in responses if _names(single, issuer)]
    if not of_issuer:
        raise EvidenceFaultError(EvidenceFault.OTHER_ISSUER)
    serial_number = certificate.serial_number
    found = [single for single in of_issuer if single.serial_number == serial_number]
    if not found:
        raise EvidenceFaultError(EvidenceFault.OTHER_CERTIFICATE)
    return found


def _names(single: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
    """RFC 6960 4.1.1: the hashes of the CA's name and of its public key's bits."""
    name = single.hash_algorithm.name
    if name not in CERT_ID_HASHES:
        return False
    hashes = (
        hashlib.new(name, subject_der(issuer), usedforsecurity=False).digest(),
        hashlib.new(name, _public_key_bits(issuer), usedforsecurity=False).digest(),
    )
    return hashes == (single.issuer_name_hash, single.issuer_key_hash)


def _public_key_bits(certificate: x509.Certificate) -> bytes:
    """The contents of subjectPublicKey, without the count of unused bits."""
    parts = parts_of(certificate)
    _, bits = parts.reader.sequence(parts.subject_public_key_info, 2)
    return parts.reader.contents(bits)[1:]


def _is_stale(single: ocsp.OCSPSingleResponse, at: datetime) -> bool:
    # A difference has room for all times; a time plus some has not.
    if single.next_update_utc is None:
        return at - single.this_update_utc > AGE_WITHOUT_NEXT_UPDATE
    return at > single.next_update_utc


def _check_responder(issuer: x509.Certificate, at: datetime, response: ocsp.OCSPResponse) -> None:
    """RFC 6960 4.2.2.2: the CA's own signature, or that of a certificate it issued for this."""
    if _is_responder(issuer, response):
        signers = [issuer]
    else:
        candidates = response.certificates[:MAX_RESPONDER_CERTIFICATES]
        named = [other for other in candidates if _is_responder(other, response)]
        signers = [other for other in named if _is_delegated(other, issuer, at)]
        if not signers:
            raise EvidenceFaultError(EvidenceFault.RESPONDER_NOT_AUTHORIZED)
    _check_signed_by_one_of(signers, response)


def _check_signed_by_one_of(
    signers: Sequence[x509.Certificate], response: ocsp.OCSPResponse
) -> None:
    """Responders may share a name, so each is tried; the last one's fault is told."""
    *others, last = signers
    for signer in others:
        try:
            return _check_signed_by(signer, response)
        except EvidenceFaultError:
            continue
    return _check_signed_by(last, response)


def _check_signed_by(signer: x509.Certificate, response: ocsp.OCSPResponse) -> None:
    algorithm = response.signature_algorithm_oid
    check_signature(signer, algorithm, response.signature, response.tbs_response_bytes)


def _is_responder(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    if response.responder_name is not None:
        return response.responder_name.public_bytes() == certificate.subject.public_bytes()
    digest = hashlib.sha1(_public_key_bits(certificate), usedforsecurity=False).digest()
    return response.responder_key_hash == digest


def _is_delegated(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    read_through(certificate)
    extended = find_extension(certificate, x509.ExtendedKeyUsage)
    usage = find_extension(certificate, x509.KeyUsage)
    constraints = find_extension(certificate, x509.BasicConstraints)
    return (
        is_issued_by(certificate, issuer)
        and extended is not None
        and ExtendedKeyUsageOID.OCSP_SIGNING in extended
        and (usage is None or usage.digital_signature)
        and (constraints is None or not constraints.ca)
        and certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        and not has_unknown_critical_extension(certificate)
    )


def _finding(single: ocsp.OCSPSingleResponse) -> RevocationFinding:
    reason: x509.ReasonFlags | None = None
    since: datetime | None = None
    status = STATUS.get(single.certificate_status)
    if status is None:  # revoked
        reason, since = single.revocation_reason, single.revocation_time_utc
        status = status_of(reason)
    return RevocationFinding(
        status=status,
        reason=None if reason is None else reason.value,
        since=since,
        source=RevocationSource.OCSP,
        this_update=single.this_update_utc,
        next_update=single.next_update_utc,
    )
