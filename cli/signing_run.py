"""One run of ``jpki sign``: what is signed, where it goes, and the signing in one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import BinaryIO

from cli.context import AppContext
from cli.errors import OutputFault, OutputRefusedError
from cli.input_file import BackgroundHash, HashedInput, InputFile
from cli.output_file import STDOUT, OutputFile, output_file
from cli.pin_entry import PinRequest, unlocked
from cli.printable import printable
from cli.translation import _
from jpki.certificates import is_test_certificate
from jpki.errors import ContentTooLargeError
from jpki.keys import CardPrivateKey
from jpki.signing import HashAlgorithm, preload, sign_digest, sign_raw, write_attached
from jpki.signing.attached import MAX_ATTACHED_SIZE


class SignatureFormat(Enum):
    """The containers that can be written; the value is the word of --format."""

    RAW = "raw"
    CMS = "cms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One input and the signature that it gets. No output: the standard output."""

    source: InputFile
    output: OutputFile | None

    @property
    def output_name(self) -> str:
        """As it is shown."""
        return STDOUT if self.output is None else str(self.output.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPlan:
    """All that was decided before the PIN is asked for."""

    jobs: tuple[Job, ...]
    format: SignatureFormat
    algorithm: HashAlgorithm
    attached: bool
    allow_expired: bool

    def check(self) -> None:
        """Refuse what cannot succeed, before a PIN is asked for or a card touched.

        Raises:
            InputError, OutputRefusedError, OutputExistsError, ContentTooLargeError.
        """
        inputs = [job.source.path for job in self.jobs if not job.source.is_stdin]
        places: set[str] = set()
        for job in self.jobs:
            job.source.check()
            size = job.source.size() or 0
            if self.attached and size >= MAX_ATTACHED_SIZE:
                raise ContentTooLargeError(size, MAX_ATTACHED_SIZE)
            if job.output is not None:
                job.output.check(inputs)
            place = STDOUT if job.output is None else str(job.output.place())
            if place in places:
                raise OutputRefusedError(job.output_name, OutputFault.TWICE)
            places.add(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """One finished signature."""

    input: str
    output: str
    format: SignatureFormat
    attached: bool

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {
            "input": self.input,
            "output": self.output,
            "format": self.format.value,
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
            yield _("{input}: signed, the signature is {output}").format(
                input=printable(file.input), output=printable(file.output)
            )
        if self.is_test:
            yield _("TEST: signed with a test card, so by nobody.")


def output_for(source: InputFile, plan_format: SignatureFormat, *, attached: bool) -> str:
    """The name of the signature where none is given."""
    if source.is_stdin:
        return STDOUT
    if plan_format is SignatureFormat.RAW:
        return f"{source.name}.sig"
    return f"{source.name}.p7m" if attached else f"{source.name}.p7s"


def make_job(source: InputFile, output: str, *, force: bool) -> Job:
    """An input with its output; ``-`` is the standard output."""
    return Job(source=source, output=output_file(output, force=force))


def sign_files(app: AppContext, plan: SigningPlan, request: PinRequest) -> SignResult:
    """Sign every input with one PIN in one transaction, then write the signatures.

    An error of the card ends the batch; what was signed before it is written all the same.
    """
    background = BackgroundHash(
        [job.source for job in plan.jobs],
        plan.algorithm,
        keep_content=plan.attached,
        prepare=preload if plan.format is SignatureFormat.CMS else _nothing,
    )
    signatures: list[bytes] = []
    is_test = False
    try:
        with unlocked(app, request, before_card=background.wait) as application:
            now = app.clock()
            key = application.signature_key(at=now, allow_expired=plan.allow_expired)
            is_test = is_test_certificate(key.certificate)
            for hashed in background.results():
                signatures.append(_sign(plan, hashed, key, now))
    except BaseException:
        if signatures:
            finished = _write_all(app, plan, background.results(), signatures)
            app.error_facts["files"] = [file.as_json() for file in finished]
            _say_finished(app, finished, len(plan.jobs))
        raise
    finished = _write_all(app, plan, background.results(), signatures)
    return SignResult(files=finished, is_test=is_test)


def _nothing() -> None:
    """A bare signature needs no library."""


def _sign(plan: SigningPlan, hashed: HashedInput, key: CardPrivateKey, now: datetime) -> bytes:
    if plan.format is SignatureFormat.RAW:
        return sign_raw(hashed.digest, key, plan.algorithm)
    return sign_digest(hashed.digest, plan.algorithm, key, key.certificate, signing_time=now)


def _write_all(
    app: AppContext,
    plan: SigningPlan,
    hashed_inputs: Sequence[HashedInput],
    signatures: Sequence[bytes],
) -> tuple[SignedFile, ...]:
    finished: list[SignedFile] = []
    for job, hashed, signature in zip(plan.jobs, hashed_inputs, signatures, strict=False):
        _write(app, plan, job, hashed, signature)
        if hashed.has_changed():
            app.output.warn(
                _(
                    "{path} changed while it was being signed; what was read first is signed."
                ).format(path=printable(job.source.name))
            )
        finished.append(
            SignedFile(
                input=job.source.name,
                output=job.output_name,
                format=plan.format,
                attached=plan.attached,
            )
        )
        app.error_facts["files"] = [file.as_json() for file in finished]
    app.error_facts.pop("files", None)
    return tuple(finished)


def _write(
    app: AppContext, plan: SigningPlan, job: Job, hashed: HashedInput, signature: bytes
) -> None:
    if job.output is None:
        with app.output.content() as stdout:
            _write_signature(plan, hashed, signature, stdout)
    else:
        with job.output.writing() as stream:
            _write_signature(plan, hashed, signature, stream)


def _write_signature(
    plan: SigningPlan, hashed: HashedInput, signature: bytes, stream: BinaryIO
) -> None:
    if not plan.attached:
        stream.write(signature)
        return
    content = hashed.open()
    try:
        write_attached(signature, content, hashed.size, stream)
    finally:
        content.close()


def _say_finished(app: AppContext, finished: Sequence[SignedFile], total: int) -> None:
    app.output.notice(
        _("Before that, {count} of {total} files were signed, up to {output}.").format(
            count=len(finished), total=total, output=printable(finished[-1].output)
        )
    )
