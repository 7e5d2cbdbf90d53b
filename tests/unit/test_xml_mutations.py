"""Thousands of damaged signed documents: a report each, and what passes shows what was signed."""

import io
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from support.pki import AT, load, load_key
from support.xml_signatures import C14N, Document, Ref, Sig

from jpki.signing.xml import check_xml, sign_xml, sign_xml_files
from jpki.signing.xml_options import XmlForm, XmlOptions
from jpki.verification import Coverage, SignatureReport, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
TEXT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<申請 xmlns="urn:x" xmlns:a="urn:a" id="all">'
    '<!-- c --><明細 id="part" a:b="1">100</明細><明細>200</明細><?p i?>tail</申請>\n'
)


def sign(**options) -> bytes:
    return sign_xml(
        TEXT.encode(),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        options=XmlOptions(**options),
    )


FILE = b"one"
ORIGINALS = {
    "whole": sign(),
    "whole, by the id of the root": sign(reference="#all", form=XmlForm.XMLDSIG),
    "part": sign(reference="#part", prefix=""),
    "UTF-16": sign_xml(
        TEXT.replace("UTF-8", "UTF-16").encode("utf-16"),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
    ),
    "file": sign_xml_files(
        {"a": io.BytesIO(FILE)}, load_key("signature"), load("signature"), signing_time=AT
    ),
    "two parts": Document(
        text=TEXT.split("?>", 1)[1].replace("tail", "{}tail"),
        signature=Sig(references=(Ref(uri="#part", transforms=(C14N,)), Ref())),
    ).sign(),
}


def verify(data: bytes):
    return verify_xml(data, CA, AT, detached_files={"a": io.BytesIO(FILE)})


def shown(signature: SignatureReport) -> bytes | None:
    if signature.write_covered is None:
        return None
    output = io.BytesIO()
    signature.write_covered(output)
    return output.getvalue()


SHOWN = {name: shown(verify(data).signatures[0]) for name, data in ORIGINALS.items()}


def check(name: str, data: bytes) -> bool:
    """Check a damaged document -> whether it passed all the same."""
    report = verify(data)
    passed = report.verdict is Verdict.PASSED
    for signature in report.signatures:
        written = shown(signature)
        if signature.verdict is Verdict.PASSED:
            assert written == SHOWN[name]
        else:
            assert written in (None, b"", SHOWN[name])
        if passed and signature.covers is Coverage.WHOLE and written is not None:
            assert canonical_without_signatures(data) == SHOWN[name]
    return passed


def canonical_without_signatures(data: bytes) -> bytes:
    """What a reader would see of a document that is signed as a whole."""
    root = etree.fromstring(data, etree.XMLParser(encoding=None))
    for signature in root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Signature"):
        parent, previous = signature.getparent(), signature.getprevious()
        if previous is None:
            parent.text = (parent.text or "") + (signature.tail or "")
        else:
            previous.tail = (previous.tail or "") + (signature.tail or "")
        signature.tail = None
        parent.remove(signature)
    return etree.tostring(root.getroottree(), method="c14n", with_comments=False)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Damage data the way fuzzers do: flip, overwrite, delete, insert, repeat, move."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place = rng.randrange(len(damaged))
        size = rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(7):
            case 0:
                damaged[place] ^= 1 << rng.randrange(8)
            case 1:
                damaged[place] = rng.choice(b"<>/&;#\"'= \n:!-?[]0aA\x00\xff")
            case 2:
                del damaged[place : place + size]
            case 3:
                damaged[place:place] = rng.randbytes(size)
            case 4:
                damaged[place:place] = damaged[place : place + size * 8]
            case 5:
                damaged[place : place + size] = rng.randbytes(size)
            case _:
                damaged[place:place] = rng.choice(INSERTED)
        if not damaged:
            return b""
    return bytes(damaged)


INSERTED = (
    b"<!-- -->",
    b"<?p?>",
    b"<x/>",
    b"<x>",
    b"</x>",
    b" id='all'",
    b" Id='part'",
    b" xmlns='urn:y'",
    b" xmlns:ds='urn:y'",
    b"&#13;",
    b"&amp;",
    b"&x;",
    b"<![CDATA[x]]>",
    b"<!DOCTYPE x>",
    b"\xef\xbb\xbf",
)


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_controls_pass(name):
    assert check(name, ORIGINALS[name])


@pytest.mark.parametrize("name", ORIGINALS)
def test_damaged_documents_give_a_report_and_never_show_anything_else_as_signed(name):
    rng = random.Random(f"{name} 20260601")  # noqa: S311
    passed = sum(check(name, mutate(ORIGINALS[name], rng)) for _ in range(2500))
    assert passed < 700  # comments, white space in tags, the end of the file


@pytest.mark.parametrize("name", ["whole", "whole, by the id of the root", "two parts"])
def test_every_byte_of_what_was_signed_counts(name):
    original = ORIGINALS[name]
    for place in range(len(original)):
        damaged = bytearray(original)
        damaged[place] ^= 0x01
        check(name, bytes(damaged))


def elements_of(root):
    return [each for each in root.iter() if isinstance(each.tag, str)]


def rearrange(data: bytes, rng: random.Random) -> bytes:
    """Move, copy, rename and wrap elements: what stays well-formed."""
    root = etree.fromstring(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        one, other = rng.choice(elements_of(root)), rng.choice(elements_of(root))
        match rng.randrange(6):
            case 0:
                one.append(
                    etree.fromstring(etree.tostring(other, encoding="utf-8", with_tail=False))
                )
            case 1:
                if one is not root and other not in one.iter():
                    other.insert(rng.randrange(len(other) + 1), one)
            case 2:
                one.tag = rng.choice((other.tag, "x", "{urn:x}明細"))
            case 3:
                one.set(
                    rng.choice(("id", "Id", "ID", "Target", "URI")),
                    rng.choice(("all", "part", "#part", "")),
                )
            case 4:
                one.text = other.text
            case _:
                if one is not root:
                    one.getparent().remove(one)
    if rng.random() < 0.2:
        wrapped = etree.Element("{urn:x}申請", id=rng.choice(("all", "b")))
        wrapped.append(root)
        root = wrapped
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


@pytest.mark.parametrize("name", [name for name in ORIGINALS if name != "UTF-16"])
def test_rearranged_documents_never_show_anything_else_as_signed(name):
    rng = random.Random(f"{name} 20260602")  # noqa: S311
    passed = sum(check(name, rearrange(ORIGINALS[name], rng)) for _ in range(1000))
    assert passed < 1000


@settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_arbitrary_bytes_fail(data):
    assert verify(data).verdict is Verdict.FAILED


@settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 6000), st.text(max_size=40), st.integers(0, 60))
def test_spliced_text_gives_a_report(place, inserted, removed):
    for name in ("whole", "part"):
        data = ORIGINALS[name]
        check(name, data[:place] + inserted.encode("utf-8", "replace") + data[place + removed :])


def test_damaged_documents_are_signed_or_refused_with_one_error():
    from jpki.errors import DocumentError

    rng = random.Random(20260603)  # noqa: S311
    kept = 0
    for _ in range(2000):
        data = mutate(TEXT.encode(), rng)
        try:
            check_xml(data)
        except DocumentError:
            continue
        signed = sign_xml(data, load_key("signature"), load("signature"), signing_time=AT)
        report = verify_xml(signed, CA, AT)
        assert report.verdict is Verdict.PASSED
        kept += 1
    assert kept > 100
