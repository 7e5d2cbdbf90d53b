"""How many APDUs a command exchanges, and what one takes."""

import time
from pathlib import Path

from benchmarks.cards import PASSWORD, PIN, card_behind_pcscd, new_card
from benchmarks.measuring import BIN, row, run

BLOCK = 256


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
        "auth respond",
        count("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44,
              "--pin-from", "env:PIN"),
        f"7 + C = {7 + authentication_blocks}",
    )  # fmt: skip
    row(
        "sign 100 files with one PIN",
        count(*sign, *documents),
        f"106 + C = {106 + signature_blocks}",
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
