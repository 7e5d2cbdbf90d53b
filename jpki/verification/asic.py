"""Verifying containers, ASiC-E and ASiC-S with CAdES, ETSI EN 319 162-1.

A signature is over a manifest with the digests of files. A file that no manifest names could have
been added by anybody, so it fails the container, whatever its signatures are worth.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import IO, Any, BinaryIO, Final

from cryptography import x509

from jpki.certificates.issuer import check_anchors_and_time
from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.verdict import Reason
from jpki.errors import ContentChangedError
from jpki.signing.asic_names import ASIC_S, CADES_SIGNATURE, MANIFEST, XADES_SIGNATURE
from jpki.signing.digest import CHUNK_SIZE, HashAlgorithm
from jpki.verification.asic_container import Container, ContainerError
from jpki.verification.asic_manifest import (
    FileReference,
    Manifest,
    ManifestError,
    parse_manifest,
)
from jpki.verification.cms import verify_cms
from jpki.verification.report import Coverage, SignatureReport, VerificationReport

MAX_SIGNATURES: Final = 100  # of one container; each costs RSA operations and a path

CmsCheck = Callable[[bytes, BinaryIO], VerificationReport]
Digests = Mapping[tuple[str, HashAlgorithm], bytes]


def verify_asice(
    document: BinaryIO,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
    *,
    now: datetime | None = None,
) -> VerificationReport:
    """Verify every signature of a container. Malformed input gives a report, not an exception.

    Args:
        document: the container, seekable; it stays open for ``write_covered``.
        anchors: CA certificates that the caller trusts; see ``verify_cms``.
        at: the time at which certificates must be valid, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count.
        now: the time of day, where ``at`` is a time in the past.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: the container cannot be read.
    """
    check_anchors_and_time(anchors, at)

    def check(signature: bytes, content: BinaryIO) -> VerificationReport:
        return verify_cms(signature, content, anchors, at, revocation, now=now)

    try:
        container = Container(document)
        if container.mimetype == ASIC_S:
            return _verify_simple(container, check)
        return _verify_extended(container, check)
    except ContainerError as error:
        return VerificationReport(reasons=(error.reason,))


# --- ASiC-S, EN 319 162-1 4.3 -------------------------------------------------------------------


def _verify_simple(container: Container, check: CmsCheck) -> VerificationReport:
    """One file, and a signature over the file itself."""
    signatures = [name for name in container.names if CADES_SIGNATURE.fullmatch(name)]
    if not signatures:
        return VerificationReport(reasons=tuple(_other_signatures(container)))
    if len(container.data_names) != 1 or len(signatures) != 1:
        return VerificationReport(reasons=(Reason.MALFORMED,))
    (data_name,) = container.data_names
    member = _Member(container, data_name)
    with io.BufferedReader(member, CHUNK_SIZE) as content:
        report = check(container.read(signatures[0]), content)
    write = partial(_write_covered, container, (member.read_so_far(),))
    return replace(
        report,
        signatures=tuple(replace(each, write_covered=write) for each in report.signatures),
    )


class _Member(io.RawIOBase):
    """A file of a container as a stream; damage ends in a ContainerError."""

    def __init__(self, container: Container, name: str) -> None:
        self._name = name
        self._chunks = container.chunks(name, CHUNK_SIZE)
        self._left = memoryview(b"")
        self._hasher = HashAlgorithm.SHA256.new()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # any writable buffer
        if not self._left:
            chunk = next(self._chunks, b"")
            self._hasher.update(chunk)
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def read_so_far(self) -> FileReference:
        """Return what was read, to be found again."""
        digest = self._hasher.digest()
        return FileReference(name=self._name, algorithm=HashAlgorithm.SHA256, digest=digest)


# --- ASiC-E, EN 319 162-1 4.4 -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignedManifest:
    """A manifest as it stands in the container."""

    data: bytes
    manifest: Manifest


def _verify_extended(container: Container, check: CmsCheck) -> VerificationReport:
    names = [name for name in container.names if CADES_SIGNATURE.fullmatch(name)]
    manifest_names = [name for name in container.names if MANIFEST.fullmatch(name)]
    if max(len(names), len(manifest_names)) > MAX_SIGNATURES:
        return VerificationReport(reasons=(Reason.LIMIT_EXCEEDED,))
    reasons: list[Reason] = [*_other_signatures(container)]
    manifests: list[_SignedManifest] = []
    for name in manifest_names:
        data = container.read(name)
        try:
            manifests.append(_SignedManifest(data=data, manifest=parse_manifest(data)))
        except ManifestError as error:
            reasons.append(error.reason)
    digests = _digests(container, manifests)
    reports: list[SignatureReport] = []
    for name in names:
        reports += _verify_one(container, name, manifests, digests, check)
    signed = {
        reference.name
        for found in manifests
        if found.manifest.signature in names
        for reference in found.manifest.references
    }
    if reports and not signed.issuperset(container.data_names):
        reasons.append(Reason.UNSIGNED_FILE)
    return VerificationReport(reasons=tuple(dict.fromkeys(reasons)), signatures=tuple(reports))


def _other_signatures(container: Container) -> Iterator[Reason]:
    if any(XADES_SIGNATURE.fullmatch(name) for name in container.names):
        yield Reason.UNSUPPORTED_FORMAT


def _digests(container: Container, manifests: Sequence[_SignedManifest]) -> Digests:
    """Hash every file that is referred to once, with all algorithms that are asked for."""
    wanted: dict[str, set[HashAlgorithm]] = {}
    for found in manifests:
        for reference in found.manifest.references:
            wanted.setdefault(reference.name, set()).add(reference.algorithm)
    present = set(container.names)
    digests: dict[tuple[str, HashAlgorithm], bytes] = {}
    for name, algorithms in wanted.items():
        if name not in present:
            continue
        hashers = {algorithm: algorithm.new() for algorithm in algorithms}
        for chunk in container.chunks(name, CHUNK_SIZE):
            for hasher in hashers.values():
                hasher.update(chunk)
        digests |= {(name, algorithm): hasher.digest() for algorithm, hasher in hashers.items()}
    return digests


def _verify_one(
    container: Container,
    name: str,
    manifests: Sequence[_SignedManifest],
    digests: Digests,
    check: CmsCheck,
) -> Iterator[SignatureReport]:
    """Verify one file of signatures over the manifest that refers to it."""
    mine = [found for found in manifests if found.manifest.signature == name]
    if len(mine) != 1:
        reason = Reason.REFERENCE_AMBIGUOUS if mine else Reason.REFERENCE_UNRESOLVED
        yield SignatureReport(reasons=(reason,))
        return
    manifest = mine[0].manifest
    faults = tuple(dict.fromkeys(_reference_faults(manifest, digests)))
    covered = tuple(reference.name for reference in manifest.references)
    is_whole = set(covered).issuperset(container.data_names)
    report = check(container.read(name), io.BytesIO(mine[0].data))
    write = partial(_write_covered, container, manifest.references)
    if not report.signatures:
        yield SignatureReport(reasons=tuple(dict.fromkeys((*report.reasons, *faults))))
    for each in report.signatures:
        yield replace(
            each,
            reasons=tuple(dict.fromkeys((*report.reasons, *each.reasons, *faults))),
            covers=Coverage.WHOLE if is_whole else Coverage.PART,
            covered=None if is_whole else ", ".join(covered),
            write_covered=None if faults else write,
        )


def _reference_faults(manifest: Manifest, digests: Digests) -> Iterator[Reason]:
    for reference in manifest.references:
        digest = digests.get((reference.name, reference.algorithm))
        if digest is None:
            yield Reason.REFERENCE_UNRESOLVED
        elif digest != reference.digest:
            yield Reason.DIGEST_MISMATCH


def _write_covered(
    container: Container, references: tuple[FileReference, ...], output: BinaryIO
) -> None:
    """Write the file that a signature covers; several in a ZIP file without anything else.

    Raises:
        ContentChangedError: the container is not what it was when it was verified.
    """
    if len(references) == 1:
        _copy(container, references[0], output)
        return
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for reference in references:
            info = zipfile.ZipInfo(reference.name)
            info.file_size = container.entry(reference.name).file_size
            with archive.open(info, "w") as target:
                _copy(container, reference, target)


def _copy(container: Container, reference: FileReference, output: IO[bytes]) -> None:
    hasher = reference.algorithm.new()
    try:
        for chunk in container.chunks(reference.name, CHUNK_SIZE):
            hasher.update(chunk)
            output.write(chunk)
    except ContainerError as error:
        raise ContentChangedError from error
    if hasher.digest() != reference.digest:
        raise ContentChangedError
