"""Logging in with the authentication key: challenge, token and verifier of Web eID."""

from jpki.authentication.challenge import new_nonce
from jpki.authentication.challenge_store import (
    ChallengeStore,
    MemoryChallengeStore,
    SqliteChallengeStore,
)
from jpki.authentication.origin import check_origin
from jpki.authentication.token import AuthToken, check_nonce, login_message, make_token
from jpki.authentication.verifier import (
    RevocationProvider,
    TokenValidator,
    VerifiedLogin,
    verify_token,
)

__all__ = [
    "AuthToken",
    "ChallengeStore",
    "MemoryChallengeStore",
    "RevocationProvider",
    "SqliteChallengeStore",
    "TokenValidator",
    "VerifiedLogin",
    "check_nonce",
    "check_origin",
    "login_message",
    "make_token",
    "new_nonce",
    "verify_token",
]
