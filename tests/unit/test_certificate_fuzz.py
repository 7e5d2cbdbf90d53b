"""Certificates that are damaged, deep or long: read, or refused with one error, and soon."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st
from support.odd_certificates import (
    DEEP,
    ODD,
    deep_extension,
    deep_name,
    der,
    flips,
    leaf,
    many_extensions,
    many_names,
    read,
    second_alternative_name,
    show,
    usual_names,
    with_extensions,
)
from support.pki import HOLDER, PKI_DIR, load

from jpki.certificates import HolderFaultKind, load_certificates, read_profile
from jpki.certificates.file_kind import FileKind, file_kind
from jpki.errors import CertificateMalformedError

ROOT = Path(__file__).parents[2]
PERSONAL = ("見本", "太郎", "千代田", "1989", "19890331", "1020304", "MIHON99999")


def test_30_000_damaged_certificates_are_read_or_refused_soon_and_in_little_memory():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "support.odd_certificates", "30000"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    result = json.loads(run.stdout)
    assert result["read"] + result["refused"] > 30_000
    assert min(result["read"], result["refused"]) > 1_000
    # In units of ten million additions: seconds are the machine's.
    assert result["slowest"] < 3
    assert result["peak_kib"] < 100 * 1024


def test_every_truncation_of_every_kind_is_refused():
    for name in ("signature", "authentication", "signature-ca"):
        data = der(name)
        for size in range(len(data)):
            assert read(data[:size]) == ()


def test_every_truncation_of_pem_is_refused_until_its_last_line_is_whole():
    data = (PKI_DIR / "signature.pem").read_bytes().rstrip(b"\n")
    for size in range(len(data)):
        assert read(data[:size]) == ()
    assert read(data) == (load("signature"),)


@pytest.mark.parametrize("name", ODD)
def test_odd_bytes_are_refused(name):
    with pytest.raises(CertificateMalformedError):
        load_certificates(ODD[name])


def test_a_name_of_5_000_levels_is_not_followed():
    (certificate,) = read(deep_name())
    holder = read_profile(certificate).holder
    assert holder.name is None
    assert holder.is_malformed
    assert holder.address == HOLDER[5]
    assert len(show((certificate,), reveal=True)) < 100_000


def test_an_extension_of_5_000_levels_is_not_followed():
    (certificate,) = read(deep_extension())
    assert read_profile(certificate).holder.faults == ()
    text = show((certificate,), reveal=True)
    assert f"DER, {len(DEEP)} bytes:" in text
    assert len(text) < 100_000


def test_10_000_names_and_10_000_extensions_are_read():
    (certificate,) = read(many_names())
    assert len(read_profile(certificate).holder.others) == 10_000
    (certificate,) = read(many_extensions())
    assert len(list(certificate.extensions)) == 10_008


@pytest.mark.parametrize(
    "data",
    [
        second_alternative_name(),
        with_extensions(("2.5.29.15", bytes.fromhex("030206C0"))),
        with_extensions(("1.2.3.4", b"\x05\x00"), ("1.2.3.4", b"\x05\x00")),
    ],
    ids=["subjectAltName", "keyUsage", "unknown"],
)
def test_an_extension_given_twice_is_refused(data):
    with pytest.raises(CertificateMalformedError):
        load_certificates(data)


def test_masked_output_never_has_the_holder_however_the_certificate_was_damaged():
    shown = 0
    for number, data in enumerate(flips(14_000)):
        if number % 20 == 0 and (certificates := read(data)):
            text = show(certificates, reveal=False)
            assert not any(personal in text for personal in PERSONAL)
            shown += 1
    assert shown > 200


def replaced(old: str, new: str) -> bytes:
    """The usual certificate with some bytes written otherwise; lengths must stay."""
    data = der("signature")
    before, after = bytes.fromhex(old), bytes.fromhex(new)
    assert data.count(before) >= 1
    assert len(before) == len(after)
    return data.replace(before, after, 1)


ENCODINGS = {
    "BOOLEAN TRUE as 01": replaced("0603551D0F0101FF", "0603551D0F010101"),
    "critical FALSE encoded": replaced("0603551D0F0101FF", "0603551D0F010100"),
    "UTCTime without Z": replaced(b"250402010203Z".hex(), b"2504020102030".hex()),
    "UTCTime with an offset": replaced(b"250402010203Z".hex(), b"2504020+0900Z".hex()),
    "month 13": replaced(b"250402010203Z".hex(), b"251302010203Z".hex()),
    "trailing bytes": der("signature") + b"\x00",
    "a certificate in an OCTET STRING": b"\x04" + der("signature")[1:],
    "indefinite length": b"\x30\x80" + der("signature")[4:] + b"\x00\x00",
    "a length in five bytes": b"\x30\x84\x00\x00" + der("signature")[2:],
    "a length in eight bytes": b"\x30\x88" + bytes(6) + der("signature")[2:],
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_is_not_der_is_refused(name):
    with pytest.raises(CertificateMalformedError):
        load_certificates(ENCODINGS[name])


def with_serial(octets: bytes) -> bytes:
    certificate = asn1.Certificate.load(der("signature"))
    certificate["tbs_certificate"]["serial_number"] = int.from_bytes(octets, signed=True)
    return bytes(certificate.dump(force=True))


@pytest.mark.parametrize("octets", [b"\x00", b"\xff", b"\x80\x00", b"\x7f" * 64])
def test_an_odd_serial_number_is_read_without_a_warning(octets):
    (certificate,) = read(with_serial(octets))
    number = read_profile(certificate).serial_number
    assert number == int.from_bytes(octets, signed=True)
    assert f"{number:x}" in show((certificate,), reveal=True)


def test_a_certificate_without_end_has_a_time_all_the_same():
    without_end = der("signature").replace(b"\x17\r300331145959Z", b"\x18\x0f99991231235959Z")
    (certificate,) = read(resized(without_end, 2))
    assert read_profile(certificate).not_valid_after == datetime(
        9999, 12, 31, 23, 59, 59, tzinfo=UTC
    )
    assert "9999-12-31 23:59:59 UTC" in show((certificate,), reveal=False)


def resized(data: bytes, more: int) -> bytes:
    """Correct the lengths of certificate, TBSCertificate and validity after they grew."""
    grown = bytearray(data)
    for place in (2, 6):
        size = int.from_bytes(grown[place : place + 2]) + more
        grown[place : place + 2] = size.to_bytes(2)
    validity = grown.index(bytes.fromhex("301E170D"))
    grown[validity + 1] += more
    return bytes(grown)


# --- whatever comes -----------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda body: b"0\x3c" + body)))
def test_whatever_the_bytes_are_they_are_refused(data):
    assert read(data) == ()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"-----BEGIN CERTIFICATE-----",
                b"-----END CERTIFICATE-----",
                b"-----BEGIN PRIVATE KEY-----",
                b"-----END PRIVATE KEY-----",
                b"\n",
                b"MAA=",
                b"-----",
                (PKI_DIR / "signature.pem").read_bytes(),
            ]
        ),
        max_size=8,
    )
)
def test_whatever_the_pem_blocks_are_only_whole_certificates_are_read(parts):
    assert set(read(b"".join(parts))) <= {load("signature")}


# --- what else a file may be --------------------------------------------------------------------


def test_a_certificate_that_cannot_be_read_is_called_damaged():
    damaged = der("signature").replace(bytes.fromhex("0603551D0F"), bytes.fromhex("0603551D12"))
    assert file_kind(damaged) is FileKind.CERTIFICATE
    assert file_kind((PKI_DIR / "signature.pem").read_bytes()[:-20]) is FileKind.CERTIFICATE


def test_a_duplicate_name_is_reported_though_the_certificate_is_read():
    odd = x509.OtherName(ObjectIdentifier("1.2.392.200149.8.5.5.1"), b"\x0c\x01a")
    (certificate,) = load_certificates(leaf([*usual_names(), odd]))
    kinds = [fault.kind for fault in read_profile(certificate).holder.faults]
    assert kinds == [HolderFaultKind.DUPLICATE]
    assert certificate.public_bytes(Encoding.DER) == leaf([*usual_names(), odd])
