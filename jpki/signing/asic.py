"""ASiC-E containers with CAdES, ETSI EN 319 162-1 4.4: many files under one signature, streamed.

The files are hashed while they are copied, so what is signed is what the container holds. The
signature is over META-INF/ASiCManifest*.xml, which holds their digests.
"""

import base64
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from jpki.errors import ContentChangedError, DocumentError, DocumentFault
from jpki.signing.asic_names import (
    ASIC_E,
    CADES_SIGNATURE,
    MANIFEST,
    MIMETYPE_NAME,
    XADES_SIGNATURE,
    folded,
    is_of_container,
    is_reserved,
    is_safe,
)
from jpki.signing.cms import sign_digest
from jpki.signing.digest import CHUNK_SIZE, HashAlgorithm
from jpki.signing.timestamp import Timestamper

DIGEST_METHODS: Final = {
    HashAlgorithm.SHA256: "http://www.w3.org/2001/04/xmlenc#sha256",
    HashAlgorithm.SHA384: "http://www.w3.org/2001/04/xmldsig-more#sha384",
    HashAlgorithm.SHA512: "http://www.w3.org/2001/04/xmlenc#sha512",
}
MAX_FILES: Final = 9_000  # what verifiers look at, with room for signatures
FIRST_ZIP_YEAR: Final = 1980


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDocument:
    """A file for a container. Its name may have folders, with "/"."""

    name: str
    content: BinaryIO  # from here to its end


def check_asice(names: Sequence[str], existing: BinaryIO | None = None) -> None:
    """Refuse what cannot be signed, before a key is used.

    Args:
        names: of the files.
        existing: a container to which a signature is added.

    Raises:
        DocumentError: EMPTY, NAME_UNUSABLE, DUPLICATE_NAME or NOT_ASICE.
        OSError: the container cannot be read.
    """
    _Plan(names, existing).check_contents()


def sign_asice(
    documents: Sequence[NamedDocument],
    output: BinaryIO,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    signing_time: datetime,
    existing: BinaryIO | None = None,
    algorithm: HashAlgorithm = HashAlgorithm.SHA256,
    extra_certificates: Sequence[x509.Certificate] = (),
    timestamper: Timestamper | None = None,
) -> None:
    """Sign files into a container; exactly one operation of the key, after all is written.

    Args:
        documents: the files.
        output: seekable. After an error it holds a part: write to a temporary file.
        key: the signer's.
        certificate: the signer's, embedded.
        signing_time: the claimed time, with a time zone.
        existing: a container, seekable: its files and signatures are taken over, and the new
            signature is over its files and the documents together.
        algorithm: of the digests of the files and of the signature.
        extra_certificates: embedded beside the signer's, e.g. the card's CA.
        timestamper: asked for a timestamp over the signature: level B-T. None: B-B.

    Raises:
        DocumentError: as for ``check_asice``.
        ContentChangedError: the existing container is damaged, found while it was copied.
        ServerError: the timestamp authority failed, after the key was used.
        OSError: a file cannot be read, or the output not written.
        ValueError: a time without zone (a bug of the caller).
    """
    if signing_time.tzinfo is None:
        raise ValueError("the signing time needs a time zone")
    plan = _Plan([document.name for document in documents], existing)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        writer = _Writer(archive, signing_time, algorithm)
        writer.write(MIMETYPE_NAME, [ASIC_E], len(ASIC_E))
        digests = dict(plan.copy_existing(writer))
        for document in documents:
            size = _size_left(document.content)
            digests[document.name] = writer.write(document.name, _chunks(document.content), size)
        manifest = build_manifest(plan.signature_name, digests, algorithm)
        writer.write(plan.manifest_name, [manifest], len(manifest))
        signature = sign_digest(
            algorithm.digest(manifest),
            algorithm,
            key,
            certificate,
            signing_time=signing_time,
            extra_certificates=extra_certificates,
            timestamper=timestamper,
        )
        writer.write(plan.signature_name, [signature], len(signature))


