"""docs/emulator.md tells all that the package offers."""

import dataclasses
import inspect
import json
import re
from pathlib import Path

import jpki.emulator
from jpki.emulator import Faults, ServeEvent, create_card
from jpki.emulator.card_document import FORMAT, VERSION

TEXT = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_every_fault_is_described() -> None:
    faults = TEXT.partition("## Faults")[2]
    for field in dataclasses.fields(Faults):
        assert f"`{field.name}" in faults, field.name


def test_every_option_of_create_card_but_the_technical_ones_is_named() -> None:
    options = set(inspect.signature(create_card).parameters) - {"path", "atr", "overwrite", "keys"}
    assert [option for option in options if f"`{option}" not in TEXT] == []


def test_every_function_and_event_is_named() -> None:
    names = [name for name in jpki.emulator.__all__ if name[0].islower()]
    assert [name for name in names if name not in TEXT] == []
    assert [event for event in ServeEvent if f"`{event.name}`" not in TEXT] == []


def test_example_of_the_card_file_is_of_this_version(jpki_card_path: Path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    example = json.loads(block)
    real = json.loads(jpki_card_path.read_text(encoding="utf-8"))
    assert (example["format"], example["version"]) == (FORMAT, VERSION)
    assert set(real) == set(example) | {"notice"}
    shapes = {file["type"]: set(file) for file in example["applications"][1]["files"]}
    for file in real["applications"][1]["files"]:
        assert set(file) == shapes[file["type"]]
