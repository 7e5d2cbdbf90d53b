"""Certificates by their name on the card, or out of a file."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509

from cli.certificate_file import read_certificate_file
from cli.context import AppContext
from cli.errors import InputError, UsageProblemError
from cli.input_file import STDIN
from cli.pin_entry import PinRequest, unlocked
from cli.pin_options import ALIASES
from cli.pin_source import PinSource
from cli.translation import N_, _
from jpki.application import JpkiApplication
from jpki.certificates.loading import read_through
from jpki.errors import CertificateError, UnsupportedCardError
from jpki.files import CertificateName, PinKind

Result = TypeVar("Result")

NAMES_TEXT: Final = N_("NAME is one of {names} (sign, sign-ca, auth, auth-ca).")
NO_FILE_TEXT: Final = N_(
    "NAME is one of {names} (sign, sign-ca, auth, auth-ca). No file of that name exists either."
)
CA_ALIASES: Final = {"sign-ca": "signature-ca", "auth-ca": "authentication-ca"}


def certificate_name(word: str) -> CertificateName | None:
    """The card's certificate of this name or alias; None for any other word."""
    known = {name.value: name for name in CertificateName}
    return known.get((ALIASES | CA_ALIASES).get(word, word))


def require_certificate_name(word: str) -> CertificateName:
    """The same, where no file will do. Raises: UsageProblemError."""
    name = certificate_name(word)
    if name is None:
        raise UsageProblemError(NAMES_TEXT, names=_names())
    return name


def _names() -> str:
    return ", ".join(name.value for name in CertificateName)


def read_certificate(
    app: AppContext, name: CertificateName, *, pin_from: PinSource | None, use_last_try: bool
) -> x509.Certificate:
    """Read a certificate from the card; the signature certificate needs its password.

    Raises:
        PinError, CertificateError, CardError, PinSourceError.
    """

    def read(application: JpkiApplication) -> x509.Certificate:
        return application.read_certificate(name)

    return _read(app, name, read, pin_from=pin_from, use_last_try=use_last_try)


def _read(
    app: AppContext,
    name: CertificateName,
    read: Callable[[JpkiApplication], Result],
    *,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> Result:
    """Read from the card in a state in which it gives this certificate away."""
    if name is not CertificateName.SIGNATURE:
        try:
            with app.card() as card, card.transaction() as application:
                return read(application)
        except UnsupportedCardError:
            if name is not CertificateName.AUTHENTICATION:
                raise
        # A phone: there this certificate, too, is behind its PIN.
        request = PinRequest(
            kind=PinKind.AUTHENTICATION, source=pin_from, use_last_try=use_last_try
        )
    else:
        request = PinRequest(
            kind=PinKind.SIGNATURE,
            source=pin_from,
            use_last_try=use_last_try,
            disclosure=_("The signature certificate holds your name, address, birth date and sex."),
        )
    with unlocked(app, request) as application:
        return read(application)


def read_named(
    app: AppContext, word: str, *, pin_from: PinSource | None, use_last_try: bool
) -> tuple[x509.Certificate, ...]:
    """A certificate of the card by its name, or all of a file; ``-`` is the standard input.

    Raises:
        UsageProblemError: it is neither.
        InputError, and what ``read_certificate`` raises.
    """
    name = certificate_name(word)
    if name is not None:
        certificate = read_certificate(app, name, pin_from=pin_from, use_last_try=use_last_try)
        read_through(certificate, name)
        return (certificate,)
    return _read_file(word)


def read_with_issuer(
    app: AppContext, word: str, *, pin_from: PinSource | None, use_last_try: bool
) -> tuple[x509.Certificate, ...]:
    """The same, a certificate of the card with that of its CA behind it if there is one.

    Raises:
        What ``read_named`` raises.
    """
    name = certificate_name(word)
    if name is None:
        return _read_file(word)

    def read(application: JpkiApplication) -> tuple[x509.Certificate, ...]:
        certificates = [application.read_certificate(name)]
        if name.issuer is not None:
            with suppress(CertificateError):  # it is a help, and the certificate is what counts
                certificates.append(application.read_certificate(name.issuer))
        return tuple(certificates)

    certificates = _read(app, name, read, pin_from=pin_from, use_last_try=use_last_try)
    read_through(certificates[0], name)
    return certificates


def _read_file(word: str) -> tuple[x509.Certificate, ...]:
    try:
        exists = word == STDIN or Path(word).exists()
    except OSError as error:  # a folder closed to this person, a name too long
        raise InputError(word, error) from error
    if not exists:
        raise UsageProblemError(NO_FILE_TEXT, names=_names())
    return read_certificate_file(word)
