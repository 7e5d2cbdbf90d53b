"""A card that stops in the middle of a command until the test lets it go on."""

import threading

from jpki.emulator import VirtualCard

VERIFY = 0x20
CHANGE = 0x24
SIGN = 0x2A
DEADLINE_S = 30.0


class HeldCard:
    """Holds the answer to the first command of this INS (a VERIFY only with data).

    The card has carried the command out by then, as a slow card would have.
    """

    def __init__(self, card: VirtualCard, ins: int) -> None:
        self.card = card
        self.reached = threading.Event()
        self.released = threading.Event()
        self.lost_power = threading.Event()
        """Set once the card has been without power after it was let go on."""
        self._ins = ins

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def power_on(self) -> bytes:
        return self.card.power_on()

    def power_off(self) -> None:
        self.card.power_off()
        if self.released.is_set():
            self.lost_power.set()

    def reset(self) -> bytes:
        return self.card.reset()

    def execute(self, command: bytes, /) -> bytes:
        answer = self.card.execute(command)
        if command[1] == self._ins and len(command) > 5 and not self.reached.is_set():
            self.reached.set()
            assert self.released.wait(DEADLINE_S), "the test forgot its card"
        return answer
