"""Certificates and times that come with the command line."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from cli.certificate_file import read_certificate_file
from cli.context import AppContext
from cli.errors import UsageProblemError
from cli.translation import _


def read_certificates(paths: Sequence[str]) -> tuple[x509.Certificate, ...]:
    """All certificates of some files, PEM or DER. Raises: InputError."""
    return tuple(certificate for path in paths for certificate in read_certificate_file(path))


def time_of_check(app: AppContext, text: str | None) -> datetime:
    """The time of --at, or now. Raises: UsageProblemError."""
    if text is None:
        return app.clock()
    try:
        time = datetime.fromisoformat(text)
        # Without a zone it means the clock on this person's wall, which the year 1 may not have.
        return time if time.tzinfo is not None else time.astimezone()
    except (ValueError, OverflowError):
        detail = _("--at takes a time such as 2026-04-01T12:00:00+09:00.")
        raise UsageProblemError(detail) from None
