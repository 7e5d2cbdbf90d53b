"""`jpki trust`: the pinned CAs, and what is kept of them."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from support.cards import PASSWORD
from support.pki import AT, PKI_DIR
from support.trial import Run, Trial

from jpki.certificates import trust

SIGNATURE_PIN, AUTHENTICATION_PIN = trust.PINNED_CAS[2], trust.PINNED_CAS[5]


@pytest.fixture
def folder(trial: Trial, tmp_path: Path) -> Path:
    """Where the CAs are kept; it is not there yet."""
    return tmp_path / "data" / "jpki" / "trust"


def pin(monkeypatch: pytest.MonkeyPatch, path: Path, as_pin: trust.PinnedCa) -> None:
    """Let the CA in this file stand in for one of J-LIS, whose keys nobody here has."""
    fingerprint = x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(SHA256()).hex()
    monkeypatch.setitem(trust._BY_FINGERPRINT, fingerprint, as_pin)


@pytest.fixture
def pinned_card(ca_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card's CAs are pinned, as those of a real card are."""
    pin(monkeypatch, ca_folder / "signature-ca.pem", SIGNATURE_PIN)
    pin(monkeypatch, ca_folder / "authentication-ca.pem", AUTHENTICATION_PIN)


def answer(run: Run) -> dict[str, Any]:
    assert "Traceback" not in run.stderr
    return dict(json.loads(run.stdout))


def states(run: Run) -> list[str]:
    return [certificate["state"] for certificate in answer(run)["certificates"]]


# --- list ---------------------------------------------------------------------------------------


def test_the_list_has_all_six_pins_and_says_that_nothing_is_kept(
    trial: Trial, folder: Path
) -> None:
    listed = answer(trial.run("trust", "list"))
    assert listed["folder"] == str(folder)
    assert len(listed["anchors"]) == 6
    assert listed["anchors"][1] == {
        "name": "signature-ca-2019",
        "issues": "signature",
        "generation": 2019,
        "not_valid_before": "2019-09-14T23:41:56Z",
        "not_valid_after": "2029-09-14T14:59:59Z",
        "serial_number": "132c4ab",
        "subject_key_identifier": "4de017de4b7f473dcd867a62d38b134ace83558a",
        "fingerprint_sha256": "79679c33e4cc9319440f1ad120a597ff1844e2ef217063adb176966fd5e6fbeb",
        "origin": "signca02.cer",
        "kept": None,
    }
    assert not folder.exists()


def test_in_words_the_list_says_which_have_ended(trial: Trial) -> None:
    text = trial.run("trust", "list", as_json=False, clock=lambda: AT).stdout.decode()
    assert text.count("(it has ended)") == 2
    for pinned in trust.PINNED_CAS:
        assert pinned.fingerprint_sha256 in text
        assert pinned.origin in text


# --- check --------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_pinned_ends_with_ten(trial: Trial) -> None:
    run = trial.run("trust", "check", str(PKI_DIR / "signature-ca.pem"))
    assert run.exit_code == 10
    checked = answer(run)
    assert (checked["pinned"], checked["anchor"]) == (False, None)


def test_a_pinned_one_is_named_and_stdin_is_read(
    trial: Trial, pinned_signature_ca: trust.PinnedCa
) -> None:
    content = (PKI_DIR / "signature-ca.pem").read_bytes()
    run = trial.run("trust", "check", "-", stdin=content)
    assert run.exit_code == 0
    checked = answer(run)
    assert (checked["pinned"], checked["anchor"]) == (True, pinned_signature_ca.name)
    words = trial.run("trust", "check", "-", stdin=content, as_json=False).stdout.decode()
    assert pinned_signature_ca.name in words


