"""The measurements behind `scripts/bench`, each of a program run as a user would run it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PKI = ROOT / "fixtures" / "pki"
sys.path.insert(0, str(ROOT / "tests"))

PASSWORD = "BENCH2026"
PIN = "1848"
BLOCK = 256
LARGE = 4 << 30
LISTED = 100_000
OPENSC_MODULE = "opensc-pkcs11.so"


def row(what: str, measured: str, bound: str = "") -> None:
    print(f"| {what} | {measured} | {bound} |", flush=True)


def run(*arguments: str | Path, **environment: str) -> tuple[float, int]:
    """Run a program -> wall time in seconds, peak resident memory in KiB. It must succeed."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [str(argument) for argument in arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{arguments} ended with {child.returncode}")
    return elapsed, usage.ru_maxrss


def best_of(times: int, *arguments: str | Path, **environment: str) -> tuple[float, int]:
    """The fastest of several runs, and the largest peak of memory."""
    results = [run(*arguments, **environment) for _ in range(times)]
    return min(seconds for seconds, _ in results), max(memory for _, memory in results)


def new_card(folder: Path) -> Path:
    from jpki.emulator import create_card

    path = folder / "card.json"
    create_card(path, signature_password=PASSWORD, authentication_pin=PIN)
    return path


def exchanges_of(folder: Path, card: Path, *arguments: str | Path) -> int:
    """How many APDUs a command exchanges with the card in the process, by its own trace."""
    log = folder / "apdu.log"
    log.unlink(missing_ok=True)
    run(
        BIN / "jpki", "--reader", f"emulator:{card}", "--apdu-log", log, *arguments,
        PASSWORD=PASSWORD, PIN=PIN,
    )  # fmt: skip
    return sum(line.startswith(">") for line in log.read_text().splitlines())


