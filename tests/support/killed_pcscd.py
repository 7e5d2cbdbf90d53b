"""pcscd is killed while a card signs, in namespaces of its own: nobody else's pcscd is touched.

Run as a program by `unshare --mount --net --pid --fork --kill-child`; prints one JSON object.
Arguments: the card file, the document, and where the signature goes.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from support.cards import PASSWORD
from support.held_card import SIGN, HeldCard
from support.process import finish, start
from support.vpcd import READERS

from jpki.emulator import StopSignal, load_card, serve

DEADLINE_S = 20.0


def alone() -> None:
    """A network, a /run and a /proc that only this process and its children see."""
    for command in (
        ("mount", "-t", "proc", "proc", "/proc"),
        ("mount", "-t", "tmpfs", "tmpfs", "/run"),
        ("ip", "link", "set", "lo", "up"),
    ):
        subprocess.run(command, check=True)
    Path("/run/pcscd").mkdir()


def card_in_reader() -> bool:
    done = finish(start("--json", "readers"))
    readers = json.loads(done.stdout).get("readers", []) if done.stdout else []
    return {"number": 0, "name": READERS[0], "card": "my-number"} in readers


def pcscd() -> subprocess.Popen[bytes]:
    """Start it and wait until it shows the card."""
    Path("/run/pcscd/pcscd.pid").unlink(missing_ok=True)
    log = tempfile.TemporaryFile()  # noqa: SIM115 - for pcscd, as long as it lives
    process = subprocess.Popen(["pcscd", "--foreground"], stdout=log, stderr=log)
    deadline = time.monotonic() + DEADLINE_S
    while not card_in_reader():  # each look is a process, so this does not spin
        assert process.poll() is None, "pcscd ended by itself"
        assert time.monotonic() < deadline, "pcscd shows no card"
    return process


def main(card_path: str, document: str, output: str) -> None:
    alone()
    card = HeldCard(load_card(card_path), SIGN)
    place = ("--force", "-o", output, "--format", "raw")
    sign = ("--json", "sign", document, *place, "--pin-from", "env:JPKI_TEST_PIN")
    with StopSignal() as stop:
        thread = threading.Thread(target=serve, args=(card,), kwargs={"stop": stop})
        thread.start()
        try:
            service = pcscd()
            process = start(*sign, pin=PASSWORD)
            assert card.reached.wait(DEADLINE_S), "the signature never came so far"
            service.kill()
            service.wait(DEADLINE_S)
            killed = finish(process)
            without = finish(start("--json", "status"))
            old_output = Path(output).read_bytes().decode("latin-1")
            card.released.set()
            service = pcscd()
            again = finish(start(*sign, pin=PASSWORD))
            service.terminate()
            service.wait(DEADLINE_S)
        finally:
            card.released.set()
            stop.set()
            thread.join(DEADLINE_S)
    result = {
        "killed": [killed.exit_code, killed.stdout.decode(), killed.stderr],
        "without": [without.exit_code, without.stdout.decode(), without.stderr],
        "again": [again.exit_code, again.stdout.decode(), again.stderr],
        "old output": old_output,
        "new output": len(Path(output).read_bytes()),
        "verify_count": card.card.verify_count,
        "tries": card.card.tries("signature"),
    }
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
