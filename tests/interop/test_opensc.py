"""OpenSC, which knows nothing of us, takes the virtual card for a JPKI card."""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.vpcd import Vpcd

from jpki.emulator import VirtualCard, export_ca, load_card
from jpki.emulator.pytest_plugin import AUTHENTICATION_PIN, SIGNATURE_PASSWORD

pytestmark = pytest.mark.vpcd

KEYS = [
    pytest.param(0, AUTHENTICATION_PIN, "01", "authentication", id="authentication"),
    pytest.param(1, SIGNATURE_PASSWORD, "02", "signature", id="signature"),
]


@pytest.fixture
def reader(vpcd: Vpcd, jpki_card: VirtualCard) -> Iterator[str]:
    with vpcd.insert(jpki_card) as name:
        yield name


def run(*command: str) -> str:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{command}\n{output}"
    return output


def test_opensc_recognises_a_jpki_card(reader: str) -> None:
    assert "jpki" in run("opensc-tool", "--reader", reader, "--name").lower()


def test_pkcs15_tool_lists_pins_with_their_tries_keys_and_certificates(
    vpcd: Vpcd, jpki_card_path: Path
) -> None:
    card = load_card(jpki_card_path)
    card.execute(bytes.fromhex("00A4040C0AD392F000260100000001"))
    assert card.execute(bytes.fromhex("0020009804") + b"0000") == b"\x63\xc2"
    assert card.execute(bytes.fromhex("0020009B06") + b"WRONG0") == b"\x63\xc4"
    with vpcd.insert(card) as name:
        listing = run("pkcs15-tool", "--reader", name, "--dump")
    assert re.findall(r"Tries left +: (\d+)", listing) == ["2", "4"]
    assert len(re.findall(r"^PIN \[", listing, re.MULTILINE)) == 2
    assert len(re.findall(r"^Private RSA Key \[", listing, re.MULTILINE)) == 2
    assert len(re.findall(r"^X.509 Certificate \[", listing, re.MULTILINE)) == 4


@pytest.mark.parametrize(("slot", "pin", "key_id", "_kind"), KEYS)
def test_pkcs11_tool_tests_a_slot_without_errors(
    reader: str, jpki_card: VirtualCard, slot: int, pin: str, key_id: str, _kind: str
) -> None:
    output = run("pkcs11-tool", "--test", "--login", "--slot-index", str(slot), "--pin", pin)
    assert output.strip().endswith("No errors")
    assert (jpki_card.tries("signature"), jpki_card.tries("authentication")) == (5, 3)


@pytest.mark.parametrize(("slot", "pin", "key_id", "kind"), KEYS)
def test_openssl_verifies_a_signature_made_through_pkcs11_tool(
    reader: str, jpki_card_path: Path, tmp_path: Path, slot: int, pin: str, key_id: str, kind: str
) -> None:
    document, signature = tmp_path / "document", tmp_path / "signature"
    document.write_text("見本　太郎\n", encoding="utf-8")
    login = ("pkcs11-tool", "--login", "--slot-index", str(slot), "--pin", pin, "--id", key_id)
    run(
        *login,
        *("--sign", "--mechanism", "SHA256-RSA-PKCS"),
        *("--input-file", str(document), "--output-file", str(signature)),
    )
    certificate = tmp_path / "certificate.der"
    run(*login, "--read-object", "--type", "cert", "--output-file", str(certificate))
    public_key = tmp_path / "public.pem"
    public_key.write_text(
        run("openssl", "x509", "-inform", "DER", "-in", str(certificate), "-noout", "-pubkey")
    )
    verified = run(
        *("openssl", "dgst", "-sha256", "-verify", str(public_key)),
        *("-signature", str(signature), str(document)),
    )
    assert "Verified OK" in verified
    digest = tmp_path / "digest"
    digest.write_bytes(hashlib.sha256(document.read_bytes()).digest())
    run(
        *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public_key)),
        *("-sigfile", str(signature), "-in", str(digest), "-pkeyopt", "digest:sha256"),
    )
    export_ca(jpki_card_path, tmp_path)
    pem = tmp_path / "certificate.pem"
    pem.write_text(run("openssl", "x509", "-inform", "DER", "-in", str(certificate)))
    run(
        *("openssl", "verify", "-x509_strict", "-check_ss_sig"),
        *("-CAfile", str(tmp_path / f"{kind}-ca.pem"), str(pem)),
    )
