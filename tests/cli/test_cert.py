"""`jpki cert show` and `jpki cert export`."""

import json
import stat
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from support.cards import HOLDER, PASSWORD
from support.terminal import JPKI, TerminalProcess
from support.trial import Trial, check_nothing_leaked, copy_of_environment

from cli.certificate_words import (
    attribute_text,
    era_date_text,
    era_text,
    fault_text,
    kind_text,
    medium_text,
    sex_text,
)
from cli.times import japan_time, local_time
from jpki.certificates import (
    CertificateKind,
    Era,
    HolderAttribute,
    HolderFaultKind,
    Medium,
    Sex,
)

SOURCE = ("--pin-from", "env:JPKI_TEST_PIN")
POLICY_ARC = "1.2.392.200149.8.5.1"
DISCLOSURE = "name, address, birth date and sex"


def test_the_holder_and_the_serial_number_are_masked(trial: Trial) -> None:
    run = trial.run("cert", "show", "signature", *SOURCE, pin=PASSWORD)
    certificate = json.loads(run.stdout)["certificate"]
    assert certificate["kind"] == "signature"
    assert certificate["serial_number"] == "***"
    attributes = ("name", "birth_date", "era", "sex", "address")
    assert {certificate["holder"][attribute] for attribute in attributes} == {"***"}
    assert certificate["holder"]["substituted"] == {"name": [], "address": []}
    assert certificate["holder"]["others"] == certificate["holder"]["faults"] == []
    assert "CN=***" in certificate["subject"]
    assert "JPKI-TEST" in certificate["issuer"]
    check_nothing_leaked(run)


def test_what_is_nobodys_is_shown_without_being_asked_for(trial: Trial) -> None:
    for name, policy in (("sign", f"{POLICY_ARC}.0.20"), ("auth", f"{POLICY_ARC}.3.30")):
        run = trial.run("cert", "show", name, *SOURCE, pin=PASSWORD)
        certificate = json.loads(run.stdout)["certificate"]
        assert certificate["medium"] == "card"
        assert certificate["test"] is True
        assert certificate["pinned"] is None
        assert certificate["policies"] == [policy]
        assert (certificate["municipality"], certificate["prefecture"]) == (
            "Chiyoda-ku",
            "Tokyo-to",
        )
        assert certificate["not_valid_after"].endswith("T14:59:59Z")


def test_they_are_shown_on_request(trial: Trial) -> None:
    run = trial.run("cert", "show", "sign", "--reveal", *SOURCE, pin=PASSWORD)
    holder = json.loads(run.stdout)["certificate"]["holder"]
    assert holder["name"] == HOLDER
    assert holder["birth_date"] == "1985-04-01"
    assert holder["era"] == "showa"
    assert holder["sex"] == "male"
    assert holder["address"].startswith("東京都")


def test_in_words_too(trial: Trial) -> None:
    hidden = trial.run("cert", "show", "sign", *SOURCE, pin=PASSWORD, as_json=False)
    check_nothing_leaked(hidden)
    assert "23:59:59 JST" in hidden.stdout.decode()
    assert "Chiyoda-ku, Tokyo-to" in hidden.stdout.decode()
    shown = trial.run("cert", "show", "sign", "--reveal", *SOURCE, pin=PASSWORD, as_json=False)
    assert HOLDER in shown.stdout.decode()
    assert "1985-04-01 (Showa 60)" in shown.stdout.decode()


def test_the_full_text_names_every_extension_with_oid_and_criticality(trial: Trial) -> None:
    run = trial.run("cert", "show", "sign", "--text", *SOURCE, pin=PASSWORD, as_json=False)
    check_nothing_leaked(run)
    text = run.stdout.decode()
    certificate = exported(trial, "sign")
    for extension in certificate.extensions:
        critical = ", critical" if extension.critical else ""
        assert f"({extension.oid.dotted_string}){critical}:\n" in text
    assert text.count("***") == 2 + 6  # serial number, common name, six attributes
    for value in (
        "digitalSignature, nonRepudiation",
        "1.2.392.200149.8.5.1.0.20",
        "CN=Chiyoda-ku CRLDP,OU=Tokyo-to,OU=CRL Distribution Points",
        "http://www.jpki.go.jp/cps.html",
        "sha256WithRSAEncryption (1.2.840.113549.1.1.11)",
        "RSA, 2048 bits, exponent 0x10001",
        certificate.fingerprint(hashes.SHA256()).hex(),
    ):
        assert value in text
    revealed = trial.run(
        "cert", "show", "sign", "--text", "--reveal", *SOURCE, pin=PASSWORD, as_json=False
    ).stdout.decode()
    assert f"{certificate.serial_number:x}" in revealed
    assert f"(name): {HOLDER}" in revealed
    assert "(birth-date): 319850401" in revealed
    assert "***" not in revealed
    in_json = json.loads(trial.run("cert", "show", "auth", "--text").stdout)["certificate"]
    assert "clientAuth (1.3.6.1.5.5.7.3.2)" in in_json["text"]
    assert in_json["serial_number"] == "***"


def exported(trial: Trial, name: str) -> x509.Certificate:
    run = trial.run("cert", "export", name, *SOURCE, pin=PASSWORD, as_json=False)
    return x509.load_pem_x509_certificate(run.stdout)


