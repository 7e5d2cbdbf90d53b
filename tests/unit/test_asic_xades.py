"""Containers whose signatures are XAdES, EN 319 162-1 4.4.4: made by hand, each with its control.

tests/interop/test_asic_judges.py has one that xmlsec1 signed.
"""

import io
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from support.containers import ASIC_E, ASIC_S, FILES, AsicContainer, ZipEntry, build_zip
from support.pki import AT, load, load_key
from support.xml_signatures import PROPERTIES, SHA1, Document, Ref, Sig, qualifying_properties

from jpki.errors import ContentChangedError
from jpki.verification import Coverage, Level, Note, Reason, Verdict, VerificationReport
from jpki.verification.asic import verify_asice

CA = [load("signature-ca")]
NAME = "META-INF/signatures001.xml"
WRAPPER = (
    '<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#">{}</asic:XAdESSignatures>'
)


def signatures(
    files: dict[str, bytes] | None = None,
    *,
    text: str = WRAPPER,
    key: str = "signature",
    digest_method: str | None = None,
    more: tuple[Ref, ...] = (),
    objects: str = "",
) -> bytes:
    """A file of signatures over files."""
    given = FILES if files is None else files
    named = {quote(name): content for name, content in given.items()}
    chosen = {} if digest_method is None else {"digest_method": digest_method}
    references = tuple(Ref(uri=name, transforms=(), **chosen) for name in named)
    signature = Sig(
        references=(*references, *more, PROPERTIES), objects=qualifying_properties() + objects
    )
    return Document(text=text, signature=signature, files=named, key=load_key(key)).sign()


def container(
    *found: bytes, files: dict[str, bytes] | None = None, mimetype: bytes = ASIC_E
) -> bytes:
    held = FILES if files is None else files
    entries = [ZipEntry(name="mimetype", content=mimetype)]
    entries += [ZipEntry(name=name, content=content) for name, content in held.items()]
    for number, content in enumerate(found or (signatures(),), start=1):
        entries.append(ZipEntry(name=f"META-INF/signatures{number:03}.xml", content=content))
    return build_zip(entries)


def verify(data: bytes, **named: Any) -> VerificationReport:
    return verify_asice(io.BytesIO(data), CA, AT, **named)


def reasons_of(report: VerificationReport) -> list[Reason]:
    found = [*report.reasons, *(reason for each in report.signatures for reason in each.reasons)]
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


def extracted(report: VerificationReport, index: int = 0) -> bytes:
    output, write = io.BytesIO(), report.signatures[index].write_covered
    assert write is not None
    write(output)
    return output.getvalue()


# --- what passes --------------------------------------------------------------------------------


def test_a_container_signed_by_xades_passes_over_the_whole() -> None:
    report = verify(container())
    assert reasons_of(report) == []
    (signature,) = report.signatures
    assert (signature.level, signature.covers, signature.covered) == (
        Level.XADES_B_B,
        Coverage.WHOLE,
        None,
    )