def build_manifest(
    signature_name: str, digests: dict[str, bytes], algorithm: HashAlgorithm
) -> bytes:
    """Build an ASiCManifest, EN 319 162-1 Annex A.4: what one signature is over.

    Args:
        signature_name: the file with the signature.
        digests: of the files by their names.
        algorithm: what they were hashed with.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"'
        ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#">',
        '<asic:SigReference MimeType="application/pkcs7-signature"'
        f' URI="{quote(signature_name)}"/>',
    ]
    for name, digest in digests.items():
        value = base64.b64encode(digest).decode("ascii")
        lines += [
            f'<asic:DataObjectReference URI="{quote(name)}">',
            f'<ds:DigestMethod Algorithm="{DIGEST_METHODS[algorithm]}"/>',
            f"<ds:DigestValue>{value}</ds:DigestValue>",
            "</asic:DataObjectReference>",
        ]
    lines.append("</asic:ASiCManifest>")
    return "\n".join(lines).encode("ascii") + b"\n"


class _Plan:
    """What goes into a container, checked."""

    def __init__(self, names: Sequence[str], existing: BinaryIO | None) -> None:
        self._container = None if existing is None else _Existing(existing)
        old = () if self._container is None else self._container.names
        data = [*names, *(name for name in old if not is_of_container(name))]
        if not data:
            raise DocumentError(DocumentFault.EMPTY)
        _check_names(names, data)
        number = 1 + max(
            sum(MANIFEST.fullmatch(name) is not None for name in old),
            sum(CADES_SIGNATURE.fullmatch(name) is not None for name in old),
        )
        taken = {folded(name) for name in old}
        while {folded(name) for name in _names_of(number)} & taken:
            number += 1
        self.manifest_name, self.signature_name = _names_of(number)

    def check_contents(self) -> None:
        """Read the existing container: no signature of it may be broken already.

        Raises:
            DocumentError: NOT_ASICE, a file is damaged, missing, or not what was signed.
        """
        if self._container is not None:
            self._container.check_contents()

    def copy_existing(self, writer: "_Writer") -> Iterator[tuple[str, bytes]]:
        """Copy an existing container -> names and digests of its data files."""
        if self._container is None:
            return
        for name in self._container.names:
            if name != MIMETYPE_NAME:
                digest = self._container.copy(name, writer)
                if not is_of_container(name):
                    yield name, digest


def _names_of(number: int) -> tuple[str, str]:
    return f"META-INF/ASiCManifest{number:03}.xml", f"META-INF/signature{number:03}.p7s"


def _check_names(names: Sequence[str], data: Sequence[str]) -> None:
    if not all(is_safe(name) and not is_reserved(name) for name in names):
        raise DocumentError(DocumentFault.NAME_UNUSABLE)
    keys = Counter(folded(name) for name in data)
    most = max(keys.values())
    if most > 1:
        raise DocumentError(DocumentFault.DUPLICATE_NAME, str(most))
    if any(
        "/".join(key.split("/")[:end]) in keys
        for key in keys
        for end in range(1, key.count("/") + 1)
    ):
        raise DocumentError(DocumentFault.NAME_UNUSABLE)  # a file where another needs a folder
    if len(data) > MAX_FILES:
        raise DocumentError(DocumentFault.NOT_ASICE, f"> {MAX_FILES} files")


class _Existing:
    """A container that a signature is added to."""

    def __init__(self, stream: BinaryIO) -> None:
        from jpki.verification.asic_container import Container, ContainerError

        self._error = ContainerError
        try:
            self._container = Container(stream)
        except ContainerError as error:
            raise DocumentError(DocumentFault.NOT_ASICE, str(error)) from error
        if self._container.mimetype != ASIC_E:
            raise DocumentError(DocumentFault.NOT_ASICE, "ASiC-S")
        self.names = self._container.names
        if any(XADES_SIGNATURE.fullmatch(name) for name in self.names):
            raise DocumentError(DocumentFault.NOT_ASICE, "XAdES")

    def check_contents(self) -> None:
        from jpki.verification.asic import find_broken

        broken = next(find_broken(self._container), None)
        if broken is not None:
            raise DocumentError(DocumentFault.NOT_ASICE, broken)

    def copy(self, name: str, writer: "_Writer") -> bytes:
        """Copy a file -> its digest."""
        entry = self._container.entry(name)
        try:
            return writer.write(
                name, self._container.chunks(name, CHUNK_SIZE), entry.file_size, entry.compress_type
            )
        except self._error as error:
            raise ContentChangedError from error


class _Writer:
    """Writes files into a container and hashes them on the way."""

    def __init__(
        self, archive: zipfile.ZipFile, moment: datetime, algorithm: HashAlgorithm
    ) -> None:
        self._archive = archive
        self._algorithm = algorithm
        utc = moment.astimezone(UTC)
        year = max(utc.year, FIRST_ZIP_YEAR)
        self._date = (year, utc.month, utc.day, utc.hour, utc.minute, utc.second)

    def write(
        self,
        name: str,
        chunks: Iterable[bytes],
        size: int | None,
        compression: int = zipfile.ZIP_STORED,
    ) -> bytes:
        """Write a file -> its digest.

        Args:
            name: in the container.
            chunks: its content.
            size: of the content, which says how it is written; None: it is not known.
            compression: as ``zipfile`` has it.

        Raises:
            ContentChangedError: it has another size.
        """
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type = compression
        info.create_system = 3  # Unix, so that the same files give the same bytes everywhere
        info.external_attr = 0o644 << 16
        info.file_size = size or 0
        hasher = self._algorithm.new()
        written = 0
        with self._archive.open(info, "w", force_zip64=size is None) as target:
            for chunk in chunks:
                written += len(chunk)
                if size is not None and written > size:
                    raise ContentChangedError
                hasher.update(chunk)
                target.write(chunk)
        if size not in (None, written):
            raise ContentChangedError
        return hasher.digest()


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_SIZE):
        yield chunk


def _size_left(stream: BinaryIO) -> int | None:
    if not stream.seekable():
        return None
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    return end - here
