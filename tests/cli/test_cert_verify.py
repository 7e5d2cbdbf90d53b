"""`jpki cert verify`: one certificate, its path, and what speaks against it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier
from support.cards import HOLDER, PASSWORD
from support.pki import (
    AT,
    AUTHENTICATION_LEAF,
    CA_UNTIL,
    PKI_DIR,
    SIGNATURE_LEAF,
    Leaf,
    holder_names,
    load,
    load_key,
)
from support.pki import HOLDER as ATTRIBUTES
from support.trial import Run, Trial, check_nothing_leaked

from cli.verdict_words import CRL_REASONS, EVIDENCE_FAULTS, PROFILE_FAULTS
from jpki.certificates.conformance import ProfileFaultKind
from jpki.certificates.revocation import EvidenceFault

PIN_FROM = ("--pin-from", "env:JPKI_TEST_PIN")
THEN = ("--at", AT.isoformat())
CA = str(PKI_DIR / "signature-ca.pem")


def answer(run: Run) -> dict[str, Any]:
    assert "Traceback" not in run.stderr
    return dict(json.loads(run.stdout))


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def leaf(model: Leaf = SIGNATURE_LEAF, **changes: Any) -> bytes:
    """A certificate of the fixtures' signature CA that differs a little."""
    built = replace(model, **changes).build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    return pem(built)


def verify(trial: Trial, content: bytes, *options: str, **more: Any) -> Run:
    return trial.run("cert", "verify", "-", *options, *THEN, stdin=content, **more)


# --- of the card --------------------------------------------------------------------------------


def test_a_test_card_proves_nothing_by_its_own_ca(trial: Trial) -> None:
    run = trial.run("cert", "verify", "authentication")
    assert run.exit_code == 11
    found = answer(run)
    assert (found["verdict"], found["reasons"]) == ("indeterminate", ["no-anchor"])
    assert (found["anchor"], found["anchor_name"]) == (None, None)


def test_under_a_test_ca_that_was_given_it_passes_as_a_test(trial: Trial, ca_folder: Path) -> None:
    run = trial.run("cert", "verify", "auth", "--trust", str(ca_folder / "authentication-ca.pem"))
    assert run.exit_code == 0, run.stdout
    found = answer(run)
    assert found["verdict"] == "passed"
    assert found["reasons"] == []
    assert (found["anchor"], found["anchor_name"]) == ("test", None)
    assert found["purpose"] == "login"
    assert found["revocation"] == "not-checked"
    assert found["not_checked"] == ["revocation"]
    assert found["policies"] == ["1.2.392.200149.8.5.1.3.30"]
    assert found["profile_faults"] == []
    assert found["revocation_details"] == {
        "reason": None, "since": None, "source": None, "this_update": None, "next_update": None,
        "rejected": [],
    }  # fmt: skip
    assert found["certificate"]["serial_number"] == "***"
    assert trial.card.verify_count == 0


def test_the_signature_certificate_takes_its_password_and_stays_masked(
    trial: Trial, ca_folder: Path
) -> None:
    trust = ("--trust", str(ca_folder / "signature-ca.pem"))
    run = trial.run("cert", "verify", "sign", *trust, *PIN_FROM, pin=PASSWORD)
    assert run.exit_code == 0, run.stdout
    assert answer(run)["purpose"] == "document"
    assert trial.card.verify_count == 1
    check_nothing_leaked(run)


@pytest.mark.usefixtures("pinned_authentication_ca")
def test_a_pinned_ca_on_the_card_is_an_anchor(trial: Trial) -> None:
    run = trial.run("cert", "verify", "auth")
    assert run.exit_code == 0, run.stdout
    assert answer(run)["anchor_name"] == "authentication-ca-2023"
    assert (
        "authentication-ca-2023"
        in trial.run("cert", "verify", "auth", as_json=False).stdout.decode()
    )


