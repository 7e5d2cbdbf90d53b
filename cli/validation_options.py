"""The options of everything that validates a certificate, and what they bring together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final, TypeVar

import click
from cryptography import x509

from cli.certificate_file import read_certificate_file
from cli.context import AppContext
from cli.errors import UsageProblemError
from cli.input_file import STDIN
from cli.options import option
from cli.revocation_files import is_url, read_crls, read_ocsp_responses, responder_at
from cli.translation import N_
from cli.trust_store import kept_anchors
from jpki.certificates.issuer import TrustAnchors, check_anchors_and_time
from jpki.certificates.revocation import RevocationMaterial, RevocationMode
from jpki.certificates.trust import pinned_among
from jpki.errors import AnchorNotCaError

SECTION: Final = N_("Trust and revocation")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What certificates are judged with."""

    anchors: TrustAnchors = field(repr=False)
    at: datetime
    """The time at which they must be valid."""
    now: datetime
    revocation: RevocationMaterial = field(repr=False)

    def with_pinned(self, certificates: Iterable[x509.Certificate]) -> TrustAnchors:
        """The anchors, and those of other certificates that are pinned."""
        return self.anchors.including(pinned_among(certificates))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationOptions:
    """The options as they were given."""

    trust: tuple[str, ...]
    crl: tuple[str, ...]
    ocsp: tuple[str, ...]
    mode: RevocationMode
    at: str | None

    @property
    def files(self) -> tuple[str, ...]:
        """All that they name, servers among it."""
        return (*self.trust, *self.crl, *self.ocsp)

    def load(self, app: AppContext, *, inputs: Sequence[str | None]) -> Validation:
        """Read all that the options name, files before servers, and the CAs that the user keeps.

        Args:
            app: the surroundings.
            inputs: what else the command reads; ``-`` may be there once in all.

        Raises:
            UsageProblemError, InputError, AnchorNotCaError.
            ServerError: a CRL could not be fetched.
        """
        check_stdin([*inputs, *self.files])
        now = app.clock()
        at = now if self.at is None else _time(self.at)
        responders = [place for place in self.ocsp if is_url(place)]
        if len(responders) > 1:
            raise UsageProblemError(N_("--ocsp takes one server only; files may be several."))
        given = [certificate for file in self.trust for certificate in _anchors_of(file, at)]
        answers = read_ocsp_responses(place for place in self.ocsp if not is_url(place))
        return Validation(
            anchors=TrustAnchors([*given, *kept_anchors(app.output.warn)]),
            at=at,
            now=now,
            revocation=RevocationMaterial(
                mode=self.mode,
                crls=read_crls(self.crl, with_servers=self.mode is not RevocationMode.NONE),
                ocsp_responses=answers,
                responder=responder_at(responders[0]) if responders else None,
            ),
        )


def validation_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add the options; the command gets them as ``validation``."""
    return _with_options(command, _OPTIONS)


def standing_validation_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add those of a command that goes on judging: all but the time."""
    return _with_options(command, [entry for entry in _OPTIONS if entry[0] != ("--at",)])


def _with_options(
    command: Callable[..., Result], entries: Sequence[tuple[tuple[str, ...], dict[str, Any]]]
) -> Callable[..., Result]:
    @wraps(command)
    def with_options(
        *arguments: Any,  # noqa: ANN401  # click's own
        trust: tuple[str, ...],
        crl: tuple[str, ...],
        ocsp: tuple[str, ...],
        revocation: str,
        at: str | None = None,
        **others: Any,  # noqa: ANN401  # click's own
    ) -> Result:
        mode = RevocationMode(revocation)
        options = ValidationOptions(trust=trust, crl=crl, ocsp=ocsp, mode=mode, at=at)
        return command(*arguments, validation=options, **others)

    for names, attributes in reversed(entries):
        with_options = option(*names, section=SECTION, **attributes)(with_options)
    return with_options


_OPTIONS: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (
        ("--trust",),
        {"metavar": "FILE", "multiple": True, "help": N_("A CA that you trust; repeatable.")},
    ),
    (
        ("--crl",),
        {
            "metavar": "FILE|URL",
            "multiple": True,
            "help": N_("A revocation list (CRL), or where to fetch it; repeatable."),
        },
    ),
    (
        ("--ocsp",),
        {
            "metavar": "FILE|URL",
            "multiple": True,
            "help": N_("An OCSP answer, or a server to ask; repeatable, with one server."),
        },
    ),
    (
        ("--revocation",),
        {
            "type": click.Choice([mode.value for mode in RevocationMode]),
            "default": RevocationMode.IF_AVAILABLE.value,
            "help": N_(
                "if-available (so unless told) looks at --crl and --ocsp; require passes nothing"
                " without them; none leaves them out."
            ),
        },
    ),
    (
        ("--at",),
        {"metavar": "TIME", "help": N_("Check as at this time (ISO 8601) instead of now.")},
    ),
)


def check_stdin(names: Sequence[str | None]) -> None:
    """Refuse to read the standard input twice. Raises: UsageProblemError."""
    if names.count(STDIN) > 1:
        raise UsageProblemError(N_("The standard input can be read once only."))


def _anchors_of(file: str, at: datetime) -> tuple[x509.Certificate, ...]:
    certificates = read_certificate_file(file)
    try:
        check_anchors_and_time(certificates, at)
    except AnchorNotCaError:
        raise AnchorNotCaError(file) from None
    return certificates


def _time(text: str) -> datetime:
    """The time of --at."""
    try:
        # Without a zone it means the clock on this person's wall. Neither that nor UTC may have the
        # first or the last hours of the calendar.
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        detail = N_("--at takes a time such as 2026-04-01T12:00:00+09:00.")
        raise UsageProblemError(detail) from None
