"""The CA certificates that J-LIS published, against the pins; OpenSSL judges their signatures.

They are not part of this repository: JPKI_REAL_CA_DIR names a folder with them, PEM or DER.
"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.pki import SIGNATURE_LEAF, load_key
from support.trial import Run, Trial

from jpki.certificates import Purpose, Reason, check_path
from jpki.certificates.loading import load_certificates
from jpki.certificates.trust import PINNED_CAS, PinnedCa, pin_of
from jpki.emulator import load_card
from jpki.emulator.card_file import read_card_file, write_card_file
from jpki.emulator.image import DataFile
from jpki.files import JPKI_AID, CertificateName

VARIABLE = "JPKI_REAL_CA_DIR"
FOLDER = Path(os.environ.get(VARIABLE, "")).resolve()  # tests change their folder

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason=f"{VARIABLE} names no folder with the CA certificates of J-LIS",
)

NEW_YEAR = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RealCa:
    """A file, and the one pin that its fingerprint has."""

    path: Path
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def real_cas() -> dict[str, RealCa]:
    """Name of a pin -> the certificate that has its fingerprint."""
    found: dict[str, RealCa] = {}
    names = {pin.fingerprint_sha256: pin.name for pin in PINNED_CAS}
    files = [path for path in sorted(FOLDER.iterdir()) if path.suffix in {".pem", ".cer"}]
    for path in files:
        (certificate,) = load_certificates(path.read_bytes())
        ca = RealCa(path=path, certificate=certificate)
        # By hashlib, and not by what is tested here.
        name = names.get(sha256(ca.der).hexdigest())
        assert name is not None, f"{path.name} is not pinned"
        assert name not in found, f"{path.name} is there twice"
        found[name] = ca
    return found


def test_each_of_the_six_is_there_and_pinned_once(real_cas: dict[str, RealCa]) -> None:
    assert set(real_cas) == {pin.name for pin in PINNED_CAS}
    assert len({pin.fingerprint_sha256 for pin in PINNED_CAS}) == len(PINNED_CAS) == 6
    assert len({ca.path for ca in real_cas.values()}) == 6


@pytest.mark.parametrize("pin", PINNED_CAS, ids=lambda pin: pin.name)
def test_the_table_says_of_each_what_it_says_itself(
    pin: PinnedCa, real_cas: dict[str, RealCa]
) -> None:
    certificate = real_cas[pin.name].certificate
    assert pin_of(certificate) is pin
    assert certificate.serial_number == pin.serial_number
    assert certificate.not_valid_before_utc == pin.not_before
    assert certificate.not_valid_after_utc == pin.not_after
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert identifier.value.digest.hex() == pin.subject_key_identifier
    unit = {
        CertificateName.SIGNATURE: "JPKI for digital signature",
        CertificateName.AUTHENTICATION: "JPKI for user authentication",
    }[pin.issues]
    assert unit in [attribute.value for attribute in certificate.subject]
    assert pin.generation == pin.not_before.year
    assert pin.name == f"{pin.issues.value}-ca-{pin.generation}"


@pytest.mark.parametrize("pin", PINNED_CAS, ids=lambda pin: pin.name)
def test_openssl_says_the_same_and_verifies_the_self_signature(
    pin: PinnedCa, real_cas: dict[str, RealCa], tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(real_cas[pin.name].certificate.public_bytes(Encoding.PEM))
    said = openssl(
        "x509", "-in", path, "-noout", "-serial", "-startdate", "-enddate", "-dateopt", "iso_8601",
        "-fingerprint", "-sha256",
    )  # fmt: skip
    assert said.splitlines() == [
        f"serial={serial_text(pin.serial_number)}",
        f"notBefore={pin.not_before:%Y-%m-%d %H:%M:%SZ}",
        f"notAfter={pin.not_after:%Y-%m-%d %H:%M:%SZ}",
        "sha256 Fingerprint=" + bytes.fromhex(pin.fingerprint_sha256).hex(":").upper(),
    ]
    in_its_time = str(int(pin.not_before.timestamp()) + 1)
    verified = openssl(
        "verify", "-check_ss_sig", "-x509_strict", "-attime", in_its_time, "-CAfile", path, path
    )
    assert verified.endswith(": OK\n")
    damaged = tmp_path / "damaged.pem"
    der = bytearray(real_cas[pin.name].der)
    der[-1] ^= 1
    damaged.write_bytes(x509.load_der_x509_certificate(bytes(der)).public_bytes(Encoding.PEM))
    openssl(
        "verify", "-check_ss_sig", "-attime", in_its_time, "-CAfile", damaged, damaged, ok=False
    )


def openssl(*arguments: str | Path, ok: bool = True) -> str:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout


def serial_text(number: int) -> str:
    """Whole octets, upper case."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex().upper()