def test_exactly_the_files_come_out() -> None:
    with zipfile.ZipFile(io.BytesIO(extracted(verify(container())))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_names_in_japanese_and_in_folders_are_found() -> None:
    files = {"契約書　第一.txt": "甲乙".encode(), "図/別紙 1.pdf": b"%PDF", "空": b""}
    assert reasons_of(verify(container(signatures(files), files=files))) == []


def test_several_signatures_may_share_the_files() -> None:
    (first, first_content), (second, second_content) = FILES.items()
    report = verify(
        container(signatures({first: first_content}), signatures({second: second_content}))
    )
    assert reasons_of(report) == []
    assert [(each.covers, each.covered) for each in report.signatures] == [
        (Coverage.PART, first),
        (Coverage.PART, second),
    ]
    assert extracted(report, 0) == first_content


def test_both_forms_may_stand_in_one_container() -> None:
    data = AsicContainer(more=[ZipEntry(name=NAME, content=signatures())]).build()
    report = verify(data)
    assert reasons_of(report) == []
    assert [each.level for each in report.signatures] == [Level.CADES_B_B, Level.XADES_B_B]


def test_a_simple_container_may_be_signed_by_xades() -> None:
    files = {"contract.txt": b"a contract\n"}
    report = verify(container(signatures(files), files=files, mimetype=ASIC_S))
    assert reasons_of(report) == []
    assert extracted(report) == b"a contract\n"


def test_sha1_passes_on_demand_and_is_said() -> None:
    data = container(signatures(digest_method=SHA1))
    assert reasons_of(verify(data)) == [Reason.WEAK_ALGORITHM]
    report = verify(data, allow_sha1=True)
    assert (reasons_of(report), report.signatures[0].notes) == ([], (Note.SHA1_ALLOWED,))


def test_of_a_signature_over_no_file_comes_what_it_is_over_and_no_empty_container() -> None:
    nothing = signatures({}, more=(Ref(),), text=WRAPPER.replace("{}", "<about/>{}"))
    report = verify(container(signatures(), nothing))
    assert reasons_of(report) == []
    assert report.signatures[1].covers is Coverage.PART
    assert b"<about>" in extracted(report, 1)


# --- what fails ---------------------------------------------------------------------------------

CHANGED = FILES | {"contract.txt": b"a contrast\n"}
ADDED = FILES | {"more.exe": b"MZ"}
FEWER = {name: content for name, content in FILES.items() if name != "annex.pdf"}
ONE = {"contract.txt": FILES["contract.txt"]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (container(files=CHANGED), Reason.DIGEST_MISMATCH),
        (container(files=ADDED), Reason.UNSIGNED_FILE),
        (container(files=FEWER), Reason.CONTENT_MISSING),
        (container(signatures(ONE)), Reason.UNSIGNED_FILE),
        (container(signatures(key="foreign-ca")), Reason.SIGNATURE_INVALID),
        (container(b"<x/>"), Reason.MALFORMED),
        (container(b"not XML"), Reason.MALFORMED),
        (container(b'<!DOCTYPE x [<!ENTITY e "x">]><x/>'), Reason.DTD_PRESENT),
        (container(signatures(ONE), files=ADDED, mimetype=ASIC_S), Reason.MALFORMED),
        (
            container(signatures(ONE), signatures(ONE), files=ONE, mimetype=ASIC_S),
            Reason.MALFORMED,
        ),
        (
            container(signatures({"other.txt": b"x"}), files=ONE, mimetype=ASIC_S),
            Reason.UNSIGNED_FILE,
        ),
    ],
    ids=[
        "changed",
        "added",
        "taken away",
        "not signed",
        "another key",
        "no signature",
        "no XML",
        "DTD",
        "simple with several files",
        "simple with several signatures",
        "simple over another file",
    ],
)
def test_what_is_not_as_it_was_signed_fails(data: bytes, reason: Reason) -> None:
    report = verify(data)
    assert report.verdict is Verdict.FAILED
    assert reason in reasons_of(report)


@pytest.mark.parametrize(
    "uri",
    [
        "mimetype",
        NAME,
        "META-INF/manifest.xml",
        "../contract.txt",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "contract.txt#x",
    ],
)
def test_nothing_but_a_file_of_the_container_is_referred_to(uri: str) -> None:
    outside = Ref(uri=uri, transforms=(), digest="AAAA")
    report = verify(container(signatures(more=(outside,))))
    assert report.verdict is Verdict.FAILED
    assert set(reasons_of(report)) <= {Reason.CONTENT_MISSING, Reason.REFERENCE_EXTERNAL}


def test_a_good_signature_does_not_stand_for_a_bad_one_beside_it() -> None:
    report = verify(container(signatures(), signatures(key="foreign-ca")))
    assert report.verdict is Verdict.FAILED
    assert [each.verdict for each in report.signatures] == [Verdict.PASSED, Verdict.FAILED]


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        (WRAPPER.replace("{}", "{}<evil>pay more</evil>"), ""),
        (WRAPPER.replace("{}", "pay more{}"), ""),
        ("<other>{}</other>", ""),
        (WRAPPER, "<ds:Object>pay more</ds:Object>"),
        (WRAPPER, "<ds:Object><evil/></ds:Object>"),
    ],
    ids=["an element", "a text", "another root", "a text in an object", "an element in an object"],
)
def test_what_stands_unsigned_beside_a_signature_makes_it_a_part(text: str, objects: str) -> None:
    report = verify(container(signatures(text=text, objects=objects)))
    assert report.signatures[0].covers is Coverage.PART
    assert report.signatures[0].covered == ", ".join(FILES)


def test_damage_ends_in_a_report() -> None:
    data = container().replace(b"a contract", b"a contrast")  # the checksum of ZIP tells
    assert reasons_of(verify(data)) == [Reason.MALFORMED]


def test_what_changed_since_it_was_verified_does_not_come_out() -> None:
    data = container(signatures(ONE), files=ONE)
    stream = io.BytesIO(data)
    report = verify_asice(stream, CA, AT)
    with stream.getbuffer() as view:
        place = data.index(b"a contract")
        view[place : place + 10] = b"a contrast"
    with pytest.raises(ContentChangedError):
        extracted(report)


def test_signatures_do_not_have_a_large_file_read_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jpki.verification.asic_files.FREE_SIZE", 0)
    for count, expected in ((10, []), (12, [Reason.LIMIT_EXCEEDED])):
        data = container(*[signatures(ONE)] * count, files=ONE)
        assert reasons_of(verify(data)) == expected
