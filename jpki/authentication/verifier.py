"""Verifying a Web eID authentication token, in the order of its specification."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from jpki.authentication.token import AuthToken
from jpki.certificates.describe import CertificateSummary
from jpki.certificates.verdict import AnchorOrigin, Revocation, Unchecked


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLogin:
    """Who logged in. Exists only if every check that was made succeeded."""

    certificate: x509.Certificate
    user: CertificateSummary
    anchor: AnchorOrigin
    anchor_certificate: CertificateSummary
    revocation: Revocation = Revocation.NOT_CHECKED
    not_checked: tuple[Unchecked, ...] = tuple(Unchecked)


def verify_token(
    token: AuthToken | str | bytes,
    origin: str,
    nonce: str,
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> VerifiedLogin:
    """Verify a token for one origin and one nonce -> who logged in.

    Args:
        token: the token, or its JSON.
        origin: the site's own origin, from its configuration and never from the request.
        nonce: the challenge that this session got; the caller takes it out of the session first, so that it counts once.
        anchors: CA certificates that the caller trusts.
        at: the time, with a time zone.

    Raises:
        TokenError: `fault` says at which step it was refused.
        ValueError: `at` has no time zone (a bug of the caller).
    """
    raise NotImplementedError
