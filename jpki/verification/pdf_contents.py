"""The CMS in a PDF signature: taken out of its padding, with what PAdES asks of it.

ISO 32000-1 12.8.3.3, ETSI EN 319 142-1 6.3.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pyhanko.pdf_utils.generic import parse_pdf_date

from jpki.certificates.asn1 import Asn1Error, Asn1Reader
from jpki.certificates.verdict import Reason
from jpki.signing.pdf_reader import PARSE_ERRORS, entry
from jpki.verification.attributes import AttributeFaultError, read_signed_attributes
from jpki.verification.pdf_document import PdfSignature
from jpki.verification.report import Level
from jpki.verification.signed_data import SignedData, SignerInfo, parse_signed_data

PADES: Final = "/ETSI.CAdES.detached"
SHA1_SUBFILTER: Final = "/adbe.pkcs7.sha1"
"""ISO 32000-1 12.8.3.3.1: what the CMS holds and signs is the SHA-1 of what is covered."""
SUBFILTERS: Final = ("/adbe.pkcs7.detached", PADES, SHA1_SUBFILTER)
WEAK_SUBFILTER: Final = "/adbe.x509.rsa_sha1"  # older than CMS in PDF
TIMESTAMP_SUBFILTER: Final = "/ETSI.RFC3161"
TYPES: Final = (None, "/Sig")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What stands in /Contents."""

    der: bytes
    signed_data: SignedData


def read_contents(signature: PdfSignature) -> Contents | None:
    """Take the CMS out of a signature; None: there is none, or more than zeros behind it."""
    padded = signature.contents
    try:
        end = Asn1Reader(padded).element(0, len(padded)).end
        if any(padded[end:]):
            return None
        return Contents(der=padded[:end], signed_data=parse_signed_data(padded[:end]))
    except Asn1Error:
        return None


def format_faults(signature: PdfSignature) -> tuple[Reason, ...]:
    """Return why a signature is of a kind that is not verified here."""
    dictionary = signature.dictionary
    if signature.is_timestamp:
        fits = entry(dictionary, "/SubFilter") == TIMESTAMP_SUBFILTER
        return () if fits else (Reason.UNSUPPORTED_FORMAT,)
    subfilter = entry(dictionary, "/SubFilter")
    if subfilter == WEAK_SUBFILTER:
        return (Reason.WEAK_ALGORITHM, Reason.UNSUPPORTED_FORMAT)
    if subfilter not in SUBFILTERS or entry(dictionary, "/Type") not in TYPES:
        return (Reason.UNSUPPORTED_FORMAT,)
    return ()


def claimed_time(signature: PdfSignature) -> datetime | None:
    """Return /M, None where it is not there, is no date, or does not say in which zone."""
    try:
        moment = parse_pdf_date(entry(signature.dictionary, "/M"), strict=False)
    except PARSE_ERRORS:
        return None
    return None if moment.tzinfo is None else moment


def level_of(signature: PdfSignature, signer_info: SignerInfo) -> Level:
    """Return the form of a signature without its timestamps: PAdES B-B, or less."""
    if entry(signature.dictionary, "/SubFilter") != PADES or signer_info.signed_attrs is None:
        return Level.PDF
    try:
        attributes = read_signed_attributes(signer_info)
    except AttributeFaultError:
        return Level.PDF
    is_baseline = (
        attributes.certificate is not None
        and attributes.signing_time is None
        and claimed_time(signature) is not None
    )
    return Level.PADES_B_B if is_baseline else Level.PDF
