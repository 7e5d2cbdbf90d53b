"""What a PDF signature covers: exactly the file without its own place, or it is refused.

Each forgery hashes and signs what its byte range says, so that nothing but the range is wrong.
"""

from collections.abc import Sequence

import pytest
from support import pdf
from support.signed_pdf import HASH_ROOM, HandSigned, only, reasons, sign, verify

from jpki.verification import Coverage, Level, Verdict

RANGES: dict[str, object] = {
    "does not begin with the file": lambda a, b, c, d: (9, b - 9, c, d),
    "leaves out more before the signature": lambda a, b, c, d: (a, b - 10, c, d),
    "leaves out more behind the signature": lambda a, b, c, d: (a, b, c + 10, d - 10),
    "covers the opening bracket": lambda a, b, c, d: (a, b + 1, c, d),
    "covers the closing bracket": lambda a, b, c, d: (a, b, c - 1, d + 1),
    "overlaps itself": lambda a, b, c, d: (a, c, b, d),
    "goes back": lambda a, b, c, d: (a, b, 0, d),
    "has a negative start": lambda a, b, c, d: (-1, b + 1, c, d),
    "has a negative length": lambda a, b, c, d: (a, b, c, -d),
    "goes beyond the file": lambda a, b, c, d: (a, b, c, d + 1),
    "goes far beyond the file": lambda a, b, c, d: (a, b, c, 1 << 62),
    "has an overflowing number": lambda a, b, c, d: (a, b, c, 1 << 200),
    "has two numbers": lambda a, b, c, d: (a, b),
    "has three numbers": lambda a, b, c, d: (a, b, c),
    "has six numbers": lambda a, b, c, d: (a, b, c, d, c + d, 0),
    "has no number": lambda a, b, c, d: (),
    "covers nothing behind": lambda a, b, c, d: (a, b, c, 0),
    "covers nothing at all": lambda a, b, c, d: (0, 0, 0, 0),
    "has a name among its numbers": lambda a, b, c, d: (a, b, c, "/x"),
    "has a real number": lambda a, b, c, d: (a, b, c, f"{d}.0"),
    "has null for a number": lambda a, b, c, d: (a, b, c, "null"),
    "has a reference for a number": lambda a, b, c, d: (a, b, c, "4 0 R"),
}


def test_the_same_by_hand_with_everything_right_passes() -> None:
    signature = only(verify(HandSigned().document()))
    assert signature.verdict is Verdict.PASSED
    assert signature.covers is Coverage.WHOLE
    assert signature.level is Level.PDF


@pytest.mark.parametrize("name", RANGES)
def test_a_byte_range_is_refused_that(name: str) -> None:
    document = HandSigned(change_range=RANGES[name]).document()  # type: ignore[arg-type]
    report = verify(document)
    assert report.verdict is Verdict.FAILED
    assert "byte-range-invalid" in reasons(report)


def test_a_byte_range_that_stands_in_another_object_is_refused() -> None:
    # Nobody would see that the other object was replaced.
    plain = HandSigned()
    other = pdf.size_of(plain.base) + 7

    def elsewhere(numbers: Sequence[object]) -> str:
        return f"{other} 0 R"

    for extra in ({}, {other: b"[0 100 200 300]"}):
        document = HandSigned(range_text=elsewhere, extra_objects=extra).document()
        report = verify(document)
        assert report.verdict is Verdict.FAILED
        assert "byte-range-invalid" in reasons(report)


@pytest.mark.parametrize(
    ("what", "dictionary"),
    [
        ("no /ByteRange", "<< /Type /Sig /Contents %(contents)s >>"),
        ("/ByteRange null", "<< /Type /Sig /ByteRange null /Contents %(contents)s >>"),
        ("no /Contents", "<< /Type /Sig /ByteRange %(range)s /Content %(contents)s >>"),
        ("/Contents null", "<< /Type /Sig /ByteRange %(range)s /Contents null /X %(contents)s >>"),
        ("/Contents empty", "<< /Type /Sig /ByteRange %(range)s /Contents <> /X %(contents)s >>"),
        ("/Contents 0x00", "<< /Type /Sig /ByteRange %(range)s /Contents <00> /X %(contents)s >>"),
        ("a literal", "<< /Type /Sig /ByteRange %(range)s /Contents (00) /X %(contents)s >>"),
        ("elsewhere", "<< /Type /Sig /ByteRange %(range)s /Contents 4 0 R /X %(contents)s >>"),
        ("two /Contents", "<< /ByteRange %(range)s /Contents <00> /Contents %(contents)s >>"),
        ("two of them", "<< /ByteRange %(range)s /Contents %(contents)s /Contents <00> >>"),
        (
            "two, one with an escape",
            "<< /ByteRange %(range)s /Contents %(contents)s /#43ontents <00> >>",
        ),
        (
            "two /ByteRange",
            "<< /ByteRange [0 1 2 3] /ByteRange %(range)s /Contents %(contents)s >>",
        ),
        ("in an array", "<< /ByteRange %(range)s /Contents [%(contents)s] >>"),
        ("one deeper", "<< /X << /ByteRange %(range)s /Contents %(contents)s >> >>"),
    ],
)
def test_a_signature_dictionary_is_refused_with(what: str, dictionary: str) -> None:
    # Universal signature forgery: programs were seen to take what is missing for "nothing wrong".
    complete = dictionary.replace("<< ", "<< /Filter /Adobe.PPKLite ", 1)
    if "/Type" not in complete:
        complete = complete.replace("<< ", "<< /Type /Sig ", 1)
    complete = complete.replace("<< ", "<< /SubFilter /adbe.pkcs7.detached ", 1)
    report = verify(HandSigned(dictionary=complete).document())
    assert report.verdict is Verdict.FAILED
    assert reasons(report) & {"byte-range-invalid", "malformed", "no-signature"}


