"""Verdicts and their reasons, after ETSI EN 319 102-1 5.1.3: passed, failed, indeterminate.

They stand with the certificates because a certificate alone gets a verdict too, and signatures,
tokens and certificates must speak of the same fault with the same word.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self


class Verdict(StrEnum):
    """The three states, ETSI EN 319 102-1 5.1.3."""

    PASSED = "passed"
    """Every check that was made succeeded; what was not made is named beside it."""
    FAILED = "failed"
    """One check at least failed, and no further material can mend it."""
    INDETERMINATE = "indeterminate"
    """What is at hand does not decide it: more material (a trust anchor) could."""


class Reason(StrEnum):
    """Why something did not pass; the value is the stable code of the JSON output."""

    verdict: Verdict

    # The default: type checkers take ``Reason("expired")``, a look-up, for a call of this.
    def __new__(cls, code: str, verdict: Verdict = Verdict.FAILED) -> Self:
        """Make a member whose value is the code and which knows its verdict."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.verdict = verdict
        return member

    # the container
    MALFORMED = "malformed", Verdict.FAILED
    NO_SIGNATURE = "no-signature", Verdict.FAILED
    CONTENT_MISSING = "content-missing", Verdict.FAILED
    CONTENT_CONFLICT = "content-conflict", Verdict.FAILED
    DTD_PRESENT = "dtd-present", Verdict.FAILED
    # the signature
    DIGEST_MISMATCH = "digest-mismatch", Verdict.FAILED
    SIGNATURE_INVALID = "signature-invalid", Verdict.FAILED
    SIGNED_ATTRIBUTES_MISSING = "signed-attributes-missing", Verdict.FAILED
    SIGNED_ATTRIBUTES_INVALID = "signed-attributes-invalid", Verdict.FAILED
    SIGNER_CERTIFICATE_MISSING = "signer-certificate-missing", Verdict.FAILED
    SIGNER_CERTIFICATE_MISMATCH = "signer-certificate-mismatch", Verdict.FAILED
    SIGNING_TIME_INVALID = "signing-time-invalid", Verdict.FAILED
    SIGNING_TIME_IN_FUTURE = "signing-time-in-future", Verdict.INDETERMINATE  # or a wrong clock
    ALGORITHM_MISMATCH = "algorithm-mismatch", Verdict.FAILED
    UNSUPPORTED_ALGORITHM = "unsupported-algorithm", Verdict.FAILED
    WEAK_ALGORITHM = "weak-algorithm", Verdict.FAILED
    UNKNOWN_CRITICAL_HEADER = "unknown-critical-header", Verdict.FAILED
    # the files of a container
    UNSAFE_NAME = "unsafe-name", Verdict.FAILED
    UNSIGNED_FILE = "unsigned-file", Verdict.FAILED
    LIMIT_EXCEEDED = "limit-exceeded", Verdict.FAILED
    # its place in a PDF
    BYTE_RANGE_INVALID = "byte-range-invalid", Verdict.FAILED
    CHANGED_AFTER_SIGNING = "changed-after-signing", Verdict.FAILED
    UNSIGNED_BYTES = "unsigned-bytes", Verdict.FAILED
    PHANTOM_SIGNATURE = "phantom-signature", Verdict.FAILED
    DOCUMENT_TIMESTAMP_INVALID = "document-timestamp-invalid", Verdict.FAILED
    UNSUPPORTED_FORMAT = "unsupported-format", Verdict.FAILED
    ENCRYPTED = "encrypted", Verdict.INDETERMINATE  # a password would open it
    # what a signature of XML refers to
    REFERENCE_UNRESOLVED = "reference-unresolved", Verdict.FAILED
    REFERENCE_AMBIGUOUS = "reference-ambiguous", Verdict.FAILED
    REFERENCE_EXTERNAL = "reference-external", Verdict.FAILED
    UNSUPPORTED_TRANSFORM = "unsupported-transform", Verdict.FAILED
    # the certificate and its path
    CERTIFICATE_MALFORMED = "certificate-malformed", Verdict.FAILED
    EXPIRED = "expired", Verdict.FAILED
    NOT_YET_VALID = "not-yet-valid", Verdict.FAILED
    WRONG_KEY_USAGE = "wrong-key-usage", Verdict.FAILED
    WEAK_KEY = "weak-key", Verdict.FAILED
    UNKNOWN_CRITICAL_EXTENSION = "unknown-critical-extension", Verdict.FAILED
    SIGNER_IS_CA = "signer-is-ca", Verdict.FAILED
    WRONG_POLICY = "wrong-policy", Verdict.FAILED
    PROFILE_MISMATCH = "profile-mismatch", Verdict.FAILED
    HOLDER_MALFORMED = "holder-malformed", Verdict.FAILED
    UNTRUSTED_ISSUER = "untrusted-issuer", Verdict.FAILED
    OUTSIDE_ANCHOR_VALIDITY = "outside-anchor-validity", Verdict.FAILED
    ANCHOR_EXPIRED = "anchor-expired", Verdict.FAILED
    ANCHOR_NOT_YET_VALID = "anchor-not-yet-valid", Verdict.FAILED
    NO_ANCHOR = "no-anchor", Verdict.INDETERMINATE
    # its revocation
    REVOKED = "revoked", Verdict.FAILED
    SUSPENDED = "suspended", Verdict.INDETERMINATE  # a lost card, which may be found again
    REVOCATION_UNKNOWN = "revocation-unknown", Verdict.INDETERMINATE


class AnchorOrigin(StrEnum):
    """Where the trust in an anchor comes from."""

    PINNED = "pinned"
    """A CA of J-LIS whose fingerprint is pinned in this program."""
    GIVEN = "given"
    """The caller gave it for this call."""
    TEST = "test"
    """The caller gave it, and it names itself JPKI-TEST: nothing under it is a real card."""


class Revocation(StrEnum):
    """What is known about revocation at the time asked."""

    NOT_CHECKED = "not-checked"
    GOOD = "good"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class Unchecked(StrEnum):
    """What a check left out, so that no output can promise it."""

    REVOCATION = "revocation"
    """Whether the certificate was revoked or suspended: nobody gave data that tell."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of several verdicts: failed, then indeterminate, then passed."""
    found = set(verdicts)
    for verdict in (Verdict.FAILED, Verdict.INDETERMINATE):
        if verdict in found:
            return verdict
    return Verdict.PASSED
