"""The files by which browsers find the native host: where they lie, whose they are, what they say.

They are the whole configuration of the host: an extension that stands in none of ours, and is not
Web eID's own, is not listened to.
"""

import os
import re
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Final

PROGRAM: Final = "jpki-native-host"
FILE_NAME: Final = "eu.webeid.json"
ASIDE_SUFFIX: Final = ".kept-by-jpki"
"""Browsers look for files that end in .json only."""
MAX_MANIFEST: Final = 1 << 16
ROOT: Final = Path("/")


class Scope(StrEnum):
    """Whose browsers find it."""

    USER = "user"
    SYSTEM = "system"


class Browser(Enum):
    """A browser with the folders of its manifests, under ~, the configuration folder and /."""

    CHROME = "chrome", "google-chrome/NativeMessagingHosts", "etc/opt/chrome/native-messaging-hosts"
    CHROMIUM = "chromium", "chromium/NativeMessagingHosts", "etc/chromium/native-messaging-hosts"
    FIREFOX = "firefox", ".mozilla/native-messaging-hosts", "usr/lib/mozilla/native-messaging-hosts"

    def __init__(self, word: str, user_folder: str, system_folder: str) -> None:
        self.word = word
        self._user_folder = user_folder
        self._system_folder = system_folder

    def folder(self, scope: Scope) -> Path:
        """Where its manifests are; the folder need not be there."""
        if scope is Scope.SYSTEM:
            return ROOT / self._system_folder
        if self is Browser.FIREFOX:
            return Path.home() / self._user_folder
        # Chromium itself asks for XDG_CONFIG_HOME.
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config").joinpath(
            self._user_folder
        )

    @property
    def key(self) -> str:
        """What the list of allowed extensions is called."""
        return "allowed_extensions" if self is Browser.FIREFOX else "allowed_origins"

    @property
    def web_eid_extensions(self) -> tuple[str, ...]:
        """Web eID's own extensions, as they stand in such a list."""
        if self is Browser.FIREFOX:
            return ("{e68418bc-f2b0-4459-a9ea-3e72b6751b07}",)
        return (
            "chrome-extension://gnmckgbandlkacikdndelhfghdejfido/",
            "chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/",
        )

    def listed(self, extension: str) -> str | None:
        """An extension's id as it stands in the list; None: it can be none."""
        if self is Browser.FIREFOX:
            return extension if FIREFOX_ID.fullmatch(extension) else None
        return f"chrome-extension://{extension}/" if CHROME_ID.fullmatch(extension) else None

    def sandbox(self) -> str | None:
        """What kind of package keeps it from programs outside: snap, flatpak, or None."""
        name = {Browser.CHROME: "google-chrome"}.get(self, self.word)
        if (ROOT / "snap/bin" / name).exists():
            return "snap"
        app = {Browser.FIREFOX: "org.mozilla.firefox", Browser.CHROME: "com.google.Chrome"}
        app_id = app.get(self, "org.chromium.Chromium")
        folders = (Path.home() / ".local/share/flatpak", ROOT / "var/lib/flatpak")
        return "flatpak" if any((path / "app" / app_id).exists() for path in folders) else None


CHROME_ID: Final = re.compile(r"[a-p]{32}", re.ASCII)
FIREFOX_ID: Final = re.compile(
    r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}|[a-z0-9._-]{0,80}@[a-z0-9._-]{1,80}",
    re.ASCII | re.IGNORECASE,
)


class ManifestState(StrEnum):
    """What is found where a browser looks."""

    MISSING = "missing"
    OURS = "ours"
    BROKEN = "broken"
    """Ours, and the program it names is not there or cannot be run."""
    OTHER = "other"
    """Of another program: Web eID's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One place where a browser looks, and what is there."""

    browser: Browser
    scope: Scope
    state: ManifestState
    program: str | None = None
    """What it starts, if it can be read."""
    extensions: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self.browser.folder(self.scope) / FILE_NAME

    @property
    def aside(self) -> Path:
        """Where the file of another program is kept while ours is in its place."""
        return self.path.with_name(FILE_NAME + ASIDE_SUFFIX)

    def text(self, program: Path, more_extensions: tuple[str, ...]) -> str:
        """What ours says at this place."""
        import json

        listed = dict.fromkeys((*self.browser.web_eid_extensions, *more_extensions))
        content = {
            "name": FILE_NAME.removesuffix(".json"),
            "description": "jpki: log in and sign with a My Number Card",
            "path": str(program),
            "type": "stdio",
            self.browser.key: list(listed),
        }
        return json.dumps(content, indent=2) + "\n"


def manifest_at(browser: Browser, scope: Scope) -> Manifest:
    """Look at one place. What cannot be read or understood is somebody else's."""
    path = browser.folder(scope) / FILE_NAME
    if not os.path.lexists(path):
        return Manifest(browser=browser, scope=scope, state=ManifestState.MISSING)
    content = _content(path)
    program = content.get("path")
    if not isinstance(program, str) or Path(program).name != PROGRAM:
        other = program if isinstance(program, str) else None
        return Manifest(browser=browser, scope=scope, state=ManifestState.OTHER, program=other)
    listed = content.get(browser.key)
    names = listed if isinstance(listed, list) else []
    return Manifest(
        browser=browser,
        scope=scope,
        state=ManifestState.OURS if _can_run(Path(program)) else ManifestState.BROKEN,
        program=program,
        extensions=tuple(name for name in names if isinstance(name, str)),
    )


def _content(path: Path) -> dict[str, object]:
    from jpki.authentication.strict_json import StrictJsonError, parse_object

    try:
        if not path.is_file():  # a pipe would keep us waiting
            return {}
        with path.open("rb") as stream:
            return parse_object(stream.read(MAX_MANIFEST))
    except (OSError, StrictJsonError):
        return {}


def _can_run(program: Path) -> bool:
    return program.is_absolute() and program.is_file() and os.access(program, os.X_OK)


def allowed_callers() -> Iterator[str]:
    """The extensions that may start the host: Web eID's own, and those that ``install`` was told.

    A Chromium names an extension by its origin, a Firefox by its id.
    """
    for browser in Browser:
        yield from browser.web_eid_extensions
    for browser in Browser:
        for scope in Scope:
            yield from manifest_at(browser, scope).extensions


def host_program() -> Path | None:
    """The installed host: beside this command, or where Python puts commands."""
    folders = [Path(sys.argv[0]).parent, Path(sys.executable).parent]
    folders.append(Path(sysconfig.get_path("scripts")))
    for folder in folders:
        program = Path(os.path.abspath(folder / PROGRAM))  # noqa: PTH100  # resolve() follows links
        if _can_run(program):
            return program
    found = shutil.which(PROGRAM)
    return Path(found).absolute() if found else None


def is_out_of_reach(program: Path) -> bool:
    """Whether only root, or whoever asks, can put something else in a program's place.

    Else one user could have everybody's browser run a program of his, which asks for their PINs.
    """
    trusted = {0, os.geteuid()}
    real = program.resolve()
    places = {program, *program.parents, real, *real.parents}
    return not any(_is_open(place.stat(), trusted) for place in places)


def _is_open(status: os.stat_result, trusted: set[int]) -> bool:
    by_all = bool(status.st_mode & stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
    return by_all or status.st_uid not in trusted
