"""`jpki cert show FILE` with files that hold several certificates, odd ones, or something else."""

import json
import os
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs7, pkcs12
from support.odd_certificates import DEEP, HUGE_LENGTH, ODD, der, flips, leaf, usual_names
from support.pki import AT, HOLDER, PKI_DIR, load, load_key, other_name
from support.trial import Trial

PLAIN = NoEncryption()
PERSONAL = (HOLDER[1], "千代田区", "1989", "MIHON99999", "1020304")


def pem(name: str) -> bytes:
    return (PKI_DIR / f"{name}.pem").read_bytes()


def request() -> x509.CertificateSigningRequest:
    subject = load("signature").subject
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(load_key("signature"), hashes.SHA256())


def crl() -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder(load("signature-ca").subject, AT, AT)
    return builder.sign(load_key("signature-ca"), hashes.SHA256())


def key(
    encoding: Encoding,
    form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8,
    encryption: serialization.KeySerializationEncryption = PLAIN,
) -> bytes:
    return load_key("signature").private_bytes(encoding, form, encryption)


def public_key(encoding: Encoding) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return load_key("signature").public_key().public_bytes(encoding, form)


def signature() -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"a document")
    builder = builder.add_signer(load("signature"), load_key("signature"), hashes.SHA256())
    return builder.sign(Encoding.DER, [])


