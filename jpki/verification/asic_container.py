"""A ZIP container read with suspicion, APPNOTE.TXT 6.3.3 and ETSI EN 319 162-1 Annex A.

Two readers must find the same files in it, whether they go by the central directory or by the
local headers. So every byte belongs to an entry or to the directory, and both tell the same of each
entry; what deviates is malformed. Names and sizes are bounded before anything is unpacked.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final, TypeVar

from jpki.certificates.verdict import Reason
from jpki.signing.asic_names import (
    ASIC_E,
    ASIC_S,
    META_INF,
    MIMETYPE_NAME,
    folded,
    is_of_container,
    is_reserved,
    is_safe,
)

MAX_ENTRIES: Final = 10_000
MAX_DIRECTORY: Final = 1 << 24  # bytes
MAX_RATIO: Final = 100  # of compression, once it amounts to something
FREE_SIZE: Final = 1 << 26  # bytes that all may unpack to at any ratio
MAX_MEMBER: Final = 1 << 23  # bytes of a manifest or a signature, which are held in memory
MAX_COMMENT: Final = 0xFFFF

LOCAL: Final = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE: Final = b"PK\x03\x04"
END: Final = struct.Struct("<4s4H2LH")
END_SIGNATURE: Final = b"PK\x05\x06"
LOCATOR: Final = struct.Struct("<4sLQL")
LOCATOR_SIGNATURE: Final = b"PK\x06\x07"
END64: Final = struct.Struct("<4sQ2H2L4Q")
END64_SIGNATURE: Final = b"PK\x06\x06"
DESCRIPTOR_SIGNATURE: Final = b"PK\x07\x08"
ZIP64_EXTRA: Final = 0x0001
UNICODE_PATH_EXTRA: Final = 0x7075
IN_ZIP64: Final = 0xFFFFFFFF
IN_ZIP64_SHORT: Final = 0xFFFF

ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
HAS_DESCRIPTOR: Final = 0x0008
IS_UTF8: Final = 0x0800
NO_FILES: Final = frozenset(
    # What programs that unpack would make of an entry by its Unix mode, APPNOTE 4.4.15.
    {stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK}
)
METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

T = TypeVar("T")


class ContainerError(ValueError):
    """The container is not one that could be relied on; ``reason`` says why."""

    def __init__(self, detail: str, reason: Reason = Reason.MALFORMED) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directory:
    """Where the central directory lies."""

    offset: int
    size: int
    count: int


class Container:
    """An ASiC container whose form was checked, and none of its contents.

    Args:
        stream: seekable; it stays open as long as the container is used.

    Raises:
        ContainerError: it is none, or one that two readers could understand differently.
        OSError: the stream cannot be read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        directory = _find_directory(stream)
        self._zip = _translated(lambda: zipfile.ZipFile(stream))
        infos = sorted(self._zip.infolist(), key=lambda info: info.header_offset)
        if len(infos) != directory.count:
            raise ContainerError("a directory with more or fewer entries than it says")
        _check_layout(stream, infos, directory)
        _check_sizes(infos)
        self._entries = dict(_named(infos))
        self.mimetype = self._mimetype(infos)

    @property
    def names(self) -> tuple[str, ...]:
        """All files in their order, without folders."""
        return tuple(self._entries)

    @cached_property
    def data_names(self) -> tuple[str, ...]:
        """The files that it is for: neither ``mimetype`` nor what belongs into META-INF."""
        return tuple(name for name in self._entries if not is_of_container(name))

    def entry(self, name: str) -> zipfile.ZipInfo:
        """Return what the directory says of a file."""
        return self._entries[name]

    def chunks(self, name: str, size: int) -> Iterator[bytes]:
        """Yield a file in chunks.

        Raises:
            ContainerError: it is damaged.
        """
        with _translated(lambda: self._zip.open(self._entries[name])) as file:
            while chunk := _translated(lambda: file.read(size)):
                yield chunk

    def read(self, name: str) -> bytes:
        """Read a manifest or a signature.

        Raises:
            ContainerError: it is damaged, or too large for one.
        """
        if self._entries[name].file_size > MAX_MEMBER:
            raise ContainerError("a manifest or signature that is too large", Reason.LIMIT_EXCEEDED)
        return b"".join(self.chunks(name, MAX_MEMBER))

    def _mimetype(self, infos: list[zipfile.ZipInfo]) -> bytes:
        # Annex A.1: first and not compressed, so that its content stands where programs look.
        first = infos[0]
        if (
            first.filename != MIMETYPE_NAME
            or first.compress_type != zipfile.ZIP_STORED
            or first.file_size not in (len(ASIC_E), len(ASIC_S))
        ):
            raise ContainerError("mimetype does not stand first")
        found = self.read(MIMETYPE_NAME)
        if found not in (ASIC_E, ASIC_S):
            raise ContainerError("another mimetype")
        return found


