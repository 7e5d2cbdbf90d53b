"""A PIN program that does what the test says, and writes down what it was told."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from support.waiting import is_running, wait_until

SCRIPT = """#!{python} -IS
import json, os, pathlib, signal, sys, time
folder = pathlib.Path({folder!r})
script = json.loads((folder / "script.json").read_text())
log = (folder / "log").open("a", encoding="utf-8", buffering=1)
log.write("START %d\\n" % os.getpid())
signal.signal(signal.SIGHUP, signal.SIG_IGN)

def say(text):
    sys.stdout.buffer.write(text.encode("latin-1"))
    sys.stdout.buffer.flush()

say(script["greeting"])
for line in sys.stdin.buffer:
    line = line.decode("utf-8").rstrip("\\n")
    log.write(line + "\\n")
    word = line.split(" ")[0]
    if word not in ("GETPIN", "CONFIRM"):
        say(script["others"].get(word, "OK\\n"))
        continue
    answers = folder / "answers"
    left = json.loads(answers.read_text())
    answer = left.pop(0) if left else None
    answers.write_text(json.dumps(left))
    if answer is None:  # as a window does, which looks at the person and at nothing else
        while True:
            time.sleep(3600)
    say(answer)
"""
CANCELLED = "ERR 83886179 Operation cancelled <Pinentry>\n"
TIMED_OUT = "ERR 83886142 Timeout <Pinentry>\n"


@dataclass
class ScriptedPinentry:
    """Put `program` where a pinentry is named. Without an answer its window stands for ever."""

    folder: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "ScriptedPinentry":
        folder.mkdir(parents=True)
        pinentry = cls(folder)
        pinentry.program.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)))
        pinentry.program.chmod(0o755)
        pinentry.behave()
        pinentry.will_say()
        return pinentry

    @property
    def program(self) -> Path:
        return self.folder / "pinentry"

    def behave(self, *, greeting: str = "OK Pleased to meet you\n", **others: str) -> None:
        """What it says at first, and to lines that ask nothing (OPTION="ERR 1\\n")."""
        script = {"greeting": greeting, "others": others}
        (self.folder / "script.json").write_text(json.dumps(script))

    def will_say(self, *answers: str) -> None:
        """Whole answers to GETPIN and CONFIRM, one after the other."""
        (self.folder / "answers").write_text(json.dumps(answers))

    def will_enter(self, *pins: str) -> None:
        self.will_say(*(f"D {pin}\nOK\n" for pin in pins))

    def will_cancel(self) -> None:
        self.will_say(CANCELLED)

    @property
    def lines(self) -> list[str]:
        """All that it was told, with START and a process id for each start."""
        log = self.folder / "log"
        return log.read_text("utf-8").splitlines() if log.exists() else []

    @property
    def starts(self) -> list[int]:
        """The process ids."""
        return [int(line.split()[1]) for line in self.lines if line.startswith("START ")]

    def told(self, command: str) -> str:
        """The text that came last with a command such as SETDESC."""
        found = [line for line in self.lines if line.startswith(f"{command} ")]
        return unquote(found[-1].partition(" ")[2])

    def forget(self) -> None:
        """Begin anew."""
        (self.folder / "log").unlink(missing_ok=True)
        self.behave()
        self.will_say()

    def wait_until_asked(self, times: int = 1) -> int:
        """Wait until a window stands -> its process id."""
        wait_until(lambda: self.lines.count("GETPIN") >= times, "a question for a PIN")
        return self.starts[-1]

    def is_gone(self) -> bool:
        return not any(is_running(pid) for pid in self.starts)

    def wait_until_gone(self) -> None:
        wait_until(self.is_gone, "the end of the PIN program")
