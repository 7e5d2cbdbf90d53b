"""Certificate revocation lists, RFC 5280 5 and 6.3.3, of the CA that issued the certificate.

JPKI's lists are partitioned: each municipality has one, under a directory name that stands in the
certificate's distribution point and in the list's issuingDistributionPoint.
"""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from jpki.certificates.asn1 import GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME, Asn1Reader
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
from jpki.certificates.loading import PARSER_ERRORS, without_parser_warnings
from jpki.certificates.verdict import Revocation

UNDERSTOOD_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.ISSUING_DISTRIBUTION_POINT,
        ExtensionOID.CRL_NUMBER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
    }
)
ENTRY_EXTENSIONS: Final = (x509.CRLReason, x509.InvalidityDate)
TIMES: Final = (UTC_TIME, GENERALIZED_TIME)
CRITICAL: Final = bytes.fromhex("0101FF04")  # BOOLEAN TRUE before the OCTET STRING of the value
CRITICAL_AND_UNDERSTOOD: Final = (  # with their object identifiers before it
    bytes.fromhex("0603551D15") + CRITICAL,  # reasonCode
    bytes.fromhex("0603551D18") + CRITICAL,  # invalidityDate
)


def look_up(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    crl: x509.CertificateRevocationList,
) -> RevocationFinding:
    """Look a certificate up in a list.

    Raises:
        EvidenceFaultError: the list does not count for this certificate at this time.
    """
    try:
        with without_parser_warnings():
            return _look_up(certificate, issuer, at, crl)
    except PARSER_ERRORS:
        raise EvidenceFaultError(EvidenceFault.MALFORMED) from None


def _look_up(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    crl: x509.CertificateRevocationList,
) -> RevocationFinding:
    entries_der = _check_list(certificate, issuer, at, crl)
    found = [
        _finding(crl, entry) for entry in _entries_of(certificate.serial_number, crl, entries_der)
    ]
    return unless_stale(
        decisive(found) if found else _finding(crl, None),
        is_stale=crl.next_update_utc is None or at.replace(microsecond=0) > crl.next_update_utc,
    )


def _finding(
    crl: x509.CertificateRevocationList, entry: x509.RevokedCertificate | None
) -> RevocationFinding:
    reason = None if entry is None else _reason(entry)
    return RevocationFinding(
        status=Revocation.GOOD if entry is None else status_of(reason),
        reason=None if reason is None else reason.value,
        since=None if entry is None else entry.revocation_date_utc,
        source=RevocationSource.CRL,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
    )


def _entries_of(
    serial_number: int, crl: x509.CertificateRevocationList, entries_der: bytes
) -> list[x509.RevokedCertificate]:
    """Return the entries of a certificate. The list is walked through only if there may be two.

    RFC 5280 does not say that there is one, and cryptography finds the first.
    """
    first = crl.get_revoked_certificate_by_serial_number(serial_number)
    if first is None:
        return []
    octets = serial_number.to_bytes(serial_number.bit_length() // 8 + 1, "big", signed=True)
    if entries_der.count(bytes([INTEGER, len(octets)]) + octets) < 2:
        return [first]
    return [entry for entry in crl if entry.serial_number == serial_number]


def _check_list(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    crl: x509.CertificateRevocationList,
) -> bytes:
    """Check that the list counts -> its entries in DER."""
    if crl.issuer.public_bytes() != issuer.subject.public_bytes():
        raise EvidenceFaultError(EvidenceFault.OTHER_ISSUER)
    usage = find_extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        raise EvidenceFaultError(EvidenceFault.RESPONDER_NOT_AUTHORIZED)
    _check_extensions(crl)
    _check_scope(certificate, crl)
    if at.replace(microsecond=0) < crl.last_update_utc:
        raise EvidenceFaultError(EvidenceFault.NOT_YET_VALID)
    # The dear part comes last. All generations of a CA have one name; the key tells them apart.
    signed = crl.tbs_certlist_bytes  # encoded anew each time: a tenth of a second for a long list
    check_signature(issuer, crl.signature_algorithm_oid, crl.signature, signed)
    entries_der = _entries_der(signed)
    _check_entries(crl, entries_der)
    return entries_der


def _check_extensions(crl: x509.CertificateRevocationList) -> None:
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            raise EvidenceFaultError(EvidenceFault.PARTIAL)
        if extension.critical and extension.oid not in UNDERSTOOD_EXTENSIONS:
            raise EvidenceFaultError(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION)


def _check_scope(certificate: x509.Certificate, crl: x509.CertificateRevocationList) -> None:
    """RFC 5280 6.3.3 (b): is the certificate among those that the list is about?"""
    try:
        scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return  # all certificates of the CA
    if scope.indirect_crl:
        raise EvidenceFaultError(EvidenceFault.INDIRECT)
    if scope.only_some_reasons is not None:
        raise EvidenceFaultError(EvidenceFault.PARTIAL)
    if scope.only_contains_ca_certs or scope.only_contains_attribute_certs:
        raise EvidenceFaultError(EvidenceFault.OTHER_SCOPE)
    if scope.only_contains_user_certs and _is_ca(certificate):
        raise EvidenceFaultError(EvidenceFault.OTHER_SCOPE)
    if scope.relative_name is not None:  # JPKI writes full names
        raise EvidenceFaultError(EvidenceFault.OTHER_SCOPE)
    if scope.full_name is None:
        return
    named = {_encoded(name) for name in scope.full_name}
    if named.isdisjoint(_distribution_points(certificate)):
        raise EvidenceFaultError(EvidenceFault.OTHER_SCOPE)


def _is_ca(certificate: x509.Certificate) -> bool:
    constraints = find_extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _distribution_points(certificate: x509.Certificate) -> set[bytes]:
    points = find_extension(certificate, x509.CRLDistributionPoints)
    # A point of its own reasons or its own issuer is none for a list of all reasons by the CA.
    return {
        _encoded(name)
        for point in points or ()
        if point.reasons is None and point.crl_issuer is None
        for name in point.full_name or ()
    }


def _encoded(name: x509.GeneralName) -> bytes:
    """Return what two equal names have in common: the DER of a directory name, else its text."""
    if isinstance(name, x509.DirectoryName):
        return name.value.public_bytes()
    return repr(name).encode()


def _check_entries(crl: x509.CertificateRevocationList, entries: bytes) -> None:
    """RFC 5280 5.3: one entry with an unknown critical extension spoils the whole list.

    A hundred thousand entries are walked through only if one may have such an extension.
    """
    if entries.count(CRITICAL) == sum(map(entries.count, CRITICAL_AND_UNDERSTOOD)):
        return
    _walk(crl)


def _walk(crl: x509.CertificateRevocationList) -> None:
    for entry in crl:
        for extension in entry.extensions:
            if extension.critical and not isinstance(extension.value, ENTRY_EXTENSIONS):
                raise EvidenceFaultError(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION)


def _entries_der(signed: bytes) -> bytes:
    """Return revokedCertificates as it stands: the SEQUENCE after the times. RFC 5280 5.1."""
    reader = Asn1Reader(signed, strict=True)
    fields = reader.children(reader.document())
    times = [place for place, field in enumerate(fields) if field.tag in TIMES]
    after = fields[times[-1] + 1 :]
    return b"".join(reader.encoding(field) for field in after if field.tag == SEQUENCE)


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