def test_every_certificate_of_a_file_is_judged(
    trial: Trial, pinned_signature_ca: trust.PinnedCa
) -> None:
    mixed = b"".join(
        (PKI_DIR / f"{name}.pem").read_bytes() for name in ("signature-ca", "foreign-ca")
    )
    run = trial.run("trust", "check", "-", stdin=mixed)
    assert run.exit_code == 10
    checked = answer(run)
    assert (checked["pinned"], checked["anchor"]) == (False, None)
    assert [one["pinned"] for one in checked["certificates"]] == [True, False]
    words = trial.run("trust", "check", "-", stdin=mixed, as_json=False).stdout.decode()
    assert [line.startswith("-: NOT pinned") for line in words.splitlines()] == [False, True]


def test_what_is_no_certificate_cannot_be_checked(trial: Trial) -> None:
    trial.refused(trial.run("trust", "check", "document.txt"), "input")
    trial.refused(trial.run("trust", "check", "absent"), "input")


# --- fetch --------------------------------------------------------------------------------------


def test_nothing_of_a_test_card_is_kept(trial: Trial, folder: Path) -> None:
    run = trial.run("trust", "fetch")
    assert run.exit_code == 10
    assert states(run) == ["not-pinned", "not-pinned"]
    assert not folder.exists()
    text = trial.run("trust", "fetch", as_json=False).stdout.decode()
    assert "NOT kept" in text
    assert "TEST" in text


@pytest.mark.usefixtures("pinned_card")
def test_pinned_cas_are_kept_and_then_they_are_there_already(
    trial: Trial, folder: Path, ca_folder: Path
) -> None:
    run = trial.run("trust", "fetch")
    assert run.exit_code == 0, run.stderr
    assert states(run) == ["kept", "kept"]
    assert trial.card.verify_count == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {path.name for path in folder.iterdir()}
    assert names == {"signature-ca-2023.pem", "authentication-ca-2023.pem"}
    kept = x509.load_pem_x509_certificate((folder / "signature-ca-2023.pem").read_bytes())
    assert kept == x509.load_pem_x509_certificate((ca_folder / "signature-ca.pem").read_bytes())

    again = trial.run("trust", "fetch")
    assert again.exit_code == 0
    assert states(again) == ["already-kept", "already-kept"]
    assert "already" in trial.run("trust", "fetch", as_json=False).stdout.decode()

    listed = answer(trial.run("trust", "list"))["anchors"]
    assert [bool(anchor["kept"]) for anchor in listed] == [False, False, True] * 2


def test_of_two_cas_only_the_pinned_one_is_kept(
    trial: Trial, folder: Path, ca_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, ca_folder / "signature-ca.pem", SIGNATURE_PIN)
    run = trial.run("trust", "fetch")
    assert run.exit_code == 10
    assert states(run) == ["kept", "not-pinned"]
    assert [path.name for path in folder.iterdir()] == ["signature-ca-2023.pem"]


@pytest.mark.usefixtures("pinned_card")
def test_a_false_file_of_that_name_gives_way_to_the_true_one(trial: Trial, folder: Path) -> None:
    folder.mkdir(parents=True)
    place = folder / "signature-ca-2023.pem"
    place.write_bytes((PKI_DIR / "foreign-ca.pem").read_bytes())
    assert states(trial.run("trust", "fetch")) == ["kept", "kept"]
    kept = x509.load_pem_x509_certificate(place.read_bytes())
    assert trust.pin_of(kept) is SIGNATURE_PIN


