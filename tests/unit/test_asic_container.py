"""The ZIP under an ASiC container: what two readers could read differently is refused."""

import io
import stat
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.containers import (
    ASIC_E,
    DEFLATED,
    DESCRIPTOR,
    FILES,
    AsicContainer,
    ZipEntry,
    build_zip,
)
from support.cost import cpu_within
from support.pki import AT, load

from jpki.verification import Reason, Verdict, VerificationReport
from jpki.verification.asic import verify_asice
from jpki.verification.asic_container import MAX_ENTRIES, MAX_MEMBER

CA = [load("signature-ca")]


def verify(data: bytes) -> VerificationReport:
    return verify_asice(io.BytesIO(data), CA, AT)


def refused(data: bytes) -> tuple[Reason, ...]:
    report = verify(data)
    assert report.verdict is Verdict.FAILED
    assert report.signatures == ()
    return report.reasons


def change(number: int, **changes: object) -> bytes:
    """The usual container with one entry changed."""
    entries = AsicContainer().entries()
    for name, value in changes.items():
        setattr(entries[number], name, value)
    return build_zip(entries)


# --- the controls -------------------------------------------------------------------------------


def test_a_container_built_by_hand_passes_and_python_reads_it():
    data = AsicContainer().build()
    assert verify(data).verdict is Verdict.PASSED
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.read("contract.txt") == FILES["contract.txt"]


@pytest.mark.parametrize(
    "changes",
    [
        {"method": DEFLATED},
        {"method": DEFLATED, "flags": DESCRIPTOR},
        {"method": DEFLATED, "flags": DESCRIPTOR, "signed_descriptor": False},
        {"flags": DESCRIPTOR},
        {"local_extra": b"\x55\x54\x05\x00\x01\x00\x00\x00\x00", "extra": b"\x55\x54\x01\x00\x01"},
        {"local_extra": b"\x00", "extra": b"\x00\x00\x00"},
    ],
    ids=[
        "deflated",
        "data descriptor",
        "data descriptor without signature",
        "stored with descriptor",
        "time fields of Info-ZIP",
        "padding too short for a field",
    ],
)
def test_entries_as_other_programs_write_them_pass(changes):
    for number in range(1, 5):
        assert verify(change(number, **changes)).verdict is Verdict.PASSED


def test_long_descriptors_and_sizes_in_the_extra_field_pass():
    content = FILES["contract.txt"]
    sizes = struct.pack("<2Q", len(content), len(content))
    crc = struct.pack("<L", zlib.crc32(content))
    long = {"flags": DESCRIPTOR, "descriptor": b"PK\x07\x08" + crc + sizes}
    assert verify(change(1, **long)).verdict is Verdict.PASSED


def test_the_order_of_the_directory_does_not_matter():
    data = AsicContainer().build(directory_order=[0, 3, 4, 2, 1])
    assert verify(data).verdict is Verdict.PASSED


def test_folders_and_a_comment_pass():
    folders = [ZipEntry(name="META-INF/"), ZipEntry(name="folder/")]
    data = AsicContainer(more=folders).build(comment=b"mimetype=" + ASIC_E)
    assert verify(data).verdict is Verdict.PASSED


def test_python_s_own_writer_without_seeking_passes():
    class OneWay(io.RawIOBase):
        def __init__(self) -> None:
            self.written = b""

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.written += bytes(data)
            return len(data)

    target = OneWay()
    with zipfile.ZipFile(target, "w") as archive:
        for number, entry in enumerate(AsicContainer().entries()):
            info = zipfile.ZipInfo(entry.name, (2026, 6, 1, 3, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=number == 1) as file:
                file.write(entry.content)
    assert b"PK\x07\x08" in target.written
    assert verify(target.written).verdict is Verdict.PASSED


def test_the_zip_program_s_containers_pass(tmp_path):
    for entry in AsicContainer(files={"契約書.txt": b"a contract\n", **FILES}).entries():
        path = tmp_path / str(entry.name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(entry.content)
    for options, names in (
        (("-X", "-0"), ["mimetype"]),
        ((), ["契約書.txt", *FILES]),
        (("-r",), ["META-INF"]),
    ):
        subprocess.run(
            ["zip", "-q", *options, "x.asice", *names], cwd=tmp_path, check=True, timeout=60
        )
    assert verify((tmp_path / "x.asice").read_bytes()).verdict is Verdict.PASSED


# --- no container -------------------------------------------------------------------------------

GOOD = AsicContainer().build()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"PK\x05\x06" + bytes(18),
        b"PK\x05\x06" + bytes(17),
        build_zip([]),
        build_zip(AsicContainer().entries()[1:]),
        build_zip([*AsicContainer().entries()[1:], AsicContainer().entries()[0]]),
        AsicContainer(mimetype=b"application/zip").build(),
        AsicContainer(mimetype=ASIC_E + b"\n").build(),
        AsicContainer(mimetype=ASIC_E.upper()).build(),
        change(0, method=DEFLATED),
        GOOD[:-1],
        GOOD[1:],
        GOOD + b"\x00",
        b"\x00" + GOOD,
        GOOD + GOOD,
    ],
    ids=range(16),
)
def test_what_is_no_container_is_malformed(data):
    assert refused(data) == (Reason.MALFORMED,)


