"""``jpki verify``: was this signed, by whom, and how far can that be told?"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import click

from cli.certificate_file import read_certificate_file
from cli.context import AppContext, pass_app
from cli.errors import UsageProblemError
from cli.input_file import STDIN
from cli.options import Command, option, text
from cli.output import Output, render_text
from cli.output_file import STDOUT, Destination, OutputFile
from cli.pin_options import secret_source
from cli.pin_source import PinSource, refuse_shared_stdin
from cli.signature_format import AUTO, FORMAT_WORDS
from cli.translation import N_
from cli.validation_options import ValidationOptions, validation_options
from cli.verification_jobs import verify_files
from cli.verification_run import TOUKI, VerificationPlan, check_names, document_beside
from cli.verification_view import VerifyResult
from jpki.signing import HashAlgorithm

MAX_JOBS = 64


@click.command(
    cls=Command,
    help=N_(
        "Verify the signatures in or beside FILE...: PDF, XML, CMS, JWS, ASiC-E, told by content;"
        " FILE.p7s and FILE.sig find FILE beside them.\n\n"
        "Exit code 10: failed. 11: could not be decided, as when no --trust names the CA."
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_WORDS),
    default=AUTO,
    help=N_(
        "auto goes by the names FILE.p7s, FILE.sig and FILE.jws, and tells the others by content."
    ),
)
@option(
    "--profile",
    type=click.Choice((TOUKI,)),
    help=N_(
        "touki: say rule by rule whether the Legal Affairs Bureau (法務局) would take the PDF."
    ),
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
@option(
    "--allow-sha1", is_flag=True, help=N_("Let old signatures with SHA-1 pass; it is said beside.")
)
@option(
    "--id-attr",
    metavar="NAME",
    callback=text,
    help=N_("XML: an attribute that holds ids, beside Id, ID, id and xml:id."),
)
@option(
    "--pdf-password-from",
    metavar="SOURCE",
    callback=secret_source,
    help=N_("Where the password of an encrypted PDF comes from; as --pin-from."),
)
@option("--extract", metavar="OUT", help=N_("Write exactly what the signature covers."))
@option("--report", metavar="FILE.html", help=N_("Write a page for people, too."))
@option("--force", is_flag=True, help=N_("Replace an output that exists."))
@option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    default=1,
    metavar="N",
    help=N_("Verify so many files at once (1)."),
)
@option("--reveal", is_flag=True, help=N_("Show all that the certificate says of the signer."))
@validation_options
@pass_app
def verify(
    app: AppContext,
    *,
    files: tuple[str, ...],
    format_name: str,
    profile: str | None,
    content: str | None,
    certificate: str | None,
    hash_name: str,
    allow_sha1: bool,
    id_attr: str | None,
    pdf_password_from: PinSource | None,
    extract: str | None,
    report: str | None,
    force: bool,
    jobs: int,
    reveal: bool,
    validation: ValidationOptions,
) -> int:
    """Verify each file; the worst one decides how the command ends."""
    check_names(files, content, extract)
    if None not in (extract, report) and _place(extract) == _place(report):
        raise UsageProblemError(N_("--extract and --report cannot go to the same place."))
    read = [*files, content, certificate, *validation.files]
    refuse_shared_stdin(pdf_password_from, stdin_is_taken=STDIN in read)
    inputs = [*read, *map(document_beside, files)]
    page = _output(app, report, inputs, option="--report", force=force)
    plan = VerificationPlan(
        format_name=format_name,
        profile=profile,
        content=content,
        validation=validation.load(app, inputs=[*files, content, certificate]),
        certificates=() if certificate is None else read_certificate_file(certificate),
        algorithm=HashAlgorithm(hash_name),
        allow_sha1=allow_sha1,
        id_attribute=id_attr,
        pdf_password=None if pdf_password_from is None else pdf_password_from.read(),
        extract=_output(app, extract, inputs, option="--extract", force=force),
        reveal=reveal,
    )
    result = VerifyResult(files=tuple(verify_files(plan, files, jobs)))
    if page is not None:
        from cli.verification_page import page_of

        with page.writing() as stream:
            stream.write(page_of(result, plan.validation.now))
    if STDOUT in {extract, report}:
        app.output.notice(render_text(result).rstrip("\n"))
    app.output.show(result)
    return result.exit_code


class _Stdout:
    """The standard output, which gets this and nothing else."""

    def __init__(self, output: Output) -> None:
        self._output = output
        output.keep_stdout_for_content()

    def writing(self) -> AbstractContextManager[BinaryIO]:
        """Write in the block. Raises: OutputNotWrittenError, StdoutClosedError."""
        return self._output.content()


def _place(name: str | None) -> str | None:
    return name if name in {None, STDOUT} else os.path.realpath(str(name))


def _output(
    app: AppContext, name: str | None, inputs: Sequence[str | None], *, option: str, force: bool
) -> Destination | None:
    if name is None:
        return None
    if name == STDOUT:
        return _Stdout(app.output)
    file = OutputFile(path=Path(name), force=force, option=option)
    file.check([Path(each) for each in inputs if each is not None])
    return file