@pytest.fixture
def pinned_authentication_ca(ca_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.hashes import SHA256

    from jpki.certificates import trust

    content = (ca_folder / "authentication-ca.pem").read_bytes()
    fingerprint = x509.load_pem_x509_certificate(content).fingerprint(SHA256()).hex()
    monkeypatch.setitem(trust._BY_FINGERPRINT, fingerprint, trust.PINNED_CAS[5])


def test_bad_input_is_refused_before_the_password_is_asked_for(trial: Trial) -> None:
    for options, code in (
        (("--trust", "absent"), "input"),
        (("--trust", "document.txt"), "input"),
        (("--at", "noon"), "usage"),
        (("--crl", "document.txt"), "input"),
        (("--ocsp", "document.txt"), "input"),
    ):
        run = trial.run("cert", "verify", "sign", *options, answers=[PASSWORD])
        trial.refused(run, code)
        assert trial.person.questions == []


def test_a_wrong_password_is_told_as_everywhere(trial: Trial) -> None:
    run = trial.run("cert", "verify", "sign", *PIN_FROM, pin="WRONG2026")
    trial.refused(run, "pin-incorrect", verifies=1, tries={"signature": 4})


def test_a_password_and_a_ca_cannot_both_come_from_stdin(trial: Trial) -> None:
    run = trial.run("cert", "verify", "sign", "--trust", "-", "--pin-from", "stdin")
    trial.refused(run, "pin-source")


def test_what_is_neither_a_name_nor_a_file_is_a_usage_error(trial: Trial) -> None:
    trial.refused(trial.run("cert", "verify", "nothing"), "usage")
    trial.refused(trial.run("cert", "verify", "document.txt"), "input")


# --- of a file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ca", "purpose"),
    [
        ("signature", "signature-ca", "document"),
        ("authentication", "authentication-ca", "login"),
    ],
)
def test_a_certificate_is_checked_for_what_it_is_made_for(
    trial: Trial, name: str, ca: str, purpose: str
) -> None:
    run = verify(trial, pem(load(name)), "--trust", str(PKI_DIR / f"{ca}.pem"))
    assert run.exit_code == 0, run.stdout
    assert answer(run)["purpose"] == purpose
    assert answer(run)["at"] == "2026-06-01T03:00:00Z"


@pytest.mark.parametrize(
    ("name", "ca", "purpose"),
    [
        ("signature", "signature-ca", "login"),
        ("authentication", "authentication-ca", "document"),
    ],
)
def test_for_the_other_purpose_it_fails(trial: Trial, name: str, ca: str, purpose: str) -> None:
    options = ("--trust", str(PKI_DIR / f"{ca}.pem"), "--purpose", purpose)
    run = verify(trial, pem(load(name)), *options)
    assert run.exit_code == 10
    assert answer(run)["reasons"] == ["wrong-key-usage", "wrong-policy"]


def test_the_first_certificate_is_judged_and_the_others_vouch_only_if_pinned(
    trial: Trial,
) -> None:
    chain = pem(load("authentication"), load("authentication-ca"))
    run = verify(trial, chain)
    assert run.exit_code == 11
    assert answer(run)["reasons"] == ["no-anchor"]


def test_a_pinned_ca_in_the_file_is_an_anchor(trial: Trial, pinned_signature_ca: object) -> None:
    content = leaf(policy="1.2.392.200149.8.5.1.1.20") + pem(load("signature-ca"))
    run = verify(trial, content)
    assert run.exit_code == 0, run.stdout
    assert answer(run)["anchor_name"] == "signature-ca-2019"


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (leaf(policy="1.2.3.4"), "wrong-policy", "1.2.3.4"),
        (
            leaf(
                extra=(
                    (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.99"), b"\x05\x00"), False),
                )
            ),
            "profile-mismatch",
            "an extension too many (1.2.3.99)",
        ),
        (
            leaf(policy_critical=False),
            "profile-mismatch",
            "critical is not, or the reverse (2.5.29.32)",
        ),
        (pem(load("signature-expired")), "expired", "had expired"),
        (pem(load("signature-not-yet-valid")), "not-yet-valid", "not valid yet"),
        (pem(load("signature-foreign")), "untrusted-issuer", "was not issued by the CA"),
        (pem(load("signature-wrong-usage")), "wrong-key-usage", "not meant for this use"),
        (
            leaf(not_after=CA_UNTIL.replace(year=CA_UNTIL.year + 1)),
            "outside-anchor-validity",
            "outlives the CA",
        ),
        (pem(load("signature-ca")), "signer-is-ca", "that of a CA"),
    ],
    ids=[
        "policy", "extension", "criticality", "expired", "not yet", "forged", "usage", "outlives",
        "a CA",
    ],
)  # fmt: skip
def test_each_fault_has_its_code_and_its_words(
    trial: Trial, content: bytes, reason: str, words: str
) -> None:
    run = verify(trial, content, "--trust", CA)
    assert run.exit_code == 10
    assert reason in answer(run)["reasons"]
    text = verify(trial, content, "--trust", CA, as_json=False).stdout.decode()
    assert text.startswith("-: FAILED\n")
    assert words in text


def test_profile_faults_name_the_extension(trial: Trial) -> None:
    run = verify(trial, leaf(policy_critical=False), "--trust", CA)
    assert answer(run)["profile_faults"] == [{"fault": "wrong-criticality", "oid": "2.5.29.32"}]


def test_the_time_decides(trial: Trial) -> None:
    content = pem(load("signature-expired"))
    for time, exit_code in (("2024-01-01T00:00:00Z", 0), ("2100-01-01", 10)):
        run = trial.run("cert", "verify", "-", "--trust", CA, "--at", time, stdin=content)
        assert run.exit_code == exit_code


