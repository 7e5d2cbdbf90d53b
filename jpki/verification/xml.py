"""Verifying signatures of XML: XML Signature 1.1 and XAdES, by the steps of ETSI EN 319 102-1.

The verifier is our own, over libxml2's canonicalization. signxml 5.2's was measured beside it: of
500 random documents that xmlsec1 had signed (tests/interop/test_xmlsec1.py makes them) it verified
138, and as many with its element names and default namespaces mended; what it loses are nodes
beside the root, inherited ``xml:*`` and comments. This one verified all 500. signxml also leaves it
to its caller to notice that a signed element was moved into another document.

lxml takes 60 ms to import, so nothing here imports it before the first call.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import BinaryIO, Final

from cryptography import x509

from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.verdict import Reason
from jpki.errors import DocumentError, DocumentFault
from jpki.verification.circumstances import Circumstances
from jpki.verification.report import VerificationReport

MAX_SIGNATURES: Final = 100  # each costs an RSA operation and a path
NO_FILES: Final[Mapping[str, BinaryIO]] = MappingProxyType({})


def verify_xml(
    document: bytes,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
    *,
    detached_files: Mapping[str, BinaryIO] = NO_FILES,
    id_attribute: str | None = None,
    allow_sha1: bool = False,
    now: datetime | None = None,
) -> VerificationReport:
    """Verify every ds:Signature of a document. Malformed input gives a report, not an exception.

    Args:
        document: XML; one with a DTD is refused.
        anchors: CA certificates that the caller trusts; those of J-LIS that are pinned are
            anchors as well where the signature carries them. None at all: at best indeterminate,
            no-anchor.
        at: the time at which certificates must be valid, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count.
        detached_files: what signatures may refer to beside the document: name -> content from its
            first byte, read once, in chunks, and only where a signature refers to it.
        id_attribute: a name of ids beside Id, ID, id and xml:id; {namespace}name or name.
        allow_sha1: a signature that rests on SHA-1 may pass; a note then says so.
        now: the time of day, where ``at`` is a time in the past; a signature from the future
            is not believed.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: a file cannot be read.
    """
    circumstances = Circumstances(
        anchors=anchors, at=at, now=now or at, revocation=revocation, allow_sha1=allow_sha1
    )
    from jpki.signing.xml_document import XmlDocument
    from jpki.verification.xml_references import References
    from jpki.verification.xml_signer import verify_signature

    try:
        parsed = XmlDocument(document)
    except DocumentError as error:
        has_dtd = error.fault is DocumentFault.XML_HAS_DTD
        return VerificationReport(reasons=(Reason.DTD_PRESENT if has_dtd else Reason.MALFORMED,))
    if len(parsed.signatures) > MAX_SIGNATURES:
        return VerificationReport(reasons=(Reason.MALFORMED,))

    references = References(document=parsed, files=detached_files, id_attribute=id_attribute)
    return VerificationReport(
        signatures=tuple(
            verify_signature(each, references, circumstances) for each in parsed.signatures
        )
    )
