"""What is looked at before a PIN is asked for: the documents, and their passwords."""

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
from jpki.signing.xml_options import XmlOptions

WITH_TIMESTAMP: Final = frozenset({SignatureFormat.CMS, SignatureFormat.PDF, SignatureFormat.ASICE})
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
    jobs = tuple(_readable_again(job, resources) for job in plan.jobs)
    plan = replace(plan, jobs=jobs)
    for job in jobs:
        if not job.format.signs_digest:
            plan = _with_document_checked(app, plan, job)
    return plan


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
    if settings.pdf != PdfOptions(digest=settings.algorithm) and SignatureFormat.PDF not in formats:
        raise UsageProblemError(N_("There are options for PDF, and no PDF among the files."))
    if settings.xml != XmlOptions(digest=settings.algorithm) and SignatureFormat.XML not in formats:
        raise UsageProblemError(N_("There are options for XML, and no XML among the files."))


def _with_document_checked(app: AppContext, plan: SigningPlan, job: Job) -> SigningPlan:
    """Look into a document; a person is asked for the password of an encrypted PDF."""
    settings = plan.settings
    for entry in range(ENTRIES + 1):
        try:
            _check(job, settings)
        except DocumentError as error:
            is_asked = error.fault in PASSWORD_FAULTS and app.prompter.is_there()
            if not is_asked or entry == ENTRIES:
                app.error_facts["input"] = job.source.name
                raise
            question = _("Password of {path}: ").format(path=printable(job.source.name))
            password = app.prompter.secret(question)
            settings = replace(settings, pdf=replace(settings.pdf, password=password))
        else:
            break
    return replace(plan, settings=settings)


def _check(job: Job, settings: SigningSettings) -> None:
    stream = job.source.open()
    try:
        check_document(job, settings, stream)
    finally:
        stream.close()
