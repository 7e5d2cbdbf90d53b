"""The person in front of a PIN window: a pinentry program that does what a test wrote down."""

import sys
from pathlib import Path

PROGRAM = """#!{python} -IS
import pathlib, sys, time
folder = pathlib.Path({folder!r})
def said(text):
    with (folder / "asked").open("a") as log:
        log.write(text + "\\n")
def answer():
    answers = folder / "answers"
    lines = answers.read_text().splitlines()
    answers.write_text("\\n".join(lines[1:]))
    return lines[0] if lines else "cancel"
print("OK ready", flush=True)
for line in sys.stdin:
    word, _, rest = line.rstrip("\\n").partition(" ")
    if word in ("SETDESC", "SETERROR"):
        said(word + " " + rest)
    if word in ("GETPIN", "CONFIRM"):
        said(word)
        reply = answer()
        if reply == "wait":
            time.sleep(600)
        if reply == "cancel":
            print("ERR 83886179 cancelled", flush=True)
            continue
        if word == "GETPIN":
            print("D " + reply, flush=True)
    print("OK", flush=True)
    if word == "BYE":
        break
"""


class Window:
    """Somebody at a desktop. The answers: a PIN, ``yes``, ``cancel``, or ``wait`` for ever."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.program = folder / "pinentry"
        self.program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o700)
        self.will_answer()

    def will_answer(self, *answers: str) -> None:
        """Have these answers ready; whatever else is asked is cancelled."""
        (self._folder / "answers").write_text("\n".join(answers))

    @property
    def asked(self) -> list[str]:
        """The questions: SETDESC with its text, then GETPIN or CONFIRM, SETERROR before them."""
        log = self._folder / "asked"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    @property
    def questions(self) -> int:
        return sum(line in {"GETPIN", "CONFIRM"} for line in self.asked)