def test_of_several_cas_the_one_that_vouched_is_named(trial: Trial) -> None:
    trust = [
        word
        for name in ("foreign-ca", "signature-ca", "authentication-ca")
        for word in ("--trust", str(PKI_DIR / f"{name}.pem"))
    ]
    fingerprint = load("signature-ca").fingerprint(SHA256()).hex()
    assert answer(verify(trial, leaf(), *trust))["anchor_fingerprint_sha256"] == fingerprint
    text = verify(trial, leaf(), *trust, as_json=False).stdout.decode()
    assert f"given with --trust (SHA-256 {fingerprint})" in text
    assert answer(verify(trial, leaf()))["anchor_fingerprint_sha256"] is None


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-02-30", "now", ""]
)
def test_a_time_that_cannot_be_is_a_usage_error(trial: Trial, time: str) -> None:
    run = trial.run("cert", "verify", CA, "--at", time)
    assert (run.exit_code, run.error["code"]) == (2, "usage")


def test_the_edges_of_the_calendar_are_times_like_any(trial: Trial) -> None:
    for time in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        for as_json in (True, False):
            run = trial.run("cert", "verify", CA, "--trust", CA, "--at", time, as_json=as_json)
            assert run.exit_code == 10


def test_what_is_odd_about_the_holder_stands_beside_the_verdict(trial: Trial) -> None:
    attributes = {**ATTRIBUTES, 2: "01000", 4: "19890331"}
    content = leaf(names=holder_names(attributes))
    run = verify(trial, content, "--trust", CA, as_json=False)
    assert run.exit_code == 0
    check_nothing_leaked(run)
    text = run.stdout.decode()
    assert "Odd:         birth date: it has not nine digits" in text
    assert "Substitutes: name 2;" in text
    plain = verify(trial, leaf(), "--trust", CA, as_json=False).stdout.decode()
    assert "Odd:" not in plain
    assert "Substitutes:" not in plain


def test_the_signature_certificate_of_a_phone_passes_and_is_reported(trial: Trial) -> None:
    content = leaf(policy="1.2.392.200149.8.5.1.1.40")
    run = verify(trial, content, "--trust", CA)
    assert run.exit_code == 0
    assert answer(run)["policies"] == ["1.2.392.200149.8.5.1.1.40"]
    assert answer(run)["certificate"]["medium"] == "smartphone"
    text = verify(trial, content, "--trust", CA, as_json=False).stdout.decode()
    assert "smartphone" in text
    plain = verify(trial, leaf(), "--trust", CA, as_json=False).stdout.decode()
    assert "smartphone" not in plain


def test_the_holder_is_never_named_and_nothing_is_called_valid(trial: Trial) -> None:
    for as_json in (True, False):
        run = verify(trial, pem(load("signature")), "--trust", CA, as_json=as_json)
        assert run.exit_code == 0
        check_nothing_leaked(run)
        assert HOLDER not in run.stdout.decode()
    text = verify(trial, pem(load("signature")), "--trust", CA, as_json=False).stdout.decode()
    assert "passed the checks that were made" in text
    assert "TEST" in text
    assert "not checked:  revocation" in text
    assert "valid" not in text


def test_damaged_certificates_end_in_words(trial: Trial) -> None:
    whole = load("signature").public_bytes(Encoding.DER)
    for size in (0, 1, 100, len(whole) - 1):
        run = verify(trial, whole[:size])
        assert run.exit_code == 2
        assert run.error["code"] == "input"


# --- words --------------------------------------------------------------------------------------


def test_every_fault_has_words_and_stands_in_the_documentation() -> None:
    assert set(PROFILE_FAULTS) == set(ProfileFaultKind)
    assert set(EVIDENCE_FAULTS) == set(EvidenceFault)
    crl_reasons = {reason.value for reason in x509.ReasonFlags if reason.name != "remove_from_crl"}
    assert set(CRL_REASONS) == crl_reasons
    page = (PKI_DIR.parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    for code in (*ProfileFaultKind, *EvidenceFault):
        assert f"`{code.value}`" in page, code


def test_the_login_certificate_under_the_wrong_ca_is_not_trusted(trial: Trial) -> None:
    issued_by_other = replace(AUTHENTICATION_LEAF, issuer=load("signature-ca").subject).build(
        load_key("authentication").public_key(), load_key("signature-ca")
    )
    run = verify(trial, pem(issued_by_other), "--trust", str(PKI_DIR / "authentication-ca.pem"))
    assert run.exit_code == 11
    assert answer(run)["reasons"] == ["no-anchor"]