def test_every_truncation_is_malformed():
    for size in range(0, len(GOOD), 61):
        assert refused(GOOD[:size]) == (Reason.MALFORMED,)


# --- bytes that belong to nothing ---------------------------------------------------------------


@pytest.mark.parametrize(
    "build",
    [
        lambda: AsicContainer().build(end=b"x"),
        lambda: AsicContainer().build(after_directory=b"x"),
        lambda: AsicContainer().build(before_directory=b"x"),
        lambda: AsicContainer().build(before_directory=ZipEntry(name="evil.exe").local()),
        lambda: AsicContainer().build(before_directory=b"x", offset_change=-1),
        lambda: AsicContainer().build(after_directory=ZipEntry(name="evil.exe").local()),
        lambda: AsicContainer().build(hidden=[1]),
        lambda: AsicContainer().build(count=4),
        lambda: AsicContainer().build(count=6),
        lambda: AsicContainer().build(offset_change=1),
        lambda: AsicContainer().build(offset_change=-1),
        lambda: change(0, before=b"x"),
        lambda: change(2, before=b"x"),
        lambda: change(2, before=ZipEntry(name="evil.exe", content=b"x").local()),
        lambda: b"MZ" + AsicContainer().build(offset_change=2),
        lambda: change(1, flags=DESCRIPTOR, descriptor=b""),
        lambda: change(1, flags=DESCRIPTOR, descriptor=b"PK\x07\x08" + bytes(12)),
        lambda: change(1, descriptor=b"PK\x07\x08" + bytes(12)),
        lambda: change(2, disk=1),
    ],
    ids=range(19),
)
def test_bytes_or_entries_that_only_some_readers_see_are_refused(build):
    assert refused(build()) == (Reason.MALFORMED,)


def test_entries_over_each_other_are_refused():
    entries = AsicContainer().entries()
    offsets, place = [], 0
    for entry in entries:
        offsets.append(place)
        place += len(entry.local())
    body = b"".join(entry.local() for entry in entries)
    offsets[2] = offsets[1]
    directory = b"".join(
        entry.central(offset) for entry, offset in zip(entries, offsets, strict=True)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5, 5, len(directory), len(body), 0)
    assert refused(body + directory + end) == (Reason.MALFORMED,)


@pytest.mark.parametrize(
    "changes",
    [
        {"local_name": b"CONTRACT.TXT"},
        {"local_name": b"contract.exe"},
        {"local_method": DEFLATED},
        {"local_flags": 1},
        {"local_crc": 1},
        {"local_size": 1},
        {"local_size": 0xFFFFFFFF},
        {"local_size": 0xFFFFFFFF, "local_extra": b"\x01\x00\x08\x00" + bytes(8)},
        {"flags": 0x0001, "local_flags": 0x0001},
        {"flags": 0x2000, "local_flags": 0x2000},
        {"method": 12, "content": b"BZh"},
        {"method": 99},
        {"crc": 1},
        {"size": 5},
        {"method": DEFLATED, "packed": b"\xff\xff\xff"},
        {"local_extra": b"\x75\x70\x09\x00\x01\x00\x00\x00\x00evil"},
        {"local_extra": b"\x01\x00\xff\xff"},
        {"extra": b"\x01\x00\xff\xff"},
    ],
    ids=str,
)
def test_a_local_header_that_contradicts_the_directory_is_refused(changes):
    assert refused(change(1, **changes)) == (Reason.MALFORMED,)


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "..",
        ".",
        "./a",
        "a//b",
        "/etc/passwd",
        "C:/evil",
        "c:evil",
        "..\\evil",
        "a\\b",
        "a\x00b",
        "a\nb",
        "a\x1b[2J",
        "invoice\u202efdp.exe",
        "dots...",
        "blank ",
        "a./b",
        "x" * 256,
        "/".join(["y" * 200] * 25),
        "MIMETYPE",
        "Mimetype",
        "meta-inf/evil.xml",
        "Meta-Inf/signature002.p7s",
        "META-INF",
        "META-INF/../evil",
        "CONTRACT.TXT",
        "contract.txt",
        "annex.pdf/evil",
        "annex.PDF/",
        "contract.txt/",
    ],
)
def test_a_name_that_leads_elsewhere_or_stands_twice_is_refused(name):
    assert refused(AsicContainer(more=[ZipEntry(name=name)]).build()) == (Reason.UNSAFE_NAME,)


