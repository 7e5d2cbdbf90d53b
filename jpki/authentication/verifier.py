"""Verifying a Web eID authentication token, in the order of its specification."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

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
from jpki.certificates.parsed import ParsedCertificate
from jpki.certificates.profile import CertificateProfile, read_profile
from jpki.certificates.purpose import Purpose
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.validation import PathReport, check_path
from jpki.certificates.verdict import Reason
from jpki.errors import CertificateMalformedError

RevocationProvider = Callable[[x509.Certificate], RevocationMaterial]
"""Certificate -> what there is to look at, such as the newest CRL of its municipality.

The certificate comes from a stranger and nothing of it is verified yet, so look only at data that
are at hand. A server to ask goes into ``RevocationMaterial.responder``: that one is asked when
everything else has passed, the signature of the token as well.
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VerifiedLogin:
    """Who logged in. Exists only if every check that was made succeeded.

    Its ``repr`` may be logged: it has the two identifiers, but no serial number, no name and no
    byte of the certificate.
    """

    parsed: ParsedCertificate
    path: PathReport

    @property
    def certificate_id(self) -> str:
        """Of this very certificate: SHA-256 of its DER, 64 hex digits. The next has another."""
        return self.parsed.fingerprint_sha256

    @property
    def subject_id(self) -> str:
        """Of this subject at this CA key: SHA-256, 64 hex digits. See ``docs/relying-party.md``.

        The same for every certificate that this key issues to this subject name, and for no other.
        """
        issuer = self.path.anchor_certificate
        assert issuer is not None  # noqa: S101  # what passed has one
        # Not over the serial number: it has 32 bits, so a digest of it would hide nothing.
        key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        parts = (b"jpki subject 1", key, self.certificate.subject.public_bytes())
        return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that was used."""
        return self.parsed.certificate

    @property
    def user(self) -> CertificateProfile:
        """What the certificate says; read when asked for, as that takes its time."""
        return read_profile(self.parsed)

    def __repr__(self) -> str:
        """Name nobody."""
        return f"VerifiedLogin(certificate_id={self.certificate_id}, subject_id={self.subject_id})"


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
    """CA certificates that the site trusts; they are looked at once, here."""
    revocation: RevocationMaterial | RevocationProvider = NOTHING_GIVEN
    """Those who are no registered verifiers have none; the answer then says "not checked"."""
    clock: Clock = utc_now

    def __post_init__(self) -> None:
        """Refuse at the start what would refuse every login."""
        check_origin(self.origin)
        object.__setattr__(self, "anchors", check_anchors_and_time(self.anchors, self.clock()))

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
    return _verified(token, origin, nonce, anchors, at, revocation)


def _verified(
    token: AuthToken | str | bytes,
    origin: str,
    nonce: str,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial | RevocationProvider,
) -> VerifiedLogin:
    message = login_message(origin, nonce)
    if not isinstance(token, AuthToken):
        token = AuthToken.from_json(token)
    if token.algorithm != ALGORITHM:
        raise TokenError(TokenFault.ALGORITHM, f"only {ALGORITHM} is known")
    try:
        leaf = ParsedCertificate.from_der(token.certificate)
        if not isinstance(revocation, RevocationMaterial):
            revocation = revocation(leaf.read().certificate)  # which may look at all of it
    except CertificateMalformedError as error:
        raise _certificate_error(PathReport(reasons=(Reason.CERTIFICATE_MALFORMED,))) from error
    signature = token.signature

    def check_signature() -> None:
        _check_signature(leaf.rsa_key, signature, message)

    path = check_path(leaf, anchors, at, Purpose.LOGIN, _asked_last(revocation, check_signature))
    if path.reasons or path.anchor is None:
        raise _certificate_error(path)
    check_signature()
    return VerifiedLogin(parsed=leaf, path=path)


def _asked_last(
    revocation: RevocationMaterial, check_signature: Callable[[], None]
) -> RevocationMaterial:
    """The same, its responder asked for nobody who only knows another one's certificate."""
    responder = revocation.responder
    if responder is None:
        return revocation

    def ask(request: bytes) -> bytes:
        check_signature()
        return responder(request)

    return replace(revocation, responder=ask)


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
