"""What is looked at before a PIN is asked for: the documents, and their passwords."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from cli.context import AppContext
from cli.document_signing import check_document
from cli.errors import UsageProblemError
from cli.printable import printable
from cli.signature_format import SignatureFormat
from cli.signing_plan import Job, SigningPlan, SigningSettings
from cli.translation import N_, _
from jpki.errors import DocumentError, DocumentFault
from jpki.signing.pdf_options import PdfOptions
from jpki.signing.xml_options import XmlForm, XmlOptions

WITH_TIMESTAMP: Final = frozenset({SignatureFormat.CMS, SignatureFormat.PDF, SignatureFormat.ASICE})
WITHIN: Final = frozenset({SignatureFormat.PDF, SignatureFormat.ASICE})
"""What always holds its signature."""
NOWHERE: Final = ("", None, None)
"""The place in a document where none was chosen."""
ENTRIES: Final = 3
"""How often a person may mistype the password of a PDF."""
PASSWORD_FAULTS: Final = (DocumentFault.PDF_ENCRYPTED, DocumentFault.PDF_PASSWORD_WRONG)


def prepared(app: AppContext, plan: SigningPlan, resources: ExitStack) -> SigningPlan:
    """Refuse what cannot be signed as asked -> the plan, with what had to be asked for.

    A pipe is read to its end where its format needs the whole document, so that this can be looked
    into as well; resources hold it.

    Raises:
        UsageProblemError, DocumentError, InputError.
    """
    _check_options(plan)
    jobs = [_readable_again(job, resources) for job in plan.jobs]
    known: list[str] = []
    return replace(
        plan,
        jobs=tuple(
            job
            if job.format.signs_digest
            else _with_document_checked(app, plan.settings, job, known)
            for job in jobs
        ),
    )


def _readable_again(job: Job, resources: ExitStack) -> Job:
    if job.format.signs_digest:
        return job
    sources = (
        source.whole(resources) if source.size() is None else source for source in job.sources
    )
    return replace(job, sources=tuple(sources))


def _check_options(plan: SigningPlan) -> None:
    """Refuse options that would do nothing. Raises: UsageProblemError."""
    formats = {job.format for job in plan.jobs}
    settings = plan.settings
    if settings.timestamper is not None and not formats <= WITH_TIMESTAMP:
        raise UsageProblemError(N_("--tsa is for CMS, PDF and ASiC-E."))
    if settings.detached and formats & WITHIN:
        raise UsageProblemError(N_("--detached is for CMS, XML and JWS."))
    _check_xml_options(settings)
    if settings.pdf != PdfOptions(digest=settings.algorithm) and SignatureFormat.PDF not in formats:
        raise UsageProblemError(N_("There are options for PDF, and no PDF among the files."))
    if settings.xml != XmlOptions(digest=settings.algorithm) and SignatureFormat.XML not in formats:
        raise UsageProblemError(N_("There are options for XML, and no XML among the files."))


def _check_xml_options(settings: SigningSettings) -> None:
    """Refuse options for XML that the form has no use for. Raises: UsageProblemError."""
    xml = settings.xml
    is_egov = xml.form is XmlForm.EGOV
    if is_egov and settings.detached:
        raise UsageProblemError(N_("--profile egov signs a document: leave --detached out."))
    if (is_egov or settings.detached) and (xml.reference, xml.parent, xml.id_attribute) != NOWHERE:
        raise UsageProblemError(
            N_("--reference, --parent and --id-attr do not go with --detached or --profile egov.")
        )


def _with_document_checked(
    app: AppContext, settings: SigningSettings, job: Job, known: list[str]
) -> Job:
    """Look into a document; a person is asked for the password of an encrypted PDF.

    Args:
        app: the surroundings.
        settings: how everything is signed.
        job: the document.
        known: passwords that a person gave for others; one more may be added.
    """
    failure = DocumentError(DocumentFault.PDF_ENCRYPTED)
    for password in _passwords(app, job, known):
        attempt = replace(job, password=password)
        try:
            _check(attempt, settings)
        except DocumentError as error:
            failure = error
            if error.fault not in PASSWORD_FAULTS:
                break
        else:
            if password is not None and password not in known:
                known.append(password)
            return attempt
    app.error_facts["input"] = job.source.name
    raise failure


def _passwords(app: AppContext, job: Job, known: Sequence[str]) -> Iterator[str | None]:
    """What may open a PDF: nothing beside the options, what opened others, what a person says."""
    yield None
    yield from tuple(known)
    if app.prompter.is_there():
        question = _("Password of {path}: ").format(path=printable(job.source.name))
        for _entry in range(ENTRIES):
            yield app.prompter.secret(question)


def _check(job: Job, settings: SigningSettings) -> None:
    stream = job.source.open()
    try:
        check_document(job, settings, stream)
    finally:
        stream.close()
