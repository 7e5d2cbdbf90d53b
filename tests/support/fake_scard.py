"""A `smartcard.scard` of few lines, for what the real one does only when things go wrong."""

from typing import Any

from smartcard import scard  # noqa: TID251 (its numbers)

READER = "Virtual PCD 00 00"
PRESENT = scard.SCARD_STATE_PRESENT | 3 << 16
EMPTY = scard.SCARD_STATE_EMPTY | 4 << 16
OK = scard.SCARD_S_SUCCESS


class FakeScard:
    """Logs the calls and returns the next prepared result of a function, or success."""

    def __init__(self, **results: list[Any]) -> None:
        self.log: list[tuple[Any, ...]] = []
        self._results = {f"SCard{name}": list(prepared) for name, prepared in results.items()}
        self._defaults = {
            "SCardEstablishContext": (OK, 100),
            "SCardConnect": (OK, 7, scard.SCARD_PROTOCOL_T1),
            "SCardTransmit": (OK, [0x90, 0x00]),
            "SCardGetStatusChange": (OK, [(READER, PRESENT, [0x3B, 0x00])]),
            "SCardListReaders": (OK, [READER]),
        }

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("SCard"):
            return getattr(scard, name)

        def call(*arguments: Any) -> Any:
            self.log.append((name, *arguments))
            prepared = self._results.get(name)
            return prepared.pop(0) if prepared else self._defaults.get(name, OK)

        return call

    def prepare(self, function: str, *results: Any) -> None:
        """Append results of a function, named without "SCard"."""
        self._results.setdefault(f"SCard{function}", []).extend(results)

    @property
    def names(self) -> list[str]:
        return [entry[0].removeprefix("SCard") for entry in self.log]
