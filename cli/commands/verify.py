"""``jpki verify``: was this signed, by whom, and how far can that be told?"""

import click

from cli.certificate_file import read_certificate_file
from cli.context import AppContext, pass_app
from cli.options import Command, option
from cli.translation import N_
from cli.validation_options import ValidationOptions, validation_options
from cli.verification_run import VerificationPlan, check_names
from cli.verification_view import VerifyResult
from jpki.signing import HashAlgorithm


@click.command(
    cls=Command,
    help=N_(
        "Verify the signatures FILE...; FILE.p7s and FILE.sig find FILE beside them.\n\n"
        "Exit code 10: failed. 11: could not be decided, as when no --trust names the CA."
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option(
    "--format",
    "format_name",
    type=click.Choice(("auto", "raw", "cms")),
    default="auto",
    help=N_("auto takes FILE.sig as raw, and all else as CMS."),
)
@option("--content", metavar="FILE", help=N_("The document that was signed."))
@option("--certificate", metavar="FILE", help=N_("The signer's certificate, for a raw signature."))
@option(
    "--hash",
    "hash_name",
    type=click.Choice([algorithm.value for algorithm in HashAlgorithm]),
    default=HashAlgorithm.SHA256.value,
    help=N_("What the document of a raw signature was hashed with (sha256)."),
)
@option("--reveal", is_flag=True, help=N_("Show all that the certificate says of the signer."))
@validation_options
@pass_app
def verify(
    app: AppContext,
    *,
    files: tuple[str, ...],
    format_name: str,
    content: str | None,
    certificate: str | None,
    hash_name: str,
    reveal: bool,
    validation: ValidationOptions,
) -> int:
    """Verify each file; the worst one decides how the command ends."""
    check_names(files, content)
    plan = VerificationPlan(
        format_name=format_name,
        content=content,
        validation=validation.load(app, inputs=[*files, content, certificate]),
        certificates=() if certificate is None else read_certificate_file(certificate),
        algorithm=HashAlgorithm(hash_name),
    )
    result = VerifyResult(files=tuple(plan.verify(name) for name in files), reveal=reveal)
    app.output.show(result)
    return result.exit_code
