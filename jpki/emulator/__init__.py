"""A virtual My Number Card: in the process, or behind pcscd. It judges the rest of the toolkit.

It shares no code with ``apdu`` and the rest of ``jpki``, and it is personalised with a throw-away
CA, so that it can never pass for a real card.
"""

from jpki.emulator.card import VirtualCard
from jpki.emulator.card_file import CardFileError
from jpki.emulator.faults import (
    CardPulledError,
    CardSilentError,
    Faults,
    SignatureFault,
    TriesQuery,
)
from jpki.emulator.issue import CardKeys
from jpki.emulator.personalise import (
    CardDescription,
    PinDescription,
    create_card,
    describe_card,
    export_ca,
    load_card,
)
from jpki.emulator.vpcd import ServeEvent, StopSignal, serve

__all__ = [
    "CardDescription",
    "CardFileError",
    "CardKeys",
    "CardPulledError",
    "CardSilentError",
    "Faults",
    "PinDescription",
    "ServeEvent",
    "SignatureFault",
    "StopSignal",
    "TriesQuery",
    "VirtualCard",
    "create_card",
    "describe_card",
    "export_ca",
    "load_card",
    "serve",
]