def _translated(read: Callable[[], T]) -> T:
    try:
        return read()
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # a method of compression, a version
        RuntimeError,  # a password
        ValueError,  # offsets below zero
        struct.error,
        UnicodeError,
    ) as error:
        raise ContainerError("a damaged entry") from error


def _find_directory(stream: BinaryIO) -> _Directory:
    size = stream.seek(0, io.SEEK_END)
    tail_start = max(0, size - END.size - MAX_COMMENT)
    tail = _read_at(stream, tail_start, size - tail_start)
    place = tail.rfind(END_SIGNATURE)
    if place < 0 or len(tail) - place < END.size:
        raise ContainerError("no ZIP file")
    _, disk, first_disk, here, count, length, offset, comment = END.unpack_from(tail, place)
    if place + END.size + comment != len(tail):
        raise ContainerError("bytes after the end")
    end = tail_start + place
    directory = _Directory(offset=offset, size=length, count=count)
    if (disk, first_disk) != (0, 0) or here != count:
        raise ContainerError("a ZIP file in several parts")
    if end >= LOCATOR.size:
        locator = _read_at(stream, end - LOCATOR.size, LOCATOR.size)
        if locator.startswith(LOCATOR_SIGNATURE):
            end, directory = _find_directory64(stream, end - LOCATOR.size, locator, directory)
    if directory.count > MAX_ENTRIES or directory.size > MAX_DIRECTORY:
        raise ContainerError("too many entries", Reason.LIMIT_EXCEEDED)
    if directory.offset + directory.size != end:
        raise ContainerError("bytes around the directory")
    return directory


def _find_directory64(
    stream: BinaryIO, locator_offset: int, locator: bytes, directory: _Directory
) -> tuple[int, _Directory]:
    _, disk, offset, disks = LOCATOR.unpack(locator)
    if (disk, disks) != (0, 1) or offset + END64.size != locator_offset:
        raise ContainerError("a ZIP64 record that is not where it should be")
    record = _read_at(stream, offset, END64.size)
    signature, length, _, _, disk, first_disk, here, count, size, start = END64.unpack(record)
    if signature != END64_SIGNATURE or length != END64.size - 12 or here != count:
        raise ContainerError("no ZIP64 record")
    found = _Directory(offset=start, size=size, count=count)
    for short, long, mark in (
        (directory.offset, start, IN_ZIP64),
        (directory.size, size, IN_ZIP64),
        (directory.count, count, IN_ZIP64_SHORT),
    ):
        if short not in (mark, long):
            raise ContainerError("a ZIP64 record that contradicts the other one")
    if (disk, first_disk) != (0, 0):
        raise ContainerError("a ZIP file in several parts")
    return offset, found


def _check_layout(stream: BinaryIO, infos: list[zipfile.ZipInfo], directory: _Directory) -> None:
    """Check that the entries stand in a row, with nothing before, between and after them."""
    if not infos or infos[0].header_offset != 0:
        raise ContainerError("no entries, or bytes before the first one")
    ends = [*(info.header_offset for info in infos[1:]), directory.offset]
    for info, end in zip(infos, ends, strict=True):
        _check_entry(stream, info, end)


