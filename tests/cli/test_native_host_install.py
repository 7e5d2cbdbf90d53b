"""`jpki auth native-host`: a browser's manifests, written, judged, and given back."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.trial import ENVIRONMENT

from cli.native_host import manifest as native_manifest
from cli.native_host.manifest import Browser, Scope, allowed_callers, manifest_at
from cli.root import root

EXTENSION = "abcdefghijklmnopabcdefghijklmnop"
WEB_EID_MANIFEST = '{"name": "eu.webeid", "path": "/usr/bin/web-eid", "type": "stdio"}\n'
PLACES = {
    ("chrome", "user"): "home/.config/google-chrome/NativeMessagingHosts",
    ("chromium", "user"): "home/.config/chromium/NativeMessagingHosts",
    ("firefox", "user"): "home/.mozilla/native-messaging-hosts",
    ("chrome", "system"): "root/etc/opt/chrome/native-messaging-hosts",
    ("chromium", "system"): "root/etc/chromium/native-messaging-hosts",
    ("firefox", "system"): "root/usr/lib/mozilla/native-messaging-hosts",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user and a system of our own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(native_manifest, "ROOT", tmp_path / "root")
    return tmp_path


def run(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """Run it -> the reports."""
    result = CliRunner().invoke(
        root, ["--json", "auth", "native-host", *arguments], env=ENVIRONMENT
    )
    answer = json.loads(result.stdout)
    assert result.exit_code == code, answer
    return [answer["error"]] if code else list(answer["manifests"])


def states(*arguments: str) -> dict[tuple[str, str], str]:
    return {(report["browser"], report["scope"]): report["state"] for report in run(*arguments)}


def manifest(home: Path, browser: str, scope: str = "user") -> Path:
    return home / PLACES[browser, scope] / "eu.webeid.json"


def webeid(home: Path, browser: str) -> Path:
    """What the real program has installed."""
    path = manifest(home, browser)
    path.parent.mkdir(parents=True)
    path.write_text(WEB_EID_MANIFEST)
    return path


@pytest.mark.parametrize("browser", ["chrome", "chromium", "firefox"])
@pytest.mark.parametrize("scope", ["user", "system"])
def test_a_manifest_says_what_the_browser_needs(home: Path, browser: str, scope: str) -> None:
    (report,) = run("install", "--browser", browser, f"--{scope}")
    path = manifest(home, browser, scope)
    assert (report["state"], report["path"]) == ("installed", str(path))
    content = json.loads(path.read_text())
    program = Path(content.pop("path"))
    assert program.is_absolute()
    assert program.name == "jpki-native-host"
    assert os.access(program, os.X_OK)
    assert content.pop("description")
    listed = {
        "allowed_origins": [
            "chrome-extension://gnmckgbandlkacikdndelhfghdejfido/",
            "chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/",
        ]
    }
    if browser == "firefox":
        listed = {"allowed_extensions": ["{e68418bc-f2b0-4459-a9ea-3e72b6751b07}"]}
    assert content == {"name": "eu.webeid", "type": "stdio", **listed}
    assert states("status")[browser, scope] == "ours"


def test_a_systems_manifest_can_be_read_by_everybody(home: Path) -> None:
    before = os.umask(0o077)
    try:
        run("install", "--browser", "chromium", "--system")
    finally:
        os.umask(before)
    assert manifest(home, "chromium", "system").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("reach", ["folder", "program", "target", "mode"])
def test_no_users_own_program_gets_into_everybodys_browser(
    home: Path, monkeypatch: pytest.MonkeyPatch, reach: str
) -> None:
    program = home / "bin" / "jpki-native-host"
    target = home / "lib" / "program"
    for path in (program, target):
        path.parent.mkdir()
    target.write_text("#!/bin/sh")
    target.chmod(0o755)
    program.symlink_to(target)
    monkeypatch.setattr(sys, "argv", [str(program.parent / "jpki")])
    run("install", "--browser", "chromium", "--system")
    run("uninstall", "--system")
    nobody = 65534
    match reach:
        case "folder":
            os.chown(program.parent, nobody, nobody)
        case "program":
            os.chown(target, nobody, nobody)
        case "target":
            os.chown(target.parent, nobody, nobody)
        case "mode":
            target.parent.chmod(0o777)
    (error,) = run("install", "--browser", "chromium", "--system", code=2)
    assert str(program) in error["message"]
    assert not manifest(home, "chromium", "system").exists()
    run("install", "--browser", "chromium", "--user")


def test_a_second_install_changes_nothing(home: Path) -> None:
    run("install", "--browser", "chrome", "--browser", "firefox")
    before = manifest(home, "chrome").stat()
    again = states("install", "--browser", "chrome", "--browser", "firefox")
    assert set(again.values()) == {"unchanged"}
    assert manifest(home, "chrome").stat().st_ino == before.st_ino


def test_chromiums_own_variable_for_its_folder_is_heeded(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    run("install", "--browser", "chromium")
    assert (home / "xdg/chromium/NativeMessagingHosts/eu.webeid.json").exists()


def test_further_extensions_are_allowed_by_installing_and_by_nothing_else(home: Path) -> None:
    mine = f"chrome-extension://{EXTENSION}/"
    assert mine not in set(allowed_callers())
    run("install", "--browser", "chromium", "--allow-extension", EXTENSION)
    assert mine in json.loads(manifest(home, "chromium").read_text())["allowed_origins"]
    assert mine in set(allowed_callers())
    run("install", "--browser", "firefox", "--allow-extension", "login@example.jp")
    assert "login@example.jp" in set(allowed_callers())
    run("install", "--browser", "chromium")
    assert mine not in set(allowed_callers())


def test_the_manifest_of_another_program_allows_nobody(home: Path) -> None:
    stranger = f"chrome-extension://{EXTENSION}/"
    content = json.loads(WEB_EID_MANIFEST) | {"allowed_origins": [stranger]}
    webeid(home, "chrome").write_text(json.dumps(content))
    assert stranger not in set(allowed_callers())


@pytest.mark.parametrize(
    ("browser", "extension"),
    [
        ("chrome", "login@example.jp"),
        ("chromium", EXTENSION[:-1]),
        ("chromium", EXTENSION + "a"),
        ("chromium", "*"),
        ("chromium", f"chrome-extension://{EXTENSION}/"),
        ("firefox", EXTENSION),
        ("firefox", "*"),
        ("firefox", ""),
    ],
)
def test_what_can_be_no_extension_is_refused(home: Path, browser: str, extension: str) -> None:
    (error,) = run("install", "--browser", browser, "--allow-extension", extension, code=2)
    assert error["code"] == "usage"
    assert not manifest(home, browser).exists()


def test_web_eids_own_manifest_is_left_alone_and_so_is_every_other_place(home: Path) -> None:
    theirs = webeid(home, "firefox")
    (error,) = run("install", "--browser", "chrome", "--browser", "firefox", code=2)
    assert error["code"] == "manifest-taken"
    assert error["path"] == str(theirs)
    assert "--force" in error["message"]
    assert theirs.read_text() == WEB_EID_MANIFEST
    assert not manifest(home, "chrome").exists()


def test_with_force_it_is_kept_aside_and_comes_back(home: Path) -> None:
    theirs = webeid(home, "chrome")
    (report,) = run("install", "--browser", "chrome", "--force")
    assert report["state"] == "installed"
    assert Path(report["kept_aside"]).read_text() == WEB_EID_MANIFEST
    assert states("status")["chrome", "user"] == "ours"
    run("install", "--browser", "chrome", "--force")  # again: the copy is not lost
    assert Path(report["kept_aside"]).read_text() == WEB_EID_MANIFEST
    assert states("uninstall")["chrome", "user"] == "restored"
    assert theirs.read_text() == WEB_EID_MANIFEST
    assert not Path(report["kept_aside"]).exists()
    assert states("status")["chrome", "user"] == "other"


def test_uninstall_removes_ours_and_nothing_else(home: Path) -> None:
    theirs = webeid(home, "firefox")
    run("install", "--browser", "chrome", "--browser", "chromium")
    assert states("uninstall", "--browser", "chrome") == {("chrome", "user"): "removed"}
    assert manifest(home, "chromium").exists()
    assert states("uninstall") == {
        ("chrome", "user"): "missing",
        ("chromium", "user"): "removed",
        ("firefox", "user"): "other",
    }
    assert theirs.read_text() == WEB_EID_MANIFEST


def test_every_place_is_looked_at_and_named(home: Path) -> None:
    assert {
        (report["browser"], report["scope"]): str(Path(report["path"]).parent)
        for report in run("status")
    } == {place: str(home / folder) for place, folder in PLACES.items()}
    assert set(states("status").values()) == {"missing"}


@pytest.mark.parametrize("program", ["gone", "not executable", "relative"])
def test_a_program_that_cannot_be_run_is_told(home: Path, program: str) -> None:
    run("install", "--browser", "chrome")
    path = manifest(home, "chrome")
    place = home / "bin" / "jpki-native-host"
    if program == "not executable":
        place.parent.mkdir()
        place.write_text("")
    named = "jpki-native-host" if program == "relative" else str(place)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"path": named}))
    assert states("status")["chrome", "user"] == "broken"
    assert states("install", "--browser", "chrome")["chrome", "user"] == "installed"
    assert states("status")["chrome", "user"] == "ours"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]", b"{", b'{"path": 7}', b"[" * 100_000, b" " * 200_000]
)
def test_what_cannot_be_understood_is_somebody_elses(home: Path, content: bytes) -> None:
    path = manifest(home, "chromium")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert states("status")["chromium", "user"] == "other"
    run("install", "--browser", "chromium", code=2)
    assert path.read_bytes() == content


def test_a_pipe_or_a_folder_in_the_place_keeps_nobody_waiting(home: Path) -> None:
    path = manifest(home, "chromium")
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert states("status")["chromium", "user"] == "other"
    assert list(allowed_callers())
    path.unlink()
    path.mkdir()
    assert states("status")["chromium", "user"] == "other"


def test_a_place_that_cannot_be_written_is_told(home: Path) -> None:
    (home / "home").mkdir()
    (home / "home" / ".mozilla").write_text("a file where a folder should be")
    (error,) = run("install", "--browser", "firefox", code=12)
    assert error["code"] == "output-not-written"
    assert "eu.webeid.json" in error["path"]


def test_a_failed_force_gives_back_what_was_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = webeid(home, "chrome")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (error,) = run("install", "--browser", "chrome", "--force", code=12)
    assert error["code"] == "output-not-written"
    assert theirs.read_text() == WEB_EID_MANIFEST
    assert [path.name for path in theirs.parent.iterdir()] == ["eu.webeid.json"]


def test_without_the_host_nothing_is_installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_manifest, "PROGRAM", "jpki-native-host-that-is-not-there")
    (error,) = run("install", "--browser", "chrome", code=2)
    assert "not installed beside jpki" in error["message"]


@pytest.mark.parametrize(
    ("place", "sandbox"),
    [
        ("root/snap/bin/firefox", "snap"),
        ("root/var/lib/flatpak/app/org.mozilla.firefox", "flatpak"),
        ("home/.local/share/flatpak/app/org.mozilla.firefox", "flatpak"),
    ],
)
def test_a_browser_in_a_sandbox_is_told(home: Path, place: str, sandbox: str) -> None:
    (home / place).mkdir(parents=True)
    (report,) = run("install", "--browser", "firefox")
    assert report["sandbox"] == sandbox
    result = CliRunner().invoke(root, ["auth", "native-host", "status"], env=ENVIRONMENT)
    assert f"firefox is here as a {sandbox}" in result.stdout
    assert "chromium is here" not in result.stdout


def test_the_text_says_where_and_what(home: Path) -> None:
    webeid(home, "chrome")
    run("install", "--browser", "chrome", "--force")
    result = CliRunner().invoke(root, ["auth", "native-host", "status"], env=ENVIRONMENT)
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "chrome (user): installed",
        f"    {manifest(home, 'chrome')}",
        f"    kept aside: {manifest(home, 'chrome')}.kept-by-jpki",
    ]
    assert "chrome (system): not installed" in lines


def test_only_linux_is_known(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    (error,) = run("status", code=2)
    assert "Linux" in error["message"]


def test_what_a_place_says_is_what_was_written(home: Path) -> None:
    run("install", "--browser", "firefox", "--allow-extension", "login@example.jp")
    found = manifest_at(Browser.FIREFOX, Scope.USER)
    assert found.extensions == (*Browser.FIREFOX.web_eid_extensions, "login@example.jp")
