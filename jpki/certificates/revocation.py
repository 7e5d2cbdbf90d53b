"""Whether a certificate was revoked, by CRLs (RFC 5280) and OCSP answers (RFC 6960) at hand.

JPKI gives such data to registered verifiers only, so mostly there are none, and that is said. They
come from files, or from a server that the caller named; never from the addresses in a certificate,
which would tell a third party whose certificate is being looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.x509 import ocsp as x509_ocsp

from jpki.certificates import crl, ocsp
from jpki.certificates.evidence import (
    NOT_LOOKED_AT,
    EvidenceFault,
    EvidenceFaultError,
    RejectedEvidence,
    RevocationFinding,
    RevocationSource,
    decisive,
)
from jpki.certificates.loading import PARSER_ERRORS, split_items, without_parser_warnings
from jpki.errors import RevocationDataMalformedError

__all__ = [
    "NOTHING_GIVEN",
    "NOT_LOOKED_AT",
    "EvidenceFault",
    "RejectedEvidence",
    "RevocationFinding",
    "RevocationMaterial",
    "RevocationMode",
    "RevocationSource",
    "check_revocation",
    "load_crls",
    "load_ocsp_responses",
]

MAX_ITEMS: Final = 1000  # there are 1,900 municipalities; nobody needs all lists in one file
CRL_LABELS: Final = (b"X509 CRL",)
OCSP_LABELS: Final = (b"OCSP RESPONSE",)


class RevocationMode(StrEnum):
    """How much depends on data about revocation."""

    REQUIRE = "require"
    """Nothing passes without data that count."""
    IF_AVAILABLE = "if-available"
    """What is at hand is looked at; what is not known is said."""
    NONE = "none"
    """Nothing is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationMaterial:
    """What a caller has to look at."""

    mode: RevocationMode = RevocationMode.IF_AVAILABLE
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    ocsp_responses: tuple[x509_ocsp.OCSPResponse, ...] = ()
    responder: Callable[[bytes], bytes] | None = None
    """DER OCSPRequest -> DER OCSPResponse: a server that the user named."""


NOTHING_GIVEN: Final = RevocationMaterial()


def check_revocation(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    material: RevocationMaterial,
) -> RevocationFinding:
    """Find out whether a certificate was revoked at a time.

    What does not count (another CA, another municipality, out of date, forged) is as if it had not
    been given, and is named. A revocation in anything that counts is final; else the newest
    information decides, since a suspension can be lifted.

    Args:
        certificate: in question.
        issuer: the CA certificate whose key signed it.
        at: the time, with a time zone.
        material: what there is.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        ServerError: the responder failed.
    """
    if at.tzinfo is None:
        raise ValueError("the time of the check needs a time zone")
    if material.mode is RevocationMode.NONE:
        return NOT_LOOKED_AT
    rejected: list[RejectedEvidence] = []
    found: list[RevocationFinding] = []
    for source, look_up in _look_ups(certificate, issuer, at, material):
        try:
            found.append(look_up())
        except EvidenceFaultError as error:  # of this one; the others may count
            rejected.append(RejectedEvidence(source=source, fault=error.fault))
    if not rejected:
        return decisive(found)
    return replace(decisive(found), rejected=tuple(dict.fromkeys(rejected)))


def _look_ups(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    material: RevocationMaterial,
) -> Iterator[tuple[RevocationSource, Callable[[], RevocationFinding]]]:
    question = certificate, issuer, at
    for item in material.crls:
        yield RevocationSource.CRL, partial(crl.look_up, *question, item)
    for response in material.ocsp_responses:
        yield RevocationSource.OCSP, partial(ocsp.look_up, *question, response)
    if material.responder is not None:
        yield RevocationSource.OCSP, partial(_ask, material.responder, *question)


def _ask(
    responder: Callable[[bytes], bytes],
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
) -> RevocationFinding:
    request, nonce = ocsp.make_request(certificate, issuer)
    answer = responder(request)  # outside of what follows: its errors are its own
    try:
        with without_parser_warnings():
            response = x509_ocsp.load_der_ocsp_response(answer)
    except PARSER_ERRORS:
        raise EvidenceFaultError(EvidenceFault.MALFORMED) from None
    return ocsp.look_up(certificate, issuer, at, response, nonce)


def load_crls(data: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Load every CRL of a file: PEM (X509 CRL) or DER, one or more in a row.

    Raises:
        RevocationDataMalformedError: none at all, too many, or one that cannot be read.
    """
    ders = _items(data, CRL_LABELS)
    try:
        with without_parser_warnings():
            return tuple(x509.load_der_x509_crl(der) for der in ders)
    except PARSER_ERRORS:
        raise RevocationDataMalformedError("not a CRL") from None


def load_ocsp_responses(data: bytes) -> tuple[x509_ocsp.OCSPResponse, ...]:
    """Load every OCSP answer of a file: DER, one or more in a row, or PEM (OCSP RESPONSE).

    Raises:
        RevocationDataMalformedError: none at all, too many, or one that cannot be read.
    """
    ders = _items(data, OCSP_LABELS)
    try:
        with without_parser_warnings():
            return tuple(x509_ocsp.load_der_ocsp_response(der) for der in ders)
    except PARSER_ERRORS:
        raise RevocationDataMalformedError("not an OCSP answer") from None


def _items(data: bytes, labels: tuple[bytes, ...]) -> list[bytes]:
    try:
        items = split_items(data, labels, MAX_ITEMS)
    except ValueError as error:
        raise RevocationDataMalformedError(str(error)) from None
    if not items:
        raise RevocationDataMalformedError("nothing of the kind in the data")
    return items
