"""How logins are shown: the challenge, and what became of a token."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.certificate_view import certificate_as_json
from cli.exit_codes import ExitCode
from cli.printable import printable
from cli.translation import _
from cli.verdict_words import anchor_text, exit_code_of, not_checked_text, reason_text, verdict_text
from jpki.authentication import VerifiedLogin
from jpki.certificates import Reason, Verdict
from jpki.errors import TokenError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeResult:
    """A nonce for one login."""

    nonce: str

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"nonce": self.nonce}

    def as_text(self) -> Iterator[str]:
        """For people, and for ``nonce=$(jpki auth challenge)``."""
        yield self.nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWrittenResult:
    """The token stands in a file."""

    output: str

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"output": self.output}

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("The login token was written to {output}.").format(output=printable(self.output))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginResult:
    """What the verification of a token found: who logged in, or why nobody did."""

    login: VerifiedLogin | None
    refusal: TokenError | None

    @property
    def verdict(self) -> Verdict:
        """Without an anchor nothing is decided; any other refusal is a failure."""
        if self.login is not None:
            return Verdict.PASSED
        return Verdict.INDETERMINATE if self.reasons == ["no-anchor"] else Verdict.FAILED

    @property
    def exit_code(self) -> ExitCode:
        """That of the verdict."""
        return exit_code_of([self.verdict])

    @property
    def reasons(self) -> list[str]:
        """Codes: of the certificate's check, or of the token's own fault."""
        if self.refusal is None:
            return []
        return list(self.refusal.reasons) or [self.refusal.fault.value]

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        result: dict[str, object] = {"verdict": self.verdict.value, "reasons": self.reasons}
        if self.login is not None:
            result |= {
                "anchor": self.login.path.anchor,
                "revocation": self.login.path.revocation.status.value,
                "not_checked": [item.value for item in self.login.path.not_checked],
                "user": certificate_as_json(self.login.user, reveal=True),
            }
        return result

    def as_text(self) -> Iterator[str]:
        """For people."""
        anchor = None if self.login is None else self.login.path.anchor
        yield _("Login: {verdict}").format(verdict=verdict_text(self.verdict, anchor))
        for code in self.reasons:
            yield _("  because:      {reason}").format(reason=_reason(code))
        if self.login is not None:
            # The number in it is how the site knows this user again.
            yield _("  user:         {subject}").format(subject=printable(self.login.user.subject))
            yield _("  trust in:     {anchor}").format(anchor=anchor_text(anchor))
            yield _("  not checked:  {items}").format(
                items=not_checked_text(self.login.path.not_checked)
            )


def _reason(code: str) -> str:
    words = {
        "too-large": _("the token is too large"),
        "malformed": _("this is not a login token, or it is damaged"),
        "format": _("the token has another format than web-eid:1"),
        "algorithm": _("the token has another algorithm than RS256"),
        "certificate": _("the certificate in the token cannot be used"),
        "signature": _("it was made for another site or another challenge, or it was changed"),
    }
    return words.get(code) or reason_text(Reason(code))
