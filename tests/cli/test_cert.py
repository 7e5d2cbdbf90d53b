"""`jpki cert show` and `jpki cert export`."""

import json
import stat

import pytest
from cryptography import x509
from support.cards import HOLDER, PASSWORD
from support.trial import Trial

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")


def test_the_holder_and_the_serial_number_are_masked(trial: Trial) -> None:
    run = trial.run("cert", "show", "signature", *SOURCE, pin=PASSWORD)
    certificate = json.loads(run.stdout)["certificate"]
    assert certificate["kind"] == "signature"
    assert certificate["serial_number"] == "***"
    assert set(certificate["holder"].values()) == {"***"}
    assert "CN=***" in certificate["subject"]
    assert "JPKI-TEST" in certificate["issuer"]
    assert HOLDER not in run.stdout.decode()


def test_they_are_shown_on_request(trial: Trial) -> None:
    run = trial.run("cert", "show", "sign", "--reveal", *SOURCE, pin=PASSWORD)
    holder = json.loads(run.stdout)["certificate"]["holder"]
    assert holder["name"] == HOLDER
    assert holder["birth_date"] == "1985-04-01"
    assert holder["sex"] == "male"
    assert holder["address"].startswith("東京都")


def test_in_words_too(trial: Trial) -> None:
    hidden = trial.run("cert", "show", "sign", *SOURCE, pin=PASSWORD, as_json=False)
    assert HOLDER not in hidden.stdout.decode()
    shown = trial.run("cert", "show", "sign", "--reveal", *SOURCE, pin=PASSWORD, as_json=False)
    assert HOLDER in shown.stdout.decode()


def test_the_password_is_asked_for_with_what_it_discloses(trial: Trial) -> None:
    trial.run("cert", "show", "signature", answers=[PASSWORD])
    assert "name, address, birth date and sex" in trial.person.heard[0]


@pytest.mark.parametrize("name", ["authentication", "auth-ca", "signature-ca"])
def test_the_others_need_no_pin(trial: Trial, name: str) -> None:
    assert trial.run("cert", "show", name).exit_code == 0
    assert trial.card.verify_count == 0


def test_export_prints_pem_or_writes_a_file(trial: Trial) -> None:
    printed = trial.run("cert", "export", "auth", as_json=False).stdout
    from_pem = x509.load_pem_x509_certificate(printed)
    run = trial.run("cert", "export", "auth", "--der", "-o", "auth.der")
    assert json.loads(run.stdout)["output"] == "auth.der"
    from_der = x509.load_der_x509_certificate((trial.folder / "auth.der").read_bytes())
    assert from_pem == from_der
    in_json = json.loads(trial.run("cert", "export", "auth").stdout)["pem"]
    assert x509.load_pem_x509_certificate(in_json.encode()) == from_pem
    shown = json.loads(trial.run("cert", "show", "auth.der").stdout)["certificate"]
    assert shown["kind"] == "authentication"


def test_the_exported_signature_certificate_is_for_its_owner_only(trial: Trial) -> None:
    trial.run("cert", "export", "sign", "-o", "sign.pem", *SOURCE, pin=PASSWORD)
    assert stat.S_IMODE((trial.folder / "sign.pem").stat().st_mode) == 0o600


def test_an_existing_file_is_kept_and_no_password_asked_for(trial: Trial) -> None:
    run = trial.run("cert", "export", "sign", "-o", "old.sig", answers=[PASSWORD])
    trial.refused(run, "output-exists")
    assert trial.person.questions == []


def test_what_is_no_certificate_is_said_to_be_none(trial: Trial) -> None:
    trial.refused(trial.run("cert", "show", "document.txt"), "input")
    trial.refused(trial.run("cert", "show", "nothing"), "usage")
    trial.refused(trial.run("cert", "show", "a" * 300), "input")
    trial.refused(trial.run("cert", "export", "document.txt"), "usage")
