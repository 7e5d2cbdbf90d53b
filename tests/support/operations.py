"""The commands that use a PIN, each with the exchanges that are sent once and never again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from support.cards import PASSWORD, PIN
from support.trial import NEW_PASSWORD, NEW_PIN, Run, Trial

from jpki.emulator import Faults, VirtualCard
from jpki.emulator.card_file import read_card_file
from jpki.emulator.image import CardImage

TRIES_BEFORE = {"signature": 4, "authentication": 2}
"""One was spent already: so a success shows, and a second VERIFY would show as well."""
MAX_TRIES = {"signature": 5, "authentication": 3}
NONCE = "bm9uY2Ugb2YgYSB0ZXN0LCA0NCBjaGFyYWN0ZXJzISE="


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One command line, given by a script or by a person at a terminal."""

    name: str
    pin: str
    """Which PIN it uses."""
    run: Callable[[Trial], Run]
    old: str
    new: str | None = None

    def __str__(self) -> str:
        return self.name


def _script(*arguments: str) -> Callable[[Trial], Run]:
    def run(trial: Trial) -> Run:
        pin, new_pin = PASSWORD, NEW_PASSWORD
        if "authentication" in arguments or "auth" in arguments:
            pin, new_pin = PIN, NEW_PIN
        sources: tuple[str, ...] = ("--pin-from", "env:JPKI_TEST_PIN")
        if "change" in arguments:
            sources += ("--new-pin-from", "env:JPKI_TEST_NEW_PIN")
        return trial.run(*_filled(arguments, trial), *sources, pin=pin, new_pin=new_pin)

    return run


def _person(*arguments: str, answers: tuple[str, ...]) -> Callable[[Trial], Run]:
    def run(trial: Trial) -> Run:
        return trial.run(*_filled(arguments, trial), answers=answers)

    return run


def _filled(arguments: tuple[str, ...], trial: Trial) -> tuple[str, ...]:
    if arguments[0] == "sign":
        return trial.sign(*arguments[1:], pin_from=None)
    return arguments


_LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", NONCE)

OPERATIONS = (
    Operation(
        name="sign raw",
        pin="signature",
        run=_script("sign", "--format", "raw"),
        old=PASSWORD,
    ),
    Operation(
        name="sign cms at a terminal",
        pin="signature",
        run=_person("sign", "--format", "cms", answers=(PASSWORD,)),
        old=PASSWORD,
    ),
    Operation(
        name="change the signature password",
        pin="signature",
        run=_script("pin", "change", "signature"),
        old=PASSWORD,
        new=NEW_PASSWORD,
    ),
    Operation(
        name="change the authentication PIN at a terminal",
        pin="authentication",
        run=_person("pin", "change", "authentication", answers=(PIN, NEW_PIN, NEW_PIN)),
        old=PIN,
        new=NEW_PIN,
    ),
    Operation(
        name="log in",
        pin="authentication",
        run=_script(*_LOGIN),
        old=PIN,
    ),
    Operation(
        name="log in at a terminal",
        pin="authentication",
        run=_person(*_LOGIN, answers=(PIN,)),
        old=PIN,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Course:
    """The exchanges of an operation that goes well, counted from 1."""

    headers: tuple[bytes, ...]
    verify: int
    once: dict[int, str]
    """The exchanges that are never repeated, with their word in the error."""

    @classmethod
    def of(cls, card: VirtualCard) -> "Course":
        headers = tuple(card.log)
        verify = max(n for n, header in enumerate(headers, 1) if header[1] == 0x20)
        once = {verify: "verify"}
        for n, header in enumerate(headers, 1):
            if header[1] in {0x24, 0x2A}:
                once[n] = {0x24: "change", 0x2A: "sign"}[header[1]]
        return cls(headers=headers, verify=verify, once=once)

    def __len__(self) -> int:
        return len(self.headers)


class Sweep:
    """Fresh trials for one operation, one after the other, and what a good one looks like."""

    def __init__(self, operation: Operation, issued: Path, folder: Path) -> None:
        self.operation = operation
        self._image = with_tries(read_card_file(issued), TRIES_BEFORE)
        self._folder = folder
        self._numbers = count()
        trial = self.trial()
        run = operation.run(trial)
        assert run.exit_code == 0, run.stderr
        self.course = Course.of(trial.card)

    def trial(self, faults: Faults | None = None) -> Trial:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return Trial.in_folder(folder, VirtualCard(self._image, faults=faults))

    def run(self, faults: Faults) -> tuple[Trial, Run]:
        trial = self.trial(faults)
        return trial, self.operation.run(trial)

    def steps(self) -> Iterator[int]:
        return iter(range(1, len(self.course) + 1))

    def tries_after(self, *, verified: bool) -> dict[str, int]:
        """What the card counts, given whether it has executed the VERIFY."""
        pin = self.operation.pin
        return TRIES_BEFORE | ({pin: MAX_TRIES[pin]} if verified else {})


def with_tries(image: CardImage, tries: dict[str, int]) -> CardImage:
    """The image with other counts of tries left."""
    for application in image.applications:
        for pin in (file for file in image.pins() if file in application.files):
            left = tries.get(pin.name, pin.tries_left)
            image = image.with_pin(application.aid, replace(pin, tries_left=left))
    return image
