"""The check of a path, and of revocation by a long list."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import BIN, PKI, ROOT, best_of, each_of, row, run

LISTED = 100_000


def make_long_list(folder: Path) -> Path:
    """A CRL by OpenSSL, of LISTED people; the usual signer of the fixtures is its last."""
    serials = [*range(0x20000000, 0x20000000 + 7919 * (LISTED - 1), 7919), 0x01020304]
    (folder / "index.txt").write_text(
        "".join(
            f"R\t300331145959Z\t260501000000Z,superseded\t{serial:08X}\tunknown\t/CN=x\n"
            for serial in serials
        )
    )
    config = folder / "ca.cnf"
    config.write_text(
        f"[ca]\ndefault_ca = list\n[list]\ndatabase = {folder}/index.txt\ndefault_md = sha256\n"
    )
    path = folder / "long.crl"
    run(
        "openssl", "ca", "-gencrl", "-config", config, "-out", path,
        "-cert", PKI / "signature-ca.pem", "-keyfile", PKI / "signature-ca.key",
        "-crl_lastupdate", "260601000000Z", "-crl_nextupdate", "260602000000Z",
    )  # fmt: skip
    return path


LOOK_UP = """
import resource, sys, time
from pathlib import Path
from support.pki import AT, load
from jpki.certificates import Revocation
from jpki.certificates.revocation import RevocationMaterial, check_revocation, load_crls
leaf, ca, data = load("signature"), load("signature-ca"), Path(sys.argv[1]).read_bytes()
started = time.perf_counter()
finding = check_revocation(leaf, ca, AT, RevocationMaterial(crls=load_crls(data)))
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
assert finding.status is Revocation.REVOKED, finding
"""


def look_up(crl: Path) -> tuple[float, int]:
    """Load and first look-up in a process of its own -> seconds, its peak memory in KiB."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    result = subprocess.run(
        [BIN / "python", "-c", LOOK_UP, crl],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, memory = result.stdout.split()
    return float(seconds), int(memory)


def measure_revocation(folder: Path) -> None:
    crl = make_long_list(folder)
    results = [look_up(crl) for _ in range(3)]
    seconds, memory = min(item[0] for item in results), max(item[1] for item in results)
    at = str(int(datetime(2026, 6, 1, 3, tzinfo=UTC).timestamp()))
    verify = ("openssl", "verify", "-CAfile", PKI / "signature-ca.pem", "-attime", at)
    leaf = PKI / "signature.pem"
    plain_s, _ = best_of(3, *verify, leaf)
    script = '"$@" 2>&1 | grep -q "error 23 "'  # revoked, as it must be, for which OpenSSL fails
    checked_s, checked = best_of(
        3, "sh", "-c", script, "sh", *verify, "-crl_check", "-CRLfile", crl, leaf
    )
    row(
        f"CRL of {LISTED:,} entries: load and first look-up",
        f"{seconds:.3f} s, process of {memory / 1024:.0f} MB",
        "0.5 s",
    )
    row(
        "the same by openssl verify -crl_check, less a start without",
        f"{checked_s - plain_s:.3f} s, process of {checked / 1024:.0f} MB",
    )


def measure_path_check(_folder: Path) -> None:
    """A leaf that was loaded, as in a run over many signatures, and one that was not."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from support.pki import AT, load

    from jpki.certificates import Purpose, check_path, load_certificates

    leaf, root = load("signature"), load("signature-ca")
    der = leaf.public_bytes(Encoding.DER)

    def load_and_check() -> None:
        (fresh,) = load_certificates(der)
        if check_path(fresh, [root], AT, Purpose.DOCUMENT).reasons:
            raise SystemExit("the usual certificate does not pass")

    rsa_s = each_of(2000, lambda: leaf.verify_directly_issued_by(root))
    check_s = each_of(2000, lambda: check_path(leaf, [root], AT, Purpose.DOCUMENT))
    loaded_s = each_of(2000, load_and_check)
    for what, seconds in (("path check", check_s), ("the same, loaded from DER", loaded_s)):
        row(
            f"{what}, beside the RSA signature alone",
            f"{seconds * 1e3:.3f} ms / {rsa_s * 1e3:.3f} ms = {seconds / rsa_s:.1f}",
            "1 ms",
        )
