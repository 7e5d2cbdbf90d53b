"""The challenge of a login, Web eID architecture: a nonce that is used once."""

import base64
import secrets
from collections.abc import Callable

NONCE_BYTES = 32


def new_nonce(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return a nonce: 44 characters, standard base64 of 32 random bytes.

    The site keeps it in the session with its time, takes it out at first use, and lets it live for
    five minutes.
    """
    return base64.b64encode(random_bytes(NONCE_BYTES)).decode("ascii")
