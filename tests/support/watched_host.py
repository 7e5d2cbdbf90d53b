"""The native host with a witness in its virtual card; run as a program by the tests.

JPKI_TEST_LOG names a file for what reaches the card: a line for each command, and for each loss of
power. JPKI_TEST_SLOW is "INS MODE", INS in hex (a VERIFY only with data), MODE "slow" (it takes
long), "stuck" (it cannot be interrupted either) or "pulled" (the card is gone). JPKI_TEST_PRINT
prints where only frames may be.
"""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jpki.emulator
from cli.native_host import process as native_host
from jpki.emulator import VirtualCard

NEVER_S = 3600.0


def main() -> None:
    load, cut = jpki.emulator.load_card, VirtualCard.power_off
    with Path(os.environ["JPKI_TEST_LOG"]).open("a", encoding="ascii", buffering=1) as log:
        ins, _, mode = os.environ.get("JPKI_TEST_SLOW", "").partition(" ")

        def hook(_exchange: int, command: bytes, answer: bytes) -> bytes:
            has_data = len(command) > 5
            log.write(f"{command[:4].hex()}{'+' if has_data else ''}\n")
            if os.environ.get("JPKI_TEST_PRINT"):
                print("not a frame", flush=True)  # noqa: T201  # on purpose
                os.write(1, b"nor this")
            if ins and command[1] == int(ins, 16) and (command[1] != 0x20 or has_data):
                hold(mode)
            return answer

        def watched(path: Path, **more: Any) -> VirtualCard:
            card = load(path, **more)
            card.faults = replace(card.faults, hook=hook)
            return card

        def power_off(card: VirtualCard) -> None:
            log.write("off\n")
            cut(card)

        jpki.emulator.load_card = watched  # type: ignore[assignment]
        VirtualCard.power_off = power_off  # type: ignore[assignment, method-assign]
        native_host.main()


def hold(mode: str) -> None:
    if mode == "pulled":
        raise jpki.emulator.CardPulledError
    while True:
        try:
            time.sleep(NEVER_S)
        except BaseException:
            if mode == "slow":
                raise


if __name__ == "__main__":
    main()
