"""``jpki trust``: the CAs of J-LIS that are pinned, and their certificates."""

import click

from cli.certificate_file import read_certificate_file
from cli.context import AppContext, pass_app
from cli.options import Group
from cli.translation import N_
from cli.trust_store import keep, kept_cas, trust_folder
from cli.trust_view import (
    FetchedCa,
    FetchState,
    JudgedCertificate,
    TrustCheckResult,
    TrustFetchResult,
    TrustListResult,
)
from jpki.certificates import is_test_certificate
from jpki.certificates.trust import fingerprint_sha256, pin_of
from jpki.files import CertificateName


@click.group(cls=Group, help=N_("The CAs of J-LIS that jpki trusts, by their fingerprints."))
def trust() -> None:
    """Trust anchors."""


@trust.command("list", help=N_("List the pinned CAs, and whether their certificates are kept."))
@pass_app
def list_(app: AppContext) -> None:
    """Show the pins beside the user's folder."""
    kept = {ca.pin.name: ca.path for ca in kept_cas(app.output.warn)}
    app.output.show(TrustListResult(folder=trust_folder(), kept=kept, now=app.clock()))


@trust.command(
    help=N_(
        "Check whether the certificates in a FILE are pinned CAs of J-LIS; '-' is stdin.\n\n"
        "Exit code 10: one of them is not."
    )
)
@click.argument("file", metavar="FILE|-")
@pass_app
def check(app: AppContext, *, file: str) -> int:
    """Compare the fingerprints."""
    judged = tuple(
        JudgedCertificate(
            fingerprint_sha256=fingerprint_sha256(certificate), pin=pin_of(certificate)
        )
        for certificate in read_certificate_file(file)
    )
    result = TrustCheckResult(file=file, certificates=judged)
    app.output.show(result)
    return result.exit_code


@trust.command(
    help=N_(
        "Take the CA certificates off the card and keep those that are pinned, so that"
        " verification needs no card. No PIN is needed.\n\n"
        "Exit code 10: one of them is not pinned, as on a test card."
    )
)
@pass_app
def fetch(app: AppContext) -> int:
    """Read both, look at their fingerprints, write them."""
    with app.card() as card, card.transaction() as application:
        names = [name for name in CertificateName if name.is_ca]
        found = {name: application.read_certificate(name) for name in names}
    kept = {ca.pin.name: ca.path for ca in kept_cas(app.output.warn)}
    fetched = []
    for name, certificate in found.items():
        pin = pin_of(certificate)
        if pin is None:
            state, path = FetchState.NOT_PINNED, None
        elif pin.name in kept:
            state, path = FetchState.ALREADY_KEPT, kept[pin.name]
        else:
            state, path = FetchState.KEPT, keep(certificate, pin)
        fetched.append(
            FetchedCa(
                name=name,
                fingerprint_sha256=fingerprint_sha256(certificate),
                pin=pin,
                state=state,
                path=path,
                is_test=is_test_certificate(certificate),
            )
        )
    result = TrustFetchResult(folder=trust_folder(), certificates=tuple(fetched))
    app.output.show(result)
    return result.exit_code
