"""Verifying a Web eID authentication token, in the order of its specification."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jpki.authentication.clock import Clock, utc_now
from jpki.authentication.errors import TokenError, TokenFault
from jpki.authentication.origin import check_origin
from jpki.authentication.token import ALGORITHM, AuthToken, login_message
from jpki.certificates.issuer import check_anchors_and_time
from jpki.certificates.loading import load_certificate
from jpki.certificates.profile import CertificateProfile, read_profile
from jpki.certificates.purpose import Purpose
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.trust import fingerprint_sha256
from jpki.certificates.validation import PathReport, check_path
from jpki.certificates.verdict import Reason
from jpki.errors import CertificateMalformedError

RevocationProvider = Callable[[x509.Certificate], RevocationMaterial]
"""Certificate -> what there is to look at, such as the newest CRL of its municipality.

The certificate comes from a stranger and nothing of it is verified yet, so look only at data that
are at hand. A server to ask goes into ``RevocationMaterial.responder``: that one is asked when
everything else about the certificate has passed.
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VerifiedLogin:
    """Who logged in. Exists only if every check that was made succeeded.

    Its ``repr`` may be logged: the two identifiers, so no serial number, no name and no byte of the
    certificate.
    """

    certificate: x509.Certificate
    user: CertificateProfile
    path: PathReport

    @property
    def certificate_id(self) -> str:
        """Of this very certificate: SHA-256 of its DER, 64 hex digits. The next one has another."""
        return fingerprint_sha256(self.certificate)

    @property
    def subject_id(self) -> str:
        """Of this subject at this CA key: SHA-256, 64 hex digits. See ``docs/relying-party.md``.

        The same for every certificate that the key issues to this subject name, and for no other.
        """
        assert self.path.anchor_certificate is not None  # noqa: S101  # or nobody had logged in
        issuer = self.path.anchor_certificate.public_key()
        key = issuer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        # Not over the serial number: it has 32 bits, so a digest of it would hide nothing.
        parts = (b"jpki subject 1", key, self.certificate.subject.public_bytes())
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def __repr__(self) -> str:
        ids = f"certificate_id={self.certificate_id!r}, subject_id={self.subject_id!r}"
        return f"{type(self).__name__}({ids})"


def no_revocation_data(_certificate: x509.Certificate) -> RevocationMaterial:
    """Of those who are no registered verifiers: the answer then says "not checked"."""
    return NOTHING_GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenValidator:
    """The check of a site, configured once; threads may share it.

    Raises:
        TokenError: ORIGIN.
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ValueError: the clock has no time zone (a bug of the caller).
    """

    origin: str
    """The site's own, from its configuration and never from a request."""
    anchors: Sequence[x509.Certificate] = field(repr=False)
    """CA certificates that the site trusts."""
    revocation: RevocationProvider = no_revocation_data
    clock: Clock = utc_now

    def __post_init__(self) -> None:
        """Refuse at the start what would refuse every login."""
        check_origin(self.origin)
        check_anchors_and_time(self.anchors, self.clock())

    def validate(self, token: AuthToken | str | bytes, nonce: str) -> VerifiedLogin:
        """Validate a token for one nonce -> who logged in.

        Args:
            token: the token, or its JSON.
            nonce: the challenge that this session got. Take it from the ``ChallengeStore`` first,
                so that it counts once, whatever becomes of the token.

        Raises:
            TokenError: ``fault`` says at which step it was refused; for CERTIFICATE ``reasons`` are
                those of the path check.
            ServerError: the OCSP responder of the revocation material failed.
        """
        return _verified(token, self.origin, nonce, self.anchors, self.clock(), self.revocation)


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
    return _verified(token, origin, nonce, anchors, at, lambda _certificate: revocation)


def _verified(
    token: AuthToken | str | bytes,
    origin: str,
    nonce: str,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationProvider,
) -> VerifiedLogin:
    message = login_message(origin, nonce)
    if not isinstance(token, AuthToken):
        token = AuthToken.from_json(token)
    if token.algorithm != ALGORITHM:
        raise TokenError(TokenFault.ALGORITHM, f"only {ALGORITHM} is known")
    try:
        certificate = load_certificate(token.certificate)
    except CertificateMalformedError as error:
        raise _certificate_error(PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))) from error
    path = check_path(certificate, anchors, at, Purpose.LOGIN, revocation(certificate))
    if path.reasons or path.anchor_certificate is None:
        raise _certificate_error(path)
    _check_signature(certificate, token.signature, message)
    return VerifiedLogin(
        certificate=certificate,
        user=read_profile(certificate),
        path=path,
    )


def _certificate_error(path: PathReport) -> TokenError:
    detail = ", ".join(path.reasons)
    return TokenError(TokenFault.CERTIFICATE, detail, reasons=path.reasons, path_report=path)


def _check_signature(certificate: x509.Certificate, signature: bytes, message: bytes) -> None:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise TokenError(TokenFault.ALGORITHM, "not an RSA key")
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        # Also what a token for another site or another session looks like.
        raise TokenError(TokenFault.SIGNATURE, "made for another origin or nonce") from error
