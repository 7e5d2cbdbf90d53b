"""Verifying a Web eID authentication token, in the order of its specification."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from jpki.authentication.errors import TokenError, TokenFault
from jpki.authentication.token import ALGORITHM, AuthToken, login_message
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.profile import CertificateProfile, read_profile
from jpki.certificates.purpose import Purpose
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.validation import PathReport, check_path
from jpki.certificates.verdict import Reason
from jpki.errors import CertificateMalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLogin:
    """Who logged in. Exists only if every check that was made succeeded."""

    parsed: ParsedCertificate
    path: PathReport

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that was used."""
        return self.parsed.certificate

    @property
    def user(self) -> CertificateProfile:
        """What the certificate says; read when asked for, as that takes its time."""
        return read_profile(self.parsed)


def verify_token(
    token: AuthToken | str | bytes,
    origin: str,
    nonce: str,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
) -> VerifiedLogin:
    """Verify a token for one origin and one nonce -> who logged in.

    Args:
        token: the token, or its JSON.
        origin: the site's own, from its configuration and never from the request.
        nonce: the challenge that this session got. The caller takes it out of the session first,
            so that it counts once, and looks at its age.
        anchors: CA certificates that the caller trusts.
        at: the time, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count.

    Raises:
        TokenError: ``fault`` says at which step it was refused; for CERTIFICATE ``reasons`` are
            those of the path check.
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
    """
    message = login_message(origin, nonce)
    if not isinstance(token, AuthToken):
        token = AuthToken.from_json(token)
    if token.algorithm != ALGORITHM:
        raise TokenError(TokenFault.ALGORITHM, f"only {ALGORITHM} is known")
    try:
        leaf = ParsedCertificate.but_for_extensions(token.certificate)
    except CertificateMalformedError as error:
        raise _certificate_error(PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))) from error
    path = check_path(leaf, anchors, at, Purpose.LOGIN, revocation)
    if path.reasons or path.anchor is None:
        raise _certificate_error(path)
    _check_signature(leaf.rsa_key, token.signature, message)
    return VerifiedLogin(parsed=leaf, path=path)


def _certificate_error(path: PathReport) -> TokenError:
    detail = ", ".join(path.reasons)
    return TokenError(TokenFault.CERTIFICATE, detail, reasons=path.reasons, path_report=path)


def _check_signature(key: RSAPublicKey | None, signature: bytes, message: bytes) -> None:
    if key is None:
        raise TokenError(TokenFault.ALGORITHM, "not an RSA key")
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        # Also what a token for another site or another session looks like.
        raise TokenError(TokenFault.SIGNATURE, "made for another origin or nonce") from error
