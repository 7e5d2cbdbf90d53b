"""`jpki doctor` as a process of its own, with a real PC/SC service."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.fake_pcsc import OtherCard
from support.process import finish, start
from support.stranger import connected
from support.vpcd import READERS, Vpcd

from jpki.emulator import VirtualCard, create_card, load_card

pytestmark = pytest.mark.vpcd


def doctor(*options: str) -> tuple[int, dict[str, Any]]:
    run = finish(start("doctor", "--json", *options))
    assert "Traceback" not in run.stderr
    return run.exit_code, {check["check"]: check for check in json.loads(run.stdout)["checks"]}


def test_a_card_in_a_reader_is_all_right_and_no_pin_was_sent(
    vpcd: Vpcd, virtual_card: VirtualCard
) -> None:
    with vpcd.insert(virtual_card):
        exit_code, checks = doctor()
    assert exit_code == 0
    assert [check["state"] for check in checks.values()] == ["ok"] * 6
    assert READERS[1] in checks["readers"]["detail"]
    assert virtual_card.verify_count == 0


def test_empty_readers_are_no_card(vpcd: Vpcd) -> None:
    exit_code, checks = doctor()
    assert exit_code == checks["card"]["exit"] == 4
    assert checks["readers"]["state"] == "ok"
    assert checks["pins"]["state"] == "skipped"


def test_another_card_is_left_as_it_is(vpcd: Vpcd) -> None:
    other = OtherCard()
    with vpcd.insert(other) as reader, connected(reader):
        other.powered_off = 0
        exit_code, checks = doctor()
        assert other.powered_off == 0
    assert (exit_code, checks["card"]["state"]) == (4, "problem")


def test_r17_a_face_authentication_card_in_a_reader_is_recognised(
    vpcd: Vpcd, tmp_path: Path
) -> None:
    create_card(tmp_path / "face.json", face_authentication=True)
    with vpcd.insert(load_card(tmp_path / "face.json")):
        exit_code, checks = doctor()
    assert exit_code == 7
    assert "face-authentication card" in checks["kind"]["detail"]
