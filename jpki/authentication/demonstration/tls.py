"""The server's TLS certificate: of files, or one for this run only."""

import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

THROW_AWAY_DAYS: Final = 30
NO_PASSWORD: Final = b""
"""Without one, OpenSSL would ask for the password of an encrypted key at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A certificate that is ready to serve with."""

    context: ssl.SSLContext = field(repr=False)
    fingerprint_sha256: str  # of the DER, lower-case hex, as browsers show it
    is_throw_away: bool


def load_certificate(certificate: str | Path, key: str | Path) -> ServerCertificate:
    """Load a certificate chain and its key, both PEM, the key without a password.

    Raises:
        OSError, ssl.SSLError, ValueError: they cannot be read, or do not belong together.
    """
    leaf = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    return _ready(leaf, certificate, key, is_throw_away=False)


def throw_away(origin: str) -> ServerCertificate:
    """Make a self-signed certificate for the host of an origin; its key is never on the disk again.

    Browsers warn of it, and show the fingerprint to compare.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, urlsplit(origin).hostname or "localhost")
    with tempfile.TemporaryDirectory() as folder:  # 0700: the ssl module reads files only
        places = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        places[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        places[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return _ready(certificate, *places, is_throw_away=True)


def _ready(
    leaf: x509.Certificate, certificate: str | Path, key: str | Path, *, is_throw_away: bool
) -> ServerCertificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # TLS 1.2 and later
    context.load_cert_chain(certificate, key, password=NO_PASSWORD)
    return ServerCertificate(
        context=context,
        fingerprint_sha256=leaf.fingerprint(SHA256()).hex(),
        is_throw_away=is_throw_away,
    )


def _self_signed(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jpki demonstration")])
    now = datetime.now(UTC)
    hosts = dict.fromkeys((host, "localhost", "127.0.0.1", "::1"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=THROW_AWAY_DAYS))
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, hosts))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(key, SHA256())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