def _check_entry(stream: BinaryIO, info: zipfile.ZipInfo, end: int) -> None:
    """Check one entry, which reaches to where the next one or the directory begins."""
    if info.flag_bits & ENCRYPTED or info.compress_type not in METHODS or info.volume != 0:
        raise ContainerError("an entry that is encrypted, or compressed in a rare way")
    header = LOCAL.unpack(_read_at(stream, info.header_offset, LOCAL.size))
    signature, _, flags, method, _, _, crc, packed, size, name_size, extra_size = header
    if (signature, flags, method) != (LOCAL_SIGNATURE, info.flag_bits, info.compress_type):
        raise ContainerError("a local header that contradicts the directory")
    start = info.header_offset + LOCAL.size
    names = _read_at(stream, start, name_size + extra_size)
    extra = _extra_fields(names[name_size:])
    if names[:name_size] != _raw_name(info) or _has_other_name(extra, info):
        raise ContainerError("a local header with another name")
    packed, size = _local_sizes(extra.get(ZIP64_EXTRA, b""), packed, size)
    known = info.CRC, info.compress_size, info.file_size
    has_descriptor = bool(flags & HAS_DESCRIPTOR)
    if (crc, packed, size) != known and not (has_descriptor and not (crc or packed or size)):
        raise ContainerError("a local header with another size or checksum")
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        raise ContainerError("an entry that is not compressed and has two sizes")
    data_end = start + len(names) + info.compress_size
    if not 0 <= end - data_end <= max(map(len, _descriptors(*known))):
        raise ContainerError("bytes between entries, or entries over each other")
    between = _read_at(stream, data_end, end - data_end)
    if between not in (_descriptors(*known) if has_descriptor else (b"",)):
        raise ContainerError("bytes between entries")


def _descriptors(crc: int, packed: int, size: int) -> tuple[bytes, ...]:
    """Return every way to write the sizes after an entry, APPNOTE 4.3.9."""
    forms = [struct.pack("<L2Q", crc, packed, size)]
    if max(packed, size) < IN_ZIP64:
        forms.append(struct.pack("<3L", crc, packed, size))
    return (*forms, *(DESCRIPTOR_SIGNATURE + form for form in forms))


def _local_sizes(zip64: bytes, packed: int, size: int) -> tuple[int, int]:
    longs = iter(struct.unpack(f"<{len(zip64) // 8}Q", zip64[: len(zip64) // 8 * 8]))
    size = next(longs, size) if size == IN_ZIP64 else size
    return (next(longs, packed) if packed == IN_ZIP64 else packed), size


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    while len(extra) >= 4:
        kind, size = struct.unpack("<2H", extra[:4])
        if kind in fields or len(extra) < 4 + size:
            raise ContainerError("a damaged extra field")
        fields[kind] = extra[4 : 4 + size]
        extra = extra[4 + size :]
    return fields


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & IS_UTF8 else "cp437")


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name of an entry: UTF-8, as ASiC wants it, even where it is not marked so."""
    try:
        return _raw_name(info).decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def _has_other_name(extra: dict[int, bytes], info: zipfile.ZipInfo) -> bool:
    """Tell whether there is a name for Info-ZIP that is not the same, APPNOTE 4.6.9."""
    field = extra.get(UNICODE_PATH_EXTRA)
    return field is not None and field[5:] != _name(info).encode("utf-8")


def _named(infos: list[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield the files by their names; folders are checked and left out."""
    seen: set[str] = set()
    files: set[str] = set()
    for info in infos:
        name = _name(info)
        is_folder = name.endswith("/")
        path = name.removesuffix("/")
        if not is_safe(path) or _has_other_name(_extra_fields(info.extra), info):
            raise ContainerError("a name that leads elsewhere", Reason.UNSAFE_NAME)
        if stat.S_IFMT(info.external_attr >> 16) in NO_FILES:
            raise ContainerError("a link or a device")
        if is_reserved(name) and not name.startswith((META_INF, MIMETYPE_NAME)):
            raise ContainerError("a name like META-INF that is another one", Reason.UNSAFE_NAME)
        if folded(path) in seen:
            raise ContainerError("two entries of one name", Reason.UNSAFE_NAME)
        seen.add(folded(path))
        if is_folder and info.file_size:
            raise ContainerError("a folder with content")
        if not is_folder:
            files.add(folded(path))
            yield name, info
    if any(parent in files for path in seen for parent in _parents(path)):
        raise ContainerError("a file where others need a folder", Reason.UNSAFE_NAME)


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _check_sizes(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse what is small here and unpacks to very much."""
    packed, size = sum(info.compress_size for info in infos), sum(info.file_size for info in infos)
    if size > FREE_SIZE and size > MAX_RATIO * packed:
        raise ContainerError("an entry that unpacks to very much", Reason.LIMIT_EXCEEDED)


def _read_at(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    data = stream.read(size)
    if len(data) != size:
        raise ContainerError("a ZIP file that ends too early")
    return data