def blocks_of(folder: Path, card: Path, name: str, *options: str) -> int:
    out = folder / f"{name}.der"
    run(
        BIN / "jpki", "--reader", f"emulator:{card}", "cert", "export", name, "--der", "--force",
        "-o", out, *options, PASSWORD=PASSWORD,
    )  # fmt: skip
    return -(-out.stat().st_size // BLOCK)


def measure_exchanges(folder: Path) -> None:
    card = new_card(folder)
    documents = [folder / f"{number}.txt" for number in range(100)]
    for document in documents:
        document.write_text(f"contract {document.stem}\n")
    signature_blocks = blocks_of(folder, card, "signature", "--pin-from", "env:PASSWORD")
    authentication_blocks = blocks_of(folder, card, "authentication")

    def count(*arguments: str | Path) -> str:
        return f"{exchanges_of(folder, card, *arguments)} exchanges"

    sign = ("sign", "--format", "cms", "--force", "--pin-from", "env:PASSWORD")
    row(
        "read the authentication certificate",
        count("cert", "export", "authentication", "--force", "-o", folder / "auth.pem"),
        f"2 + C = {2 + authentication_blocks}",
    )
    row("sign --format cms", count(*sign, documents[0]), f"7 + C = {7 + signature_blocks}")
    row("pin status, both PINs", count("pin", "status"), "5")
    row(
        "sign 100 files with one PIN",
        count(*sign, *documents),
        f"106 + C = {106 + signature_blocks}",
    )


@contextmanager
def card_behind_pcscd(folder: Path, latency_s: float) -> Iterator[Callable[[], int]]:
    """A virtual card in the first virtual reader; gives the count of its exchanges."""
    from support.vpcd import running_vpcd

    from jpki.emulator import Faults, load_card

    path = folder / "card.json"
    if not path.exists():
        new_card(folder)
    card = load_card(path, faults=Faults(latency_s=latency_s))
    with running_vpcd(folder / "pcscd.log") as readers, readers.insert(card):
        yield lambda: card.exchange_count


def measure_opensc(folder: Path) -> None:
    document = folder / "contract.txt"
    document.write_text("contract\n")
    opensc = (
        "pkcs11-tool", "--module", OPENSC_MODULE, "--slot-index", "1", "--login", "--pin", PASSWORD,
        "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "02",
        "--input-file", document, "--output-file", folder / "opensc.sig",
    )  # fmt: skip
    ours = (
        BIN / "jpki", "--reader", "Virtual PCD 00 00", "sign", "--format", "raw", "--force",
        "--pin-from", "env:PASSWORD", document,
    )  # fmt: skip
    for latency_ms in (0, 20):
        with card_behind_pcscd(folder, latency_ms / 1000) as exchanges:
            before = exchanges()
            opensc_s, _ = run(*opensc)
            between = exchanges()
            jpki_s, _ = run(*ours, PASSWORD=PASSWORD)
            opensc_count, jpki_count = between - before, exchanges() - between
        label = f"raw signature at {latency_ms} ms an exchange: OpenSC / jpki"
        row(
            f"{label}, exchanges",
            f"{opensc_count} / {jpki_count} = {opensc_count / jpki_count:.1f}",
        )
        row(f"{label}, wall time", f"{opensc_s:.2f} s / {jpki_s:.2f} s = {opensc_s / jpki_s:.1f}")


def measure_large_file(folder: Path) -> None:
    card = new_card(folder)
    document = folder / "large.bin"
    with document.open("wb") as file:
        file.truncate(LARGE)
    run("openssl", "dgst", "-sha256", document)  # warms the cache
    openssl_s, _ = best_of(3, "openssl", "dgst", "-sha256", document)
    jpki_s, memory = best_of(
        3, BIN / "jpki", "--reader", f"emulator:{card}", "sign", "--format", "cms", "--force",
        "--pin-from", "env:PASSWORD", document, PASSWORD=PASSWORD,
    )  # fmt: skip
    row("detached signature of 4 GiB, peak memory", f"{memory / 1024:.0f} MB", "150 MB")
    row(
        "the same, time beside openssl dgst -sha256",
        f"{jpki_s:.2f} s / {openssl_s:.2f} s = {jpki_s / openssl_s:.2f}",
        "1.5",
    )


def write_large_pdf(path: Path) -> None:
    """A PDF of 100 MB, as of a hundred scanned pages.

    Piece by piece: the peak of this process's memory would count as that of those it starts.
    """
    from support import pdf

    base = pdf.build(pdf.one_page())
    table = b"xref\n"
    with path.open("wb") as file:
        file.write(base)
        for number in range(10, 110):
            table += b"%d 1\n%010d 00000 n \n" % (number, file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (number, pdf.stream(os.urandom(1 << 20))))
        place = file.tell()
        table += b"trailer\n<< /Root 1 0 R /Size 110 /Prev %d >>\n" % pdf.startxref(base)
        file.write(table + b"startxref\n%d\n%%%%EOF\n" % place)


def measure_pdf(folder: Path) -> None:
    from support import pdf

    card = new_card(folder)
    sign = (
        BIN / "jpki", "--reader", f"emulator:{card}", "sign", "--format", "pdf", "--force",
        "--pin-from", "env:PASSWORD",
    )  # fmt: skip
    large = folder / "large.pdf"
    write_large_pdf(large)
    small = [folder / f"{number}.pdf" for number in range(100)]
    for document in small:
        document.write_bytes(pdf.build(pdf.one_page(text=f"CONTRACT {document.stem}")))
    large_s, memory = best_of(3, *sign, large, PASSWORD=PASSWORD)
    one_s, _ = best_of(3, *sign, small[0], PASSWORD=PASSWORD)
    all_s, _ = best_of(3, *sign, *small, PASSWORD=PASSWORD)
    row("sign a PDF of 100 MB, with the start of jpki", f"{large_s:.2f} s", "1.5 s")
    row("the same, beyond a PDF of 1 KB", f"{large_s - one_s:.2f} s")
    row("the same, peak memory", f"{memory / 1024:.0f} MB", "250 MB")
    each_ms = (all_s - one_s) / (len(small) - 1) * 1000
    row("each of 100 PDFs with one PIN", f"{each_ms:.0f} ms", "60 ms beyond the card's time")


def measure_start(_folder: Path) -> None:
    bare_s, _ = best_of(15, BIN / "python", "-c", "pass")
    version_s, _ = best_of(15, BIN / "jpki", "--version")
    row(
        "jpki --version beside python -c pass",
        f"{version_s * 1000:.0f} ms / {bare_s * 1000:.0f} ms = {version_s / bare_s:.1f}",
        "5",
    )


def measure_round_trip(folder: Path) -> None:
    from apdu.command import CommandApdu
    from apdu.transports.pcsc import PcscContext

    count = 500
    select = CommandApdu(ins=0xA4, p1=0x04, p2=0x0C, data=bytes.fromhex("D392F000260100000001"))
    with (
        card_behind_pcscd(folder, 0),
        PcscContext() as context,
        context.connect("Virtual PCD 00 00") as transport,
    ):
        started = time.perf_counter()
        for _ in range(count):
            transport.transmit(select.encode())
        each = (time.perf_counter() - started) / count
    row("one exchange through pcscd", f"{each * 1000:.2f} ms", "1 ms")


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


def each_of(times: int, action: Callable[[], object]) -> float:
    """Seconds of one action, the fastest of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(times // 5):
            action()
        rounds.append((time.perf_counter() - started) / (times // 5))
    return min(rounds)


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
        run(
            *("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"),
            *("-in", signature, "-content", signature.with_suffix(""), "-out", "/dev/null"),
            *("-CAfile", ca, "-attime", str(int(AT.timestamp()))),
        )
    openssl_s = time.perf_counter() - started
    row(
        "1,000 CMS files: openssl cms -verify for each / jpki verify --jobs 2",
        f"{openssl_s:.2f} s / {jpki_s:.2f} s = {openssl_s / jpki_s:.1f}",
        "3",
    )


MEASUREMENTS = {
    "exchanges": measure_exchanges,
    "opensc": measure_opensc,
    "large-file": measure_large_file,
    "pdf": measure_pdf,
    "start": measure_start,
    "round-trip": measure_round_trip,
    "verification": measure_verification,
    "revocation": measure_revocation,
    "path-check": measure_path_check,
}


def main() -> None:
    """Run the named measurements, or all."""
    print("| what | measured | bound |\n|---|---|---|")
    for name in sys.argv[1:] or MEASUREMENTS:
        with tempfile.TemporaryDirectory() as folder:
            MEASUREMENTS[name](Path(folder))


if __name__ == "__main__":
    main()