@pytest.mark.parametrize(
    "contents",
    [
        lambda digits: "<" + "0" * HASH_ROOM + ">",
        lambda digits: "<" + digits[:-1] + "1>",
        lambda digits: "<" + "30" + digits[2:40] + "0" * (HASH_ROOM - 40) + ">",
        lambda digits: "<" + "308" + "0" * (HASH_ROOM - 3) + ">",
        lambda digits: "<" + "308FFFFFFF" + digits[10:] + ">",
        lambda digits: "<" + "30" + "88" + "FF" * 8 + digits[20:] + ">",
        lambda digits: "<" + "30FF" + digits[4:] + ">",
        lambda digits: "<" + "04" + digits[2:] + ">",
        lambda digits: "<" + digits[:-1] + " >",
        lambda digits: "<" + digits[:-2] + " 0>",
        lambda digits: "<" + digits[:-1] + "G>",
        lambda digits: "(" + digits + ")",
    ],
    ids=[
        "never filled in",
        "something behind the padding",
        "cut off",
        "half a length",
        "a length longer than what is there",
        "a length of eight bytes, all ones",
        "a length of 127 bytes",
        "an octet string",
        "an odd digit",
        "a space inside",
        "a letter that is no digit",
        "a literal string",
    ],
)
def test_contents_are_refused_that_are(contents: object) -> None:
    report = verify(HandSigned(change_contents=contents).document())  # type: ignore[arg-type]
    assert report.verdict is Verdict.FAILED
    assert reasons(report) & {"malformed", "byte-range-invalid"}


@pytest.mark.parametrize(
    "dictionary",
    [
        "<</Type/Sig/SubFilter/adbe.pkcs7.detached/ByteRange%(range)s/Contents%(contents)s>>",
        "<< /Type /#53ig /SubFilter /adbe.pkcs7.d#65tached /ByteRange %(range)s"
        " /Contents %(contents)s >>",
        "<< /Type /Sig /SubFilter /adbe.pkcs7.detached /#42yteRange %(range)s"
        " /#43ontents %(contents)s >>",
        "<< % a comment >> << /Contents <00>\n /Type /Sig % (\n /SubFilter\n"
        "/adbe.pkcs7.detached /ByteRange\t%(range)s /Contents\r\n%(contents)s\r\n>>",
        "<< /Reason (/Contents <00> \\) /ByteRange [0 0 0 0]) /SubFilter /adbe.pkcs7.detached"
        " /ByteRange %(range)s /Contents %(contents)s >>",
    ],
    ids=["no spaces", "escaped values", "escaped keys", "comments", "keys in a string, no /Type"],
)
def test_a_dictionary_means_the_same_however_it_is_written(dictionary: str) -> None:
    document = HandSigned(
        dictionary=dictionary.replace("% a", "%% a").replace("% (", "%% (")
    ).document()
    report = verify(document)
    assert report.verdict is Verdict.PASSED, reasons(report)
    tampered = document.replace(b"100 YEN", b"900 YEN")
    assert tampered != document
    assert "digest-mismatch" in reasons(verify(tampered))


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0", b"%%EOF\n", b"x" * 500, b"x" * 5000])
def test_bytes_behind_the_signature_are_refused(tail: bytes) -> None:
    signed = sign(pdf.build(pdf.one_page()))
    assert verify(signed).verdict is Verdict.PASSED
    report = verify(signed + tail)
    assert report.verdict is Verdict.FAILED
    assert reasons(report) & {"unsigned-bytes", "malformed"}


def test_an_end_that_is_covered_may_be_as_untidy_as_it_likes() -> None:
    assert verify(HandSigned(behind=b"\n\n").document()).verdict is Verdict.PASSED


def test_a_signature_in_an_object_stream_is_refused() -> None:
    # No byte range can leave it out, so the one that is given means something else.
    body = b"<< /Type /Sig /SubFilter /adbe.pkcs7.detached /ByteRange [0 1 2 3] /Contents <30> >>"
    objects = pdf.with_form(pdf.signature_field(b"(S)", b"/V 20 0 R")) | {20: body}
    report = verify(pdf.build_compressed(objects))
    assert report.verdict is Verdict.FAILED
    assert "byte-range-invalid" in reasons(report)


def test_a_signature_that_is_no_object_of_its_own_is_refused() -> None:
    value = (
        b"/V << /Type /Sig /SubFilter /adbe.pkcs7.detached /ByteRange [0 1 2 3] /Contents <30> >>"
    )
    report = verify(pdf.build(pdf.with_form(pdf.signature_field(b"(S)", value))))
    assert report.verdict is Verdict.FAILED
    assert "byte-range-invalid" in reasons(report)
