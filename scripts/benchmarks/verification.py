"""Verifying many signatures, against OpenSSL called for each."""

import subprocess
import time
from pathlib import Path

from benchmarks.measuring import BIN, row, run


def measure_verification(folder: Path) -> None:
    """1,000 detached signatures, each over a file of its own, against OpenSSL called for each."""
    from support.pki import AT, PKI_DIR, load, load_key

    from jpki.signing import sign_cms

    signatures = []
    for number in range(1000):
        document = folder / f"{number}.txt"
        document.write_text(f"contract {number}\n")
        with document.open("rb") as content:
            signed = sign_cms(content, load_key("signature"), load("signature"), signing_time=AT)
        signatures.append(document.with_name(f"{document.name}.p7s"))
        signatures[-1].write_bytes(signed)
    ca = PKI_DIR / "signature-ca.pem"
    jpki_s, _ = run(
        *(BIN / "jpki", "verify", "--jobs", "2", "--trust", ca, "--at", AT.isoformat()),
        *signatures,
    )
    started = time.perf_counter()
    for signature in signatures:
        subprocess.run(
            [
                *("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"),
                *("-in", signature, "-content", signature.with_suffix(""), "-out", "/dev/null"),
                *("-CAfile", ca, "-attime", str(int(AT.timestamp()))),
            ],
            stderr=subprocess.DEVNULL,  # it says for each how well that went
            check=True,
        )
    openssl_s = time.perf_counter() - started
    row(
        "1,000 CMS files: openssl cms -verify for each / jpki verify --jobs 2",
        f"{openssl_s:.2f} s / {jpki_s:.2f} s = {openssl_s / jpki_s:.1f}",
        "3",
    )
