"""How long a PIN is kept."""

import time

import pytest

from cli.ssh.kept_pin import KeptPin
from jpki.files import PinKind
from jpki.pins import Pin


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock that counts sleep")
def test_a_pin_does_not_outlive_its_time_because_the_machine_slept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asleep_s = 0.0
    clock_gettime = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: clock_gettime(clock) + asleep_s)
    kept, pin = KeptPin(None, 600.0, lambda _work: None), Pin(PinKind.AUTHENTICATION, "1357")
    kept.keep(pin)
    assert kept.current() is pin
    asleep_s = 601.0
    assert kept.current() is None
    assert pin.reveal() == bytes(4)
