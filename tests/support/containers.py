"""ZIP and ASiC containers built byte by byte, so that each byte can be wrong."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import new
from urllib.parse import quote

from support.cms import Forgery, signed_data

ASIC_E = b"application/vnd.etsi.asic-e+zip"
ASIC_S = b"application/vnd.etsi.asic-s+zip"
STORED, DEFLATED = 0, 8
UTF8, DESCRIPTOR = 0x0800, 0x0008
FILES = {"contract.txt": b"a contract\n", "annex.pdf": b"%PDF-1.7 and so on"}
DIGEST_METHODS = {
    "sha1": "http://www.w3.org/2000/09/xmldsig#sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}


@dataclass(kw_only=True)
class ZipEntry:
    """One entry. What begins with ``local_`` stands in the local header in place of the truth."""

    name: str | bytes
    content: bytes = b""
    method: int = STORED
    flags: int = 0
    local_name: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_crc: int | None = None
    local_size: int | None = None
    local_extra: bytes = b""
    extra: bytes = b""
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    signed_descriptor: bool = True
    descriptor: bytes | None = None
    before: bytes = b""  # between the entry before and this one
    disk: int = 0
    mode: int = 0o644  # of Unix

    def raw_name(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    def raw_flags(self) -> int:
        return self.flags if self.raw_name().isascii() else self.flags | UTF8

    def data(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != DEFLATED:
            return self.content
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(self.content) + packer.flush()

    def sizes(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        size = len(self.content) if self.size is None else self.size
        return crc, len(self.data()), size

    def local(self) -> bytes:
        flags = self.raw_flags() if self.local_flags is None else self.local_flags
        streamed = bool(self.flags & DESCRIPTOR)
        crc, packed, size = (0, 0, 0) if streamed else self.sizes()
        name = self.raw_name() if self.local_name is None else self.local_name
        header = struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            20,
            flags,
            self.method if self.local_method is None else self.local_method,
            0,
            0x5C21,
            crc if self.local_crc is None else self.local_crc,
            packed,
            size if self.local_size is None else self.local_size,
            len(name),
            len(self.local_extra),
        )
        tail = b""
        if streamed:
            tail = struct.pack("<3L", *self.sizes())
            tail = b"PK\x07\x08" + tail if self.signed_descriptor else tail
        if self.descriptor is not None:
            tail = self.descriptor
        return header + name + self.local_extra + self.data() + tail

    def central(self, offset: int) -> bytes:
        crc, packed, size = self.sizes()
        name = self.raw_name()
        return (
            struct.pack(
                "<4s6H3L5H2L",
                b"PK\x01\x02",
                0x0314,
                20,
                self.raw_flags(),
                self.method,
                0,
                0x5C21,
                crc,
                packed,
                size,
                len(name),
                len(self.extra),
                0,
                self.disk,
                0,
                self.mode << 16,
                offset,
            )
            + name
            + self.extra
        )


def build_zip(
    entries: Sequence[ZipEntry],
    *,
    directory_order: Sequence[int] | None = None,
    before_directory: bytes = b"",
    after_directory: bytes = b"",
    comment: bytes = b"",
    end: bytes = b"",
    count: int | None = None,
    offset_change: int = 0,
    hidden: Sequence[int] = (),
) -> bytes:
    """Put entries together.

    Args:
        entries: in the order in which they stand.
        directory_order: in the directory, if in another one.
        before_directory, after_directory: bytes there.
        comment: of the file, as it should be.
        end: bytes after all.
        count: in place of the number of entries.
        offset_change: of the place of the directory.
        hidden: numbers of entries that the directory does not name.
    """
    body, central = b"", []
    for entry in entries:
        body += entry.before
        central.append(entry.central(len(body)))
        body += entry.local()
    order = directory_order if directory_order is not None else range(len(entries))
    directory = b"".join(central[number] for number in order if number not in hidden)
    body += before_directory
    number = len(list(order)) - len(hidden) if count is None else count
    record = struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        0,
        0,
        number,
        number,
        len(directory),
        len(body) + offset_change,
        len(comment),
    )
    return body + directory + after_directory + record + comment + end


def manifest(
    files: dict[str, bytes],
    signature: str = "META-INF/signature001.p7s",
    *,
    hash_name: str = "sha256",
    uris: dict[str, str] | None = None,
    extra: str = "",
    doctype: str = "",
) -> bytes:
    """An ASiCManifest over files, by the example of EN 319 162-1 Annex A."""
    references = "".join(
        f'<asic:DataObjectReference URI="{(uris or {}).get(name, quote(name))}"'
        ' MimeType="application/octet-stream">'
        f'<ds:DigestMethod Algorithm="{DIGEST_METHODS[hash_name]}"/><ds:DigestValue>'
        f"{base64.b64encode(new(hash_name, content).digest()).decode()}</ds:DigestValue>"
        "</asic:DataObjectReference>"
        for name, content in files.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}'
        '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"'
        ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        f'<asic:SigReference URI="{signature}" MimeType="application/pkcs7-signature"/>'
        f"{references}{extra}</asic:ASiCManifest>"
    ).encode()


@dataclass(kw_only=True)
class AsicContainer:
    """A container. The defaults are a sound one with two files under one signature."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    signed: dict[str, bytes] | None = None  # as the manifest has them
    manifest: bytes | None = None
    signed_manifest: bytes | None = None  # what the signature is over, if not the manifest
    forgery: Forgery | None = None
    mimetype: bytes = ASIC_E
    more: Sequence[ZipEntry] = ()

    def entries(self) -> list[ZipEntry]:
        listed = self.manifest or manifest(self.files if self.signed is None else self.signed)
        forgery = self.forgery or Forgery()
        forgery.document = self.signed_manifest or listed
        return [
            ZipEntry(name="mimetype", content=self.mimetype),
            *(ZipEntry(name=name, content=content) for name, content in self.files.items()),
            ZipEntry(name="META-INF/ASiCManifest001.xml", content=listed),
            ZipEntry(name="META-INF/signature001.p7s", content=signed_data(forgery)),
            *self.more,
        ]

    def build(self, **named: object) -> bytes:
        return build_zip(self.entries(), **named)  # type: ignore[arg-type]