# --- a forged leaf under the real names ---------------------------------------------------------


@pytest.mark.parametrize("pin", PINNED_CAS, ids=lambda pin: pin.name)
def test_the_real_names_on_a_forged_certificate_do_not_help(
    pin: PinnedCa, real_cas: dict[str, RealCa]
) -> None:
    issuer = real_cas[pin.name].certificate
    forged = replace(
        SIGNATURE_LEAF, issuer=issuer.subject, policy="1.2.392.200149.8.5.1.1.20"
    ).build(load_key("signature").public_key(), load_key("signature-ca"))
    anchors = [ca.certificate for ca in real_cas.values()]
    report = check_path(forged, anchors, NEW_YEAR, Purpose.DOCUMENT)
    assert report.anchor is None
    assert report.reasons == (Reason.UNTRUSTED_ISSUER,)


# --- a card that carries them -------------------------------------------------------------------


@pytest.fixture
def card_with(
    tmp_path: Path, card_path: Path, real_cas: dict[str, RealCa], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Trial]:
    """A virtual card whose EF 0002 and 000B hold the CAs of one generation."""

    def made(generation: int) -> Trial:
        image = read_card_file(card_path)
        contents = {
            name.ef_id: real_cas[f"{name.value}-{generation}"].der
            for name in (CertificateName.SIGNATURE_CA, CertificateName.AUTHENTICATION_CA)
        }
        applications = tuple(
            replace(
                application,
                files=tuple(
                    replace(file, content=contents[file.ef_id])
                    if isinstance(file, DataFile)
                    and application.aid == JPKI_AID
                    and file.ef_id in contents
                    else file
                    for file in application.files
                ),
            )
            for application in image.applications
        )
        write_card_file(card_path, replace(image, applications=applications))
        trial = Trial.in_folder(tmp_path, load_card(card_path))
        monkeypatch.chdir(trial.folder)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        return trial

    return made


def answer(run: Run) -> dict[str, Any]:
    assert "Traceback" not in run.stderr
    return dict(json.loads(run.stdout))


@pytest.mark.parametrize("generation", [2015, 2019, 2023])
def test_the_cas_of_a_real_card_are_kept_once_and_listed(
    card_with: Callable[[int], Trial], generation: int, real_cas: dict[str, RealCa]
) -> None:
    trial = card_with(generation)
    names = [f"signature-ca-{generation}", f"authentication-ca-{generation}"]
    first = trial.run("trust", "fetch")
    assert first.exit_code == 0, first.stderr
    assert [ca["anchor"] for ca in answer(first)["certificates"]] == names
    assert [ca["state"] for ca in answer(first)["certificates"]] == ["kept", "kept"]
    second = trial.run("trust", "fetch")
    assert second.exit_code == 0
    assert [ca["state"] for ca in answer(second)["certificates"]] == ["already-kept"] * 2
    listed = answer(trial.run("trust", "list"))["anchors"]
    kept = {anchor["name"]: anchor["kept"] for anchor in listed if anchor["kept"]}
    assert sorted(kept) == sorted(names)
    for name, path in kept.items():
        (certificate,) = load_certificates(Path(path).read_bytes())
        assert certificate == real_cas[name].certificate
        checked = trial.run("trust", "check", path)
        assert checked.exit_code == 0
        assert (answer(checked)["pinned"], answer(checked)["anchor"]) == (True, name)


def test_the_certificate_of_a_test_card_is_not_the_real_cas(
    card_with: Callable[[int], Trial],
) -> None:
    run = card_with(2023).run("cert", "verify", "auth")
    assert run.exit_code == 11
    assert answer(run)["reasons"] == ["no-anchor"]
    assert answer(run)["anchor"] is None


# --- generations --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["signature", "authentication"])
def test_a_root_of_2015_counts_in_its_time_and_not_now(
    kind: str, real_cas: dict[str, RealCa]
) -> None:
    """The root as its own leaf: who issued it is found, and its dates are looked at."""
    root = real_cas[f"{kind}-ca-2015"].certificate
    now = check_path(root, [root], NEW_YEAR, Purpose.DOCUMENT)
    assert now.anchor_certificate == root
    assert Reason.ANCHOR_EXPIRED in now.reasons
    then = check_path(root, [root], datetime(2020, 1, 1, tzinfo=UTC), Purpose.DOCUMENT)
    assert then.pin is not None
    assert then.pin.name == f"{kind}-ca-2015"
    assert Reason.ANCHOR_EXPIRED not in then.reasons
    assert Reason.EXPIRED not in then.reasons
    assert Reason.SIGNER_IS_CA in then.reasons  # a root is nobody's certificate, at any time
