"""CRLs and OCSP answers about the certificates of `support.pki`, sound unless told otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.pki import AT, CA_FROM, CA_UNTIL, key_usage, load, load_key

DAY = timedelta(days=1)
HOLD = x509.ReasonFlags.certificate_hold


def distribution_point(certificate: x509.Certificate | None = None) -> list[x509.GeneralName]:
    """The directory name of a certificate's own CRL; of the usual signer's unless told."""
    chosen = load("signature") if certificate is None else certificate
    points = chosen.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    names = points[0].full_name
    assert names is not None
    return names


def other_municipality() -> list[x509.GeneralName]:
    """The distribution point of another city of the same prefecture."""
    (directory,) = distribution_point()
    assert isinstance(directory, x509.DirectoryName)
    *rest, _ = directory.value
    name = x509.NameAttribute(NameOID.COMMON_NAME, "Betsu-shi CRLDP")
    return [x509.DirectoryName(x509.Name([*rest, name]))]


def scope(names: Sequence[x509.GeneralName] | None = None, **flags: object):
    """An issuingDistributionPoint; of the usual signer's municipality unless told."""
    arguments: dict[str, object] = {
        "full_name": distribution_point() if names is None else list(names) or None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**arguments, **flags})  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Crl:
    """A list of the signature CA; `replace` makes an odd one."""

    entries: Sequence[tuple[int, x509.ReasonFlags | None]] = ()
    issuer: x509.Name = field(default_factory=lambda: load("signature-ca").subject)
    key: str = "signature-ca"
    this_update: datetime = AT - DAY
    next_update: datetime = AT + DAY
    scope: x509.IssuingDistributionPoint | None = field(default_factory=scope)
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = ()
    entry_extensions: Sequence[tuple[x509.ExtensionType, bool]] = ()
    algorithm: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)

    def build(self) -> x509.CertificateRevocationList:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.issuer)
            .last_update(self.this_update)
            .next_update(self.next_update)
        )
        if self.scope is not None:
            builder = builder.add_extension(self.scope, critical=True)
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical=critical)
        for serial_number, reason in self.entries:
            builder = builder.add_revoked_certificate(self._entry(serial_number, reason))
        return builder.sign(load_key(self.key), self.algorithm)  # type: ignore[arg-type]

    def _entry(
        self, serial_number: int, reason: x509.ReasonFlags | None
    ) -> x509.RevokedCertificate:
        builder = x509.RevokedCertificateBuilder().serial_number(serial_number)
        builder = builder.revocation_date(AT - 10 * DAY)
        if reason is not None:
            builder = builder.add_extension(x509.CRLReason(reason), critical=False)
        for extension, critical in self.entry_extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.build()


def responder_certificate(
    key: rsa.RSAPrivateKey,
    *,
    issuer: str = "signature-ca",
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    not_after: datetime = CA_UNTIL,
    ca: bool = False,
) -> x509.Certificate:
    """A certificate that a CA gave to its OCSP responder."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "responder")]))
        .issuer_name(load(issuer).subject)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(CA_FROM)
        .not_valid_after(not_after)
        .add_extension(key_usage("digital_signature"), critical=True)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    if ca:
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    return builder.sign(load_key(issuer), hashes.SHA256())


@dataclass(frozen=True, kw_only=True)
class OcspAnswer:
    """An answer of the signature CA about the usual signer; `replace` makes an odd one."""

    certificate: x509.Certificate = field(default_factory=lambda: load("signature"))
    issuer: x509.Certificate = field(default_factory=lambda: load("signature-ca"))
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    reason: x509.ReasonFlags | None = None
    this_update: datetime = AT - timedelta(minutes=15)
    next_update: datetime | None = AT + timedelta(minutes=15)
    responder: x509.Certificate = field(default_factory=lambda: load("signature-ca"))
    key: rsa.RSAPrivateKey = field(default_factory=lambda: load_key("signature-ca"))
    by_name: bool = False
    certificates: Sequence[x509.Certificate] = ()
    nonce: bytes | None = None
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = ()
    cert_id_hash: hashes.HashAlgorithm = field(default_factory=hashes.SHA1)
    algorithm: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)

    def build(self) -> ocsp.OCSPResponse:
        revoked = self.status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.certificate,
            issuer=self.issuer,
            algorithm=self.cert_id_hash,
            cert_status=self.status,
            this_update=self.this_update,
            next_update=self.next_update,
            revocation_time=AT - 10 * DAY if revoked else None,
            revocation_reason=self.reason,
        )
        encoding = ocsp.OCSPResponderEncoding
        builder = builder.responder_id(
            encoding.NAME if self.by_name else encoding.HASH, self.responder
        )
        if self.certificates:
            builder = builder.certificates(list(self.certificates))
        if self.nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(self.nonce), critical=False)
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, self.algorithm)


def der(item: x509.CertificateRevocationList | ocsp.OCSPResponse) -> bytes:
    return item.public_bytes(Encoding.DER)
