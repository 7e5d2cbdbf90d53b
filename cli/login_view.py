"""How logins are shown: the challenge, and what became of a token."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.certificate_view import certificate_as_json
from cli.exit_codes import ExitCode
from cli.path_view import path_as_json, path_as_text, reasons_as_text
from cli.printable import printable
from cli.translation import _
from cli.verdict_words import exit_code_of, verdict_text
from jpki.authentication import VerifiedLogin
from jpki.authentication.errors import TokenError
from jpki.certificates import PathReport, Verdict


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
    def path(self) -> PathReport | None:
        """What the check of the certificate found; None: it did not come to that."""
        if self.login is not None:
            return self.login.path
        return None if self.refusal is None else self.refusal.path_report

    @property
    def verdict(self) -> Verdict:
        """That of the certificate; a token with a fault of its own has failed."""
        if self.login is not None:
            return Verdict.PASSED
        return Verdict.FAILED if self.path is None else self.path.verdict

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
        if self.path is not None:
            result |= path_as_json(self.path)
        if self.login is not None:
            result["user"] = certificate_as_json(self.login.user, reveal=True)
        return result

    def as_text(self) -> Iterator[str]:
        """For people."""
        anchor = None if self.path is None else self.path.anchor
        yield _("Login: {verdict}").format(verdict=verdict_text(self.verdict, anchor))
        if self.path is not None:
            yield from reasons_as_text(self.path.reasons, self.path)
        elif self.refusal is not None:
            reason = _fault_text(self.refusal)
            yield _("  because:      {reason}").format(reason=reason)
        if self.login is not None:
            # The number in it is how the site knows this user again.
            yield _("  user:         {subject}").format(subject=printable(self.login.user.subject))
        if self.path is not None:
            yield from path_as_text(self.path)


def _fault_text(refusal: TokenError) -> str:
    words = {
        "too-large": _("the token is too large"),
        "malformed": _("this is not a login token, or it is damaged"),
        "format": _("the token has another format than web-eid:1"),
        "algorithm": _("the token has another algorithm than RS256"),
        "signature": _("it was made for another site or another challenge, or it was changed"),
    }
    return words[refusal.fault.value]
