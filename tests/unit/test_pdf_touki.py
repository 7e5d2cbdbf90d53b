"""Would the Legal Affairs Bureau take this PDF? Rule by rule."""

import io

import pytest
from support import pdf
from support.cms import Forgery, signed_data
from support.pki import load
from support.signed_pdf import HandSigned, sign

from jpki.signing.pdf_options import PdfProfile
from jpki.verification.pdf_touki import ToukiFinding, ToukiRule, check_touki

PLAIN = pdf.build(pdf.one_page())
SOUND = (
    "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Name (Mihon)"
    " /M (D:20260601120000+09'00') /ByteRange %(range)s /Contents %(contents)s >>"
)


def findings(document: bytes, password: str | None = None) -> tuple[ToukiFinding, ...]:
    return check_touki(io.BytesIO(document), password)


def failed(document: bytes) -> set[ToukiRule]:
    return {finding.rule for finding in findings(document) if not finding.passed}


def test_what_is_signed_for_touki_follows_every_rule() -> None:
    signed = sign(PLAIN, profile=PdfProfile.TOUKI)
    found = findings(signed)
    assert all(finding.passed for finding in found)
    assert {finding.rule for finding in found} == set(ToukiRule)
    for finding in found:
        if finding.signature is not None:
            assert finding.signature == "Signature1"
            assert finding.offset is not None
            key = {"subfilter": b"/adbe.pkcs7", "name": b"(", "byte-range": b"["}
            expected = key.get(finding.rule.value)
            if expected is not None:
                assert signed[finding.offset :].startswith(expected)


def test_pades_is_refused_for_its_subfilter_and_the_missing_name() -> None:
    assert failed(sign(PLAIN)) == {ToukiRule.SUBFILTER, ToukiRule.NAME}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("/Type /Sig", "", ToukiRule.TYPE),
        ("/Type /Sig", "/Type /DocTimeStam", ToukiRule.TYPE),
        ("adbe.pkcs7.detached", "adbe.pkcs7.sha1", ToukiRule.SUBFILTER),
        ("/SubFilter /adbe.pkcs7.detached", "", ToukiRule.SUBFILTER),
        ("/Name (Mihon)", "", ToukiRule.NAME),
        ("/Name (Mihon)", "/Name ()", ToukiRule.NAME),
        ("/Name (Mihon)", "/Name ( )", ToukiRule.NAME),
        ("/Name (Mihon)", "/Name /Mihon", ToukiRule.NAME),
        ("/M (D:20260601120000+09'00')", "", ToukiRule.TIME),
        ("/M (D:20260601120000+09'00')", "/M (today)", ToukiRule.TIME),
    ],
)
def test_a_rule_is_named_that_is_not_followed(old: str, new: str, rule: ToukiRule) -> None:
    assert failed(HandSigned(dictionary=SOUND).document()) == set()
    dictionary = SOUND.replace(old, new)
    assert dictionary != SOUND
    document = HandSigned(dictionary=dictionary).document()
    expected = {rule}
    if "/Name /Mihon" in dictionary:
        expected = set()  # a name object is a string to the reader; it is what counts
    assert failed(document) == expected


def test_a_byte_range_that_is_not_exact_is_named() -> None:
    document = HandSigned(
        dictionary=SOUND, change_range=lambda a, b, c, d: (a, b - 1, c, d)
    ).document()
    assert ToukiRule.BYTE_RANGE in failed(document)
    assert failed(sign(PLAIN, profile=PdfProfile.TOUKI) + b"\n") == {ToukiRule.BYTE_RANGE}


def test_an_earlier_signature_need_not_reach_the_end() -> None:
    first = sign(PLAIN, profile=PdfProfile.TOUKI)
    assert failed(sign(first, profile=PdfProfile.TOUKI)) == set()


def test_contents_that_are_no_pkcs7_are_named() -> None:
    made = HandSigned(
        dictionary=SOUND, change_contents=lambda digits: "<" + "0" * len(digits) + ">"
    )
    assert failed(made.document()) == {ToukiRule.CONTENTS}
    made = HandSigned(dictionary=SOUND)
    made.make = lambda signed: signed_data(Forgery(document=signed), Forgery(document=signed))
    assert failed(made.document()) == {ToukiRule.CONTENTS}
    made.make = lambda signed: signed_data(Forgery(document=signed), content=b"inside")
    assert failed(made.document()) == {ToukiRule.CONTENTS}
    made.make = lambda signed: signed_data()
    assert failed(made.document()) == {ToukiRule.CONTENTS}


@pytest.mark.parametrize("name", ["sha1", "sha512"])
def test_another_hash_is_named(name: str) -> None:
    forgery = {"digest_algorithm": name, "signature_algorithm": f"{name}_rsa"}
    assert failed(HandSigned(dictionary=SOUND, forgery=forgery).document()) == {ToukiRule.HASH}


def test_a_missing_certificate_is_named() -> None:
    made = HandSigned(dictionary=SOUND, container={"certificates": [load("signature-ca")]})
    assert failed(made.document()) == {ToukiRule.CERTIFICATE}


def test_a_document_without_signature_is_named() -> None:
    assert failed(PLAIN) == {ToukiRule.SIGNATURE}


def test_what_does_not_open_is_named_and_nothing_else() -> None:
    for data in (b"", b"hello", PLAIN[:300]):
        assert failed(data) == {ToukiRule.READABLE}
        assert len(findings(data)) == 1


def test_no_name_stands_in_the_findings() -> None:
    signed = sign(PLAIN, profile=PdfProfile.TOUKI)
    assert "見本" not in repr(findings(signed))
