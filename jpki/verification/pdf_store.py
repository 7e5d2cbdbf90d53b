"""The document security store of a PDF, ETSI EN 319 142-1 5.4.2: data for checks in later years."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from cryptography import x509
from cryptography.x509 import ocsp
from pyhanko.pdf_utils import generic

from jpki.certificates.loading import load_certificate
from jpki.certificates.revocation import RevocationMaterial, load_crls, load_ocsp_responses
from jpki.certificates.trust import is_pinned
from jpki.errors import CertificateMalformedError, RevocationDataMalformedError
from jpki.signing.pdf_reader import PARSE_ERRORS, entry

MAX_ITEMS: Final = 100  # of each kind
MAX_CRL: Final = 1 << 24  # bytes

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityStore:
    """What the document carries. Nobody signed it: each piece is checked for what it is."""

    certificates: tuple[bytes, ...] = ()  # DER
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    ocsp_responses: tuple[ocsp.OCSPResponse, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether there is what level B-LT wants: certificates, and something on revocation."""
        return bool(self.certificates and (self.crls or self.ocsp_responses))

    def pinned_anchors(self) -> tuple[x509.Certificate, ...]:
        """Return the CA certificates of J-LIS among them: trusted wherever they come from."""
        return tuple(load_certificate(der) for der in self.certificates if is_pinned(der))

    def added_to(self, material: RevocationMaterial) -> RevocationMaterial:
        """Add what is known of revocation to what the caller has."""
        return replace(
            material,
            crls=(*material.crls, *self.crls),
            ocsp_responses=(*material.ocsp_responses, *self.ocsp_responses),
        )


def read_store(root: generic.DictionaryObject) -> SecurityStore:
    """Read the store of a document; what cannot be read is left out."""
    store = entry(root, "/DSS")
    return SecurityStore(
        certificates=tuple(_streams(store, "/Certs")),
        crls=tuple(_loaded(_streams(store, "/CRLs"), load_crls)),
        ocsp_responses=tuple(_loaded(_streams(store, "/OCSPs"), load_ocsp_responses)),
    )


def _loaded(streams: Iterator[bytes], load: Callable[[bytes], tuple[Item, ...]]) -> Iterator[Item]:
    for data in streams:
        try:
            yield from load(data)
        except (CertificateMalformedError, RevocationDataMalformedError):
            continue


def _streams(store: generic.PdfObject | None, key: str) -> Iterator[bytes]:
    array = entry(store, key)
    for index in range(min(len(array), MAX_ITEMS) if isinstance(array, generic.ArrayObject) else 0):
        try:
            item = array[index]
            if isinstance(item, generic.StreamObject) and len(item.data) <= MAX_CRL:
                yield bytes(item.data)
        except PARSE_ERRORS:
            continue
