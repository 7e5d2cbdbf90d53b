"""One run of the command against one virtual card, and what must hold however it ended.

`Trial.refused` is the one place that says what a failure looks like: the documented exit code, one
message with the next step, nothing secret anywhere, no file touched, the tries as documented, and a
card that signs for nobody afterwards.
"""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from support.cards import HOLDER, PASSWORD, PIN

from cli.context import AppContext
from cli.root import root
from jpki.emulator import Faults, VirtualCard

WRONG_PASSWORD = "WRONG2026"
WRONG_PIN = "9630"
NEW_PASSWORD = "HANAKO77"
NEW_PIN = "7391"
PERSONAL = (HOLDER, "見本", "太郎", "千代田区", "1985-04-01", "19850401")
READER = ("--reader", "emulator:card")
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "LANGUAGE": "", "JPKI_READER": ""}

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
SIGNS = {  # for each key: the commands that end in a signature when its PIN is verified
    "signature": (bytes.fromhex("00A4020C02001A"), bytes.fromhex("802A008001AA00")),
    "authentication": (bytes.fromhex("00A4020C020017"), bytes.fromhex("802A008001AA00")),
}

FAILURES: dict[str, tuple[int, tuple[str, ...]]] = {
    # code: the exit code of design.md, and words of which one must tell the next step
    "pin-format": (2, ("enter it again",)),
    "pin-source": (2, ("--pin-from", "--new-pin-from")),
    "pin-on-command-line": (2, ("--pin-from",)),
    "new-pin-differs": (2, ("again",)),
    "usage": (2, ("--help",)),
    "last-try": (2, ("--use-last-try", "jpki help blocked")),
    "tries-unknown": (2, ("--use-last-try",)),
    "pin-repeated": (2, ("Check it",)),
    "no-certificate": (2, ("city office", "jpki cert list")),
    "certificate-expired": (2, ("city office", "--allow-expired")),
    "certificate-not-yet-valid": (2, ("clock",)),
    "input": (2, ("check it",)),
    "output-exists": (2, ("--force",)),
    "output-refused": (2, ("-o", "--apdu-log")),
    "several-cards": (2, ("--reader",)),
    "document": (
        2,
        (
            "--pdf-password-from",
            "--format cms",
            "Choose",
            "Check",
            "Print it",
            "--certify",
            "--stamp",
            "Move it",
            "Make it larger",
            "--font",
            "UTF-8",
            "--id-attr",
            "of its own",
            "Rename",
            "a new one",
        ),
    ),
    "card-file": (2, ("jpki emulator create",)),
    "address": (2, ("--port",)),
    "token-invalid": (2, ("jpki auth challenge", "--origin")),
    "agent-socket": (2, ("--socket",)),
    "pcsc-unavailable": (3, ("--reader emulator",)),
    "no-reader": (3, ("--reader",)),
    "no-card": (4, ("Put it on",)),
    "not-my-number-card": (4, ("Put yours on",)),
    "card-removed": (4, ("Put it on the reader",)),
    "card-silent": (4, ("put it back",)),
    "transport": (4, ("Put the card on the reader again",)),
    "unsupported-card": (4, ("needs a My Number Card", "use the card")),
    "card-in-use": (5, ("try again",)),
    "card-reset": (5, ("try again",)),
    "pin-incorrect": (6, ("before you try again", "jpki help blocked")),
    "pin-blocked": (7, ("jpki pin unlock",)),
    "outcome-unknown": (8, ("jpki pin status", "sign again", "again")),
    "unexpected-status-word": (9, ("--apdu-log", "jpki pin status")),
    "malformed-response": (9, ("--apdu-log",)),
    "certificate-malformed": (9, ("city office",)),
    "signature-mismatch": (9, ("city office", "Try again")),
    "pin-required": (9, ("Try again",)),
    "output-not-written": (12, ("untouched",)),
    "server": (13, ("Check the address",)),
    "interrupted": (130, ("Nothing is under way", "the card had done", "jpki pin status", "again")),
    "terminated": (143, ("Nothing is under way",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How the command ended, and what it said."""

    arguments: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: str
    typed: frozenset[str] = frozenset()
    """What it was given as PINs."""

    @property
    def error(self) -> dict[str, Any]:
        """The error object of --json."""
        answer = json.loads(self.stdout)
        assert answer["schema"] == 1
        assert set(answer) == {"schema", "error"}
        return dict(answer["error"])

    @property
    def messages(self) -> list[str]:
        """The lines of stderr that say why the command ended."""
        return [line for line in self.stderr.splitlines() if line.startswith("jpki: ")]


class Person:
    """Somebody at the terminal, with the answers ready; `questions` is what was asked."""

    def __init__(self, answers: Iterable[str | BaseException] | None) -> None:
        self._there = answers is not None
        self._answers = list(answers or ())
        self.questions: list[str] = []
        self.heard: list[str] = []

    def is_there(self) -> bool:
        return self._there

    def secret(self, prompt: str) -> str:
        self.questions.append(prompt)
        assert self._answers, f"an unexpected question: {prompt}"
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def confirm(self, question: str) -> bool:
        return self.secret(question) == "y"

    def show(self, text: str) -> None:
        self.heard.append(text)


@dataclass(kw_only=True)
class Trial:
    """A folder with a document and an earlier output in it, and a card."""

    folder: Path
    temporary: Path
    """Where temporary files would be."""
    card: VirtualCard
    person: Person = field(default_factory=lambda: Person(None))
    expected_files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path, card: VirtualCard) -> "Trial":
        desk, temporary = folder / "desk", folder / "tmp"
        desk.mkdir()
        temporary.mkdir()
        (desk / "document.txt").write_bytes(b"a document\n")
        (desk / "old.sig").write_bytes(b"an earlier signature")
        return cls(folder=desk, temporary=temporary, card=card)

    @property
    def document(self) -> str:
        return str(self.folder / "document.txt")

    @property
    def output(self) -> str:
        """An output of an earlier run, which must outlive a failure."""
        return str(self.folder / "old.sig")

    def sign(self, *options: str, pin_from: str | None = "env:JPKI_TEST_PIN") -> tuple[str, ...]:
        """The arguments of `jpki sign` over the old output."""
        source = () if pin_from is None else ("--pin-from", pin_from)
        place = ("--force", "-o", self.output)
        return ("sign", self.document, *place, *source, *options)

    def run(
        self,
        *arguments: str,
        answers: Sequence[str | BaseException] | None = None,
        pin: str | None = None,
        new_pin: str | None = None,
        stdin: bytes = b"",
        as_json: bool = True,
        **context: Any,
    ) -> Run:
        """Run the command in this process; `pin` and `new_pin` go into environment variables."""
        self.person = Person(answers)
        app = AppContext(load_emulator=lambda _path: self.card, prompter=self.person, **context)
        environment: dict[str, str | None] = {**ENVIRONMENT, "JPKI_TEST_PIN": pin}
        environment |= {"JPKI_TEST_NEW_PIN": new_pin}
        readers = () if "--reader" in arguments else READER
        everything = (*readers, *(("--json",) if as_json else ()), *arguments)
        self.expected_files = self.files()
        result = CliRunner().invoke(root, everything, obj=app, env=environment, input=stdin)
        said = [answer for answer in answers or () if isinstance(answer, str)]
        given = [text for text in (pin, new_pin, *said) if text]
        return Run(
            arguments=everything,
            exit_code=result.exit_code,
            stdout=result.stdout_bytes,
            stderr=result.stderr,
            typed=frozenset(given),
        )

    def files(self) -> dict[str, bytes]:
        """All files of the desk and all temporary ones, with their contents."""
        found = [*self.folder.rglob("*"), *self.temporary.rglob("*")]
        return {str(path): path.read_bytes() for path in found if path.is_file()}

    def refused(
        self,
        run: Run,
        *codes: str,
        exit_code: int | None = None,
        verifies: int = 0,
        tries: Mapping[str, int] | None = None,
        notices: int = 0,
    ) -> None:
        """Assert everything that holds after a failure with one of these codes.

        `verifies` is how many VERIFYs with data reached the card, `tries` what it counts now;
        `notices` how many lines beside the message may stand on stderr.
        """
        code = check_failure(run, *codes, exit_code=exit_code, notices=notices)
        check_nothing_leaked(run)
        assert self.files() == self.expected_files, f"{code}: files were touched"
        assert self.card.verify_count == verifies, f"{code}: VERIFYs with data"
        self.counts(tries)
        assert sum(1 for header in self.card.log if header[1] == 0x24) <= 1
        assert sum(1 for header in self.card.log if header[1] == 0x2A) <= 1
        check_locked(self.card)

    def counts(self, tries: Mapping[str, int] | None = None) -> None:
        """Assert the tries that the card counts; those of a fresh card if not said otherwise."""
        for name, count in ({"signature": 5, "authentication": 3} | dict(tries or {})).items():
            assert self.card.tries(name) == count, f"tries left of {name}"


def check_failure(
    run: Run, *codes: str, exit_code: int | None = None, notices: int | None = 0
) -> str:
    """Assert exit code, message and JSON of a failure -> its code."""
    assert "Traceback" not in run.stderr, run.stderr
    assert b"Traceback" not in run.stdout
    assert len(run.messages) == 1, run.stderr
    lines = run.stderr.splitlines()
    if notices is not None:
        assert len(lines) <= 1 + notices, run.stderr
    message = run.messages[0].removeprefix("jpki: ")
    if "--json" in run.arguments:
        error = run.error
        code = str(error["code"])
        assert error["message"] == message  # both are English here
        assert code in codes, f"{error} instead of {codes}"
    else:
        assert run.stdout == b""
        (code,) = codes
    documented, next_steps = FAILURES[code]
    assert run.exit_code == (documented if exit_code is None else exit_code), (code, run.stderr)
    assert any(words in message for words in next_steps), f"no next step: {message}"
    return code


def check_nothing_leaked(run: Run, *more: bytes | str) -> None:
    """Assert that no PIN and nothing of the holder is in the output, or in what else is given."""
    texts = [run.stdout.decode("utf-8", "replace"), run.stderr]
    texts += [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in more]
    for secret in {PASSWORD, PIN, *PERSONAL, *run.typed}:
        for form in _forms(secret):
            for text in texts:
                assert form not in text, f"{form!r} is in: {text}"


def _forms(secret: str) -> set[str]:
    """The ways in which a secret could be written into a log."""
    if len(secret.strip()) < 4 and secret.isascii():
        return set()  # too short to be told from other text
    raw = secret.encode("utf-8", "surrogateescape")
    forms = {secret, repr(secret)[1:-1], secret.lower(), secret.upper()}
    forms.add(base64.b64encode(raw).decode())
    for octets in (raw.hex(), raw.hex(" "), raw.hex(":")):
        forms |= {octets, octets.upper()}
    return forms


def check_locked(card: VirtualCard) -> None:
    """Assert that a stranger who finds the card on the reader gets 6982 for a signature.

    The card's witnesses do not count the stranger's commands.
    """
    faults, card.faults = card.faults, Faults()
    log, exchanges = list(card.log), card.exchange_count
    card.power_on()  # as when it is put back; changes nothing for a card that has power
    try:
        assert signs_for_a_stranger(card.execute) == []
    finally:
        card.faults, card.log, card.exchange_count = faults, log, exchanges


def signs_for_a_stranger(execute: Callable[[bytes], bytes]) -> list[str]:
    """The keys that sign without anybody entering a PIN."""
    assert execute(SELECT_JPKI)[-2:] == b"\x90\x00"
    signing = []
    for name, (select, sign) in SIGNS.items():
        assert execute(select) == b"\x90\x00"
        answer = execute(sign)
        assert answer[-2:] in {b"\x69\x82", b"\x90\x00"}, answer[-2:].hex()
        if answer[-2:] == b"\x90\x00":
            signing.append(name)
    return signing


def copy_of_environment(**more: str) -> dict[str, str]:
    """The environment for a process of its own: English, no reader chosen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JPKI_")}
    return kept | ENVIRONMENT | more


def is_installed(program: str) -> bool:
    return shutil.which(program) is not None