def test_names_that_differ_only_in_how_accents_are_written_are_refused():
    twins = [ZipEntry(name="caf\u00e9"), ZipEntry(name="cafe\u0301")]
    assert refused(AsicContainer(more=twins).build()) == (Reason.UNSAFE_NAME,)


def test_a_second_name_for_info_zip_is_refused():
    field = b"\x75\x70\x0d\x00\x01\x00\x00\x00\x00evil.exe"
    assert refused(change(1, extra=field)) == (Reason.UNSAFE_NAME,)
    same = b"\x75\x70\x11\x00\x01\x00\x00\x00\x00contract.txt"
    assert verify(change(1, extra=same, local_extra=same)).verdict is Verdict.PASSED


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_an_entry_that_would_be_unpacked_to_no_file_is_refused(kind: int) -> None:
    assert refused(change(1, mode=kind | 0o644)) == (Reason.MALFORMED,)
    assert verify(change(1, mode=stat.S_IFREG | 0o600)).verdict is Verdict.PASSED


def test_names_in_utf_8_are_read_so_even_without_the_mark():
    files = {"契約書.txt": b"x"}
    entries = AsicContainer(files=files).entries()
    assert verify(build_zip(entries)).verdict is Verdict.PASSED

    class Unmarked(ZipEntry):
        def raw_flags(self) -> int:
            return self.flags

    entries[1] = Unmarked(name="契約書.txt", content=b"x")
    assert verify(build_zip(entries)).verdict is Verdict.PASSED
    entries[1] = Unmarked(name="契約書.txt".encode("cp932"), content=b"x")
    report = verify(build_zip(entries))
    assert Reason.UNSIGNED_FILE in report.reasons
    entries[1] = ZipEntry(name=b"\xff\xfe", content=b"x", flags=0x0800)
    assert refused(build_zip(entries)) == (Reason.MALFORMED,)


# --- bombs --------------------------------------------------------------------------------------


def bomb(size: int) -> ZipEntry:
    packer = zlib.compressobj(9, wbits=-15)
    packed, crc = b"", 0
    zeros = bytes(1 << 20)
    for _ in range(size >> 20):
        packed += packer.compress(zeros)
        crc = zlib.crc32(zeros, crc)
    packed += packer.flush()
    return ZipEntry(name="bomb", method=DEFLATED, packed=packed, crc=crc, size=size)


def test_a_container_that_unpacks_to_very_much_is_refused_unread():
    data = AsicContainer(more=[bomb(128 << 20)]).build()
    assert len(data) < 1 << 20
    with cpu_within(1):
        assert refused(data) == (Reason.LIMIT_EXCEEDED,)
    small = AsicContainer(more=[bomb(1 << 20)]).build()
    assert verify(small).reasons == (Reason.UNSIGNED_FILE,)


def test_a_size_that_lies_is_refused():
    entry = bomb(128 << 20)
    entry.size = 1 << 10
    container = AsicContainer(signed={**FILES, "bomb": bytes(1 << 10)}, more=[entry])
    assert refused(container.build()) == (Reason.MALFORMED,)


def test_too_many_entries_are_refused_before_they_are_read():
    names = (ZipEntry(name=f"{number}") for number in range(MAX_ENTRIES))
    assert refused(AsicContainer(more=list(names)).build()) == (Reason.LIMIT_EXCEEDED,)
    assert refused(AsicContainer().build(count=0xFFFE)) == (Reason.LIMIT_EXCEEDED,)


@pytest.mark.parametrize("name", ["META-INF/ASiCManifest002.xml", "META-INF/signature001.p7s"])
def test_a_manifest_or_signature_that_is_very_large_is_refused(name):
    large = ZipEntry(name=name, content=bytes(MAX_MEMBER + 1))
    entries = [entry for entry in AsicContainer().entries() if entry.name != name]
    assert refused(build_zip([*entries, large])) == (Reason.LIMIT_EXCEEDED,)


