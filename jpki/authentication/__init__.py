"""Logging in with the authentication key: challenge, token, verifier (Web eID, format web-eid:1.0)."""

from jpki.authentication.challenge import new_nonce
from jpki.authentication.token import (
    AuthToken,
    check_nonce,
    check_origin,
    login_message,
    make_token,
)
from jpki.authentication.verifier import VerifiedLogin, verify_token

__all__ = [
    "AuthToken",
    "VerifiedLogin",
    "check_nonce",
    "check_origin",
    "login_message",
    "make_token",
    "new_nonce",
    "verify_token",
]
