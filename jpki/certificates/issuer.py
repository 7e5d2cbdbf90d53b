"""Trust anchors, which of them issued a certificate, and what speaks against it. RFC 5280 6.1.1-3.

All generations of a JPKI CA share one name, so the name finds the candidates and the signature
the issuer; the key identifier is a hint that must not contradict.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self, overload

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtensionOID, NameOID

from jpki.certificates.conformance import (
    PUBLIC_EXPONENT,
    SHA256_WITH_RSA,
    ProfileFault,
    issuer_identifier_faults,
)
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.purpose import Purpose
from jpki.certificates.trust import PinnedCa
from jpki.certificates.verdict import AnchorOrigin, Reason
from jpki.errors import AnchorNotCaError

MAX_KNOWN: Final = 10_000  # leaves that are kept in mind, of 0.4 kB each
MIN_MODULUS_BITS: Final = 2048
MAX_MODULUS_BITS: Final = 8192  # a longer one only serves to keep verifiers busy
# Read here. A critical extension outside this set is a condition that nobody looks at.
UNDERSTOOD_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
TEST_ORGANIZATION: Final = "JPKI-TEST"


def check_anchors_and_time(anchors: Sequence[x509.Certificate], at: datetime) -> "TrustAnchors":
    """Refuse what a caller gives a check by mistake, before anything is judged with it.

    Returns:
        The anchors, looked at once for all checks to come.

    Raises:
        ValueError: ``at`` has no time zone.
        AnchorNotCaError: an anchor is no CA certificate. RFC 5280 6.1.4 (k), (n).
        CertificateMalformedError: an anchor cannot be read.
    """
    if at.tzinfo is None:
        raise ValueError("the time of the check needs a time zone")
    return TrustAnchors.of(anchors)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TrustAnchor:
    """A CA certificate that is trusted, with all that can be said of it before it is used."""

    parsed: ParsedCertificate
    name: bytes
    """Its subject, DER."""
    origin: AnchorOrigin
    reasons: tuple[Reason, ...]
    """What speaks against it at any time and for every leaf."""

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Self:
        """Look at a certificate once, for all that it issued.

        Raises:
            AnchorNotCaError: it is no CA certificate. RFC 5280 6.1.4 (k), (n).
            CertificateMalformedError: it cannot be read.
        """
        parsed = ParsedCertificate.of(certificate)
        constraints = parsed.find(x509.BasicConstraints)
        usage = parsed.find(x509.KeyUsage)
        if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
            raise AnchorNotCaError
        return cls(
            parsed=parsed,
            name=parsed.parts.der(parsed.parts.subject),
            origin=_origin(parsed),
            reasons=tuple(_standing_faults(parsed)),
        )

    @property
    def certificate(self) -> x509.Certificate:
        """The CA certificate."""
        return self.parsed.certificate

    @property
    def validity(self) -> tuple[datetime, datetime]:
        """The first and the last moment of its validity, UTC."""
        return self.parsed.validity

    @property
    def pin(self) -> PinnedCa | None:
        """Which CA of J-LIS it is, if it is one."""
        return self.parsed.pin

    def has_signed(self, leaf: ParsedCertificate) -> bool:
        """Tell whether a leaf with its name carries its signature. RFC 5280 6.1.3 (a) (1)."""
        key, parts = self.parsed.rsa_key, leaf.parts
        algorithms = parts.der(parts.signature_algorithm), parts.der(parts.signature)
        is_usual = algorithms == (SHA256_WITH_RSA, SHA256_WITH_RSA)
        if key is None or not is_usual:
            return is_issued_by(leaf.certificate, self.certificate)
        try:  # the same as there, over the bytes as they stand
            value = parts.reader.contents(parts.signature_value)[1:]
            key.verify(value, parts.der(parts.tbs), PKCS1v15(), SHA256())
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True


class TrustAnchors(Sequence[x509.Certificate]):
    """CA certificates that a caller trusts, each looked at once for all that is checked with them.

    Wherever a sequence of anchors is taken this is taken too, and not looked at again: a server
    makes one at its start.

    Raises:
        AnchorNotCaError: one is no CA certificate.
        CertificateMalformedError: one cannot be read.
    """

    def __init__(self, certificates: Iterable[x509.Certificate] = ()) -> None:
        self._anchors = tuple(map(TrustAnchor.of, certificates))
        self._known: dict[tuple[Purpose, str], KnownLeaf] = {}

    @classmethod
    def of(cls, certificates: Iterable[x509.Certificate]) -> "TrustAnchors":
        """Look at certificates, unless that was done before. Raises: as the constructor."""
        return certificates if isinstance(certificates, TrustAnchors) else cls(certificates)

    def including(self, certificates: Iterable[x509.Certificate]) -> "TrustAnchors":
        """Return these and others. Raises: as the constructor."""
        more = TrustAnchors(certificates)
        if not more:
            return self
        more._anchors = (*self._anchors, *more._anchors)
        return more

    def known(self, leaf: ParsedCertificate, purpose: Purpose) -> "KnownLeaf | None":
        """Return what is known of a leaf that has passed before; None: look at it."""
        return self._known.get((purpose, leaf.fingerprint_sha256))

    def remember(self, leaf: ParsedCertificate, purpose: Purpose, known: "KnownLeaf") -> None:
        """Keep in mind that a leaf has passed: the same bytes would pass again, in time.

        Kept is a digest, and nothing of whose certificate it is.
        """
        if len(self._known) >= MAX_KNOWN:
            self._known = {}
        self._known[purpose, leaf.fingerprint_sha256] = known

    def named(self, name: bytes) -> list[TrustAnchor]:
        """Return those with a subject (DER)."""
        return [item for item in self._anchors if item.name == name]

    def __len__(self) -> int:
        """Count them."""
        return len(self._anchors)

    @overload
    def __getitem__(self, index: int) -> x509.Certificate: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[x509.Certificate, ...]: ...

    def __getitem__(self, index: int | slice) -> x509.Certificate | tuple[x509.Certificate, ...]:
        """Return one of the certificates, or some."""
        if isinstance(index, slice):
            return tuple(anchor.certificate for anchor in self._anchors[index])
        return self._anchors[index].certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLeaf:
    """What a leaf that passed has at every time: who issued it, and its policies."""

    anchor: TrustAnchor
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who issued a leaf, and what speaks against that CA."""

    anchor: TrustAnchor | None = None
    is_only: bool = True  # no other anchor has the same name and key
    reasons: tuple[Reason, ...] = ()
    identifier_faults: tuple[ProfileFault, ...] = ()


