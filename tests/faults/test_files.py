"""Inputs that cannot be read and outputs that cannot be written: found before the PIN is asked."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.cards import PASSWORD, PIN
from support.trial import (
    Run,
    Trial,
    check_failure,
    check_nothing_leaked,
    copy_of_environment,
    is_installed,
)

from jpki.emulator import Faults, describe_card

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
LOGIN = ("auth", "respond", "--origin", "https://example.jp", "--nonce", "A" * 44)


def sign(trial: Trial, *arguments: str) -> Run:
    return trial.run("sign", *arguments, *SOURCE, pin=PASSWORD)


def refused_early(trial: Trial, run: Run, code: str) -> None:
    """Neither the card nor the person was bothered."""
    trial.refused(run, code)
    assert trial.card.exchange_count == 0
    assert trial.person.questions == []


def missing(trial: Trial) -> str:
    return str(trial.folder / "missing.txt")


def a_folder(trial: Trial) -> str:
    (trial.folder / "inside").mkdir()
    return str(trial.folder / "inside")


def a_dead_link(trial: Trial) -> str:
    (trial.folder / "link").symlink_to("nowhere")
    return str(trial.folder / "link")


def a_link_to_itself(trial: Trial) -> str:
    (trial.folder / "loop").symlink_to("loop")
    return str(trial.folder / "loop")


def a_device(_trial: Trial) -> str:
    return "/dev/zero"


def below_a_file(trial: Trial) -> str:
    return f"{trial.document}/below"


def too_long(trial: Trial) -> str:
    return str(trial.folder / ("n" * 300))


INPUTS = [
    missing,
    a_folder,
    a_dead_link,
    a_link_to_itself,
    a_device,
    below_a_file,
    too_long,
]
Place = Callable[[Trial], str]


@pytest.mark.parametrize("person", [False, True], ids=["script", "terminal"])
@pytest.mark.parametrize("place", INPUTS)
def test_an_input_that_cannot_be_read_is_refused_before_the_pin(
    trial: Trial, place: Place, *, person: bool
) -> None:
    source = place(trial)
    run = trial.run("sign", source, answers=[PASSWORD]) if person else sign(trial, source)
    refused_early(trial, run, "input")


@pytest.mark.parametrize("place", INPUTS)
def test_one_bad_input_among_good_ones_stops_the_batch_before_the_pin(
    trial: Trial, place: Place
) -> None:
    refused_early(trial, sign(trial, trial.document, place(trial)), "input")


@pytest.mark.parametrize("place", [missing, a_folder, a_device, below_a_file])
def test_what_cannot_be_verified_because_it_cannot_be_read_is_refused(
    trial: Trial, place: Place
) -> None:
    refused_early(trial, trial.run("verify", place(trial)), "input")


@pytest.mark.parametrize("place", [missing, a_folder, a_device, below_a_file])
def test_an_anchor_that_cannot_be_read_is_refused(trial: Trial, place: Place) -> None:
    (trial.folder / "document.txt.p7s").write_bytes(b"no signature")
    run = trial.run("verify", f"{trial.document}.p7s", "--trust", place(trial))
    refused_early(trial, run, "input")


OUTPUT_COMMANDS: dict[str, Callable[[Trial, str], Run]] = {
    "sign": lambda trial, path: sign(trial, trial.document, "-o", path),
    "login": lambda trial, path: trial.run(*LOGIN, *SOURCE, "-o", path, pin=PIN),
    "certificate": lambda trial, path: trial.run(
        "cert", "export", "signature", *SOURCE, "-o", path, pin=PASSWORD
    ),
}
output_commands = pytest.mark.parametrize(
    "command", OUTPUT_COMMANDS.values(), ids=OUTPUT_COMMANDS.keys()
)
Command = Callable[[Trial, str], Run]


@output_commands
def test_an_output_that_exists_is_refused_before_the_pin(trial: Trial, command: Command) -> None:
    refused_early(trial, command(trial, trial.output), "output-exists")


def test_an_output_of_the_usual_name_that_exists_is_refused_before_the_pin(trial: Trial) -> None:
    (trial.folder / "document.txt.p7s").write_bytes(b"an earlier signature")
    refused_early(trial, sign(trial, trial.document), "output-exists")
    run = trial.run("sign", trial.document, answers=[PASSWORD])
    refused_early(trial, run, "output-exists")


def test_one_output_of_a_batch_that_exists_stops_it_before_the_pin(trial: Trial) -> None:
    second = trial.folder / "second.txt"
    second.write_bytes(b"another document")
    (trial.folder / "second.txt.p7s").write_bytes(b"an earlier signature")
    refused_early(trial, sign(trial, trial.document, str(second)), "output-exists")


@output_commands
@pytest.mark.parametrize("place", [below_a_file, a_folder, too_long, a_link_to_itself])
def test_an_output_that_cannot_be_is_refused_before_the_pin(
    trial: Trial, command: Command, place: Place
) -> None:
    path = place(trial)
    run = command(trial, path)
    if place is a_link_to_itself:
        trial.refused(run, "output-refused", "output-exists")
        assert trial.card.exchange_count == 0
    else:
        refused_early(trial, run, "output-refused")


@output_commands
def test_an_output_in_a_folder_that_is_not_there_is_refused_before_the_pin(
    trial: Trial, command: Command
) -> None:
    refused_early(trial, command(trial, str(trial.folder / "no" / "out")), "output-refused")


@pytest.mark.parametrize("how", ["the same name", "a symbolic link", "a hard link", "a detour"])
def test_an_output_that_is_the_input_is_refused_even_with_force(trial: Trial, how: str) -> None:
    output = trial.folder / "other"
    if how == "the same name":
        output = Path(trial.document)
    elif how == "a symbolic link":
        output.symlink_to(trial.document)
    elif how == "a hard link":
        output.hardlink_to(trial.document)
    else:
        output = trial.folder / ".." / trial.folder.name / "document.txt"
    run = sign(trial, trial.document, "--force", "-o", str(output))
    refused_early(trial, run, "output-refused")


def test_two_inputs_with_one_output_are_refused(trial: Trial) -> None:
    refused_early(trial, sign(trial, trial.document, trial.document), "output-refused")


@pytest.mark.parametrize("how", ["by way of another folder", "by links to one output"])
def test_two_names_of_one_output_are_refused(trial: Trial, how: str) -> None:
    names = [trial.document, str(trial.folder / ".." / trial.folder.name / "document.txt")]
    if how == "by links to one output":
        names = [str(trial.folder / name) for name in ("a", "b")]
        for name in names:
            Path(name).write_text(name, encoding="ascii")
            Path(f"{name}.p7s").symlink_to("one and the same")
    refused_early(trial, sign(trial, *names, "--force"), "output-refused")


def test_one_output_name_for_two_inputs_is_refused(trial: Trial) -> None:
    second = trial.folder / "second.txt"
    second.write_bytes(b"another document")
    run = sign(trial, trial.document, str(second), "-o", str(trial.folder / "out"))
    refused_early(trial, run, "usage")


@output_commands
def test_a_full_disk_leaves_nothing_and_is_no_success(trial: Trial, command: Command) -> None:
    run = command(trial, "/dev/full")
    trial.refused(run, "output-not-written", verifies=1)


@pytest.mark.parametrize("call", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_an_error_at_any_point_of_writing_leaves_the_old_output_and_no_temporary_file(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    failed = []

    def fail(*_arguments: object, **_options: object) -> None:
        failed.append(call)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        run = sign(trial, trial.document, "--force", "-o", trial.output)
    assert failed
    trial.refused(run, "output-not-written", verifies=1)


def test_ctrl_c_while_the_output_is_written_leaves_the_old_one(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        run = sign(trial, trial.document, "--force", "-o", trial.output)
    trial.refused(run, "interrupted", verifies=1)


def test_a_link_is_followed_and_stays_a_link(trial: Trial) -> None:
    link = trial.folder / "link.sig"
    link.symlink_to("old.sig")
    run = sign(trial, trial.document, "--format", "raw", "--force", "-o", str(link))
    assert run.exit_code == 0, run.stderr
    assert link.is_symlink()
    assert len((trial.folder / "old.sig").read_bytes()) == 256


@pytest.mark.parametrize(
    "name", ["a b", "a\nb", "-x", "--json", "n" * 250, "文書", "\udcff\udcfe", "~", "%s{0}"]
)
def test_a_strange_name_is_signed_all_the_same(
    trial: Trial, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trial.folder)
    Path(name).write_bytes(b"a document\n")
    run = trial.run("sign", "--format", "raw", *SOURCE, "--", name, pin=PASSWORD)
    assert run.exit_code == 0, run.stderr
    assert len(Path(f"{name}.sig").read_bytes()) == 256
    assert len(run.stdout.splitlines()) < 20


def test_a_strange_name_in_a_failure_moves_no_cursor(trial: Trial) -> None:
    run = sign(trial, str(trial.folder / "a\x1b[2J\u202eb\nc"))
    refused_early(trial, run, "input")
    assert not {"\x1b", "\u202e"} & set(run.stderr)


def test_a_document_that_grows_while_it_is_signed_is_told(trial: Trial) -> None:
    def grow(exchange: int, _command: bytes, answer: bytes) -> bytes:
        if exchange == 4:
            with Path(trial.document).open("ab") as stream:
                stream.write(b"more")
        return answer

    trial.card.faults = Faults(hook=grow)
    run = sign(trial, trial.document, "--format", "raw")
    assert run.exit_code == 0
    assert "changed while it was being signed" in run.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("form", [(), ("--attached",), ("--format", "raw")])
def test_a_named_pipe_is_signed_and_not_said_to_have_changed(
    trial: Trial, form: tuple[str, ...]
) -> None:
    pipe = trial.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"through a pipe",), daemon=True)
    writer.start()
    run = sign(trial, str(pipe), *form)
    writer.join(10)
    assert run.exit_code == 0, run.stderr
    assert "changed" not in run.stderr


def test_an_attached_document_that_changes_while_it_is_signed_is_not_written(trial: Trial) -> None:
    def change(exchange: int, _command: bytes, answer: bytes) -> bytes:
        if exchange == 4:
            Path(trial.document).write_bytes(b"A DOCUMENT\n")
        return answer

    trial.card.faults = Faults(hook=change)
    run = sign(trial, trial.document, "--attached")
    assert run.exit_code == 2, run.stderr
    assert run.error["code"] == "content-changed"
    assert not Path(f"{trial.document}.p7m").exists()
    assert list(trial.folder.glob(".jpki*")) == []


@pytest.mark.parametrize("arguments", [("cert", "export", "signature"), LOGIN])
def test_private_outputs_are_for_their_owner_only(trial: Trial, arguments: tuple[str, ...]) -> None:
    output = trial.folder / "out"
    umask = os.umask(0)
    try:
        pin = PASSWORD if "export" in arguments else PIN
        run = trial.run(*arguments, *SOURCE, "-o", str(output), pin=pin)
    finally:
        os.umask(umask)
    assert run.exit_code == 0, run.stderr
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


# What only another process can show: another user, a kill, a closed stream.


@pytest.fixture
def shared(issued_card_path: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with a document, an old output and a card in it."""
    folder = tmp_path / "desk"
    (folder / "card").mkdir(parents=True)
    (folder / "document.txt").write_bytes(b"a document\n")
    (folder / "old.sig").write_bytes(b"an earlier signature")
    shutil.copyfile(issued_card_path, folder / "card" / "card.json")
    yield folder
    folder.chmod(0o755)  # or nobody could clear it away


