"""The authentication key as an SSH key: its public line, what it may sign, and an agent for it."""

from jpki.authentication.ssh.agent import Agent, Identity, KeyHolder, Order, Refusal
from jpki.authentication.ssh.keys import (
    DEFAULT_COMMENT,
    SignatureAlgorithm,
    fingerprint,
    key_blob,
    make_signature,
    public_key_of,
    public_line,
)
from jpki.authentication.ssh.purposes import FileSignature, Login, Purpose, is_ssh, purpose_of
from jpki.authentication.ssh.wire import MalformedError

__all__ = [
    "DEFAULT_COMMENT",
    "Agent",
    "FileSignature",
    "Identity",
    "KeyHolder",
    "Login",
    "MalformedError",
    "Order",
    "Purpose",
    "Refusal",
    "SignatureAlgorithm",
    "fingerprint",
    "is_ssh",
    "key_blob",
    "make_signature",
    "public_key_of",
    "public_line",
    "purpose_of",
]
