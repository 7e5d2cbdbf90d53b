"""One run of ``jpki sign``: every signature with one PIN, in one transaction."""

import errno
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Final

from cli.context import AppContext
from cli.document_signing import Signing, libraries_of
from cli.errors import FileProblemError, InputError, OutputNotWrittenError
from cli.input_file import BackgroundHash, HashedInput
from cli.pin_entry import PinRequest, unlocked
from cli.printable import printable
from cli.signing_plan import Job, SigningPlan, check_attached_size
from cli.signing_preparation import prepared
from cli.translation import _
from jpki.certificates import is_test_certificate
from jpki.errors import DocumentError

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """One finished signature."""

    job: Job
    attached: bool

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "input": self.job.source.name,
            "inputs": [source.name for source in self.job.sources],
            "output": self.job.output_name,
            "format": self.job.format.value,
            "attached": self.attached,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignResult:
    """What ``jpki sign`` did."""

    files: tuple[SignedFile, ...]
    is_test: bool

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"files": [file.as_json() for file in self.files], "test": self.is_test}

    def as_text(self) -> Iterator[str]:
        """For people."""
        for file in self.files:
            names = ", ".join(printable(source.name) for source in file.job.sources)
            yield _("{input}: signed, the signature is {output}").format(
                input=names, output=printable(file.job.output_name)
            )
        if self.is_test:
            yield _("TEST: signed with a test card, so by nobody.")


def sign_files(app: AppContext, plan: SigningPlan, request: PinRequest) -> SignResult:
    """Sign every input with one PIN in one transaction; each signature is written once it is made.

    An error of the card ends the batch; what was signed before it stays.
    """
    with ExitStack() as resources:
        return _sign_files(app, prepared(app, plan, resources), request)


def _sign_files(app: AppContext, plan: SigningPlan, request: PinRequest) -> SignResult:
    formats = {job.format for job in plan.jobs}
    background = BackgroundHash(
        [source for job in plan.jobs for source in job.sources],
        plan.settings.algorithm,
        keep_content=plan.settings.attached or not all(form.signs_digest for form in formats),
        prepare=libraries_of(formats),
    )

    def wait() -> None:
        background.wait()
        if plan.settings.attached:  # of a pipe only reading told how long it is
            check_attached_size(max(result.size for result in background.results()))

    finished: list[SignedFile] = []
    is_test = False
    try:
        with unlocked(app, request, before_card=wait, meanwhile=background.prepare) as application:
            now = app.clock()
            key = application.signature_key(at=now, allow_expired=plan.settings.allow_expired)
            is_test = is_test_certificate(key.certificate)
            signing = Signing(settings=plan.settings, key=key, time=now)
            inputs = iter(background.results())
            for job in plan.jobs:
                _sign_one(app, signing, job, list(islice(inputs, len(job.sources))))
                finished.append(SignedFile(job=job, attached=plan.settings.attached))
                _say_progress(app, len(finished), len(plan.jobs))
    except BaseException:
        if finished:
            app.error_facts["files"] = [file.as_json() for file in finished]
            _say_finished(app, finished, len(plan.jobs))
        raise
    finally:
        background.close()
    return SignResult(files=tuple(finished), is_test=is_test)


def _sign_one(app: AppContext, signing: Signing, job: Job, inputs: Sequence[HashedInput]) -> None:
    with ExitStack() as resources:
        try:
            write = signing.sign(job, inputs, resources)
        except DocumentError:  # what could be known with the certificate only, as a missing glyph
            app.error_facts["input"] = job.source.name
            raise
        except OSError as error:
            raise _file_problem(error, job) from error
        place = app.output.content() if job.output is None else job.output.writing()
        write(resources.enter_context(place))
    for item in inputs:
        if item.has_changed():
            app.output.warn(
                _(
                    "{path} changed while it was being signed; what was read first is signed."
                ).format(path=printable(item.source.name))
            )


def _file_problem(error: OSError, job: Job) -> FileProblemError:
    """What a document could not be read for, or its signed form not be put together."""
    if error.errno in NO_ROOM:
        return OutputNotWrittenError(tempfile.gettempdir(), error)
    return InputError(job.source.name, error)


def _say_progress(app: AppContext, count: int, total: int) -> None:
    if total > 1:
        app.output.progress(
            _("signed: {count} of {total}").format(count=count, total=total), is_last=count == total
        )


def _say_finished(app: AppContext, finished: Sequence[SignedFile], total: int) -> None:
    app.output.notice(
        _("Before that, {count} of {total} files were signed, up to {output}.").format(
            count=len(finished), total=total, output=printable(finished[-1].job.output_name)
        )
    )
