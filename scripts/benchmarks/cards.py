"""Virtual cards, in the process of a command or behind pcscd."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "BENCH2026"
PIN = "1848"


def new_card(folder: Path) -> Path:
    from jpki.emulator import create_card

    path = folder / "card.json"
    create_card(path, signature_password=PASSWORD, authentication_pin=PIN)
    return path


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