def test_too_many_signatures_are_refused():
    for pattern in ("META-INF/signature{}.p7s", "META-INF/ASiCManifest{}.xml"):
        crowd = [ZipEntry(name=pattern.format(number)) for number in range(1000, 1100)]
        assert refused(AsicContainer(more=crowd).build()) == (Reason.LIMIT_EXCEEDED,)


# --- ZIP64 --------------------------------------------------------------------------------------


def zip64(
    change: Callable[[list[int], list[int]], None] = lambda record, locator: None,
    *,
    marks: tuple[int, int, int] = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
    between: bytes = b"",
) -> bytes:
    """The usual container with the long form of the end record."""
    data = AsicContainer().build()
    end = len(data) - 22
    count, _, size, offset = struct.unpack("<2H2L", data[end + 8 : end + 20])
    record = [0x06064B50, 44, 45, 45, 0, 0, count, count, size, offset]
    locator = [0x07064B50, 0, end, 1]
    change(record, locator)
    packed = struct.pack("<LQ2H2L4Q", *record) + between + struct.pack("<LLQL", *locator)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, marks[0], marks[0], *marks[1:], 0)
    return data[:end] + packed + tail


def test_the_long_form_passes_with_and_without_marks():
    assert verify(zip64()).verdict is Verdict.PASSED
    data = AsicContainer().build()
    count, size, offset = struct.unpack("<H2L", data[-12:-2])
    assert verify(zip64(marks=(count, size, offset))).verdict is Verdict.PASSED


def assign(which: int, place: int, value: int) -> Callable[[list[int], list[int]], None]:
    def change(record: list[int], locator: list[int]) -> None:
        (record, locator)[which][place] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        assign(0, 0, 1),
        assign(0, 1, 45),
        assign(0, 4, 1),
        assign(0, 5, 1),
        assign(0, 6, 1),
        assign(0, 7, 1),
        assign(0, 8, 1),
        assign(0, 9, 0),
        assign(0, 9, 1 << 63),
        assign(1, 1, 1),
        assign(1, 2, 0),
        assign(1, 2, 1 << 62),
        assign(1, 3, 2),
    ],
    ids=range(13),
)
def test_a_long_form_that_contradicts_itself_is_refused(change):
    assert refused(zip64(change)) == (Reason.MALFORMED,)


def test_a_long_form_that_contradicts_the_short_one_is_refused():
    assert refused(zip64(marks=(4, 0xFFFFFFFF, 0xFFFFFFFF))) == (Reason.MALFORMED,)
    assert refused(zip64(marks=(0xFFFF, 1, 0xFFFFFFFF))) == (Reason.MALFORMED,)
    assert refused(zip64(marks=(0xFFFF, 0xFFFFFFFF, 1))) == (Reason.MALFORMED,)
    assert refused(zip64(between=b"x" * 4)) == (Reason.MALFORMED,)


# --- damage -------------------------------------------------------------------------------------


def test_damaged_containers_give_a_report_and_pass_only_where_nothing_that_counts_changed():
    import random

    rng = random.Random(20260604)  # noqa: S311
    passed = 0
    for _ in range(3000):
        damaged = bytearray(GOOD)
        for _ in range(rng.choice((1, 1, 2, 4))):
            place = rng.randrange(len(damaged))
            match rng.randrange(3):
                case 0:
                    damaged[place] ^= 1 << rng.randrange(8)
                case 1:
                    damaged[place] = rng.randrange(256)
                case _:
                    del damaged[place : place + rng.choice((1, 2, 16))]
        report = verify(bytes(damaged))
        if report.verdict is Verdict.PASSED:
            passed += 1
            with zipfile.ZipFile(io.BytesIO(damaged)) as archive:
                assert {name: archive.read(name) for name in FILES} == FILES
    assert passed  # dates, versions, attributes: else the test would prove nothing


def test_an_error_of_the_disk_is_not_taken_for_a_fault_of_the_container():
    class Bad(io.BytesIO):
        def read(self, *_arguments):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        verify_asice(Bad(GOOD), CA, AT)


def test_containers_of_the_disk_are_read_where_they_stand(tmp_path):
    path = Path(tmp_path / "x.asice")
    path.write_bytes(GOOD)
    with path.open("rb") as stream:
        assert verify_asice(stream, CA, AT).verdict is Verdict.PASSED