PASSPHRASE = serialization.BestAvailableEncryption(b"passphrase")
OPENSSL = serialization.PrivateFormat.TraditionalOpenSSL
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "it is empty"),
    "white space": (lambda: b"\r\n \n", "it is empty"),
    "text": (lambda: b"a document\n", "no certificate in it"),
    "numbers": (lambda: b"0123456789" * 10, "no certificate in it"),
    "UTF-16": (lambda: pem("signature").decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without its mark": (lambda: pem("signature").decode().encode("utf-16-be"), "UTF-16"),
    "request, PEM": (lambda: request().public_bytes(Encoding.PEM), "certificate request"),
    "request, DER": (lambda: request().public_bytes(Encoding.DER), "certificate request"),
    "key, PEM": (lambda: key(Encoding.PEM), "private key"),
    "key, PEM of OpenSSL": (lambda: key(Encoding.PEM, OPENSSL), "private key"),
    "key, DER": (lambda: key(Encoding.DER), "private key"),
    "key, DER of OpenSSL": (lambda: key(Encoding.DER, OPENSSL), "private key"),
    "key, encrypted, PEM": (lambda: key(Encoding.PEM, encryption=PASSPHRASE), "private key"),
    "key, encrypted by OpenSSL": (lambda: key(Encoding.PEM, OPENSSL, PASSPHRASE), "private key"),
    "key, encrypted, DER": (lambda: key(Encoding.DER, encryption=PASSPHRASE), "private key"),
    "public key, PEM": (lambda: public_key(Encoding.PEM), "public key"),
    "public key, DER": (lambda: public_key(Encoding.DER), "public key"),
    "CRL, PEM": (lambda: crl().public_bytes(Encoding.PEM), "revocation list"),
    "CRL, DER": (lambda: crl().public_bytes(Encoding.DER), "revocation list"),
    "PKCS#7, PEM": (
        lambda: pkcs7.serialize_certificates([load("signature-ca")], Encoding.PEM),
        "PKCS#7",
    ),
    "PKCS#7, DER": (
        lambda: pkcs7.serialize_certificates([load("signature-ca")], Encoding.DER),
        "PKCS#7",
    ),
    "CMS": (signature, "jpki verify"),
    "PKCS#12": (
        lambda: pkcs12.serialize_key_and_certificates(
            b"taro", load_key("signature"), load("signature"), None, PASSPHRASE
        ),
        "PKCS#12",
    ),
    "truncated PEM": (lambda: pem("signature")[:-20], "damaged"),
    "PEM that is not base64": (lambda: pem("signature").replace(b"M", b"*", 1), "damaged"),
    "truncated DER": (lambda: der("signature")[:-1], "no certificate in it"),
    "trailing bytes": (lambda: der("signature") + b"\0", "damaged"),
    "an extension twice": (
        lambda: der("signature").replace(bytes.fromhex("0603551D0F"), bytes.fromhex("0603551D12")),
        "damaged",
    ),
    "100 MB declared": (lambda: HUGE_LENGTH + bytes(100), "no certificate in it"),
    "5,000 levels": (lambda: DEEP, "no certificate in it"),
    "5 MB": (lambda: pem("signature") * 2500, "too large"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_file_that_is_no_certificate_is_told_what_it_is(
    trial: Trial, name: str, as_json: bool
) -> None:
    content, words = FILES[name]
    (trial.folder / "file").write_bytes(content())
    run = trial.run("cert", "show", "--reveal", "file", as_json=as_json)
    trial.refused(run, "input")
    assert words in run.messages[0]
    assert not any(personal in run.stdout.decode() + run.stderr for personal in PERSONAL)


def test_standard_input_is_told_of_in_the_same_way(trial: Trial) -> None:
    run = trial.run("cert", "show", "-", stdin=key(Encoding.PEM))
    trial.refused(run, "input")
    assert run.error["path"] == "-"
    trial.refused(trial.run("cert", "show", "-", stdin=b""), "input")


def test_a_folder_and_a_device_are_refused(trial: Trial) -> None:
    (trial.folder / "folder").mkdir()
    run = trial.run("cert", "show", "folder")
    trial.refused(run, "input")
    assert "it is a folder" in run.messages[0]
    trial.refused(trial.run("cert", "show", "/dev/zero"), "input")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(trial: Trial) -> None:
    (trial.folder / "closed").write_bytes(pem("signature"))
    (trial.folder / "closed").chmod(0)
    trial.refused(trial.run("cert", "show", "closed"), "input")


@pytest.mark.parametrize("name", ODD)
def test_odd_bytes_end_in_one_message(trial: Trial, name: str) -> None:
    (trial.folder / "file").write_bytes(ODD[name])
    trial.refused(trial.run("cert", "show", "file"), "input")


def test_a_truncated_certificate_ends_in_one_message_wherever_it_ends(trial: Trial) -> None:
    for data in (der("signature"), pem("signature").rstrip()):
        for size in range(0, len(data), 61):
            (trial.folder / "file").write_bytes(data[:size])
            trial.refused(trial.run("cert", "show", "file"), "input")


def test_a_damaged_certificate_is_shown_or_ends_in_one_message(trial: Trial) -> None:
    ends = set()
    for number, data in enumerate(flips(14_000)):
        if number % 100:
            continue
        (trial.folder / "file").write_bytes(data)
        run = trial.run("cert", "show", "file", "--text", as_json=bool(number % 200))
        ends.add(run.exit_code)
        if run.exit_code != 0:
            trial.refused(run, "input")
        text = run.stdout.decode() + run.stderr
        assert not any(personal in text for personal in PERSONAL)
    assert ends == {0, 2}


# --- several certificates -----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["pem", "der"])
def test_every_certificate_of_a_file_is_shown(trial: Trial, encoding: str) -> None:
    names = ("signature", "authentication", "signature-ca")
    read = pem if encoding == "pem" else der
    (trial.folder / "file").write_bytes(b"".join(map(read, names)))
    result = json.loads(trial.run("cert", "show", "file").stdout)
    assert [each["kind"] for each in result["certificates"]] == list(names)
    assert result["certificate"] == result["certificates"][0]
    text = trial.run("cert", "show", "file", as_json=False).stdout.decode()
    assert [f"Certificate {number} of 3" in text for number in (1, 2, 3)] == [True] * 3
    printed = trial.run("cert", "show", "file", "--pem", as_json=False).stdout
    assert printed == b"".join(map(pem, names))


def test_one_certificate_is_shown_alone(trial: Trial) -> None:
    (trial.folder / "file").write_bytes(pem("authentication"))
    assert set(json.loads(trial.run("cert", "show", "file").stdout)) == {"schema", "certificate"}


def test_a_key_beside_the_certificate_is_not_shown(trial: Trial) -> None:
    (trial.folder / "file").write_bytes(key(Encoding.PEM) + pem("authentication"))
    for options in ((), ("--text",), ("--pem",)):
        run = trial.run("cert", "show", "file", "--reveal", *options, as_json=False)
        assert run.exit_code == 0
        assert b"PRIVATE" not in run.stdout
        assert key(Encoding.PEM).splitlines()[1] not in run.stdout


def test_standard_input_is_read(trial: Trial) -> None:
    run = trial.run("cert", "show", "-", stdin=der("authentication"))
    assert json.loads(run.stdout)["certificate"]["kind"] == "authentication"
    assert trial.card.exchange_count == 0


# --- odd holders --------------------------------------------------------------------------------


def shown(trial: Trial, certificate: bytes, *options: str, as_json: bool = True) -> str:
    (trial.folder / "file").write_bytes(certificate)
    run = trial.run("cert", "show", "file", *options, as_json=as_json)
    assert run.exit_code == 0
    assert run.stderr == ""
    return run.stdout.decode()


def test_odd_attributes_are_named_in_json_and_in_words(trial: Trial) -> None:
    names = [*usual_names(), other_name(1, "番号　花子"), other_name(7, "旧\u202e見本")]
    certificate = leaf([name for name in names if name != other_name(3, "1")])
    holder = json.loads(shown(trial, certificate, "--reveal"))["certificate"]["holder"]
    assert holder["name"] is None
    assert holder["sex"] is None
    assert {"attribute": "name", "fault": "duplicate"} in holder["faults"]
    assert {"attribute": "sex", "fault": "missing"} in holder["faults"]
    unknown = "1.2.392.200149.8.5.5.7"
    assert {"attribute": unknown, "fault": "invisible-character"} in holder["faults"]
    assert holder["others"] == [{"oid": unknown, "text": "旧\u202e見本"}]
    text = shown(trial, certificate, "--reveal", as_json=False)
    assert "Malformed:   name: it is there more than once" in text
    assert "Odd:         sex: it is missing" in text
    assert f"{unknown}: 旧\\u202e見本" in text
    assert "\u202e" not in text
    masked = shown(trial, certificate, as_json=False)
    assert "見本" not in masked
    assert "Malformed:" in masked


def test_substitutes_are_named_by_their_place(trial: Trial) -> None:
    changed = {**HOLDER, 2: "01000", 6: "0000000000000001"}
    certificate = leaf([other_name(*item) for item in changed.items()])
    holder = json.loads(shown(trial, certificate))["certificate"]["holder"]
    assert holder["substituted"] == {"name": [1], "address": [15]}
    assert "name 2 (本), address 16 (地)" in shown(trial, certificate, "--reveal", as_json=False)
    assert "name 2, address 16;" in shown(trial, certificate, as_json=False)


def test_a_subject_cannot_smuggle_its_parts_past_the_mask(trial: Trial) -> None:
    oids = x509.oid.NameOID
    groups = [
        [(oids.COUNTRY_NAME, "JP")],
        [(oids.LOCALITY_NAME, "Mihon,CN=shi\\"), (oids.COMMON_NAME, "secret-1,O=secret-2")],
        [(oids.SERIAL_NUMBER, "secret-3"), (oids.EMAIL_ADDRESS, "secret-4+O=secret-5")],
        [(oids.COMMON_NAME, "secret-6\n=\\,O=secret-7")],
    ]
    subject = x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(*part) for part in group])
            for group in groups
        ]
    )
    certificate = leaf(subject=subject)
    for options in ((), ("--text",)):
        for as_json in (True, False):
            text = shown(trial, certificate, *options, as_json=as_json)
            assert "secret" not in text
            assert "Mihon" in text
    assert "secret-7" in shown(trial, certificate, "--reveal")


def test_what_nobody_knows_is_masked_in_the_full_text(trial: Trial) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x0c\x06secret")
    names = [x509.RFC822Name("secret@example.jp"), x509.DNSName("secret.jp"), *usual_names()]
    certificate = leaf(names, extra=((unknown, False),))
    masked = shown(trial, certificate, "--text", as_json=False)
    assert "secret" not in masked
    assert "RFC822Name: ***" in masked
    assert b"secret".hex(":") not in masked
    assert "DER, 8 bytes: ***" in masked
    revealed = shown(trial, certificate, "--text", "--reveal", as_json=False)
    assert "RFC822Name: secret@example.jp" in revealed
    assert b"secret".hex(":") in revealed


def test_the_issuer_of_what_signed_itself_is_masked_as_its_subject(trial: Trial) -> None:
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "secret")])
    for options in ((), ("--text",)):
        assert "secret" not in shown(trial, leaf(subject=name, issuer=name), *options)
    assert "secret" in shown(trial, leaf(subject=name, issuer=name), "--reveal")
