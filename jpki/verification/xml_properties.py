"""The signed properties of XAdES, ETSI EN 319 132-1 5.1 and 5.2, read from what was digested."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml.etree import _Element as XmlElement

from jpki.certificates.verdict import Reason
from jpki.errors import DocumentError
from jpki.signing.xml_document import parse_bounded
from jpki.signing.xml_options import SIGNED_PROPERTIES_TYPE
from jpki.verification.attributes import CertificateReference
from jpki.verification.xml_algorithms import DIGEST_METHODS
from jpki.verification.xml_references import Resolved
from jpki.verification.xml_signature import (
    XmlFaultError,
    XmlSignature,
    ds,
    octets_of,
    only_child,
    text_of,
    xades,
)

XSD_DATE_TIME: Final = re.compile(
    r"\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,30})?(Z|[+-]\d\d:\d\d)?\s*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedProperties:
    """The properties that are looked at; absent ones are None."""

    signing_time: datetime | None  # UTC; None as well without a time zone: it could be any hour
    certificate: CertificateReference | None  # SigningCertificateV2
    certificate_v1: CertificateReference | None


def read_signed_properties(
    signature: XmlSignature, resolved: Sequence[Resolved]
) -> SignedProperties | None:
    """Read the signed properties of a signature; None: it is none of XAdES.

    Raises:
        XmlFaultError: SIGNED_ATTRIBUTES_MISSING, there are some and nobody signed them, or
            SIGNED_ATTRIBUTES_INVALID.
    """
    found = signature.properties
    typed = [each for each in resolved if each.reference.type == SIGNED_PROPERTIES_TYPE]
    if not found and not typed:
        return None
    if len(found) != 1:
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_INVALID)
    (qualifying,) = found
    properties = qualifying.findall(xades("SignedProperties"))
    if signature.id is None or qualifying.get("Target") != f"#{signature.id}":
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_INVALID)
    if len(properties) > 1 or any(each.target not in properties for each in typed):
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_INVALID)
    signed = [each for each in resolved if each.target is not None and each.target in properties]
    if not signed:
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_MISSING)
    try:
        return _read(parse_bounded(signed[0].canonical))
    except (DocumentError, XmlFaultError, ValueError, OverflowError):
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_INVALID) from None


def _read(properties: XmlElement) -> SignedProperties:
    signature_properties = only_child(properties, xades("SignedSignatureProperties"))
    return SignedProperties(
        signing_time=_time(signature_properties),
        certificate=_certificate(signature_properties, "SigningCertificateV2"),
        certificate_v1=_certificate(signature_properties, "SigningCertificate"),
    )


def _optional(parent: XmlElement, tag: str) -> XmlElement | None:
    return only_child(parent, tag) if parent.find(tag) is not None else None


def _time(parent: XmlElement) -> datetime | None:
    element = _optional(parent, xades("SigningTime"))
    if element is None:
        return None
    match = XSD_DATE_TIME.fullmatch(text_of(element))
    if match is None:
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_INVALID)
    moment, zone = match.groups()
    return datetime.fromisoformat(moment + zone).astimezone(UTC) if zone else None


def _certificate(parent: XmlElement, name: str) -> CertificateReference | None:
    """Read the first certificate: the signer's, 5.2.2."""
    element = _optional(parent, xades(name))
    if element is None:
        return None
    digest = only_child(element[0], xades("CertDigest")) if len(element) else element
    method = only_child(digest, ds("DigestMethod")).get("Algorithm")
    hash_name = DIGEST_METHODS.get(method)
    if hash_name is None:
        raise XmlFaultError(Reason.SIGNED_ATTRIBUTES_INVALID)
    return CertificateReference(
        hash_name=hash_name,
        certificate_hash=octets_of(only_child(digest, ds("DigestValue"))),
        issuer=None,  # the digest says it all
        serial_number=None,
    )
