"""Timestamps over signatures of XAdES, ETSI EN 319 132-1 5.3: over the SignatureValue."""

from collections.abc import Sequence

from lxml.etree import _Element as XmlElement

from jpki.certificates.verdict import Reason
from jpki.signing.xml_canonical import CanonicalizationError, canonicalize_element
from jpki.signing.xml_options import Canonicalization
from jpki.verification.circumstances import Circumstances
from jpki.verification.report import TimestampReport
from jpki.verification.timestamped_signature import MAX_TIMESTAMPS, best_timestamp, judge_token
from jpki.verification.xml_signature import (
    XmlFaultError,
    XmlSignature,
    ds,
    octets_of,
    only_child,
    transform_of,
    xades,
)

PATH = "/".join(
    map(xades, ("UnsignedProperties", "UnsignedSignatureProperties", "SignatureTimeStamp"))
)


def signature_timestamp(
    signature: XmlSignature, certificates: Sequence[bytes], circumstances: Circumstances
) -> TimestampReport | None:
    """Verify the timestamps over a signature -> the best, of several good ones the earliest.

    Args:
        signature: the signature.
        certificates: DER, those beside it.
        circumstances: with what and as at which time.
    """
    found = [each for properties in signature.properties for each in properties.findall(PATH)]
    reports: list[TimestampReport] = []
    for element in found[:MAX_TIMESTAMPS]:
        try:
            token, message = _token(element), _message(element, signature)
        except XmlFaultError as fault:
            reports.append(TimestampReport(reasons=(fault.reason,)))
            continue
        reports.append(judge_token(token, message, certificates, circumstances))
    return best_timestamp(reports)


def _token(element: XmlElement) -> bytes:
    return octets_of(only_child(element, xades("EncapsulatedTimeStamp")))


def _message(element: XmlElement, signature: XmlSignature) -> bytes:
    """Return what the token is about; C14N 1.0 where nothing is said (XML Signature 4.4.3.2)."""
    method: Canonicalization | None = Canonicalization.C14N
    prefixes: tuple[str, ...] = ()
    if element.find(ds("CanonicalizationMethod")) is not None:
        transform = transform_of(only_child(element, ds("CanonicalizationMethod")))
        method, prefixes = transform.canonicalization, transform.prefixes
    if method is None:
        raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM)
    value = only_child(signature.element, ds("SignatureValue"))
    try:
        return canonicalize_element(value, method, prefixes)
    except CanonicalizationError:
        raise XmlFaultError(Reason.UNSUPPORTED_TRANSFORM) from None
