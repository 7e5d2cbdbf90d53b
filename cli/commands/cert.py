"""``jpki cert``: the card's certificates, shown, exported and verified."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import click
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cli.certificate_show import CertShowResult, Form
from cli.certificate_source import (
    certificate_name,
    read_certificate,
    read_named,
    read_with_issuer,
    require_certificate_name,
)
from cli.certificate_state_view import certificates_as_json, certificates_as_text
from cli.certificate_verification import verify_certificate
from cli.certificate_view import certificate_as_text
from cli.context import AppContext, pass_app
from cli.input_file import STDIN
from cli.options import Group, option
from cli.output_file import OutputFile, output_file
from cli.pin_options import pin_from, use_last_try
from cli.pin_source import PinSource, refuse_shared_stdin
from cli.printable import printable
from cli.translation import N_, _
from cli.validation_options import ValidationOptions, validation_options
from jpki.certificates import Purpose, read_profile
from jpki.files import CertificateName
from jpki.overview import CertificateState, certificate_states


class Encoding(Enum):
    """How a certificate is written."""

    PEM = "pem"
    DER = "der"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertListResult:
    """The certificates as far as they can be seen without a PIN."""

    certificates: tuple[CertificateState, ...]

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"certificates": certificates_as_json(self.certificates)}

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield from certificates_as_text(self.certificates)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertExportResult:
    """Where a certificate went; without a file, JSON holds the certificate itself."""

    name: CertificateName
    encoding: Encoding
    output: str | None
    pem: str = field(repr=False)

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        result: dict[str, object] = {
            "name": self.name.value,
            "format": self.encoding.value,
            "output": self.output,
        }
        return result if self.output is not None else result | {"pem": self.pem}

    def as_text(self) -> Iterator[str]:
        """For people."""
        if self.output is not None:  # else the certificate itself stands on stdout
            yield _("The {name} certificate was written to {output}.").format(
                name=self.name.value, output=printable(self.output)
            )


@click.group(cls=Group, help=N_("The card's certificates: shown, exported, verified."))
def cert() -> None:
    """Certificates."""


@cert.command("list", help=N_("List the certificates and until when they hold; needs no PIN."))
@pass_app
def list_(app: AppContext) -> None:
    """Look at all four."""
    with app.card() as card, card.transaction() as application:
        result = CertListResult(certificates=certificate_states(application))
    app.output.show(result)


@cert.command(
    help=N_(
        "Show the certificate NAME of the card, or those in a FILE; '-' is stdin. NAME: signature,"
        " signature-ca, authentication, authentication-ca."
    )
)
@click.argument("name", metavar="NAME|FILE|-")
@option("--text", "form", flag_value="text", help=N_("Every field and extension."))
@option("--pem", "form", flag_value="pem", help=N_("The certificate itself, as PEM, unmasked."))
@option("--reveal", is_flag=True, help=N_("Show holder and serial number too."))
@pin_from()
@use_last_try()
@pass_app
def show(
    app: AppContext,
    *,
    name: str,
    form: str | None,
    reveal: bool,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> None:
    """Read and show."""
    certificates = read_named(app, name, pin_from=pin_from, use_last_try=use_last_try)
    result = CertShowResult(
        certificates=certificates, form=Form(form or Form.SUMMARY.value), reveal=reveal
    )
    if result.form is Form.PEM and not app.settings.json:
        with app.output.content() as stdout:
            stdout.write(result.pem())
    app.output.show(result)


@cert.command(help=N_("Write the certificate NAME of the card to stdout or a file, as PEM."))
@click.argument("name", metavar="NAME")
@option("--pem", "encoding", flag_value="pem", default=True, help=N_("As PEM (so unless told)."))
@option("--der", "encoding", flag_value="der", help=N_("As DER."))
@option("--text", "encoding", flag_value="text", help=N_("As text, with holder and serial."))
@option("-o", "--output", metavar="OUT", help=N_("The file; '-' or nothing is stdout."))
@option("--force", is_flag=True, help=N_("Replace an output that exists."))
@pin_from()
@use_last_try()
@pass_app
def export(
    app: AppContext,
    *,
    name: str,
    encoding: str,
    output: str | None,
    force: bool,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> None:
    """Read and write."""
    which = require_certificate_name(name)
    file = _output_file(which, output, force=force)
    certificate = read_certificate(app, which, pin_from=pin_from, use_last_try=use_last_try)
    content = _encoded(certificate, Encoding(encoding))
    if file is not None:
        with file.writing() as stream:
            stream.write(content)
    elif not app.settings.json:
        with app.output.content() as stdout:
            stdout.write(content)
    result = CertExportResult(
        name=which,
        encoding=Encoding(encoding),
        output=None if file is None else str(file.path),
        pem=_encoded(certificate, Encoding.PEM).decode("ascii"),
    )
    app.output.show(result)


def _encoded(certificate: x509.Certificate, encoding: Encoding) -> bytes:
    match encoding:
        case Encoding.PEM:
            return certificate.public_bytes(serialization.Encoding.PEM)
        case Encoding.DER:
            return certificate.public_bytes(serialization.Encoding.DER)
        case Encoding.TEXT:
            lines = certificate_as_text(read_profile(certificate), reveal=True)
            return "".join(f"{line}\n" for line in lines).encode()


def _output_file(name: CertificateName, output: str | None, *, force: bool) -> OutputFile | None:
    # The signature certificate is the holder's name, address, birth date and sex.
    private = name is CertificateName.SIGNATURE
    file = output_file(output, force=force, private=private)
    if file is not None:
        file.check()
    return file


@cert.command(
    help=N_(
        "Verify the certificate NAME of the card, or the first one in a FILE; '-' is stdin. CAs"
        " beside it, on the card or in the file, are trusted if they are pinned.\n\n"
        "Exit code 10: failed. 11: could not be decided, as when nobody knows its CA."
    )
)
@click.argument("name", metavar="NAME|FILE|-")
@option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    help=N_("What it is to serve; else what it is made for."),
)
@validation_options
@pin_from()
@use_last_try()
@pass_app
def verify(
    app: AppContext,
    *,
    name: str,
    purpose: str | None,
    validation: ValidationOptions,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> int:
    """Read what is needed to judge it, then the certificate, and judge."""
    wanted = None if purpose is None else Purpose(purpose)
    inputs = [name] if certificate_name(name) is None else []
    refuse_shared_stdin(pin_from, stdin_is_taken=STDIN in validation.files)
    checks = validation.load(app, inputs=inputs)
    certificates = read_with_issuer(app, name, pin_from=pin_from, use_last_try=use_last_try)
    result = verify_certificate(name, certificates, checks, wanted)
    app.output.show(result)
    return result.exit_code
