"""Logins: what a site pays to check a token, beside the least that it could pay."""

import time
from dataclasses import replace
from pathlib import Path

from benchmarks.measuring import each_of, row

ORIGIN = "https://example.jp"
PEOPLE = 200
ROUNDS = 15


def measure_token(_folder: Path) -> None:
    """Tokens in JSON to answers, by a validator as a site makes it at its start.

    Beside one RSA verification with a key that was loaded. What a validator has seen it knows
    again by its digest, so a person's first login is a measurement of its own.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from support.pki import AT, AUTHENTICATION_LEAF, load, load_key

    from jpki.authentication import TokenValidator, login_message, make_token, new_nonce

    key, nonce = load_key("authentication"), new_nonce()
    public_key = key.public_key()
    leaves = [
        replace(AUTHENTICATION_LEAF, serial_number=0x700000 + number).build(
            public_key, load_key("authentication-ca")
        )
        for number in range(PEOPLE)
    ]
    tokens = [make_token(ORIGIN, nonce, key, leaf, "https://example.jp/jpki") for leaf in leaves]
    texts = [token.to_json() for token in tokens]
    first: list[float] = []
    again: list[float] = []
    for _ in range(ROUNDS):
        validator = TokenValidator(
            origin=ORIGIN, anchors=(load("authentication-ca"),), clock=lambda: AT
        )
        for times in (first, again):
            started = time.perf_counter()
            for text in texts:
                validator.validate(text, nonce)
            times.append((time.perf_counter() - started) / PEOPLE)
    message, signature = login_message(ORIGIN, nonce), tokens[0].signature
    rsa_s = each_of(5000, lambda: public_key.verify(signature, message, PKCS1v15(), SHA256()))
    for what, login_s, bound in (
        ("validation of a login token / one RSA verification", min(again), "5"),
        ("the same, a person's first login since the site started", min(first), ""),
    ):
        row(
            what,
            f"{login_s * 1e3:.3f} ms / {rsa_s * 1e3:.3f} ms = {login_s / rsa_s:.1f}",
            *([bound] if bound else []),
        )
