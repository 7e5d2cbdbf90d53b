"""Logins: what a site pays to check a token, beside the least that it could pay."""

from dataclasses import replace
from itertools import cycle
from pathlib import Path

from benchmarks.measuring import each_of, row

ORIGIN = "https://example.jp"
TOKENS = 20


def measure_token(_folder: Path) -> None:
    """A token in JSON to an answer, beside one RSA verification with a key that was loaded.

    Every token has a certificate of its own, so nothing can be left from the one before; the
    trust anchors are made ready once, as a server does at its start.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from support.pki import AT, AUTHENTICATION_LEAF, load, load_key

    from jpki.authentication import login_message, make_token, new_nonce, verify_token
    from jpki.certificates import TrustAnchors

    key, nonce = load_key("authentication"), new_nonce()
    public_key = key.public_key()
    leaves = [
        replace(AUTHENTICATION_LEAF, serial_number=0x700000 + number).build(
            public_key, load_key("authentication-ca")
        )
        for number in range(TOKENS)
    ]
    tokens = [make_token(ORIGIN, nonce, key, leaf, "https://example.jp/jpki") for leaf in leaves]
    texts = cycle([token.to_json() for token in tokens])
    anchors = TrustAnchors([load("authentication-ca")])
    message, signature = login_message(ORIGIN, nonce), tokens[0].signature
    rsa_s = each_of(5000, lambda: public_key.verify(signature, message, PKCS1v15(), SHA256()))
    login_s = each_of(5000, lambda: verify_token(next(texts), ORIGIN, nonce, anchors, AT))
    row(
        "validation of a login token / one RSA verification",
        f"{login_s * 1e3:.3f} ms / {rsa_s * 1e3:.3f} ms = {login_s / rsa_s:.1f}",
        "5",
    )
