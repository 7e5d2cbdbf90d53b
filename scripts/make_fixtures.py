"""Write fixtures/pki: keys are made where they are missing, certificates are always the same.

Usage: python scripts/make_fixtures.py
"""

import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.pki import KEY_NAMES, PKI_DIR, RECIPES, load_key


def main() -> None:
    PKI_DIR.mkdir(parents=True, exist_ok=True)
    for name in KEY_NAMES:
        path = PKI_DIR / f"{name}.key"
        if not path.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            path.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
    for name, recipe in RECIPES.items():
        certificate = recipe.build(load_key)
        (PKI_DIR / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        print(f"{name}.pem  {recipe.what}")


if __name__ == "__main__":
    main()
