"""The comment of an SSH key, which other people's machines keep."""

from cli.errors import UsageProblemError
from cli.translation import N_
from jpki.authentication.ssh import DEFAULT_COMMENT


def checked_comment(comment: str | None) -> str:
    """The comment, or one that says nothing of the holder. Raises: UsageProblemError."""
    if comment is None:
        return DEFAULT_COMMENT
    if not comment.isprintable():
        raise UsageProblemError(N_("A comment is printable text on one line."))
    return comment
