"""What can be set on a new card, and what is refused."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jpki.emulator import CardKeys, create_card, describe_card, export_ca, load_card, personalise
from jpki.emulator.issue import Issue
from jpki.emulator.rules import certificate_expiry

JST = datetime.timezone(datetime.timedelta(hours=9))
SELECT_JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")


@pytest.fixture(scope="module")
def keys() -> CardKeys:
    return CardKeys.generate()


def test_settings_are_on_the_card(tmp_path: Path, keys: CardKeys) -> None:
    path = tmp_path / "a.card"
    created = create_card(
        path,
        keys=keys,
        name="番号　花子",
        address="神奈川県横浜市中区見本町９番",
        birth_date=datetime.date(1989, 3, 31),
        sex="female",
        issued=datetime.date(2026, 5, 10),
        signature_password="HANAKO89",
        authentication_pin="0331",
    )
    assert created == describe_card(path)
    assert (created.holder.name, created.holder.sex) == ("番号　花子", "female")
    assert created.issued == datetime.datetime(2026, 5, 10, 12, tzinfo=JST)
    assert created.expires == datetime.datetime(2031, 3, 31, 14, 59, 59, tzinfo=datetime.UTC)
    assert [(pin.name, pin.value, pin.tries_left, pin.max_tries) for pin in created.pins] == [
        ("signature", "HANAKO89", 5, 5),
        ("authentication", "0331", 3, 3),
    ]
    assert created.has_signature_certificate
    assert created.path == path


def test_pins_are_drawn_when_none_are_given(tmp_path: Path, keys: CardKeys) -> None:
    drawn = [create_card(tmp_path / f"{number}.card", keys=keys) for number in range(5)]
    assert len({card.pin("signature").value for card in drawn}) == 5
    for card in drawn:
        assert re.fullmatch(r"[A-Z]{4}[0-9]{4}", card.pin("signature").value)
        assert len(set(card.pin("authentication").value)) == 4


def test_childs_card_has_no_signature_certificate(tmp_path: Path, keys: CardKeys) -> None:
    path = tmp_path / "child.card"
    created = create_card(path, keys=keys, with_signature_certificate=False)
    assert not created.has_signature_certificate
    card = load_card(path)
    card.execute(SELECT_JPKI)
    assert card.execute(bytes.fromhex("00B0880000")) == bytes.fromhex("008F009000")
    assert card.execute(bytes.fromhex("0020009B")) == b"\x63\xc0"
    assert card.execute(bytes.fromhex("00200098")) == b"\x63\xc3"
    files = json.loads(path.read_text(encoding="utf-8"))["applications"][1]["files"]
    assert files[0]["ef_id"] == "0001"
    assert files[0]["content"] == ""


def test_face_authentication_card_has_both_pins_blocked(tmp_path: Path, keys: CardKeys) -> None:
    created = create_card(tmp_path / "face.card", keys=keys, face_authentication=True)
    assert [pin.tries_left for pin in created.pins] == [0, 0]
    card = load_card(tmp_path / "face.card")
    card.execute(SELECT_JPKI)
    pin = created.pin("authentication").value.encode()
    assert card.execute(bytes.fromhex("0020009804") + pin) == b"\x69\x84"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"name": ""}, "name is empty"),
        ({"name": "　"}, "name is empty"),
        ({"name": "見本\x1b太郎"}, "control"),
        ({"name": "見" * 101}, "more than 100"),
        ({"address": " "}, "address is empty"),
        ({"address": "町" * 201}, "more than 200"),
        ({"sex": "m"}, "male, female, unknown"),
        ({"birth_date": datetime.date(1800, 1, 1)}, "birth date"),
        ({"birth_date": datetime.date(2027, 1, 1), "issued": datetime.date(2026, 1, 1)}, "born"),
        ({"signature_password": "ABC12"}, "6 to 16"),
        ({"signature_password": "A" * 17}, "6 to 16"),
        ({"signature_password": "abc123"}, "A-Z"),
        ({"signature_password": "ABC123\n"}, "A-Z"),
        ({"signature_password": "ＡＢＣ１２３"}, "A-Z"),
        ({"authentication_pin": "123"}, "four digits"),
        ({"authentication_pin": "12345"}, "four digits"),
        ({"authentication_pin": "１２３４"}, "four digits"),
        ({"prefecture": "東京都"}, "Tokyo-to"),
        ({"municipality": ""}, "Chiyoda-ku"),
        ({"municipality_code": "1310"}, "five digits"),
        ({"label": "OTHER"}, "token label"),
        ({"issued": datetime.datetime(2026, 1, 1)}, "zone"),  # noqa: DTZ001
        ({"issued": datetime.date(2026, 1, 1), "expires": datetime.date(2025, 12, 31)}, "expire"),
        ({"issued": datetime.date(2046, 1, 1)}, "2048"),
        ({"issued": datetime.date(1951, 1, 1)}, "1952"),
        ({"issued": datetime.datetime(1, 1, 1, tzinfo=JST)}, "range"),
        ({"expires": datetime.date(9999, 12, 31)}, "2048"),
    ],
)
def test_value_that_no_card_has_is_refused(
    tmp_path: Path, keys: CardKeys, setting: dict, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        create_card(tmp_path / "a.card", keys=keys, **setting)
    assert not (tmp_path / "a.card").exists()


def test_longest_name_and_address_fit_on_the_card(tmp_path: Path, keys: CardKeys) -> None:
    create_card(tmp_path / "a.card", keys=keys, name="見" * 100, address="町" * 200)
    load_card(tmp_path / "a.card")


def test_existing_file_is_kept_unless_told_otherwise(tmp_path: Path, keys: CardKeys) -> None:
    path = tmp_path / "a.card"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(FileExistsError):
        create_card(path, keys=keys)
    assert path.read_text(encoding="utf-8") == "precious"
    create_card(path, keys=keys, overwrite=True)
    load_card(path)


def test_file_made_by_another_program_meanwhile_is_kept(
    tmp_path: Path, keys: CardKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.card"
    issue = personalise.issue_certificates

    def overtaken(*arguments: Any, **options: Any) -> Issue:
        path.write_text("precious", encoding="utf-8")
        return issue(*arguments, **options)

    monkeypatch.setattr(personalise, "issue_certificates", overtaken)
    with pytest.raises(FileExistsError):
        create_card(path, keys=keys)
    assert path.read_text(encoding="utf-8") == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.card"]


@pytest.mark.parametrize("taken", [False, True])
def test_card_is_made_where_there_are_no_hard_links(
    tmp_path: Path, keys: CardKeys, monkeypatch: pytest.MonkeyPatch, *, taken: bool
) -> None:
    path = tmp_path / "a.card"

    def unsupported(new: Path, _target: Path) -> None:
        if taken:
            new.write_text("precious", encoding="utf-8")
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", unsupported)
    if taken:
        with pytest.raises(FileExistsError):
            create_card(path, keys=keys)
        assert path.read_text(encoding="utf-8") == "precious"
    else:
        create_card(path, keys=keys)
        load_card(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.card"]


def test_missing_folder_is_an_os_error(tmp_path: Path, keys: CardKeys) -> None:
    with pytest.raises(FileNotFoundError):
        create_card(tmp_path / "missing" / "a.card", keys=keys)


def test_ca_certificates_are_exported_as_pem(jpki_card_path: Path, tmp_path: Path) -> None:
    written = export_ca(jpki_card_path, tmp_path / "deep" / "ca")
    assert [path.name for path in written] == ["signature-ca.pem", "authentication-ca.pem"]
    for path in written:
        assert path.read_text(encoding="ascii").startswith("-----BEGIN CERTIFICATE-----\n")


def test_expiry_may_be_set(tmp_path: Path, keys: CardKeys) -> None:
    created = create_card(
        tmp_path / "a.card",
        keys=keys,
        issued=datetime.date(2020, 1, 1),
        expires=datetime.datetime(2021, 6, 1, 0, 0, tzinfo=datetime.UTC),
    )
    assert created.expires == datetime.datetime(2021, 6, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("born", "issued", "last_day"),
    [
        ("1980-02-17", "2025-10-27", "2030-02-17"),
        ("1985-04-01", "2026-03-31", "2030-04-01"),
        ("1985-04-01", "2026-04-01", "2031-04-01"),
        ("1985-04-01", "2026-04-02", "2031-04-01"),
        ("2000-02-29", "2026-02-28", "2031-02-28"),
        ("2000-02-29", "2026-02-27", "2030-02-28"),
        ("2000-02-29", "2023-03-01", "2028-02-29"),
    ],
)
def test_certificates_hold_until_the_fifth_birthday_after_issue(
    born: str, issued: str, last_day: str
) -> None:
    issue = datetime.datetime.fromisoformat(issued).replace(hour=0, minute=30, tzinfo=JST)
    expiry = certificate_expiry(datetime.date.fromisoformat(born), issue)
    assert expiry.isoformat() == last_day + "T14:59:59+00:00"
