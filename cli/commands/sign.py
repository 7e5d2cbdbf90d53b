"""``jpki sign``: files signed with the signature certificate (署名用電子証明書)."""

import click

from cli.context import AppContext, pass_app
from cli.errors import FormatNotOfferedError, UsageProblemError
from cli.input_file import InputFile
from cli.options import Command, option
from cli.pin_entry import PinRequest
from cli.pin_options import pin_from, use_last_try
from cli.pin_source import PinSource, refuse_shared_stdin
from cli.signing_run import Job, SignatureFormat, SigningPlan, make_job, output_for, sign_files
from cli.translation import N_, _
from jpki.files import PinKind
from jpki.signing import HashAlgorithm

FORMATS = ("auto", "raw", "cms", "pdf", "xml", "jws", "asice")
OFFERED = {"auto": SignatureFormat.CMS, "raw": SignatureFormat.RAW, "cms": SignatureFormat.CMS}


@click.command(
    cls=Command,
    help=N_(
        "Sign FILE... with one entry of the signature password; '-' is the standard input.\n\n"
        "The signature goes to FILE.p7s (CMS), FILE.p7m (with --attached) or FILE.sig (raw). It"
        " shows your name, address, birth date and sex to everybody who gets it."
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    default="auto",
    help=N_("auto is cms for now; raw is the bare signature of 256 bytes."),
)
@option("--attached", is_flag=True, help=N_("CMS with the document inside."))
@option(
    "--hash",
    "hash_name",
    type=click.Choice([algorithm.value for algorithm in HashAlgorithm]),
    default=HashAlgorithm.SHA256.value,
    help=N_("What the document is hashed with (sha256)."),
)
@option("-o", "--output", metavar="OUT", help=N_("Where the signature of one FILE goes."))
@option("--force", is_flag=True, help=N_("Replace an output that exists."))
@option("--allow-expired", is_flag=True, help=N_("Sign outside the certificate's validity too."))
@pin_from()
@use_last_try()
@pass_app
def sign(
    app: AppContext,
    *,
    files: tuple[str, ...],
    format_name: str,
    attached: bool,
    hash_name: str,
    output: str | None,
    force: bool,
    allow_expired: bool,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> None:
    """Plan, check the plan, sign."""
    plan = SigningPlan(
        jobs=_jobs(files, _format(format_name), output, attached=attached, force=force),
        format=_format(format_name),
        algorithm=HashAlgorithm(hash_name),
        attached=attached,
        allow_expired=allow_expired,
    )
    refuse_shared_stdin(pin_from, stdin_is_taken="-" in files)
    plan.check()
    request = PinRequest(
        kind=PinKind.SIGNATURE,
        source=pin_from,
        use_last_try=use_last_try,
        disclosure=_(
            "The signature shows your name, address, birth date and sex to everybody who gets it."
        ),
    )
    app.output.show(sign_files(app, plan, request))


def _format(name: str) -> SignatureFormat:
    if name not in OFFERED:
        raise FormatNotOfferedError(name)
    return OFFERED[name]


def _jobs(
    files: tuple[str, ...],
    signature_format: SignatureFormat,
    output: str | None,
    *,
    attached: bool,
    force: bool,
) -> tuple[Job, ...]:
    if attached and signature_format is SignatureFormat.RAW:
        raise UsageProblemError(_("--attached is for CMS; a raw signature stands alone."))
    if output is not None and len(files) > 1:
        raise UsageProblemError(_("-o names the output of one file; there are several."))
    sources = [InputFile(name=name) for name in files]
    return tuple(
        make_job(
            source,
            output_for(source, signature_format, attached=attached) if output is None else output,
            force=force,
        )
        for source in sources
    )
