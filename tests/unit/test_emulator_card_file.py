"""The card file: what is in it survives, and what is not a card file is refused."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jpki.emulator import CardFileError, VirtualCard, create_card, describe_card, load_card

SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
WRONG_SIGNATURE_PIN = bytes.fromhex("0020009B06") + b"WRONG0"


def test_card_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_card(tmp_path / "a.card")
    finally:
        os.umask(before)
    assert (tmp_path / "a.card").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.card"]


def test_mode_stays_after_a_wrong_try(jpki_card_path: Path) -> None:
    spend_one_try(load_card(jpki_card_path))
    assert jpki_card_path.stat().st_mode & 0o777 == 0o600
    assert len(list(jpki_card_path.parent.glob(".jpki-*"))) == 0


def spend_one_try(card: VirtualCard) -> bytes:
    assert card.execute(SELECT_JPKI) == b"\x90\x00"
    return card.execute(WRONG_SIGNATURE_PIN)


def test_wrong_try_survives_a_killed_program(jpki_card_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from jpki.emulator import load_card\n"
        "card = load_card(sys.argv[1])\n"
        f"card.execute(bytes.fromhex('{SELECT_JPKI.hex()}'))\n"
        f"card.execute(bytes.fromhex('{WRONG_SIGNATURE_PIN.hex()}'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, jpki_card_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert load_card(jpki_card_path).tries("signature") == 4


def test_try_is_on_the_disk_before_the_card_answers(jpki_card_path: Path) -> None:
    seen: list[int] = []
    card = load_card(jpki_card_path)

    def look(exchange: int, _command: bytes, answer: bytes) -> bytes:
        if exchange == 2:
            seen.append(describe_card(jpki_card_path).pin("signature").tries_left)
        return answer

    card.faults = type(card.faults)(hook=look)
    spend_one_try(card)
    assert seen == [4]


def test_two_cards_on_one_file_count_together(jpki_card_path: Path) -> None:
    first, second = load_card(jpki_card_path), load_card(jpki_card_path)
    assert spend_one_try(first) == b"\x63\xc4"
    assert spend_one_try(second) == b"\x63\xc3"
    assert first.execute(bytes.fromhex("0020009B")) == b"\x63\xc3"


def test_tries_spent_at_the_same_time_are_all_counted(jpki_card_path: Path) -> None:
    document = json.loads(jpki_card_path.read_text(encoding="utf-8"))
    for file in document["applications"][1]["files"]:
        if file["type"] == "pin":
            file["tries_left"] = file["max_tries"] = 15
    jpki_card_path.write_text(json.dumps(document), encoding="utf-8")
    cards = [load_card(jpki_card_path) for _ in range(12)]
    threads = [threading.Thread(target=spend_one_try, args=(card,)) for card in cards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert describe_card(jpki_card_path).pin("signature").tries_left == 3


def test_card_whose_file_has_gone_says_memory_failure(jpki_card_path: Path) -> None:
    card = load_card(jpki_card_path)
    jpki_card_path.unlink()
    assert spend_one_try(card) == b"\x65\x81"
    assert card.execute(bytes.fromhex("00B0810000")) == b"\x69\x82"


def test_card_whose_file_is_spoilt_says_memory_failure(jpki_card_path: Path) -> None:
    card = load_card(jpki_card_path)
    jpki_card_path.write_text("{}", encoding="utf-8")
    assert spend_one_try(card) == b"\x65\x81"


def test_card_with_a_spoilt_key_says_memory_failure(jpki_card_path: Path) -> None:
    document = json.loads(jpki_card_path.read_text(encoding="utf-8"))
    for file in document["applications"][1]["files"]:
        if file["type"] == "key":
            file["private_key"] = "AAAA"
    jpki_card_path.write_text(json.dumps(document), encoding="utf-8")
    card = load_card(jpki_card_path)
    card.execute(SELECT_JPKI)
    card.execute(bytes.fromhex("0020009804") + card.pin_value("authentication").encode())
    assert card.execute(bytes.fromhex("802A0097013000")) == b"\x65\x81"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"{}", b"12", b"[" * 100_000])
def test_file_that_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.card"
    path.write_bytes(content)
    with pytest.raises(CardFileError, match="not a virtual card"):
        load_card(path)


def test_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.card").symlink_to("loop.card")
    with pytest.raises((CardFileError, OSError), match="symbolic links"):
        load_card(tmp_path / "loop.card")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless file")
def test_endless_file_is_refused() -> None:
    with pytest.raises(CardFileError, match="too large"):
        load_card("/dev/zero")


def test_file_of_a_later_version_is_refused(jpki_card_path: Path) -> None:
    document = json.loads(jpki_card_path.read_text(encoding="utf-8"))
    jpki_card_path.write_text(json.dumps(document | {"version": 2}), encoding="utf-8")
    with pytest.raises(CardFileError, match="version 2"):
        load_card(jpki_card_path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("applications",), []),
        (("applications",), 3),
        (("applications", 1, "files", 0, "type"), "record"),
        (("applications", 1, "files", 0, "content"), "no base64!"),
        (("applications", 1, "files", 0, "size"), 10),
        (("applications", 1, "files", 0, "size"), 40000),
        (("applications", 1, "files", 7, "tries_left"), 16),
        (("applications", 1, "files", 7, "tries_left"), "5"),
        (("applications", 1, "aid"), "xyz"),
        (("holder", "birth_date"), "1985-02-30"),
        (("issued",), "2026-01-01"),
        (("atr",), None),
    ],
)
def test_damaged_card_is_refused(jpki_card_path: Path, path: tuple, value: object) -> None:
    document = json.loads(jpki_card_path.read_text(encoding="utf-8"))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    jpki_card_path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(CardFileError, match="damaged"):
        load_card(jpki_card_path)


def test_link_to_a_card_stays_a_link(jpki_card_path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.card"
    link.symlink_to(jpki_card_path)
    assert spend_one_try(load_card(link)) == b"\x63\xc4"
    assert link.is_symlink()
    assert load_card(jpki_card_path).tries("signature") == 4


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_card(tmp_path / "missing.card")


def test_old_card_stays_when_the_new_one_cannot_be_written(
    jpki_card_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = jpki_card_path.read_bytes()
    card = load_card(jpki_card_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert spend_one_try(card) == b"\x65\x81"
    assert jpki_card_path.read_bytes() == before
    assert [path.name for path in jpki_card_path.parent.iterdir()] == [jpki_card_path.name]


def test_file_works_where_there_is_no_lock(
    jpki_card_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert spend_one_try(load_card(jpki_card_path)) == b"\x63\xc4"
    assert load_card(jpki_card_path).tries("signature") == 4
