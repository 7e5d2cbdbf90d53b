"""The CA certificates of J-LIS that this user keeps, so that verification needs no card.

They are trusted for their pinned fingerprints and for nothing else: whoever can write to the folder
gains no trust by it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli.certificate_file import read_certificate_file
from cli.errors import InputError, OutputNotWrittenError
from cli.output_file import OutputFile
from cli.printable import printable
from cli.translation import _
from jpki.certificates.trust import PinnedCa, pin_of

FOLDER: Final = "trust"
SUFFIX: Final = ".pem"
MAX_FILES: Final = 100
"""There are six; more files are somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCa:
    """A pinned CA certificate in the user's folder."""

    pin: PinnedCa
    certificate: x509.Certificate
    path: Path


def trust_folder() -> Path:
    """Where they are kept; it need not be there."""
    import platformdirs

    return platformdirs.user_data_path("jpki") / FOLDER


def kept_anchors(warn: Callable[[str], None]) -> tuple[x509.Certificate, ...]:
    """Return the pinned CA certificates of the user's folder.

    Args:
        warn: is told of files that are passed over: unreadable, or not pinned.
    """
    return tuple(kept.certificate for kept in kept_cas(warn))


def kept_cas(warn: Callable[[str], None]) -> tuple[KeptCa, ...]:
    """Return the same with their pins and places, each CA once."""
    found: dict[str, KeptCa] = {}
    for path in _files(warn):
        try:
            certificates = read_certificate_file(str(path))
        except InputError as error:
            _pass_over(warn, path, _(error.detail))
            continue
        pinned = [
            KeptCa(pin=pin, certificate=certificate, path=path)
            for certificate in certificates
            if (pin := pin_of(certificate)) is not None
        ]
        if not pinned:
            reason = _("it is no CA of J-LIS that jpki knows; --trust FILE adds a CA for one call")
            _pass_over(warn, path, reason)
        for kept in pinned:
            found.setdefault(kept.pin.name, kept)
    return tuple(found.values())


def _files(warn: Callable[[str], None]) -> Iterator[Path]:
    folder = trust_folder()
    try:
        names = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
        # A pipe in their midst would keep us waiting.
        files = [path for path in names[:MAX_FILES] if path.is_file()]
    except FileNotFoundError:
        return
    except OSError as error:
        _pass_over(warn, folder, error.strerror or str(error))
        return
    yield from files


def _pass_over(warn: Callable[[str], None], path: Path, detail: str) -> None:
    warn(
        _("{path} is passed over: {detail}.").format(
            path=printable(str(path)), detail=printable(detail)
        )
    )


def keep(certificate: x509.Certificate, pin: PinnedCa) -> Path:
    """Write a pinned CA certificate to the user's folder -> the file.

    Raises:
        OutputNotWrittenError: the folder or the file cannot be written.
    """
    folder = trust_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWrittenError(str(folder), error) from error
    path = folder / f"{pin.name}{SUFFIX}"
    with OutputFile(path=path, force=True).writing() as stream:
        stream.write(certificate.public_bytes(Encoding.PEM))
    return path
