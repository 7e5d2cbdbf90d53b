"""What `pip install` brings."""

import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = build_wheel(str(folder))
    return zipfile.ZipFile(folder / name)


def test_the_wheel_holds_exactly_the_three_packages(wheel: zipfile.ZipFile) -> None:
    folders = {name.split("/")[0] for name in wheel.namelist()}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {
        "apdu",
        "cli",
        "jpki",
    }


def test_the_wheel_holds_every_module_and_no_other(wheel: zipfile.ZipFile) -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in ("apdu", "jpki", "cli")
        for path in (ROOT / package).rglob("*.py")
    }
    assert {name for name in wheel.namelist() if name.endswith(".py")} == sources


def test_each_package_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {"apdu/py.typed", "cli/py.typed", "jpki/py.typed"} <= set(wheel.namelist())


def test_the_wheel_holds_the_licence_and_the_translations(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    for language in ("ja", "zh"):
        assert f"cli/locale/{language}/LC_MESSAGES/jpki.mo" in names


def test_the_wheel_holds_the_pages_of_the_demonstration_site(wheel: zipfile.ZipFile) -> None:
    site = ROOT / "jpki" / "authentication" / "demonstration"
    files = {
        path.relative_to(ROOT).as_posix()
        for folder in ("static", "templates")
        for path in (site / folder).iterdir()
    }
    assert len(files) >= 8
    assert files <= set(wheel.namelist())


def test_the_command_and_the_pytest_plugin_are_entry_points(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(entry_points).decode()
    assert "jpki = cli.main:main" in text
    assert "jpki-native-host = cli.native_host.process:main" in text
    assert "jpki_emulator = jpki.emulator.pytest_plugin" in text
