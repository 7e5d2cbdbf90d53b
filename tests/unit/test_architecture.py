"""That the import contracts say what they are meant to say."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_emulator_is_kept_from_every_other_module_of_jpki() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract.get("source_modules") == ["jpki.emulator"]
    )
    others = {
        f"jpki.{path.stem}"
        for path in (ROOT / "jpki").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.stem not in {"__init__", "_version", "emulator"}
    }
    assert others | {"apdu", "cli"} == set(contract["forbidden_modules"])
