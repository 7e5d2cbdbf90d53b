"""Formats told from first bytes."""

import io
import zipfile

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from support.cms import Forgery, signed_data
from support.pki import AT, load, load_key

from jpki.formats import HEAD_BYTES, DocumentFormat, detect_format
from jpki.signing import HashAlgorithm, sign_cms


def container(*entries: tuple[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return data.getvalue()


ASIC = ("mimetype", "application/vnd.etsi.asic-e+zip")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7\n", DocumentFormat.PDF),
        (b"\x00" * 1024 + b"%PDF-1.4\n", DocumentFormat.PDF),
        (b"\x00" * 1025 + b"%PDF-1.4\n", DocumentFormat.OTHER),
        (b'<?xml version="1.0"?><a/>', DocumentFormat.XML),
        (b"\xef\xbb\xbf<a/>", DocumentFormat.XML),
        ("\ufeff<申請/>".encode("utf-16-le"), DocumentFormat.XML),
        ("\ufeff<申請/>".encode("utf-16-be"), DocumentFormat.XML),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16-le"), DocumentFormat.XML),
        (
            '<?xml version="1.0" encoding="Shift_JIS"?><申請/>'.encode("shift_jis"),
            DocumentFormat.XML,
        ),
        ("\n<申請/>".encode(), DocumentFormat.XML),
        (b"<!-- a comment --><a/>", DocumentFormat.XML),
        (b"<!DOCTYPE html><html></html>", DocumentFormat.OTHER),
        (b"<HTML></HTML>", DocumentFormat.OTHER),
        (b"<3", DocumentFormat.OTHER),
        (b"a < b", DocumentFormat.OTHER),
        (b"eyJhbGciOiJSUzI1NiJ9.YQ.c2ln\n", DocumentFormat.JWS),
        (b"eyJhbGciOiJSUzI1NiJ9..c2ln", DocumentFormat.JWS),
        (b"eyJhbGciOiJSUzI1NiJ9 and so on", DocumentFormat.OTHER),
        (container(ASIC, ("a.txt", "a")), DocumentFormat.ASICE),
        (container(("a.txt", "a"), ASIC), DocumentFormat.OTHER),
        (container(("mimetype", "application/epub+zip")), DocumentFormat.OTHER),
        (b"-----BEGIN CMS-----\n", DocumentFormat.CMS),
        (b"-----BEGIN PKCS7-----\n", DocumentFormat.CMS),
        (b"-----BEGIN CERTIFICATE-----\n", DocumentFormat.OTHER),
        (b"", DocumentFormat.OTHER),
        ("ただの文".encode(), DocumentFormat.OTHER),
    ],
)
def test_the_first_bytes_tell_the_format(data, expected):
    assert detect_format(data[:HEAD_BYTES]) is expected


def test_a_signature_is_one_in_der_and_in_ber_with_an_indefinite_length():
    der = signed_data(Forgery())
    assert detect_format(der) is DocumentFormat.CMS
    indefinite = b"\x30\x80" + der[4:] + b"\x00\x00"
    assert detect_format(indefinite) is DocumentFormat.CMS
    certificate = load("signature").public_bytes(Encoding.DER)
    assert detect_format(certificate) is DocumentFormat.OTHER


@pytest.mark.parametrize("inside", [b"%PDF-1.7\n", b"<?xml version='1.0'?><a/>"])
def test_what_stands_inside_a_container_is_not_taken_for_the_document(inside):
    signature = sign_cms(
        io.BytesIO(inside),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        algorithm=HashAlgorithm.SHA256,
        attached=True,
    )
    assert detect_format(signature) is DocumentFormat.CMS
    assert detect_format(container(ASIC, ("a", inside.decode()))) is DocumentFormat.ASICE


@given(st.binary(max_size=200))
def test_any_bytes_have_a_format(head):
    assert detect_format(head) in DocumentFormat
