"""Verifying containers, ASiC-E and ASiC-S, ETSI EN 319 162-1.

A signature in the form of CAdES is over a manifest with the digests of files, one in the form of
XAdES refers to the files itself. A file that none of them names could have been added by anybody,
so it fails the container, whatever its signatures are worth.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final

from cryptography import x509

from jpki.certificates.revocation import NOTHING_GIVEN, RevocationMaterial
from jpki.certificates.verdict import Reason, Verdict
from jpki.signing.asic_names import ASIC_S, CADES_SIGNATURE, MANIFEST, XADES_SIGNATURE
from jpki.signing.digest import CHUNK_SIZE, AnyHash, WeakHash
from jpki.verification.asic_container import Container, ContainerError
from jpki.verification.asic_files import DataFiles, Member, write_files
from jpki.verification.asic_manifest import (
    Manifest,
    ManifestError,
    parse_manifest,
)
from jpki.verification.circumstances import Circumstances
from jpki.verification.cms import verify_cms
from jpki.verification.report import Coverage, Note, SignatureReport, VerificationReport
from jpki.verification.xml import verify_xml

MAX_SIGNATURES: Final = 100  # of one container; each costs RSA operations and a path

Digests = Mapping[tuple[str, AnyHash], bytes]


def verify_asice(
    document: BinaryIO,
    anchors: Sequence[x509.Certificate],
    at: datetime,
    revocation: RevocationMaterial = NOTHING_GIVEN,
    *,
    now: datetime | None = None,
    allow_sha1: bool = False,
) -> VerificationReport:
    """Verify every signature of a container. Malformed input gives a report, not an exception.

    Args:
        document: the container, seekable; it stays open for ``write_covered``.
        anchors: CA certificates that the caller trusts; see ``verify_cms``.
        at: the time at which certificates must be valid, with a time zone.
        revocation: CRLs and OCSP answers, and whether there must be some that count.
        now: the time of day, where ``at`` is a time in the past.
        allow_sha1: a signature that rests on SHA-1 may pass; a note then says so.

    Raises:
        ValueError: ``at`` has no time zone (a bug of the caller).
        AnchorNotCaError, CertificateMalformedError: an anchor is no CA, or cannot be read.
        ServerError: the OCSP responder that the caller named failed.
        OSError: the container cannot be read.
    """
    circumstances = Circumstances(
        anchors=anchors, at=at, now=now or at, revocation=revocation, allow_sha1=allow_sha1
    )
    try:
        container = Container(document)
        if container.mimetype == ASIC_S:
            return _verify_simple(container, circumstances)
        return _verify_extended(container, circumstances)
    except ContainerError as error:
        return VerificationReport(reasons=(error.reason,))


def _check_cms(
    signature: bytes, content: BinaryIO, circumstances: Circumstances
) -> VerificationReport:
    return verify_cms(
        signature,
        content,
        circumstances.anchors,
        circumstances.at,
        circumstances.revocation,
        now=circumstances.now,
        allow_sha1=circumstances.allow_sha1,
    )


# --- ASiC-S, EN 319 162-1 4.3 -------------------------------------------------------------------


def _verify_simple(container: Container, circumstances: Circumstances) -> VerificationReport:
    """One file, and a signature over the file itself."""
    cades = [name for name in container.names if CADES_SIGNATURE.fullmatch(name)]
    xades = [name for name in container.names if XADES_SIGNATURE.fullmatch(name)]
    if not cades and not xades:
        return VerificationReport()
    if len(container.data_names) != 1 or len(cades) + len(xades) != 1:
        return VerificationReport(reasons=(Reason.MALFORMED,))
    if xades:
        return _verify_xades(container, xades[0], DataFiles(container), circumstances)
    (data_name,) = container.data_names
    member = Member(container, data_name)
    with io.BufferedReader(member, CHUNK_SIZE) as content:
        report = _check_cms(container.read(cades[0]), content, circumstances)
    write = partial(write_files, container, (member.read_so_far(),))
    return replace(
        report,
        signatures=tuple(replace(each, write_covered=write) for each in report.signatures),
    )


# --- XAdES in either, EN 319 162-1 4.4.4 and A.3 ------------------------------------------------


def _verify_xades(
    container: Container, name: str, files: DataFiles, circumstances: Circumstances
) -> VerificationReport:
    """Verify a file of signatures that refer to the files beside themselves."""
    report = verify_xml(
        container.read(name),
        circumstances.anchors,
        circumstances.at,
        circumstances.revocation,
        detached_files=files,
        allow_sha1=circumstances.allow_sha1,
        now=circumstances.now,
    )
    if not report.signatures and report.reasons == (Reason.NO_SIGNATURE,):
        return VerificationReport(reasons=(Reason.MALFORMED,))  # its name says that it has some
    unnamed = set(container.data_names).difference(*(each.files for each in report.signatures))
    reasons = (*report.reasons, Reason.UNSIGNED_FILE) if unnamed else report.reasons
    return VerificationReport(
        reasons=reasons,
        signatures=tuple(
            replace(
                each,
                covered=None if each.covers is Coverage.WHOLE else each.covered,
                write_covered=_writer(container, each, files),
            )
            for each in report.signatures
        ),
    )


def _writer(
    container: Container, report: SignatureReport, files: DataFiles
) -> Callable[[BinaryIO], None] | None:
    """Return what writes the files that a signature refers to; without any what it is over."""
    if report.verdict is Verdict.FAILED:
        return None
    if not report.files:
        return report.write_covered
    return partial(write_files, container, files.read_so_far(report.files))


# --- ASiC-E, EN 319 162-1 4.4 -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignedManifest:
    """A manifest as it stands in the container."""

    data: bytes
    manifest: Manifest


def _verify_extended(container: Container, circumstances: Circumstances) -> VerificationReport:
    cades = [name for name in container.names if CADES_SIGNATURE.fullmatch(name)]
    xades = [name for name in container.names if XADES_SIGNATURE.fullmatch(name)]
    manifest_names = [name for name in container.names if MANIFEST.fullmatch(name)]
    if max(len(cades) + len(xades), len(manifest_names)) > MAX_SIGNATURES:
        return VerificationReport(reasons=(Reason.LIMIT_EXCEEDED,))
    reasons: list[Reason] = []
    manifests: list[_SignedManifest] = []
    for name in manifest_names:
        try:
            manifests.append(_read_manifest(container, name))
        except ManifestError as error:
            reasons.append(error.reason)
    digests = _digests(container, manifests)
    reports: list[SignatureReport] = []
    for name in cades:
        reports += _verify_one(container, name, manifests, digests, circumstances)
    signed = {
        reference.name
        for found in manifests
        if found.manifest.signature in cades
        for reference in found.manifest.references
    }
    files = DataFiles(container)
    for name in xades:
        report = _verify_xades(container, name, files, circumstances)
        reasons += [reason for reason in report.reasons if reason is not Reason.UNSIGNED_FILE]
        signed |= {file for each in report.signatures for file in each.files}
        reports += report.signatures
    if reports and not signed.issuperset(container.data_names):
        reasons.append(Reason.UNSIGNED_FILE)
    return VerificationReport(reasons=tuple(dict.fromkeys(reasons)), signatures=tuple(reports))


def find_broken(container: Container) -> Iterator[str]:
    """Yield names of files that are damaged, missing, or not what a manifest says of them.

    Every file is read.
    """
    name = ""
    try:
        for name in container.names:
            for _ in container.chunks(name, CHUNK_SIZE):
                pass
        found = [name for name in container.names if MANIFEST.fullmatch(name)]
        manifests: list[_SignedManifest] = []
        for name in found:
            manifests.append(_read_manifest(container, name))
    except (ContainerError, ManifestError):
        yield name
        return
    digests = _digests(container, manifests)
    for each in manifests:
        for reference in each.manifest.references:
            if digests.get((reference.name, reference.algorithm)) != reference.digest:
                yield reference.name


def _read_manifest(container: Container, name: str) -> _SignedManifest:
    data = container.read(name)
    return _SignedManifest(data=data, manifest=parse_manifest(data))


def _digests(container: Container, manifests: Sequence[_SignedManifest]) -> Digests:
    """Hash every file that is referred to once, with all algorithms that are asked for."""
    wanted: dict[str, set[AnyHash]] = {}
    for found in manifests:
        for reference in found.manifest.references:
            wanted.setdefault(reference.name, set()).add(reference.algorithm)
    present = set(container.names)
    digests: dict[tuple[str, AnyHash], bytes] = {}
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
    circumstances: Circumstances,
) -> Iterator[SignatureReport]:
    """Verify one file of signatures over the manifest that refers to it."""
    mine = [found for found in manifests if found.manifest.signature == name]
    if len(mine) != 1:
        reason = Reason.REFERENCE_AMBIGUOUS if mine else Reason.REFERENCE_UNRESOLVED
        yield SignatureReport(reasons=(reason,))
        return
    manifest = mine[0].manifest
    uses_sha1 = any(each.algorithm is WeakHash.SHA1 for each in manifest.references)
    faults = tuple(dict.fromkeys(_reference_faults(manifest, digests)))
    if uses_sha1 and not circumstances.allow_sha1:
        faults = (*faults, Reason.WEAK_ALGORITHM)
    notes = (Note.SHA1_ALLOWED,) if uses_sha1 and circumstances.allow_sha1 else ()
    covered = tuple(reference.name for reference in manifest.references)
    is_whole = set(covered).issuperset(container.data_names)
    report = _check_cms(container.read(name), io.BytesIO(mine[0].data), circumstances)
    write = partial(write_files, container, manifest.references)
    if not report.signatures:
        yield SignatureReport(reasons=tuple(dict.fromkeys((*report.reasons, *faults))))
    for each in report.signatures:
        yield replace(
            each,
            reasons=tuple(dict.fromkeys((*report.reasons, *each.reasons, *faults))),
            covers=Coverage.WHOLE if is_whole else Coverage.PART,
            covered=None if is_whole else ", ".join(covered),
            notes=tuple(dict.fromkeys((*each.notes, *notes))),
            write_covered=None if faults else write,
        )


def _reference_faults(manifest: Manifest, digests: Digests) -> Iterator[Reason]:
    for reference in manifest.references:
        digest = digests.get((reference.name, reference.algorithm))
        if digest is None:
            yield Reason.REFERENCE_UNRESOLVED
        elif digest != reference.digest:
            yield Reason.DIGEST_MISMATCH
