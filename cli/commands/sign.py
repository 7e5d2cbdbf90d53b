"""``jpki sign``: files signed with the signature certificate (署名用電子証明書)."""

import click

from cli.context import AppContext, pass_app
from cli.errors import UsageProblemError
from cli.input_file import STDIN
from cli.options import Command, option
from cli.pin_entry import PinRequest
from cli.pin_options import pin_from, use_last_try
from cli.pin_source import PinSource, refuse_shared_stdin
from cli.signature_format import AUTO, FORMAT_WORDS, SignatureFormat
from cli.signing_options import FormatOptions, format_options
from cli.signing_plan import SigningPlan, plan_jobs
from cli.signing_run import sign_files
from cli.translation import N_, _
from jpki.files import PinKind
from jpki.signing import HashAlgorithm


@click.command(
    cls=Command,
    help=N_(
        "Sign FILE... with one entry of the signature password; '-' is the standard input.\n\n"
        "The format follows the content: a PDF gets a PAdES signature (FILE-signed.pdf), XML an"
        " XAdES one (FILE-signed.xml), anything else a CAdES signature beside it (FILE.p7s). It"
        " shows your name, address, birth date and sex to everybody who gets it."
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_WORDS),
    default=AUTO,
    help=N_(
        "auto: by content; raw: 256 bytes, the bare signature; cms: CAdES; jws; asice: all files"
        " in one container."
    ),
)
@option("--attached", is_flag=True, help=N_("CMS with the document inside (FILE.p7m)."))
@option(
    "--detached",
    is_flag=True,
    help=N_("JWS without its payload; XML over files beside it. CMS is detached unless told."),
)
@option("--pem", is_flag=True, help=N_("CMS as PEM."))
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
@format_options
@pin_from()
@use_last_try()
@pass_app
def sign(
    app: AppContext,
    *,
    files: tuple[str, ...],
    format_name: str,
    attached: bool,
    detached: bool,
    pem: bool,
    hash_name: str,
    output: str | None,
    force: bool,
    allow_expired: bool,
    formats: FormatOptions,
    pin_from: PinSource | None,
    use_last_try: bool,
) -> None:
    """Plan, check the plan, sign."""
    stdin_is_taken = STDIN in files
    refuse_shared_stdin(pin_from, stdin_is_taken=stdin_is_taken)
    refuse_shared_stdin(
        formats.pdf_password_from,
        stdin_is_taken=stdin_is_taken or (pin_from is not None and pin_from.is_stdin),
    )
    settings = formats.settings(
        HashAlgorithm(hash_name),
        attached=attached,
        detached=detached,
        pem=pem,
        allow_expired=allow_expired,
        warn=app.output.warn,
    )
    if attached and detached:
        raise UsageProblemError(N_("--attached and --detached contradict each other."))
    chosen = _format(format_name, formats.format, cms_only=attached or pem)
    plan = SigningPlan(
        jobs=plan_jobs(files, chosen, output, settings, force=force), settings=settings
    )
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


def _format(
    name: str, of_profile: SignatureFormat | None, *, cms_only: bool
) -> SignatureFormat | None:
    """The format that was chosen, by name, by a profile or by an option of CMS; None: by content.

    Raises:
        UsageProblemError: these contradict each other.
    """
    choices = {
        choice
        for choice in (
            None if name == AUTO else SignatureFormat(name),
            of_profile,
            SignatureFormat.CMS if cms_only else None,
        )
        if choice is not None
    }
    if len(choices) > 1:
        raise UsageProblemError(
            N_("--format, --profile, --attached and --pem contradict each other.")
        )
    return next(iter(choices), None)