def test_the_certificate_itself_is_what_export_writes(trial: Trial) -> None:
    run = trial.run("cert", "show", "sign", "--pem", *SOURCE, pin=PASSWORD, as_json=False)
    assert x509.load_pem_x509_certificate(run.stdout) == exported(trial, "sign")
    in_json = json.loads(trial.run("cert", "show", "auth", "--pem").stdout)["certificate"]
    assert x509.load_pem_x509_certificate(in_json["pem"].encode()) == exported(trial, "auth")


def test_a_ca_names_nobody_so_its_subject_is_shown(trial: Trial) -> None:
    text = trial.run("cert", "show", "sign-ca", as_json=False).stdout.decode()
    assert "Subject:     OU=Japan Agency" in text
    assert "Pinned:      no" in text


# --- what the signature certificate discloses ---------------------------------------------------


@pytest.mark.parametrize(
    "command", [("show",), ("show", "--pem"), ("export",), ("export", "--der")]
)
def test_the_password_is_asked_for_with_what_it_discloses(
    trial: Trial, command: tuple[str, ...]
) -> None:
    # The first entry cannot be a password, so there is a second question.
    run = trial.run("cert", *command, "signature", answers=["あ", PASSWORD])
    assert run.exit_code == 0
    assert len(trial.person.questions) == 2
    disclosures = [text for text in trial.person.heard if DISCLOSURE in text]
    assert disclosures == trial.person.heard[:1]


@pytest.mark.parametrize("name", ["auth", "auth-ca", "sign-ca"])
def test_the_other_certificates_disclose_nothing_to_be_told_of(trial: Trial, name: str) -> None:
    for command in ("show", "export"):
        run = trial.run("cert", command, name, answers=[])
        assert (run.exit_code, run.stderr, trial.person.heard) == (0, "", [])


def test_a_certificate_out_of_a_file_was_disclosed_before(trial: Trial) -> None:
    trial.run("cert", "export", "sign", "-o", "sign.pem", *SOURCE, pin=PASSWORD)
    run = trial.run("cert", "show", "sign.pem", "--pem", answers=[], as_json=False)
    assert run.stdout == (trial.folder / "sign.pem").read_bytes()
    assert (run.stderr, trial.person.heard) == ("", [])


@pytest.mark.skipif(sys.platform == "win32", reason="a pty is needed")
@pytest.mark.parametrize("command", ["export", "show --pem"])
def test_at_a_terminal_it_is_said_once_and_not_in_the_output(
    card_path: Path, tmp_path: Path, command: str
) -> None:
    written = tmp_path / "sign.pem"
    shell = ("sh", "-c", f'exec "$0" "$@" cert {command} signature > "{written}"')
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    with TerminalProcess(*JPKI, env=environment, program=shell) as run:
        run.wait_for("tries left: 5: ")
        assert run.seen.count(DISCLOSURE) == 1
        assert run.seen.index(DISCLOSURE) < run.seen.index("tries left: 5: ")
        run.enter(f"{PASSWORD}\n")
        assert run.end() == 0
        assert run.seen.count(DISCLOSURE) == 1
    assert DISCLOSURE.encode() not in written.read_bytes()
    assert x509.load_pem_x509_certificate(written.read_bytes()).extensions is not None


@pytest.mark.skipif(sys.platform == "win32", reason="a pty is needed")
def test_where_stderr_is_closed_the_certificate_is_shown_all_the_same(card_path: Path) -> None:
    shell = ("sh", "-c", 'exec "$0" "$@" cert show signature 2>&-')
    environment = copy_of_environment(JPKI_READER=f"emulator:{card_path}")
    with TerminalProcess(*JPKI, env=environment, program=shell) as run:
        run.wait_for("tries left: 5: ")
        run.enter(f"{PASSWORD}\n")
        assert run.end() == 0
        assert "Issued in:   Chiyoda-ku" in run.seen


# --- the rest -----------------------------------------------------------------------------------


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


@pytest.mark.skipif(sys.platform == "win32", reason="the zone of a process is fixed there")
def test_times_of_japan_and_of_here_have_an_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert japan_time(datetime(2031, 4, 1, 14, 59, 59, tzinfo=UTC)) == "2031-04-01 23:59:59 JST"
    assert japan_time(last) == "9999-12-31 23:59:59 UTC"
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert local_time(last) == "9999-12-31 23:59 (UTC+00:00)"
        assert local_time(datetime(2031, 4, 1, 15, tzinfo=UTC)) == "2031-04-02 00:00 (UTC+09:00)"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_every_kind_era_and_fault_has_words_of_its_own() -> None:
    words: list[list[str | None]] = [
        [kind_text(kind) for kind in CertificateKind],
        [medium_text(medium) for medium in Medium],
        [sex_text(sex) for sex in Sex],
        [era_text(era) for era in Era],
        [fault_text(kind) for kind in HolderFaultKind],
        [attribute_text(attribute) for attribute in HolderAttribute],
    ]
    for texts in words:
        assert len(set(texts)) == len(texts)
    assert attribute_text("1.2.3.4") == "1.2.3.4"


def test_a_date_shows_its_year_of_the_era_where_there_is_one() -> None:
    assert era_date_text(date(1989, 3, 31), Era.HEISEI) == "1989-03-31 (Heisei 1)"
    assert era_date_text(date(1989, 1, 7), Era.SHOWA) == "1989-01-07 (Showa 64)"
    assert era_date_text(date(1989, 3, 31), Era.SHOWA) == "1989-03-31 (era: Showa)"
    assert era_date_text(date(1989, 3, 31), Era.UNKNOWN) == "1989-03-31 (era: unknown)"
    assert era_date_text(None, Era.SHOWA) is None
