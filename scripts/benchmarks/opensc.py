"""The same signature by OpenSC and by jpki, through pcscd."""

from pathlib import Path

from benchmarks.cards import PASSWORD, card_behind_pcscd
from benchmarks.measuring import BIN, row, run

OPENSC_MODULE = "opensc-pkcs11.so"


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
