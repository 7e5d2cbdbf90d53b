"""The native host as a process, with the test in the browser's place."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.cards import PASSWORD, PIN
from support.pinentry import ScriptedPinentry
from support.trial import PERSONAL, copy_of_environment
from support.waiting import DEADLINE_S, wait_until

from jpki.emulator.card_file import read_card_file

WEB_EID = "chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/"
ORIGIN = "https://login.example.jp"
NONCE = "bm9uY2Ugb2YgYSB0ZXN0LCA0NCBjaGFyYWN0ZXJzISE="
WATCHED = Path(__file__).with_name("watched_host.py")


@dataclass
class HostProcess:
    """One run of the host."""

    process: subprocess.Popen[bytes]

    def read(self) -> dict[str, Any] | None:
        """The host's next message; None at its end."""
        assert self.process.stdout is not None
        header = self.process.stdout.read(4)
        if not header:
            return None
        (length,) = struct.unpack("=I", header)
        return dict(json.loads(self.process.stdout.read(length)))

    def send(self, message: dict[str, Any] | bytes) -> None:
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.send_raw(struct.pack("=I", len(content)) + content)

    def send_raw(self, content: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def leave(self) -> None:
        """Do what a browser does when its tab goes."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> int:
        """Wait for the end -> the exit code. Nothing but what was read came from the host."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        code = self.process.wait(DEADLINE_S)
        assert self.process.stdout.read() == b""
        assert self.process.stderr.read() == b""
        return code


@dataclass
class Desk:
    """A card, a PIN program and an environment for hosts."""

    folder: Path
    card: Path
    pinentry: ScriptedPinentry
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path, card: Path) -> "Desk":
        pinentry = ScriptedPinentry.in_folder(folder / "pinentry")
        return cls(
            folder=folder,
            card=card,
            pinentry=pinentry,
            environment={
                "HOME": str(folder),
                "XDG_CONFIG_HOME": str(folder / "config"),
                "JPKI_READER": f"emulator:{card}",
                "JPKI_PINENTRY": str(pinentry.program),
                "JPKI_TEST_LOG": str(folder / "card.log"),
            },
        )

    @contextmanager
    def host(self, *arguments: str, **environment: str) -> Iterator[HostProcess]:
        """A host that has been started; it is gone when the block ends."""
        process = subprocess.Popen(
            [sys.executable, str(WATCHED), *(arguments or (WEB_EID,))],
            env=copy_of_environment(**{**self.environment, **environment}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                yield HostProcess(process)
            finally:
                process.kill()

    def ask(self, command: str, **arguments: str) -> dict[str, Any]:
        """Have one command answered, as the extension does."""
        return self.answer_to({"command": command, "arguments": arguments})

    def answer_to(self, message: dict[str, Any] | bytes, **environment: str) -> dict[str, Any]:
        with self.host(**environment) as host:
            greeting = host.read()
            assert greeting is not None
            assert set(greeting) == {"version"}
            host.send(message)
            answer = host.read()
            assert answer is not None
            assert host.end() == 0
        assert self.pinentry.is_gone()
        if "error" in answer:
            check_says_nothing_of_here(answer, self.folder)
        return answer

    def log(self) -> list[str]:
        """What reached the card: headers in hex, `+` behind those with data, and `off`."""
        log = self.folder / "card.log"
        return log.read_text("ascii").split() if log.exists() else []

    def wait_for_card(self, line: str) -> None:
        wait_until(lambda: line in self.log(), f"{line} at the card")

    @property
    def verifies(self) -> int:
        """VERIFYs with data."""
        return self.log().count("00200080+")

    @property
    def signatures(self) -> int:
        return self.log().count("802a0080+")

    def tries(self) -> dict[str, int]:
        return {pin.name: pin.tries_left for pin in read_card_file(self.card).pins()}


def check_says_nothing_of_here(answer: dict[str, Any], folder: Path) -> None:
    """A site gets the answer: no PIN, nothing of the holder, no path is in it."""
    text = json.dumps(answer, ensure_ascii=False)
    for secret in (PASSWORD, PIN, *PERSONAL, str(folder), os.environ.get("HOME", "/root")):
        assert secret not in text, text
