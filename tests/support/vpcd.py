"""A real pcscd with vpcd's two virtual readers, and cards to put into them.

The tests speak to virtual readers only: whatever else is plugged in may hold someone's real card,
so the suite ends when another reader is seen.
"""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from smartcard import scard  # noqa: TID251 - judges what our own transport does

from jpki.emulator.vpcd import DEFAULT_PORT, ServedCard, ServeEvent, StopSignal, serve

READERS = ("Virtual PCD 00 00", "Virtual PCD 00 01")
DEADLINE_S = 10.0
REMEDY = (
    "install pcscd and vsmartcard-vpcd (scripts/setup), and either end the pcscd that runs "
    "or give it the Virtual PCD reader (/etc/reader.conf.d/vpcd)"
)


class Vpcd:
    """The two virtual readers of a running pcscd."""

    readers = READERS

    @contextlib.contextmanager
    def insert(
        self,
        card: ServedCard,
        *,
        slot: int = 0,
        on_event: Callable[[ServeEvent], None] = lambda _event: None,
        reinsert_after_s: float | None = None,
    ) -> Iterator[str]:
        """Put a card into a slot; PC/SC sees it inside the block, and an empty slot after it.

        Gives the reader's name. A card pulled by its faults is out before the block ends.
        """
        _check_readers(_readers() or ())  # a real reader may have been plugged in meanwhile
        failures: list[BaseException] = []

        def run(stop: StopSignal) -> None:
            try:
                serve(
                    card,
                    port=DEFAULT_PORT + slot,
                    stop=stop,
                    on_event=on_event,
                    reinsert_after_s=reinsert_after_s,
                )
            except BaseException as failure:  # noqa: BLE001 - raised again in the test's thread
                failures.append(failure)

        with StopSignal() as stop:
            thread = threading.Thread(target=run, args=(stop,), name=f"card in slot {slot}")
            thread.start()
            try:
                self.wait_until(slot, atr=card.atr)
                yield READERS[slot]
            finally:
                stop.set()
                thread.join(DEADLINE_S)
                assert not thread.is_alive(), "the served card does not end"
                self.wait_until(slot, atr=None)
        if failures:
            raise failures[0]

    def wait_until(self, slot: int, *, atr: bytes | None) -> None:
        """Wait until PC/SC shows a card with this ATR in the slot, or, for None, an empty slot."""
        deadline = time.monotonic() + DEADLINE_S
        with _context() as context:
            current = scard.SCARD_STATE_UNAWARE
            while (remaining := deadline - time.monotonic()) > 0:
                code, states = scard.SCardGetStatusChange(
                    context, int(remaining * 1000), [(READERS[slot], current)]
                )
                if code not in {scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT}:
                    pytest.fail(f"pcscd: {scard.SCardGetErrorMessage(code)}")
                _, current, seen = states[0]
                present = bool(current & scard.SCARD_STATE_PRESENT)
                if atr is None and not present:
                    return
                if atr is not None and present and bytes(seen) == atr:
                    return
        pytest.fail(f"slot {slot} does not show {'a card' if atr else 'that it is empty'}")


@contextlib.contextmanager
def running_vpcd(log: Path) -> Iterator[Vpcd]:
    """Use the pcscd that runs, or start one and end it.

    Where neither can be, this skips, or fails where CI or JPKI_REQUIRE_VPCD is set.
    """
    readers = _readers()
    if readers is None:
        with _own_pcscd(log):
            _check_readers(_readers() or ())
            yield Vpcd()
    else:
        _check_readers(readers)
        yield Vpcd()


@contextlib.contextmanager
def _own_pcscd(log: Path) -> Iterator[None]:
    with log.open("wb") as stream:
        try:
            process = subprocess.Popen(
                ["pcscd", "--foreground"], stdout=stream, stderr=subprocess.STDOUT
            )
        except OSError as error:
            _cannot(f"pcscd does not start: {error}")
        try:
            deadline = time.monotonic() + DEADLINE_S
            while not set(READERS) <= set(_readers() or ()):
                # The pause between two looks, cut short when pcscd ends by itself.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
                if process.returncode is not None or time.monotonic() > deadline:
                    _cannot(f"pcscd has no virtual readers: {log.read_text(errors='replace')}")
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _check_readers(readers: tuple[str, ...]) -> None:
    strangers = [name for name in readers if not name.startswith("Virtual PCD")]
    if strangers:
        pytest.exit(f"a reader that is not virtual is connected: {strangers}", returncode=3)
    if READERS[0] not in readers:
        _cannot("the pcscd that runs has no Virtual PCD reader")


def _cannot(reason: str) -> None:
    message = f"{reason}; {REMEDY}"
    if os.environ.get("CI") or os.environ.get("JPKI_REQUIRE_VPCD"):
        pytest.fail(message)
    pytest.skip(message)


@contextlib.contextmanager
def _context() -> Iterator[Any]:
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code != scard.SCARD_S_SUCCESS:
        pytest.fail(f"pcscd: {scard.SCardGetErrorMessage(code)}")
    try:
        yield context
    finally:
        scard.SCardReleaseContext(context)


def _readers() -> tuple[str, ...] | None:
    """The readers that pcscd lists; None when no pcscd runs."""
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code != scard.SCARD_S_SUCCESS:
        return None
    try:
        code, names = scard.SCardListReaders(context, [])
        return tuple(names) if code == scard.SCARD_S_SUCCESS else ()
    finally:
        scard.SCardReleaseContext(context)
