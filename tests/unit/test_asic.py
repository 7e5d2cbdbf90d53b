"""ASiC containers: made, verified, and every forgery beside the control that passes."""

import io
import tracemalloc
import zipfile
from datetime import datetime, timedelta

import pytest
from support.cms import Forgery, signed_data
from support.containers import (
    ASIC_S,
    FILES,
    AsicContainer,
    ZipEntry,
    build_zip,
    manifest,
)
from support.keys import CountingKey
from support.pki import AT, LEAF_UNTIL, load, load_key
from support.tsa import running_tsa

from jpki.errors import ContentChangedError, DocumentError, DocumentFault, ServerError
from jpki.formats import DocumentFormat, detect_format
from jpki.signing import HashAlgorithm
from jpki.signing.asic import NamedDocument, check_asice, sign_asice
from jpki.signing.timestamp import Timestamper
from jpki.verification import Coverage, Level, Reason, SignatureReport, Verdict, VerificationReport
from jpki.verification.asic import verify_asice

CA = [load("signature-ca")]
JAPANESE = {"契約書　第一.txt": "甲乙".encode(), "図/別紙 #1 100%?.pdf": b"%PDF", "空": b""}


def verify(data: bytes | io.BytesIO, anchors=CA, at=AT, **named: object) -> VerificationReport:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return verify_asice(stream, anchors, at, **named)  # type: ignore[arg-type]


def documents(files: dict[str, bytes]) -> list[NamedDocument]:
    return [
        NamedDocument(name=name, content=io.BytesIO(content)) for name, content in files.items()
    ]


def sign(files: dict[str, bytes], key=None, **named: object) -> bytes:
    output = io.BytesIO()
    arguments: dict = {"signing_time": AT, **named}
    chosen = key or load_key("signature")
    sign_asice(documents(files), output, chosen, load("signature"), **arguments)
    return output.getvalue()


def only(report: VerificationReport) -> SignatureReport:
    (signature,) = report.signatures
    return signature


def reasons_of(report: VerificationReport) -> list[Reason]:
    found = [*report.reasons, *(reason for each in report.signatures for reason in each.reasons)]
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


def extracted(report: SignatureReport) -> bytes:
    output = io.BytesIO()
    assert report.write_covered is not None
    report.write_covered(output)
    return output.getvalue()


# --- made ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", HashAlgorithm)
@pytest.mark.parametrize("files", [FILES, JAPANESE], ids=["ASCII", "Japanese"])
def test_what_is_signed_verifies_with_one_use_of_the_key(files, algorithm):
    key = CountingKey(load_key("signature"))
    data = sign(files, key, algorithm=algorithm)
    assert len(key.signed) == 1
    report = verify(data)
    assert report.verdict is Verdict.PASSED
    signature = only(report)
    assert signature.level is Level.CADES_B_B
    assert (signature.covers, signature.covered) == (Coverage.WHOLE, None)
    assert signature.signing_time == AT
    assert signature.hash_algorithm is algorithm
    assert detect_format(data[:4096]) is DocumentFormat.ASICE
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = ["mimetype", *files, "META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"]
        assert archive.namelist() == names
        assert {name: archive.read(name) for name in files} == files


def test_the_mimetype_stands_where_programs_look_for_it():
    data = sign(FILES)
    assert data[30:69] == b"mimetypeapplication/vnd.etsi.asic-e+zip"


def test_the_same_files_at_the_same_time_give_the_same_container():
    assert sign(FILES) == sign(FILES)


def test_a_timestamp_makes_it_level_t(tmp_path):
    with running_tsa(tmp_path / "tsa") as site:
        data = sign(FILES, timestamper=Timestamper(site.url()))
    signature = only(verify(data))
    assert signature.level is Level.CADES_B_T
    assert signature.timestamp.verdict is Verdict.PASSED
    assert verify(data, at=LEAF_UNTIL + timedelta(days=1)).verdict is Verdict.PASSED