def find_issuer(leaf: ParsedCertificate, anchors: TrustAnchors, at: datetime) -> Issuer:
    """Find the anchor that issued a leaf.

    Args:
        leaf: the certificate.
        anchors: CA certificates that the caller trusts.
        at: the time at which the anchor must be valid.

    Raises:
        CertificateMalformedError: the leaf cannot be read.
    """
    namesakes = anchors.named(leaf.parts.der(leaf.parts.issuer))
    signers = [anchor for anchor in namesakes if anchor.has_signed(leaf)]
    if not signers:
        return Issuer(reasons=(Reason.UNTRUSTED_ISSUER if namesakes else Reason.NO_ANCHOR,))
    found = [
        Issuer(
            anchor=anchor,
            is_only=len(signers) == 1,
            reasons=(*anchor_date_faults(leaf, anchor, at), *anchor.reasons),
            identifier_faults=tuple(issuer_identifier_faults(leaf, anchor.parsed)),
        )
        for anchor in signers
    ]
    # One key may stand in several anchors (a renewed CA certificate): take the best of them.
    return min(found, key=lambda issuer: len(issuer.reasons) + len(issuer.identifier_faults))


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a certificate names an issuer and carries its signature. RFC 5280 6.1.3 (a)."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        # ValueError: SHA-1, or another algorithm inside than outside; TypeError: a key that
        # cannot sign certificates.
        return False
    return True


def anchor_date_faults(
    leaf: ParsedCertificate, anchor: TrustAnchor, at: datetime
) -> Iterator[Reason]:
    """Compare an anchor's validity with a time, and with the validity of what it issued."""
    moment = at.replace(microsecond=0)
    not_before, not_after = anchor.validity
    if moment < not_before:
        yield Reason.ANCHOR_NOT_YET_VALID
    if moment > not_after:
        yield Reason.ANCHOR_EXPIRED
    if leaf.validity[0] < not_before or leaf.validity[1] > not_after:
        yield Reason.OUTSIDE_ANCHOR_VALIDITY


def _standing_faults(anchor: ParsedCertificate) -> Iterator[Reason]:
    if has_unknown_critical_extension(anchor.certificate):
        yield Reason.UNKNOWN_CRITICAL_EXTENSION
    if anchor.rsa_key is None:
        yield Reason.UNSUPPORTED_ALGORITHM
    elif not is_ca_key(anchor.rsa_key):
        yield Reason.WEAK_KEY


def is_ca_key(key: RSAPublicKey) -> bool:
    """Tell whether a CA or a responder may sign with a key: RSA, 2048 to 8192 bits, e 65537."""
    is_sized = MIN_MODULUS_BITS <= key.key_size <= MAX_MODULUS_BITS
    return is_sized and key.public_numbers().e == PUBLIC_EXPONENT


def is_test_certificate(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate names a test CA as its issuer."""
    return _names_test_organization(certificate.issuer)


def has_unknown_critical_extension(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate has a condition that is not looked at. RFC 5280 4.2."""
    return any(
        extension.critical and extension.oid not in UNDERSTOOD_EXTENSIONS
        for extension in certificate.extensions
    )


def _origin(anchor: ParsedCertificate) -> AnchorOrigin:
    """Tell where the trust in an anchor comes from."""
    if anchor.pin is not None:
        return AnchorOrigin.PINNED
    is_test = _names_test_organization(anchor.certificate.subject)
    return AnchorOrigin.TEST if is_test else AnchorOrigin.GIVEN


def _names_test_organization(name: x509.Name) -> bool:
    organizations = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(organization.value == TEST_ORGANIZATION for organization in organizations)