PROGRAM = "from cli.main import main; main()"


def process(
    folder: Path, *arguments: str, program: str = PROGRAM, prefix: tuple[str, ...] = ()
) -> Run:
    """Run the command as a process, with the card of the folder."""
    everything = ("--json", *arguments)
    done = subprocess.run(
        [*prefix, sys.executable, "-c", program, *everything],
        env=copy_of_environment(
            JPKI_READER=f"emulator:{folder / 'card' / 'card.json'}", JPKI_TEST_PIN=PASSWORD
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Run(
        arguments=everything,
        exit_code=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr.decode(),
        typed=frozenset({PASSWORD}),
    )


def untouched(folder: Path) -> None:
    assert (folder / "old.sig").read_bytes() == b"an earlier signature"
    assert sorted(path.name for path in folder.iterdir()) == ["card", "document.txt", "old.sig"]
    assert describe_card(folder / "card" / "card.json").pin("signature").tries_left == 5


@pytest.fixture
def held_back() -> tuple[str, ...]:
    """How to start a process that file modes hold back: root without the right to ignore them."""
    if os.getuid() != 0:
        return ()
    if not is_installed("setpriv"):
        pytest.skip("root ignores file modes, and setpriv (util-linux) is not there")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def test_an_input_without_permission_is_refused(shared: Path, held_back: tuple[str, ...]) -> None:
    document = shared / "document.txt"
    document.chmod(0)
    run = process(shared, "sign", str(document), *SOURCE, prefix=held_back)
    check_failure(run, "input")
    check_nothing_leaked(run)
    untouched(shared)


def test_a_folder_that_may_not_be_looked_into_is_found_before_the_pin(
    shared: Path, held_back: tuple[str, ...]
) -> None:
    closed = shared.parent / "closed"
    closed.mkdir(mode=0)
    arguments = ("--json", "sign", str(shared / "document.txt"), "-o", str(closed / "new.sig"))
    run = process(shared, *arguments, *SOURCE, prefix=held_back)
    check_failure(run, "output-refused")
    assert run.error["fault"] == "folder-read-only"
    untouched(shared)


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["new", "force"])
def test_a_read_only_folder_is_found_before_the_pin(
    shared: Path, held_back: tuple[str, ...], force: tuple[str, ...]
) -> None:
    shared.chmod(0o555)
    output = shared / ("old.sig" if force else "new.sig")
    arguments = ("sign", str(shared / "document.txt"), *force, "-o", str(output))
    run = process(shared, *arguments, *SOURCE, prefix=held_back)
    check_failure(run, "output-refused")
    check_nothing_leaked(run)
    untouched(shared)


KILLED_BEFORE_RENAMING = f"""
import os, signal
right = os.replace
def kill(source, target, **options):
    if os.path.basename(os.fspath(source)).startswith(".jpki-"):
        os.kill(os.getpid(), signal.SIGKILL)
    return right(source, target, **options)
os.replace = os.rename = kill
{PROGRAM}
"""


def test_killed_between_writing_and_renaming_the_old_output_is_whole(shared: Path) -> None:
    arguments = ("sign", str(shared / "document.txt"), "--force", "-o", str(shared / "old.sig"))
    run = process(shared, *arguments, *SOURCE, program=KILLED_BEFORE_RENAMING)
    assert run.exit_code == -signal.SIGKILL
    check_nothing_leaked(run)
    assert (shared / "old.sig").read_bytes() == b"an earlier signature"
    (left,) = shared.glob(".jpki-*")
    assert left.name.endswith(".tmp")
    again = process(shared, *arguments, *SOURCE)
    assert again.exit_code == 0, again.stderr
    assert (shared / "old.sig").read_bytes()[:1] == b"\x30"
    assert describe_card(shared / "card" / "card.json").pin("signature").tries_left == 5