def test_an_authority_that_fails_ends_the_signing():
    with pytest.raises(ServerError):
        sign(FILES, timestamper=Timestamper("http://127.0.0.1:1/"))


def test_the_cards_ca_may_stand_beside_the_signer():
    data = sign(FILES, extra_certificates=[load("signature-ca")])
    assert verify(data, anchors=[]).verdict is Verdict.INDETERMINATE
    assert reasons_of(verify(data)) == []


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        sign(FILES, signing_time=datetime(2026, 6, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        verify(sign(FILES), at=datetime(2026, 6, 1))  # noqa: DTZ001


class Pipe(io.RawIOBase):
    """A stream that cannot be sought."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        return self._inner.readinto(buffer)


def test_a_stream_of_unknown_length_is_signed_too():
    output = io.BytesIO()
    content = io.BufferedReader(Pipe(b"x" * 3_000_000))
    sign_asice(
        [NamedDocument(name="pipe", content=content)],
        output,
        load_key("signature"),
        load("signature"),
        signing_time=AT,
    )
    assert reasons_of(verify(output)) == []
    assert extracted(only(verify(output))) == b"x" * 3_000_000


def test_a_document_is_taken_from_where_it_stands():
    content = io.BytesIO(b"skipped and signed")
    content.seek(8)
    output = io.BytesIO()
    sign_asice(
        [NamedDocument(name="rest", content=content)],
        output,
        load_key("signature"),
        load("signature"),
        signing_time=AT,
    )
    assert extracted(only(verify(output))) == b"and signed"


class Growing(io.BytesIO):
    """A file to which somebody writes while it is signed."""

    def __init__(self, content: bytes, later: bytes) -> None:
        super().__init__(content)
        self._later = later

    def read(self, size=-1):
        found = super().read(size)
        if not found:
            found, self._later = self._later, b""
        return found


@pytest.mark.parametrize(
    "content", [Growing(b"a", b"b"), Growing(b"", b"b")], ids=["longer", "no longer empty"]
)
def test_a_file_that_grows_while_it_is_signed_ends_the_signing_before_the_key(content):
    key = CountingKey(load_key("signature"))
    with pytest.raises(ContentChangedError):
        sign_asice(
            [NamedDocument(name="log", content=content)],
            io.BytesIO(),
            key,
            load("signature"),
            signing_time=AT,
        )
    assert key.signed == []


def test_a_file_that_shrinks_while_it_is_signed_ends_the_signing_before_the_key():
    class Shrinking(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3)) if self.tell() < 3 else b""

    key = CountingKey(load_key("signature"))
    with pytest.raises(ContentChangedError):
        sign_asice(
            [NamedDocument(name="log", content=Shrinking(b"abcdef"))],
            io.BytesIO(),
            key,
            load("signature"),
            signing_time=AT,
        )
    assert key.signed == []


# --- refused before the key ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ([], DocumentFault.EMPTY),
        ([""], DocumentFault.NAME_UNUSABLE),
        (["../a"], DocumentFault.NAME_UNUSABLE),
        (["/a"], DocumentFault.NAME_UNUSABLE),
        (["a\\b"], DocumentFault.NAME_UNUSABLE),
        (["a\nb"], DocumentFault.NAME_UNUSABLE),
        (["mimetype"], DocumentFault.NAME_UNUSABLE),
        (["META-INF/a"], DocumentFault.NAME_UNUSABLE),
        (["meta-inf"], DocumentFault.NAME_UNUSABLE),
        (["\udcff"], DocumentFault.NAME_UNUSABLE),
        (["x" * 256], DocumentFault.NAME_UNUSABLE),
        (["a", "a/b"], DocumentFault.NAME_UNUSABLE),
        (["a", "a"], DocumentFault.DUPLICATE_NAME),
        (["a", "b", "A"], DocumentFault.DUPLICATE_NAME),
        (["が", "か\u3099"], DocumentFault.DUPLICATE_NAME),
        ([str(number) for number in range(9001)], DocumentFault.NOT_ASICE),
    ],
    ids=range(16),
)
def test_names_that_no_container_can_hold_are_refused_before_the_key(names, fault):
    with pytest.raises(DocumentError) as caught:
        check_asice(names)
    assert caught.value.fault is fault
    key = CountingKey(load_key("signature"))
    found = [NamedDocument(name=name, content=io.BytesIO()) for name in names]
    with pytest.raises(DocumentError):
        sign_asice(found, io.BytesIO(), key, load("signature"), signing_time=AT)
    assert key.signed == []


def test_whatever_may_be_signed_verifies():
    names = [".hidden", "-x", "a b", "ａ", "ﾊﾝｶｸ", "𠮷", "METAINF", "META-INFO/x", "~", "a'\"<&>"]
    check_asice(names)
    assert reasons_of(verify(sign({name: name.encode() for name in names}))) == []


# --- added to -----------------------------------------------------------------------------------


def test_a_second_signature_covers_the_same_and_leaves_the_first_as_it_is():
    first = sign(FILES)
    second = sign({}, existing=io.BytesIO(first))
    report = verify(second)
    assert report.verdict is Verdict.PASSED
    assert [each.covers for each in report.signatures] == [Coverage.WHOLE, Coverage.WHOLE]
    with zipfile.ZipFile(io.BytesIO(first)) as old, zipfile.ZipFile(io.BytesIO(second)) as new:
        assert {name: new.read(name) for name in old.namelist()} == {
            name: old.read(name) for name in old.namelist()
        }
        assert set(new.namelist()) - set(old.namelist()) == {
            "META-INF/ASiCManifest002.xml",
            "META-INF/signature002.p7s",
        }


def test_files_that_are_added_are_covered_by_the_new_signature_alone():
    both = sign({"later.txt": b"x"}, existing=io.BytesIO(sign(FILES)))
    report = verify(both)
    assert report.verdict is Verdict.PASSED
    old, new = report.signatures
    assert (old.covers, old.covered) == (Coverage.PART, "contract.txt, annex.pdf")
    assert (new.covers, new.covered) == (Coverage.WHOLE, None)


def test_three_signers_one_after_the_other_all_pass():
    data = sign(FILES)
    for _ in range(2):
        data = sign({}, existing=io.BytesIO(data))
    assert len(verify(data).signatures) == 3
    assert reasons_of(verify(data)) == []


def test_signatures_of_others_with_other_names_stay():
    entries = AsicContainer().entries()
    entries[-1].name = "META-INF/mysignature.p7s"
    entries[-2].name = "META-INF/xASiCManifest.xml"
    entries[-2].content = manifest(FILES, "META-INF/mysignature.p7s")
    forgery = Forgery(document=entries[-2].content)
    entries[-1].content = signed_data(forgery)
    entries[1].method = 8
    data = build_zip(entries)
    assert reasons_of(verify(data)) == []
    assert reasons_of(verify(sign({"more": b""}, existing=io.BytesIO(data)))) == []


def test_a_new_name_never_overwrites_an_old_one():
    gap = AsicContainer(more=[ZipEntry(name="META-INF/SIGNATURE002.P7S")]).build()
    data = sign({}, existing=io.BytesIO(gap))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "META-INF/signature003.p7s" in archive.namelist()


@pytest.mark.parametrize(
    ("existing", "names", "fault"),
    [
        (b"", ["a"], DocumentFault.NOT_ASICE),
        (b"%PDF-1.7", ["a"], DocumentFault.NOT_ASICE),
        (sign(FILES)[:-1], ["a"], DocumentFault.NOT_ASICE),
        (AsicContainer(mimetype=ASIC_S).build(), [], DocumentFault.NOT_ASICE),
        (
            AsicContainer(more=[ZipEntry(name="META-INF/signatures001.xml")]).build(),
            [],
            DocumentFault.NOT_ASICE,
        ),
        (AsicContainer(more=[ZipEntry(name="../evil")]).build(), [], DocumentFault.NOT_ASICE),
        (sign(FILES), ["contract.txt"], DocumentFault.DUPLICATE_NAME),
        (sign(FILES), ["Contract.TXT"], DocumentFault.DUPLICATE_NAME),
        (sign(FILES), ["annex.pdf/x"], DocumentFault.NAME_UNUSABLE),
        (build_zip(AsicContainer().entries()[:1]), [], DocumentFault.EMPTY),
    ],
    ids=range(10),
)
def test_what_cannot_be_added_to_is_refused_before_the_key(existing, names, fault):
    with pytest.raises(DocumentError) as caught:
        check_asice(names, io.BytesIO(existing))
    assert caught.value.fault is fault
    key = CountingKey(load_key("signature"))
    with pytest.raises(DocumentError):
        sign(dict.fromkeys(names, b""), key, existing=io.BytesIO(existing))
    assert key.signed == []


def test_a_container_that_is_damaged_inside_ends_the_signing_before_the_key():
    entries = AsicContainer().entries()
    entries[1].crc = 1
    key = CountingKey(load_key("signature"))
    with pytest.raises(ContentChangedError):
        sign({}, key, existing=io.BytesIO(build_zip(entries)))
    assert key.signed == []


# --- verified -----------------------------------------------------------------------------------


def test_a_container_of_others_is_the_control():
    report = verify(AsicContainer().build())
    assert reasons_of(report) == []
    assert only(report).covers is Coverage.WHOLE


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
def test_digests_by_any_sha_2_pass(hash_name):
    listed = manifest(FILES, hash_name=hash_name)
    assert reasons_of(verify(AsicContainer(manifest=listed).build())) == []


def test_names_may_be_written_in_more_ways_than_one():
    for uri in ("契約書.txt", "%E5%A5%91%E7%B4%84%E6%9B%B8.txt", "%e5%a5%91約書.txt"):
        files = {"契約書.txt": b"x"}
        listed = manifest(files, uris={"契約書.txt": uri})
        assert reasons_of(verify(AsicContainer(files=files, manifest=listed).build())) == []


def test_a_file_that_was_changed_fails():
    data = AsicContainer(signed={**FILES, "contract.txt": b"another\n"}).build()
    assert reasons_of(verify(data)) == [Reason.DIGEST_MISMATCH]
    assert only(verify(data)).write_covered is None


def test_a_file_that_is_gone_fails():
    data = AsicContainer(signed={**FILES, "gone.txt": b""}).build()
    assert reasons_of(verify(data)) == [Reason.REFERENCE_UNRESOLVED]


def test_a_file_that_nobody_signed_fails_the_container():
    data = AsicContainer(more=[ZipEntry(name="evil.txt", content=b"x")]).build()
    report = verify(data)
    assert report.reasons == (Reason.UNSIGNED_FILE,)
    assert report.verdict is Verdict.FAILED
    signature = only(report)
    assert signature.verdict is Verdict.PASSED
    assert (signature.covers, signature.covered) == (Coverage.PART, "contract.txt, annex.pdf")


def test_files_that_were_exchanged_for_each_other_fail():
    a, b = FILES
    data = AsicContainer(signed={a: FILES[b], b: FILES[a]}).build()
    assert reasons_of(verify(data)) == [Reason.DIGEST_MISMATCH]


def test_a_manifest_that_is_not_the_one_that_was_signed_fails():
    other = manifest({"contract.txt": FILES["contract.txt"]})
    data = AsicContainer(signed_manifest=other).build()
    assert reasons_of(verify(data)) == [Reason.DIGEST_MISMATCH]


def test_a_manifest_with_one_more_blank_fails():
    changed = manifest(FILES).replace(b"<asic:SigReference", b" <asic:SigReference")
    data = AsicContainer(manifest=changed, signed_manifest=manifest(FILES)).build()
    assert reasons_of(verify(data)) == [Reason.DIGEST_MISMATCH]


def test_two_manifests_for_one_signature_fail():
    second = manifest({"contract.txt": b"another"})
    data = AsicContainer(
        more=[ZipEntry(name="META-INF/ASiCManifest002.xml", content=second)]
    ).build()
    assert reasons_of(verify(data)) == [Reason.REFERENCE_AMBIGUOUS]


def test_a_manifest_without_its_signature_vouches_for_nothing():
    second = manifest({"evil.txt": b"x"}, "META-INF/signature002.p7s")
    more = [
        ZipEntry(name="evil.txt", content=b"x"),
        ZipEntry(name="META-INF/ASiCManifest002.xml", content=second),
    ]
    assert verify(AsicContainer(more=more).build()).reasons == (Reason.UNSIGNED_FILE,)


def test_a_signature_without_its_manifest_fails():
    lone = ZipEntry(name="META-INF/signature002.p7s", content=signed_data(Forgery()))
    data = AsicContainer(more=[lone]).build()
    assert reasons_of(verify(data)) == [Reason.REFERENCE_UNRESOLVED]


def test_a_forger_s_second_signature_fails_the_whole():
    second = manifest({"evil.txt": b"x"}, "META-INF/signature002.p7s")
    forged = signed_data(Forgery(document=second, key=load_key("foreign-ca")))
    more = [
        ZipEntry(name="evil.txt", content=b"x"),
        ZipEntry(name="META-INF/ASiCManifest002.xml", content=second),
        ZipEntry(name="META-INF/signature002.p7s", content=forged),
    ]
    report = verify(AsicContainer(more=more).build())
    assert report.verdict is Verdict.FAILED
    assert [each.reasons for each in report.signatures] == [(), (Reason.SIGNATURE_INVALID,)]


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        (Forgery(key=load_key("foreign-ca")), Reason.SIGNATURE_INVALID),
        (Forgery(certificate=load("signature-expired")), Reason.EXPIRED),
        (
            Forgery(certificate=load("authentication"), key=load_key("authentication")),
            Reason.WRONG_KEY_USAGE,
        ),
        (Forgery(without_attributes=True), Reason.SIGNED_ATTRIBUTES_MISSING),
        (Forgery(message_digest=bytes(32)), Reason.DIGEST_MISMATCH),
    ],
)
def test_faults_of_the_signature_are_those_of_cms(forgery, reason):
    assert reason in reasons_of(verify(AsicContainer(forgery=forgery).build()))


def test_a_signature_with_content_of_its_own_must_have_the_manifest_in_it():
    for content, reasons in ((manifest(FILES), []), (b"another", [Reason.CONTENT_CONFLICT])):
        entries = AsicContainer().entries()
        entries[-1].content = signed_data(Forgery(document=content), content=content)
        assert reasons_of(verify(build_zip(entries))) == reasons


def test_a_signature_that_is_garbage_fails():
    entries = AsicContainer().entries()
    entries[-1].content = b"garbage"
    assert reasons_of(verify(build_zip(entries))) == [Reason.MALFORMED]


def test_a_container_without_signatures_has_none():
    entries = AsicContainer().entries()[:-1]
    assert reasons_of(verify(build_zip(entries))) == [Reason.NO_SIGNATURE]
    assert reasons_of(verify(build_zip(entries[:1]))) == [Reason.NO_SIGNATURE]


# --- manifests ----------------------------------------------------------------------------------


def with_reference(extra: str) -> bytes:
    return manifest(FILES, extra=extra)


DIGEST = (
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<ds:DigestValue>AAAA</ds:DigestValue>"
)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"no XML", Reason.MALFORMED),
        (b"<a/>", Reason.MALFORMED),
        (manifest(FILES).replace(b"02918/v1.2.1", b"02918/v9.9.9"), Reason.MALFORMED),
        (manifest(FILES)[:-5], Reason.MALFORMED),
        (manifest({}), Reason.MALFORMED),
        (manifest(FILES).replace(b"<asic:SigReference", b"<asic:Other", 1), Reason.MALFORMED),
        (
            with_reference('<asic:SigReference URI="META-INF/signature002.p7s"/>'),
            Reason.MALFORMED,
        ),
        (with_reference('<asic:DataObjectReference URI="x"/>'), Reason.MALFORMED),
        (
            with_reference(f'<asic:DataObjectReference URI="">{DIGEST}</asic:DataObjectReference>'),
            Reason.MALFORMED,
        ),
        (
            with_reference(
                f'<asic:DataObjectReference URI="x">{DIGEST}{DIGEST}</asic:DataObjectReference>'
            ),
            Reason.MALFORMED,
        ),
        (
            with_reference(
                '<asic:DataObjectReference URI="x">'
                + DIGEST.replace("AAAA", "!!")
                + "</asic:DataObjectReference>"
            ),
            Reason.MALFORMED,
        ),
        (
            with_reference(
                f'<asic:DataObjectReference URI="%FF">{DIGEST}</asic:DataObjectReference>'
            ),
            Reason.MALFORMED,
        ),
        (
            with_reference(
                f'<asic:DataObjectReference URI="annex.pdf">{DIGEST}</asic:DataObjectReference>'
            ),
            Reason.REFERENCE_AMBIGUOUS,
        ),
        *(
            (
                with_reference(
                    f'<asic:DataObjectReference URI="{uri}">{DIGEST}</asic:DataObjectReference>'
                ),
                Reason.REFERENCE_EXTERNAL,
            )
            for uri in (
                "http://127.0.0.1:1/x",
                "file:///etc/passwd",
                "/etc/passwd",
                "//server/x",
                "annex.pdf#x",
                "annex.pdf?x",
                "data:,x",
            )
        ),
        (
            manifest(FILES).replace(b"xmlenc#sha256", b"xmlenc#ripemd160"),
            Reason.UNSUPPORTED_ALGORITHM,
        ),
        (manifest(FILES, doctype="<!DOCTYPE x>"), Reason.DTD_PRESENT),
        (
            manifest(FILES, doctype='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
            Reason.DTD_PRESENT,
        ),
        (
            with_reference(
                '<asic:ASiCManifestExtensions><asic:Extension Critical="true"><x/>'
                "</asic:Extension></asic:ASiCManifestExtensions>"
            ),
            Reason.UNKNOWN_CRITICAL_HEADER,
        ),
    ],
    ids=range(25),
)
def test_a_manifest_that_cannot_be_relied_on_fails(listed, reason):
    entries = AsicContainer().entries()
    entries[-2].content = listed
    entries[-1].content = signed_data(Forgery(document=listed))
    report = verify(build_zip(entries))
    assert report.verdict is Verdict.FAILED
    assert reason in report.reasons


def test_extensions_that_are_not_critical_pass():
    listed = with_reference(
        '<asic:ASiCManifestExtensions><asic:Extension Critical="false"><x/></asic:Extension>'
        "</asic:ASiCManifestExtensions>"
    )
    assert reasons_of(verify(AsicContainer(manifest=listed).build())) == []


def test_paths_in_a_manifest_are_names_and_lead_nowhere():
    listed = manifest({**FILES, "../../etc/passwd": b""})
    data = AsicContainer(manifest=listed).build()
    assert reasons_of(verify(data)) == [Reason.REFERENCE_UNRESOLVED]


def test_a_name_that_decodes_to_another_name_is_that_one():
    files = {"a%20b": b"one", "a b": b"two"}
    listed = manifest({"a b": b"two"}, uris={"a b": "a%20b"})
    report = verify(AsicContainer(files=files, manifest=listed).build())
    assert report.reasons == (Reason.UNSIGNED_FILE,)
    assert only(report).covered == "a b"
    assert extracted(only(report)) == b"two"


# --- other kinds --------------------------------------------------------------------------------


def simple(content: bytes = b"a contract\n", **forged: object) -> bytes:
    """ASiC-S: one file, and the signature over it."""
    forgery = Forgery(**{"document": b"a contract\n", **forged})  # type: ignore[arg-type]
    return build_zip(
        [
            ZipEntry(name="mimetype", content=ASIC_S),
            ZipEntry(name="contract.txt", content=content),
            ZipEntry(name="META-INF/signature.p7s", content=signed_data(forgery)),
        ]
    )


def test_a_simple_container_passes_and_its_faults_are_found():
    report = verify(simple())
    assert reasons_of(report) == []
    assert only(report).covers is Coverage.WHOLE
    assert extracted(only(report)) == b"a contract\n"
    assert reasons_of(verify(simple(b"another"))) == [Reason.DIGEST_MISMATCH]
    assert reasons_of(verify(simple(key=load_key("foreign-ca")))) == [Reason.SIGNATURE_INVALID]


def test_a_simple_container_has_one_file_and_one_signature():
    entries = AsicContainer(mimetype=ASIC_S).entries()
    assert reasons_of(verify(build_zip(entries))) == [Reason.MALFORMED]
    two = [*AsicContainer(files={"a": b""}, mimetype=ASIC_S).entries()]
    two.append(ZipEntry(name="META-INF/signature2.p7s"))
    assert reasons_of(verify(build_zip(two))) == [Reason.MALFORMED]
    assert reasons_of(verify(build_zip(two[:2]))) == [Reason.NO_SIGNATURE]


def test_a_file_of_signatures_without_any_is_never_passed_over():
    xades = ZipEntry(name="META-INF/signatures001.xml", content=b"<x/>")
    report = verify(AsicContainer(more=[xades]).build())
    assert report.reasons == (Reason.MALFORMED,)


@pytest.mark.parametrize(
    "name", ["META-INF/contract.pdf", "META-INF/evil.exe", "META-INF/a/b", "META-INF/signature.pdf"]
)
def test_nothing_hides_among_the_files_of_the_container(name):
    report = verify(AsicContainer(more=[ZipEntry(name=name, content=b"x")]).build())
    assert report.reasons == (Reason.UNSIGNED_FILE,)


@pytest.mark.parametrize(
    "name",
    [
        "META-INF/manifest.xml",
        "META-INF/container.xml",
        "META-INF/timestamp.tst",
        "META-INF/ASiCArchiveManifest.xml",
        "META-INF/evidencerecord.ers",
    ],
)
def test_what_containers_have_beside_their_files_needs_no_signature(name):
    report = verify(AsicContainer(more=[ZipEntry(name=name, content=b"x")]).build())
    assert reasons_of(report) == []


# --- what is covered ----------------------------------------------------------------------------


def test_exactly_what_is_covered_comes_out():
    stream = io.BytesIO(AsicContainer().build())
    out = io.BytesIO(extracted(only(verify(stream))))
    with zipfile.ZipFile(out) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_what_changed_since_it_was_verified_does_not_come_out():
    data = AsicContainer(files={"contract.txt": b"a contract\n"}).build()
    stream = io.BytesIO(data)
    report = only(verify(stream))
    with stream.getbuffer() as view:
        place = data.index(b"a contract")
        view[place : place + 10] = b"a contrast"
    with pytest.raises(ContentChangedError):
        extracted(report)


# --- size ---------------------------------------------------------------------------------------


def test_a_large_file_is_signed_and_verified_in_little_memory(tmp_path):
    size = 64 << 20
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        with (tmp_path / "large").open("rb") as content, (tmp_path / "x").open("w+b") as output:
            sign_asice(
                [NamedDocument(name="large", content=content)],
                output,
                load_key("signature"),
                load("signature"),
                signing_time=AT,
            )
            report = verify_asice(output, CA, AT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.verdict is Verdict.PASSED
    assert peak < 16 << 20


def test_a_hundred_files_go_under_one_signature():
    files = {f"{number}.txt": str(number).encode() for number in range(100)}
    key = CountingKey(load_key("signature"))
    assert reasons_of(verify(sign(files, key))) == []
    assert len(key.signed) == 1
