"""How the CAs of J-LIS are shown: those that are pinned, those of a file, those of a card."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from cli.certificate_words import kind_text
from cli.exit_codes import ExitCode
from cli.facts import utc_text
from cli.printable import printable
from cli.times import japan_time
from cli.translation import _
from jpki.certificates import CertificateKind
from jpki.certificates.trust import J_LIS_URL, PINNED_CAS, PinnedCa
from jpki.files import CertificateName


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustListResult:
    """The pinned CAs, and where the certificates themselves are kept."""

    folder: Path
    kept: Mapping[str, Path]
    """Name of a pinned CA -> its file."""
    now: datetime

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "folder": str(self.folder),
            "anchors": [self._one_as_json(pin) for pin in PINNED_CAS],
        }

    def _one_as_json(self, pin: PinnedCa) -> dict[str, object]:
        path = self.kept.get(pin.name)
        return {
            "name": pin.name,
            "issues": pin.issues.value,
            "generation": pin.generation,
            "not_valid_before": utc_text(pin.not_before),
            "not_valid_after": utc_text(pin.not_after),
            "serial_number": f"{pin.serial_number:x}",
            "subject_key_identifier": pin.subject_key_identifier,
            "fingerprint_sha256": pin.fingerprint_sha256,
            "origin": pin.origin,
            "kept": None if path is None else str(path),
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        for pin in PINNED_CAS:
            yield _("{name}: {kind}, key of {generation}").format(
                name=pin.name, kind=_kind(pin), generation=pin.generation
            )
            yield _("  from:         {time}").format(time=japan_time(pin.not_before))
            until = _("  until:        {time}").format(time=japan_time(pin.not_after))
            yield until + (" " + _("(it has ended)") if pin.not_after < self.now else "")
            yield _("  SHA-256:      {fingerprint}").format(fingerprint=pin.fingerprint_sha256)
            yield _("  published as: {file}, {url}").format(file=pin.origin, url=J_LIS_URL)
            path = self.kept.get(pin.name)
            place = _("no") if path is None else printable(str(path))
            yield _("  kept here:    {place}").format(place=place)
        yield _(
            "A certificate with one of these fingerprints is trusted wherever it comes from. 'jpki"
            " trust fetch' keeps those of a card in {folder}, for verification without the card."
        ).format(folder=printable(str(self.folder)))


def _kind(pin: PinnedCa) -> str:
    return kind_text(
        CertificateKind.SIGNATURE_CA
        if pin.issues is CertificateName.SIGNATURE
        else CertificateKind.AUTHENTICATION_CA
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCertificate:
    """A certificate of a file, and which CA of J-LIS it is, if it is one."""

    fingerprint_sha256: str
    pin: PinnedCa | None

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "pinned": self.pin is not None,
            "anchor": None if self.pin is None else self.pin.name,
            "fingerprint_sha256": self.fingerprint_sha256,
        }

    def as_text(self) -> str:
        """For people."""
        fingerprint = self.fingerprint_sha256
        if self.pin is None:
            return _(
                "NOT pinned: this is no CA of J-LIS that jpki knows (SHA-256 {fingerprint})"
            ).format(fingerprint=fingerprint)
        return _("pinned: this is {name}, a CA of J-LIS (SHA-256 {fingerprint})").format(
            name=self.pin.name, fingerprint=fingerprint
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCheckResult:
    """What ``jpki trust check`` found in a file: one certificate at least."""

    file: str
    certificates: tuple[JudgedCertificate, ...]

    @property
    def is_pinned(self) -> bool:
        """Whether all of them are."""
        return all(certificate.pin is not None for certificate in self.certificates)

    @property
    def exit_code(self) -> ExitCode:
        """Failed unless all are pinned."""
        return ExitCode.OK if self.is_pinned else ExitCode.VERIFICATION_FAILED

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        first = self.certificates[0].pin
        return {
            "file": self.file,
            "pinned": self.is_pinned,
            "anchor": first.name if self.is_pinned and first is not None else None,
            "certificates": [certificate.as_json() for certificate in self.certificates],
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        for certificate in self.certificates:
            yield f"{printable(self.file)}: {certificate.as_text()}"


class FetchState(Enum):
    """What became of a CA certificate of a card."""

    KEPT = "kept"
    ALREADY_KEPT = "already-kept"
    NOT_PINNED = "not-pinned"
    """Of a test card, or of a CA that this version does not know: never kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedCa:
    """A CA certificate of a card, and where it is now."""

    name: CertificateName
    fingerprint_sha256: str
    pin: PinnedCa | None
    state: FetchState
    path: Path | None
    is_test: bool

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "name": self.name.value,
            "state": self.state.value,
            "anchor": None if self.pin is None else self.pin.name,
            "fingerprint_sha256": self.fingerprint_sha256,
            "file": None if self.path is None else str(self.path),
            "test": self.is_test,
        }

    def as_text(self) -> str:
        """For people."""
        name, path = self.name.value, printable(str(self.path))
        match self.state:
            case FetchState.KEPT:
                return _("{name}: {path} was written").format(name=name, path=path)
            case FetchState.ALREADY_KEPT:
                return _("{name}: it is in {path} already").format(name=name, path=path)
            case FetchState.NOT_PINNED if self.is_test:
                return _(
                    "{name}: NOT kept: it is that of a TEST card, so a real card never has it;"
                    " 'jpki cert export' writes it to a file for --trust"
                ).format(name=name)
            case FetchState.NOT_PINNED:
                return _(
                    "{name}: NOT kept: it is no CA of J-LIS that jpki knows. See whether there is"
                    " a newer version of jpki; do not trust it for being on the card"
                ).format(name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFetchResult:
    """What ``jpki trust fetch`` took off a card."""

    folder: Path
    certificates: tuple[FetchedCa, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Failed unless all are pinned."""
        states = {certificate.state for certificate in self.certificates}
        failed = FetchState.NOT_PINNED in states
        return ExitCode.VERIFICATION_FAILED if failed else ExitCode.OK

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "folder": str(self.folder),
            "certificates": [certificate.as_json() for certificate in self.certificates],
        }

    def as_text(self) -> Iterator[str]:
        """For people."""
        for certificate in self.certificates:
            yield certificate.as_text()