@pytest.mark.usefixtures("pinned_card")
def test_a_folder_that_cannot_be_made_is_told(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder belongs")
    run = trial.run("trust", "fetch")
    assert run.exit_code == 12
    assert run.error["code"] == "output-not-written"


# --- what is kept is used -----------------------------------------------------------------------


@pytest.fixture
def exported(trial: Trial) -> Trial:
    """The desk with the card's login certificate on it."""
    assert trial.run("cert", "export", "auth", "-o", "auth.pem").exit_code == 0
    return trial


def verified(trial: Trial) -> Run:
    return trial.run("cert", "verify", "auth.pem")


@pytest.mark.usefixtures("pinned_card")
def test_with_a_kept_ca_a_certificate_passes_without_the_card(exported: Trial) -> None:
    assert verified(exported).exit_code == 11
    exported.run("trust", "fetch")
    run = verified(exported)
    assert run.exit_code == 0, run.stdout
    found = answer(run)
    assert (found["anchor"], found["anchor_name"]) == ("pinned", "authentication-ca-2023")


@pytest.mark.usefixtures("pinned_card")
def test_a_document_signed_under_the_test_policy_does_not_pass_for_a_ca_of_j_lis(
    trial: Trial,
) -> None:
    trial.run("sign", "document.txt", "--pin-from", "env:JPKI_TEST_PIN", pin=PASSWORD)
    trial.run("trust", "fetch")
    run = trial.run("verify", "document.txt.p7s")
    (signature,) = answer(run)["files"][0]["signatures"]
    assert (signature["anchor"], signature["anchor_name"]) == ("pinned", "signature-ca-2023")
    assert signature["reasons"] == ["wrong-policy"]
    assert run.exit_code == 10


def test_a_planted_ca_gives_nothing_and_is_told(
    exported: Trial, folder: Path, ca_folder: Path
) -> None:
    folder.mkdir(parents=True)
    planted = folder / "authentication-ca-2023.pem"
    planted.write_bytes((ca_folder / "authentication-ca.pem").read_bytes())
    run = verified(exported)
    assert run.exit_code == 11
    assert answer(run)["reasons"] == ["no-anchor"]
    assert f"Warning: {planted} is passed over" in run.stderr
    listed = answer(exported.run("trust", "list"))["anchors"]
    assert [anchor["kept"] for anchor in listed] == [None] * 6


@pytest.mark.usefixtures("pinned_card")
def test_a_ca_is_known_by_its_fingerprint_whatever_its_file_is_called(
    exported: Trial, folder: Path, ca_folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "friend.pem").write_bytes((ca_folder / "authentication-ca.pem").read_bytes())
    assert verified(exported).exit_code == 0


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n!!\n"])
@pytest.mark.usefixtures("pinned_card")
def test_a_file_that_cannot_be_read_is_passed_over_with_a_word(
    exported: Trial, folder: Path, content: bytes
) -> None:
    exported.run("trust", "fetch")
    (folder / "a.pem").write_bytes(content)
    run = verified(exported)
    assert run.exit_code == 0
    assert run.stderr.count("is passed over") == 1
    assert "Traceback" not in run.stderr


@pytest.mark.usefixtures("pinned_card")
def test_a_pipe_in_the_folder_keeps_nobody_waiting(exported: Trial, folder: Path) -> None:
    exported.run("trust", "fetch")
    os.mkfifo(folder / "pipe.pem")
    assert verified(exported).exit_code == 0


def test_a_file_in_place_of_the_folder_is_told(exported: Trial, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    run = verified(exported)
    assert run.exit_code == 11
    assert f"{folder} is passed over" in run.stderr


@pytest.mark.parametrize("arguments", [("status",), ("cert", "list"), ("cert", "show", "auth-ca")])
def test_commands_that_validate_nothing_do_not_look_there(
    trial: Trial, folder: Path, arguments: tuple[str, ...]
) -> None:
    folder.mkdir(parents=True)
    (folder / "a.pem").write_bytes(b"nonsense")
    assert "passed over" not in trial.run(*arguments).stderr
    assert "passed over" in trial.run("trust", "list").stderr


def test_two_files_of_one_ca_are_one_anchor(
    exported: Trial, folder: Path, pinned_signature_ca: trust.PinnedCa
) -> None:
    folder.mkdir(parents=True)
    for name in ("a.pem", "b.pem"):
        (folder / name).write_bytes((PKI_DIR / "signature-ca.pem").read_bytes())
    listed = answer(exported.run("trust", "list"))["anchors"]
    assert [anchor["kept"] for anchor in listed if anchor["kept"]] == [str(folder / "a.pem")]
