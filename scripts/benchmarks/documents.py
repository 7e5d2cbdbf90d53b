"""Signing large documents and many."""

import os
from pathlib import Path

from benchmarks.cards import PASSWORD, new_card
from benchmarks.measuring import BIN, best_of, row, run

LARGE = 4 << 30


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
